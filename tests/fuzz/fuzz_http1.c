/*
 * HTTP/1 requests: any bytes, cut anywhere
 *
 * The first byte chooses the cut. Oracle: the same bytes in one piece give the same
 * requests in the same order, and the same refusal; what is accepted keeps its promises
 * (a decoded path without control characters, one Host, strings inside their ceilings).
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "daemon/http1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct ow_http1_limits limits = {
    .head_bytes = 1024,
    .target_bytes = 200,
    .body_bytes = 512,
    .headers = 16,
};

enum { MAX_REQUESTS = 32 };

struct outcome {
    unsigned n;
    uint64_t requests[MAX_REQUESTS]; /* a hash of each */
    int status;
    bool in_body;
};

static const uint8_t key[16];

static void check_promises(const struct ow_http1 *h)
{
    const struct ow_request *r = &h->request;
    unsigned hosts = 0;

    ow_assert(r->method && r->path[0] == '/');
    ow_assert(strlen(r->path) + strlen(r->query) <= limits.target_bytes);
    for (const char *at = r->path; *at; at++)
        ow_assert((unsigned char)*at >= 0x20 && *at != 0x7f);
    ow_assert(ow_utf8_valid(r->path, strlen(r->path)));
    ow_assert(r->body_len <= limits.body_bytes && r->body[r->body_len] == '\0');
    ow_assert(r->n_headers <= limits.headers);
    for (size_t i = 0; i < r->n_headers; i++) {
        ow_assert(r->headers[i].name[0] && !strpbrk(r->headers[i].value, "\r\n"));
        hosts += ow_strcaseeq(r->headers[i].name, "host");
    }
    ow_assert(hosts == 1 || (hosts == 0 && h->minor == 0));
    ow_assert(!ow_header_get(r->headers, r->n_headers, "transfer-encoding") ||
              !ow_header_get(r->headers, r->n_headers, "content-length"));
}

static uint64_t hash_request(const struct ow_http1 *h)
{
    const struct ow_request *r = &h->request;
    uint64_t v = ow_siphash(key, r->body, r->body_len);

    v = v * 31 + ow_siphash(key, r->path, strlen(r->path));
    v = v * 31 + ow_siphash(key, r->query, strlen(r->query));
    v = v * 31 + ow_siphash(key, r->method, strlen(r->method));
    for (size_t i = 0; i < r->n_headers; i++) {
        v = v * 31 + ow_siphash(key, r->headers[i].name, strlen(r->headers[i].name));
        v = v * 31 + ow_siphash(key, r->headers[i].value, strlen(r->headers[i].value));
    }
    return v * 2 + h->keep_alive;
}

static void run(const uint8_t *data, size_t size, size_t step, struct outcome *ret)
{
    struct ow_http1 h;
    size_t at = 0;
    enum ow_http1_state state = OW_HTTP1_MORE;

    *ret = (struct outcome){ 0 };
    ow_http1_init(&h, &limits);
    while (at < size && ret->n < MAX_REQUESTS && state != OW_HTTP1_REFUSED) {
        size_t n = size - at < step ? size - at : step, used = 0;
        char *piece = malloc(n);

        ow_assert(piece);
        memcpy(piece, data + at, n);
        state = ow_http1_feed(&h, piece, n, &used);
        ow_assert(used <= n);
        free(piece);
        at += used;
        if (state == OW_HTTP1_REQUEST) {
            check_promises(&h);
            ret->requests[ret->n++] = hash_request(&h);
            ow_http1_next(&h);
        } else if (state == OW_HTTP1_MORE) {
            ow_assert(used == n);
        }
    }
    if (state == OW_HTTP1_REFUSED) {
        ow_assert(h.status >= 400 && h.status <= 505 && h.why);
        ret->status = h.status;
        ret->in_body = h.head_done;
    }
    ow_http1_done(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome whole, cut;

    if (size < 1)
        return 0;
    run(data + 1, size - 1, size, &whole);
    run(data + 1, size - 1, (size_t)data[0] + 1, &cut);
    ow_assert(whole.n == cut.n);
    ow_assert(memcmp(whole.requests, cut.requests, whole.n * sizeof cut.requests[0]) ==
              0);
    ow_assert((whole.status == 0) == (cut.status == 0));
    ow_assert(whole.in_body || whole.status == cut.status);
    return 0;
}
