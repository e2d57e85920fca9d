/* Floor 5. What the command line says of TLS, as a configuration. */
#ifndef SAM_TLS_OPTIONS_H
#define SAM_TLS_OPTIONS_H

#include "options.h"
#include "tls.h"

/* The client's or the server's configuration: files that are not named lie in the folder tls of the
 * folder of keys. *out is NULL, and SAM_OK returned, without --tls. Failures of sam_tls_client_new
 * and sam_tls_server_new: *where tells. The caller frees *out. */
SAM_MUST_CHECK enum sam_status sam_tls_options_client(struct sam_tls **out,
                                                      const struct sam_options *options,
                                                      struct sam_where *where);
SAM_MUST_CHECK enum sam_status sam_tls_options_server(struct sam_tls **out,
                                                      const struct sam_options *options,
                                                      struct sam_where *where);

#endif
