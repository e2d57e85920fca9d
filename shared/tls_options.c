#include "tls_options.h"

#include <stdio.h>

/* The file that was named, or the one that make certs makes. */
static const char *or_default(char path[PATH_MAX], const char *given,
                              const struct sam_options *options, const char *name) {
    if (given != NULL)
        return given;
    snprintf(path, PATH_MAX, "%s/tls/%s", options->keys, name);
    return path;
}

enum sam_status sam_tls_options_client(struct sam_tls **out, const struct sam_options *options,
                                       struct sam_where *where) {
    char ca[PATH_MAX];
    *out = NULL;
    if (!options->tls)
        return SAM_OK;
    const struct sam_tls_client client = {
        .ca = or_default(ca, options->ca, options, "ca.pem"),
        .host = options->host,
        .certificate = options->tls_client_cert,
        .key = options->tls_client_key,
        .ciphers = options->tls_ciphers,
        .crl = options->crl,
    };
    return sam_tls_client_new(out, &client, where);
}

enum sam_status sam_tls_options_server(struct sam_tls **out, const struct sam_options *options,
                                       struct sam_where *where) {
    char certificate[PATH_MAX], key[PATH_MAX];
    *out = NULL;
    if (!options->tls)
        return SAM_OK;
    const struct sam_tls_server server = {
        .certificate = or_default(certificate, options->tls_cert, options, "server.pem"),
        .key = or_default(key, options->tls_key, options, "server.key"),
        .ca = options->tls_client_ca,
        .ciphers = options->tls_ciphers,
    };
    return sam_tls_server_new(out, &server, where);
}
