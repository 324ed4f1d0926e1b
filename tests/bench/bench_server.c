/*
 * A server that answers any request with the same 99 bytes: what the HTTP layer costs
 *
 * usage: bench_server PORT [CERT KEY]
 * then:  wrk -t1 -c32 -d2s -s post.lua http://127.0.0.1:PORT/
 *
 * Compare as a ratio, in alternating rounds, with a server that does the same.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "daemon/server.h"

static const char body[] =
    "{\"status\":\"accepted\",\"len\":4446,\"id\":\"0123456789abcdef\","
    "\"note\":\"0123456789abcdef0123456789abcdef\"}";

static void on_request(struct ow_exchange *x, const struct ow_request *req, void *arg)
{
    static const struct ow_header header = { "Content-Type", "application/json" };

    (void)req;
    (void)arg;
    ow_exchange_reply(x, &(struct ow_response){ 200, &header, 1, body, sizeof body - 1 });
}

static void on_signal(uv_signal_t *s, int signum)
{
    (void)signum;
    uv_close((uv_handle_t *)s, NULL);
    ow_server_close(s->data, NULL, NULL);
}

int main(int argc, char **argv)
{
    uv_loop_t *loop = uv_default_loop();
    struct ow_server_options options = { .address = "127.0.0.1", .fd = -1 };
    struct ow_server *server;
    struct ow_err err;
    uv_signal_t term;
    int64_t port;

    if ((argc != 2 && argc != 4) || !ow_parse_i64(argv[1], &port)) {
        fprintf(stderr, "usage: bench_server PORT [CERT KEY]\n");
        return 64;
    }
    ow_server_limits_default(&options.limits);
    options.port = (int)port;
    options.tls_cert = argc == 4 ? argv[2] : NULL;
    options.tls_key = argc == 4 ? argv[3] : NULL;
    if (ow_server_open(loop, &options, on_request, NULL, &server, &err) != OW_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 78;
    }
    uv_signal_init(loop, &term);
    term.data = server;
    uv_signal_start(&term, on_signal, SIGTERM);
    uv_run(loop, UV_RUN_DEFAULT);
    return 0;
}
