#include "server.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "acceptor.h"
#include "identity.h"
#include "process.h"
#include "service.h"
#include "tls_options.h"

enum {
    DESCRIPTORS_KEPT = 24,            /* for everything that is not a client */
    COMMON_MEMORY = 64 * 1024 * 1024, /* for unfinished envelopes above SAM_OWN_MEMORY */
    LARGE_BLOCK = 1024 * 1024
};

struct server {
    struct sam_service service;
    struct sam_memory memory;
    struct sam_room room;
    struct sam_acceptor acceptor;
    struct sam_crypto *crypto;
    struct sam_tls *tls; /* NULL: none */
    struct sam_key own;
    struct sam_ring trusted;
};

static void serve_one(void *context, const struct sam_accepted *accepted) {
    const struct server *server = context;
    const struct sam_service *service = &server->service;
    struct sam_tunnel tunnel = {.fd = -1};
    int fd = accepted->fd;
    if (server->tls != NULL) {
        int64_t deadline = sam_now() + service->options->timeout * SAM_SECOND;
        enum sam_status status = sam_tls_open(&tunnel, server->tls, fd, service->stop, deadline);
        if (status != SAM_OK) {
            fprintf(stderr, "%s: #%lu %s: %s\n", service->talk.program, accepted->number,
                    accepted->address, sam_status_sentence(status));
            return;
        }
        fd = tunnel.fd;
    }
    sam_service_run(service, fd, accepted->number, accepted->address);
    sam_tls_close(&tunnel);
}

static void turn_away(void *context, const struct sam_accepted *accepted) {
    const struct server *server = context;
    uint8_t rejection[SAM_REJECTION_SIZE];
    sam_rejection_write(rejection, server->service.mode->number);
    /* In clear, to who wants TLS, it would tell of a false cause: that this side speaks none. */
    bool told = server->tls == NULL &&
                sam_write_all(accepted->fd, -1, sam_now(), rejection, sizeof rejection) == SAM_OK;
    fprintf(stderr, "%s: #%lu %s: turned away%s: the system gives no more threads\n",
            server->service.talk.program, accepted->number, accepted->address,
            told ? "" : " without a word");
}

/* What a large envelope took goes back to the system. As it is, glibc raises its thresholds with
 * the first one that is freed, and keeps tens of megabytes for each of many threads. */
static void give_memory_back(void) {
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
#endif
}

/* As many clients as asked for, or as the descriptor limit allows. Each needs its socket, a tunnel
 * four more, and a member of the chat two. */
static unsigned clients_allowed(const struct sam_options *options, const struct sam_talk *talk) {
    struct rlimit limit;
    rlim_t each = 1 + (options->tls ? 4u : 0u) + (options->chat ? 2u : 0u);
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
        limit.rlim_cur >= each * options->max_clients + DESCRIPTORS_KEPT)
        return options->max_clients;
    unsigned allowed = limit.rlim_cur > DESCRIPTORS_KEPT + each
                           ? (unsigned)((limit.rlim_cur - DESCRIPTORS_KEPT) / each)
                           : 1;
    if (!talk->quiet)
        fprintf(stderr, "%s: %u clients at once, not %u: the descriptor limit is %lu (ulimit -n)\n",
                talk->program, allowed, options->max_clients, (unsigned long)limit.rlim_cur);
    return allowed;
}

/* What unfinished envelopes may hold together: at least one of the longest. */
static size_t common_memory(const struct server *server) {
    const struct sam_service *service = &server->service;
    struct sam_layout longest_body =
        service->mode->layout(SAM_SALT_SIZE + (size_t)service->options->max_message,
                              SAM_RSA_SIZE_MAX, sam_rsa_size(server->own.rsa));
    size_t longest = SAM_HEADER_SIZE + longest_body.length;
    return longest > COMMON_MEMORY ? longest : COMMON_MEMORY;
}

static enum sam_status prepare(struct server *server, struct sam_where *where) {
    const struct sam_options *options = server->service.options;
    enum sam_status status = sam_crypto_new(&server->crypto);
    if (status == SAM_OK)
        status = sam_identity_load(&server->own, server->crypto, options->keys, options->name,
                                   options->passphrase_file, where);
    if (status == SAM_OK)
        status = sam_ring_load(&server->trusted, server->crypto, options->keys, where);
    if (status == SAM_OK)
        status = sam_tls_options_server(&server->tls, options, where);
    server->service.crypto = server->crypto;
    server->service.own = &server->own;
    server->service.trusted = &server->trusted;
    server->service.memory = &server->memory;
    server->service.handler = sam_handler_find(options->handler);
    if (status == SAM_OK && options->chat) {
        status = sam_room_open(&server->room, server->own.name);
        server->service.room = status == SAM_OK ? &server->room : NULL;
    }
    return status;
}

static void tell_start(const struct server *server, const struct sam_where *address) {
    const struct sam_service *service = &server->service;
    char fingerprint[SAM_FINGERPRINT_SIZE];
    if (service->talk.quiet)
        return;
    sam_fingerprint(fingerprint, server->own.id);
    bool own = sam_ring_find(&server->trusted, server->own.id) != NULL;
    fprintf(stderr, "%s: mode %u, %s, listening on %s%s\n  as %s %s\n  trusting %zu key(s) in %s\n",
            service->talk.program, service->mode->number, service->mode->name, address->text,
            server->tls != NULL ? ", inside TLS" : "", server->own.name, fingerprint,
            server->trusted.count - own, service->options->keys);
}

static enum sam_status serve(struct server *server, struct sam_where *where) {
    const struct sam_options *options = server->service.options;
    struct sam_acceptor *acceptor = &server->acceptor;
    uint16_t port = (uint16_t)options->port;
    enum sam_status status =
        sam_acceptor_open(acceptor, options->host, &port, options->port_file, where);
    if (status == SAM_OK)
        status = sam_memory_init(&server->memory, common_memory(server));
    if (status == SAM_OK) {
        server->service.stop = acceptor->stop[0];
        tell_start(server, where);
        sam_acceptor_run(acceptor);
        sam_acceptor_shut(acceptor);
        sam_memory_stop(&server->memory);
    }
    sam_acceptor_close(acceptor);
    if (status == SAM_OK) {
        sam_memory_destroy(&server->memory);
        if (!options->quiet)
            fprintf(stderr, "%s: stopped\n", options->program);
    }
    return status;
}

enum sam_exit sam_server_main(const struct sam_mode *mode, int argc, char **argv) {
    struct sam_options options;
    enum sam_exit code;
    sam_process_start();
    give_memory_back();
    if (!sam_options_read(&options, true, mode, argc, argv, &code))
        return code;
    struct sam_talk talk = sam_talk_start(options.program, options.color, options.quiet);
    if (options.command == SAM_GENERATE)
        return sam_identity_generate(&options, &talk);
    if (options.command == SAM_FINGERPRINT)
        return sam_identity_fingerprint(&options, &talk);
    if (strlen(options.message) > mode->max_message) {
        fprintf(stderr, "server: --message has %zu bytes, a client takes %lu: shorten it\n",
                strlen(options.message), (unsigned long)mode->max_message);
        return SAM_EXIT_USAGE;
    }
    if (options.chat && options.max_message > SAM_ROOM_TEXT)
        options.max_message = SAM_ROOM_TEXT;
    struct server server = {.service = {.mode = mode, .options = &options, .talk = talk}};
    server.acceptor = (struct sam_acceptor){
        .context = &server,
        .serve = serve_one,
        .turn_away = turn_away,
        .most = clients_allowed(&options, &talk),
    };
    struct sam_where where = {"libcrypto"};
    enum sam_status status = prepare(&server, &where);
    if (status == SAM_OK)
        status = serve(&server, &where);
    code = status == SAM_OK ? SAM_EXIT_OK : sam_complain(&talk, &where, status);
    if (server.service.room != NULL)
        sam_room_close(&server.room);
    sam_tls_free(server.tls);
    sam_ring_free(&server.trusted);
    sam_key_free(&server.own);
    sam_crypto_free(server.crypto);
    return code;
}
