#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "daemon/address.h"
#include "daemon/client.h"
#include "daemon/clock.h"
#include "daemon/server.h"
#include "tests/support/pki.h"

/*
 * The client against our own server, and against a bare socket where the other side has
 * to misbehave. All on one loop.
 */

enum { WAIT_MS = 5000, MAX_HELD = 16 };

static uv_loop_t loop;
static struct ow_server *server;
static struct ow_server_options server_options;
static struct ow_client *client;
static struct ow_client_options options;

/* ---- the server's handler ---- */

static struct ow_exchange *held[MAX_HELD];
static unsigned n_held, n_requests;
static struct ow_buf prepared; /* the answer to /prepared */
static const char *prepared_coding;
static char last_headers[1024];

static void reply(struct ow_exchange *x, int status, const char *body, size_t n)
{
    const struct ow_header headers[] = {
        {"Content-Type",      "text/plain"                          },
        { "Location",         "http://127.0.0.1:1/elsewhere"        },
        { "ETag",             "W/\"7\""                             },
        { "Content-Encoding", prepared_coding ? prepared_coding : ""},
    };

    ow_exchange_reply(
        x, &(struct ow_response){ status, headers, prepared_coding ? 4 : 3, body, n });
}

static void note_headers(const struct ow_request *req)
{
    int at = 0;

    for (size_t i = 0; i < req->n_headers; i++)
        at += snprintf(last_headers + at, sizeof last_headers - (size_t)at, "%s: %s\n",
                       req->headers[i].name, req->headers[i].value);
}

static void on_request(struct ow_exchange *x, const struct ow_request *req, void *arg)
{
    char text[512];
    int n;

    (void)arg;
    n_requests++;
    note_headers(req);
    if (ow_streq(req->path, "/hold")) {
        assert_true(n_held < MAX_HELD);
        ow_exchange_set_data(x, ow_strdup(req->query));
        held[n_held++] = x;
        return;
    }
    if (ow_streq(req->path, "/prepared")) {
        reply(x, 200, prepared.data, prepared.len);
        return;
    }
    n = snprintf(text, sizeof text, "%s %s %s %.*s", req->method, req->path, req->query,
                 (int)req->body_len, req->body);
    reply(x, ow_starts_with(req->path, "/30") ? 302 : 200 + (int)req->body_len % 2 * 204,
          text, (size_t)n);
}

static void release(unsigned i)
{
    reply(held[i], 200, ow_exchange_data(held[i]), strlen(ow_exchange_data(held[i])));
    held[i] = NULL;
}

/* ---- what came back ---- */

struct result {
    unsigned n;
    enum ow_code code;
    bool sent;
    int status;
    char body[256], etag[16], text[OW_ERR_SIZE];
    size_t body_len;
    unsigned order; /* among all ends */
};

static unsigned n_ends;

static void on_reply(void *arg, enum ow_code code, const struct ow_response *resp,
                     bool sent, const struct ow_err *err)
{
    struct result *r = arg;

    assert_true((code == OW_OK) == (resp != NULL));
    r->n++;
    r->code = code;
    r->sent = sent;
    r->order = ++n_ends;
    ow_copy(r->text, sizeof r->text, err->text);
    if (!resp)
        return;
    r->status = resp->status;
    r->body_len = resp->body_len;
    ow_copy(r->body, sizeof r->body, resp->body);
    ow_copy(r->etag, sizeof r->etag,
            ow_header_get(resp->headers, resp->n_headers, "etag")
                ? ow_header_get(resp->headers, resp->n_headers, "etag")
                : "");
}

static struct ow_call *call_url(const char *method, const char *url, const char *body,
                                int64_t timeout_ms, struct result *r)
{
    const struct ow_header headers[] = {
        {"Content-Type",   "application/fhir+json"},
        { "X-Empty",       ""                     },
        { "If-None-Exist", "a=b"                  }
    };
    struct ow_call *call;

    *r = (struct result){ 0 };
    call = ow_client_send(client,
                          &(struct ow_request){ .method = method,
                                                .url = url,
                                                .headers = headers,
                                                .n_headers = 3,
                                                .body = body,
                                                .body_len = body ? strlen(body) : 0 },
                          timeout_ms, on_reply, r);
    assert_int_equal(r->n, 0); /* never inside the call */
    return call;
}

static struct ow_call *call(const char *method, const char *path, const char *body,
                            int64_t timeout_ms, struct result *r)
{
    char url[256];

    snprintf(url, sizeof url, "%s://127.0.0.1:%d%s",
             server_options.tls_cert ? "https" : "http", ow_server_port(server), path);
    return call_url(method, url, body, timeout_ms, r);
}

static void turn(void)
{
    uv_run(&loop, UV_RUN_NOWAIT);
    usleep(300);
}

static void turn_for(int64_t ms)
{
    int64_t until = ow_clock_mono() + ms;

    while (ow_clock_mono() < until)
        turn();
}

static void wait_for(struct result *r)
{
    int64_t until = ow_clock_mono() + WAIT_MS;

    while (r->n == 0 && ow_clock_mono() < until)
        turn();
    assert_int_equal(r->n, 1);
}

static void expect(struct result *r, enum ow_code code, bool sent, const char *word)
{
    wait_for(r);
    if (r->code != code || r->sent != sent || !strstr(r->text, word))
        fail_msg("%s, sent %d, \"%s\"; not %s, %d, \"%s\"", ow_code_name(r->code),
                 r->sent, r->text, ow_code_name(code), sent, word);
}

static void wait_held(unsigned n)
{
    int64_t until = ow_clock_mono() + WAIT_MS;

    while (n_held < n && ow_clock_mono() < until)
        turn();
    assert_int_equal(n_held, n);
}

/* ---- set-up ---- */

static void on_flag(void *arg)
{
    *(bool *)arg = true;
}

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    server_options = (struct ow_server_options){ .address = "127.0.0.1", .fd = -1 };
    ow_server_limits_default(&server_options.limits);
    ow_client_options_default(&options);
    options.allow_private = true;
    n_held = n_requests = n_ends = 0;
    prepared_coding = NULL;
    ow_buf_init(&prepared, 64 << 20);
    return 0;
}

static void start(void)
{
    struct ow_err err;

    if (ow_server_open(&loop, &server_options, on_request, NULL, &server, &err) !=
            OW_OK ||
        ow_client_open(&loop, &options, &client, &err) != OW_OK)
        fail_msg("%s", err.text);
}

static void client_stop(void)
{
    bool closed = false;

    ow_client_close(client, on_flag, &closed);
    client = NULL;
    for (int i = 0; i < 1000 && !closed; i++)
        turn();
    assert_true(closed);
}

static int tear_down(void **state)
{
    (void)state;
    if (client)
        client_stop();
    ow_server_close(server, NULL, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    for (unsigned i = 0; i < n_held; i++)
        if (held[i])
            release(i);
    ow_buf_done(&prepared);
    assert_int_equal(uv_loop_close(&loop), 0);
    return 0;
}

/* ---- requests and answers ---- */

static void methods_bodies_headers_and_statuses_go_both_ways(void **state)
{
    struct result r;

    (void)state;
    start();
    call("GET", "/a?b=c", NULL, 2000, &r);
    expect(&r, OW_OK, true, "");
    assert_int_equal(r.status, 200);
    assert_string_equal(r.body, "GET /a b=c ");
    assert_string_equal(r.etag, "W/\"7\"");
    assert_non_null(strstr(last_headers, "User-Agent: opiward/"));
    assert_non_null(strstr(last_headers, "Accept-Encoding: gzip, deflate"));
    assert_non_null(strstr(last_headers, "If-None-Exist: a=b"));
    assert_non_null(strstr(last_headers, "X-Empty: \n"));
    call("POST", "/p", "body", 2000, &r);
    expect(&r, OW_OK, true, "");
    assert_string_equal(r.body, "POST /p  body");
    assert_non_null(strstr(last_headers, "Content-Type: application/fhir+json"));
    assert_null(strstr(last_headers, "Expect"));
    call("POST", "/p", "odd", 2000, &r);
    expect(&r, OW_OK, true, "");
    assert_int_equal(r.status, 404);
    call("POST", "/p", NULL, 2000, &r);
    expect(&r, OW_OK, true, "");
    assert_non_null(strstr(last_headers, "Content-Length: 0"));
    call("PUT", "/u", "put!", 2000, &r);
    expect(&r, OW_OK, true, "");
    assert_string_equal(r.body, "PUT /u  put!");
    call("DELETE", "/d", NULL, 2000, &r);
    expect(&r, OW_OK, true, "");
    assert_string_equal(r.body, "DELETE /d  ");
    call("HEAD", "/h", NULL, 2000, &r);
    expect(&r, OW_OK, true, "");
    assert_int_equal(r.body_len, 0);
    call("GET", "/again", NULL, 2000, &r);
    expect(&r, OW_OK, true, "");
    assert_string_equal(r.body, "GET /again  ");
    assert_int_equal(ow_server_stats(server).accepted, 1); /* one kept connection */
}

static void a_thousand_calls_in_a_row_leave_nothing(void **state)
{
    struct result r;

    (void)state;
    start();
    for (int i = 0; i < 1000; i++) {
        call(i % 2 ? "POST" : "GET", "/x", i % 2 ? "ab" : NULL, 2000, &r);
        wait_for(&r);
        assert_int_equal(r.status, 200);
    }
    assert_int_equal(n_requests, 1000);
}

static void a_redirect_is_an_answer_and_not_followed(void **state)
{
    struct result r;

    (void)state;
    start();
    call("GET", "/302", NULL, 2000, &r);
    expect(&r, OW_OK, true, "");
    assert_int_equal(r.status, 302);
    turn_for(20);
    assert_int_equal(n_requests, 1);
}

static void calls_to_one_host_wait_in_line(void **state)
{
    struct result r[5];
    char path[32];

    (void)state;
    options.per_host = 2;
    start();
    for (int i = 0; i < 5; i++) {
        snprintf(path, sizeof path, "/hold?%d", i);
        call("GET", path, NULL, 5000, &r[i]);
    }
    wait_held(2);
    turn_for(30);
    assert_int_equal(n_held, 2);
    release(1);
    wait_held(3);
    assert_string_equal(ow_exchange_data(held[2]), "2"); /* first come, first served */
    release(0);
    wait_held(4);
    assert_string_equal(ow_exchange_data(held[3]), "3");
    release(2);
    wait_held(5);
    release(3);
    release(4);
    for (int i = 0; i < 5; i++) {
        wait_for(&r[i]);
        snprintf(path, sizeof path, "%d", i);
        assert_string_equal(r[i].body, path);
    }
}

static void urgent_calls_go_ahead_in_the_line(void **state)
{
    static const char *const order[] = { "0", "2", "4", "1", "3" };
    struct result r[5];
    char url[64];

    (void)state;
    options.per_host = 1;
    start();
    for (unsigned i = 0; i < 5; i++) {
        struct ow_request req = { .method = "GET",
                                  .url = url,
                                  .urgent = i == 2 || i == 4 };

        snprintf(url, sizeof url, "http://127.0.0.1:%d/hold?%u", ow_server_port(server),
                 i);
        r[i] = (struct result){ 0 };
        (void)ow_client_send(client, &req, 5000, on_reply, &r[i]);
    }
    for (unsigned i = 0; i < 5; i++) {
        wait_held(i + 1);
        assert_string_equal(ow_exchange_data(held[i]), order[i]);
        release(i);
    }
    for (unsigned i = 0; i < 5; i++)
        wait_for(&r[i]);
}

/* ---- time ---- */

static void an_answer_too_late_is_no_answer_and_was_sent(void **state)
{
    int64_t begin = ow_clock_mono();
    struct result r;

    (void)state;
    start();
    call("POST", "/hold?x", "body", 150, &r);
    expect(&r, OW_AGAIN, true, "Timeout");
    assert_in_range(ow_clock_mono() - begin, 140, 1500);
    assert_null(strstr(r.text, "/hold")); /* no path, it may name a patient */
}

static void waiting_in_line_counts_and_nothing_was_sent(void **state)
{
    struct result first, second, third;

    (void)state;
    options.per_host = 1;
    start();
    call("GET", "/hold?1", NULL, 3000, &first);
    call("POST", "/hold?2", "x", 100, &second);
    call("GET", "/third", NULL, 3000, &third);
    expect(&second, OW_AGAIN, false, "no free place");
    assert_int_equal(first.n, 0);
    release(0);
    expect(&first, OW_OK, true, "");
    expect(&third, OW_OK, true, "");
    assert_int_equal(n_held, 1);
}

/* ---- ceilings ---- */

static void a_response_above_the_ceiling_is_refused(void **state)
{
    struct result r;

    (void)state;
    options.max_body = 10000;
    start();
    for (int i = 0; i < 10000; i++)
        ow_buf_char(&prepared, 'x');
    call("GET", "/prepared", NULL, 2000, &r);
    expect(&r, OW_OK, true, "");
    assert_int_equal(r.body_len, 10000);
    ow_buf_char(&prepared, 'x');
    call("GET", "/prepared", NULL, 2000, &r);
    expect(&r, OW_INPUT, true, "too large");
    call("GET", "/next", NULL, 2000, &r);
    expect(&r, OW_OK, true, "");
}

static const char gzip_head[10] = { '\x1f', '\x8b', 8, 0, 0, 0, 0, 0, 0, 3 };

static void put_le(struct ow_buf *b, uint32_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        ow_buf_char(b, (char)(v >> (8 * i)));
}

static uint32_t crc32_of(const char *data, size_t n)
{
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < n; i++) {
        crc ^= (uint8_t)data[i];
        for (int k = 0; k < 8; k++)
            crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

/* `n` bytes in stored blocks: gzip without compression */
static void gzip_stored(struct ow_buf *out, const char *data, size_t n)
{
    ow_buf_add(out, gzip_head, sizeof gzip_head);
    for (size_t at = 0; at < n;) {
        size_t k = n - at < 60000 ? n - at : 60000;

        ow_buf_char(out, at + k == n);
        put_le(out, (uint32_t)k, 2);
        put_le(out, ~(uint32_t)k, 2);
        ow_buf_add(out, data + at, k);
        at += k;
    }
    put_le(out, crc32_of(data, n), 4);
    put_le(out, (uint32_t)n, 4);
}

struct bits {
    struct ow_buf *out;
    uint32_t held;
    unsigned n;
};

static void put_bits(struct bits *b, uint32_t v, unsigned n)
{
    b->held |= v << b->n;
    for (b->n += n; b->n >= 8; b->n -= 8) {
        ow_buf_char(b->out, (char)b->held);
        b->held >>= 8;
    }
}

/* One zero, then runs of 258 of them: 13 bits each, a ratio of 158. */
static void gzip_bomb(struct ow_buf *out, unsigned runs)
{
    struct bits b = { .out = out };

    ow_buf_add(out, gzip_head, sizeof gzip_head);
    put_bits(&b, 3, 3);    /* the last block, fixed codes */
    put_bits(&b, 0x0c, 8); /* literal 0 is 00110000, first bit first */
    for (unsigned i = 0; i < runs; i++) {
        put_bits(&b, 0xa3, 8); /* length 258 is 11000101 */
        put_bits(&b, 0, 5);    /* distance 1 */
    }
    put_bits(&b, 0, 7); /* end */
    put_bits(&b, 0, 7);
    put_le(out, 0, 4);
    put_le(out, 0, 4);
}

static void gzip_is_decoded(void **state)
{
    struct ow_buf plain;
    struct result r;

    (void)state;
    start();
    ow_buf_init(&plain, 1 << 20);
    for (int i = 0; i < 20000; i++)
        ow_buf_printf(&plain, "line %d\n", i);
    gzip_stored(&prepared, plain.data, plain.len);
    prepared_coding = "gzip";
    call("GET", "/prepared", NULL, 2000, &r);
    expect(&r, OW_OK, true, "");
    assert_int_equal(r.body_len, plain.len);
    assert_int_equal(strncmp(r.body, "line 0\nline 1\n", 14), 0);
    ow_buf_done(&plain);
}

static void a_gzip_bomb_is_refused_long_before_it_is_whole(void **state)
{
    int64_t begin;
    struct result r;

    (void)state;
    options.max_body = 1 << 30;
    start();
    gzip_bomb(&prepared, 4 << 20); /* 6.8 MB that would become 1 GiB */
    prepared_coding = "gzip";
    begin = ow_clock_mono();
    call("GET", "/prepared", NULL, 20000, &r);
    expect(&r, OW_INPUT, true, "expands too much");
    assert_in_range(ow_clock_mono() - begin, 0, 2000);
    prepared_coding = "gzip, gzip";
    call("GET", "/prepared", NULL, 2000, &r);
    expect(&r, OW_INPUT, true, "more than once");
    prepared_coding = "gzip";
    ow_buf_reset(&prepared);
    ow_buf_str(&prepared, "this is no gzip");
    call("GET", "/prepared", NULL, 2000, &r);
    expect(&r, OW_INPUT, true, "Content");
}

/* ---- where to ---- */

static void private_addresses_are_refused_under_every_name(void **state)
{
    static const char *const hosts[] = { "127.0.0.1",       "localhost",
                                         "[::1]",           "0.0.0.0",
                                         "127.1",           "0x7f.1",
                                         "2130706433",      "[::ffff:127.0.0.1]",
                                         "169.254.169.254", "10.0.0.1" };
    struct result r;
    char url[128];

    (void)state;
    options.allow_private = false;
    start();
    for (size_t i = 0; i < OW_LEN(hosts); i++) {
        snprintf(url, sizeof url, "http://%s:%d/x", hosts[i], ow_server_port(server));
        call_url("GET", url, NULL, 3000, &r);
        expect(&r, OW_AGAIN, false, "private");
    }
    assert_int_equal(ow_server_stats(server).accepted, 0);
}

static bool is_private(const char *text)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        return ow_address_is_private((struct sockaddr *)&in);
    assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
    return ow_address_is_private((struct sockaddr *)&in6);
}

static void private_is_what_the_registries_say(void **state)
{
    static const char *const yes[] = {
        "0.0.0.0",       "10.255.0.1",      "100.64.0.1",  "100.127.255.255",
        "127.0.0.53",    "169.254.1.1",     "172.16.0.1",  "172.31.9.9",
        "192.0.0.8",     "192.168.1.1",     "198.19.0.1",  "224.0.0.1",
        "240.0.0.1",     "255.255.255.255", "::",          "::1",
        "fe80::1",       "febf::1",         "fc00::1",     "fdff::1",
        "ff02::1",       "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::10.0.0.1",
        "2002:0a00:1::", "2001:db8::1",     "2001:0:1::1", "100::1",
    };
    static const char *const no[] = {
        "1.1.1.1",          "9.255.255.255",    "11.0.0.1",     "100.63.0.1",
        "100.128.0.1",      "126.0.0.1",        "172.15.0.1",   "172.32.0.1",
        "192.0.1.1",        "192.169.0.1",      "198.17.0.1",   "198.20.0.1",
        "223.0.0.1",        "2a00::1",          "2001:4860::1", "::ffff:1.1.1.1",
        "64:ff9b::1.1.1.1", "2002:0101:0101::",
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(yes); i++)
        if (!is_private(yes[i]))
            fail_msg("%s is private", yes[i]);
    for (size_t i = 0; i < OW_LEN(no); i++)
        if (is_private(no[i]))
            fail_msg("%s is not private", no[i]);
}

static void what_cannot_be_asked_is_refused_later_and_unsent(void **state)
{
    static const char *const urls[] = { "file:///etc/passwd",    "ftp://127.0.0.1/",
                                        "gopher://127.0.0.1/",   "http://",
                                        "http://u:p@127.0.0.1/", "nonsense",
                                        "http://127.0.0.1/a b",  "" };
    const struct ow_header bad = { "X", "a\r\nY: b" };
    struct result r = { 0 };

    (void)state;
    start();
    for (size_t i = 0; i < OW_LEN(urls); i++) {
        call_url("GET", urls[i], NULL, 1000, &r);
        expect(&r, OW_INPUT, false, "");
        assert_null(strstr(r.text, "u:p"));
    }
    r = (struct result){ 0 };
    (void)ow_client_send(client,
                         &(struct ow_request){ .method = "GET",
                                               .url = "http://127.0.0.1/",
                                               .headers = &bad,
                                               .n_headers = 1 },
                         1000, on_reply, &r);
    expect(&r, OW_INPUT, false, "header");
    call_url("GET", "http://127.0.0.1:99999/", NULL, 1000, &r);
    expect(&r, OW_INPUT, false, "URL");
}

/* ---- a peer that misbehaves ---- */

static int raw_listen(int *port)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static int raw_accept(int fd)
{
    int64_t until = ow_clock_mono() + WAIT_MS;
    int got = -1;

    while (got < 0 && ow_clock_mono() < until) {
        turn();
        got = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    }
    assert_true(got >= 0);
    return got;
}

/* Read until `word` is there. */
static void raw_read(int fd, const char *word)
{
    int64_t until = ow_clock_mono() + WAIT_MS;
    char text[4096] = "";
    size_t at = 0;

    while (!strstr(text, word) && ow_clock_mono() < until) {
        ssize_t n = recv(fd, text + at, sizeof text - 1 - at, 0);

        turn();
        if (n > 0)
            at += (size_t)n;
        text[at] = '\0';
    }
    assert_non_null(strstr(text, word));
}

static void raw_write(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static void sent_is_true_once_a_byte_of_the_request_left(void **state)
{
    struct result r;
    char url[64];
    int port, fd = raw_listen(&port), conn;

    (void)state;
    start();
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
    call_url("POST", url, "payload", 3000, &r);
    conn = raw_accept(fd);
    raw_read(conn, "payload");
    close(conn); /* acted or not: who knows */
    expect(&r, OW_AGAIN, true, "");
    close(fd);
    call_url("POST", url, "payload", 3000, &r); /* the same easy handle again */
    expect(&r, OW_AGAIN, false, "connect");
}

static void a_request_on_a_dead_kept_connection_is_not_repeated(void **state)
{
    struct result r;
    char url[64], byte[1];
    int port, fd = raw_listen(&port), conn;

    (void)state;
    start();
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
    call_url("POST", url, "one", 3000, &r);
    conn = raw_accept(fd);
    raw_read(conn, "one");
    raw_write(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    expect(&r, OW_OK, true, "");
    call_url("POST", url, "two", 3000, &r);
    raw_read(conn, "two");
    close(conn);
    expect(&r, OW_AGAIN, true, "");
    turn_for(50);
    conn = accept(fd, NULL, NULL); /* it may have connected again, but not sent */
    if (conn >= 0) {
        assert_true(recv(conn, byte, sizeof byte, MSG_DONTWAIT) <= 0);
        close(conn);
    }
    close(fd);
}

static void broken_answers_are_no_answers(void **state)
{
    static const struct {
        const char *text;
        enum ow_code code;
    } cases[] = {
        {"SMTP ready\r\n\r\n",                                            OW_AGAIN},
        { "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",             OW_AGAIN},
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", OW_AGAIN},
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",  OW_AGAIN},
        { "",                                                             OW_AGAIN},
    };

    (void)state;
    start();
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct result r;
        char url[64];
        int port, fd = raw_listen(&port), conn;

        snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
        call_url("GET", url, NULL, 3000, &r);
        conn = raw_accept(fd);
        raw_read(conn, "\r\n\r\n");
        raw_write(conn, cases[i].text);
        close(conn);
        expect(&r, cases[i].code, true, "");
        close(fd);
    }
}

static void an_endless_head_is_refused(void **state)
{
    struct result r;
    char url[64];
    int port, fd = raw_listen(&port), conn;

    (void)state;
    start();
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
    call_url("GET", url, NULL, 3000, &r);
    conn = raw_accept(fd);
    raw_read(conn, "\r\n\r\n");
    raw_write(conn, "HTTP/1.1 100 Continue\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n");
    for (int i = 0; i <= OW_WIRE_HEADERS; i++)
        raw_write(conn, "A: b\r\n");
    expect(&r, OW_INPUT, true, "too many header fields");
    close(conn);
    close(fd);
}

/* ---- TLS ---- */

static void tls_is_verified_and_an_unknown_authority_gets_nothing(void **state)
{
    struct pki pki;
    struct result r;

    (void)state;
    pki_make(&pki);
    server_options.tls_cert = pki.server_cert;
    server_options.tls_key = pki.server_key;
    start(); /* with the system's authorities */
    call("POST", "/secret", "payload", 3000, &r);
    expect(&r, OW_AGAIN, false, "SSL");
    client_stop();
    options.ca_file = pki.ca;
    assert_int_equal(ow_client_open(&loop, &options, &client, NULL), OW_OK);
    call("POST", "/good", "xx", 3000, &r);
    expect(&r, OW_OK, true, "");
    assert_int_equal(n_requests, 1);
    pki_remove(&pki);
}

static void a_client_certificate_is_shown_when_there_is_one(void **state)
{
    struct pki pki;
    struct result r;

    (void)state;
    pki_make(&pki);
    server_options.tls_cert = pki.server_cert;
    server_options.tls_key = pki.server_key;
    server_options.tls_client_ca = options.ca_file = pki.ca;
    start();
    call("GET", "/x", NULL, 3000, &r);
    wait_for(&r);
    assert_int_equal(r.code, OW_AGAIN);
    client_stop();
    options.cert_file = pki.client_cert;
    options.key_file = pki.client_key;
    assert_int_equal(ow_client_open(&loop, &options, &client, NULL), OW_OK);
    call("GET", "/x", NULL, 3000, &r);
    expect(&r, OW_OK, true, "");
    assert_int_equal(n_requests, 1);
    pki_remove(&pki);
}

/* ---- ends ---- */

static void a_canceled_call_is_never_heard_of_again(void **state)
{
    struct result active, queued, refused, after;
    struct ow_call *a, *q, *f;

    (void)state;
    options.per_host = 1;
    start();
    a = call("GET", "/hold?1", NULL, 3000, &active);
    q = call("GET", "/never", NULL, 3000, &queued);
    f = call_url("GET", "file:///", NULL, 3000, &refused);
    call("GET", "/after", NULL, 3000, &after);
    ow_client_cancel(client, f);
    wait_held(1);
    ow_client_cancel(client, q);
    ow_client_cancel(client, a);
    expect(&after, OW_OK, true, "");
    turn_for(30);
    assert_int_equal(active.n + queued.n + refused.n, 0);
    assert_int_equal(n_requests, 2);
}

static void closing_ends_every_call(void **state)
{
    struct result active, queued, fresh;

    (void)state;
    options.per_host = 1;
    start();
    call("GET", "/hold?1", NULL, 3000, &active);
    wait_held(1);
    call("GET", "/queued", NULL, 3000, &queued);
    call_url("GET", "http://localhost:9/", NULL, 3000, &fresh);
    client_stop();
    assert_int_equal(active.n + queued.n + fresh.n, 3);
    assert_int_equal(active.code, OW_CANCELED);
    assert_true(active.sent);
    assert_int_equal(queued.code, OW_CANCELED);
    assert_false(queued.sent);
    assert_int_equal(fresh.code, OW_CANCELED);
}

static void on_reply_close(void *arg, enum ow_code code, const struct ow_response *resp,
                           bool sent, const struct ow_err *err)
{
    on_reply(arg, code, resp, sent, err);
    ow_client_close(client, NULL, NULL);
    client = NULL;
}

static void a_reply_may_close_the_client(void **state)
{
    struct result r = { 0 }, other;
    char url[64];

    (void)state;
    start();
    call("GET", "/hold?1", NULL, 3000, &other);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", ow_server_port(server));
    (void)ow_client_send(client, &(struct ow_request){ .method = "GET", .url = url },
                         3000, on_reply_close, &r);
    expect(&r, OW_OK, true, "");
    assert_int_equal(other.n, 1);
    assert_int_equal(other.code, OW_CANCELED);
}

static void files_that_are_not_there_are_named(void **state)
{
    struct ow_err err;
    struct ow_client *c = NULL;

    (void)state;
    start();
    options.ca_file = "/nonexistent/ca.pem";
    assert_int_equal(ow_client_open(&loop, &options, &c, &err), OW_CONFIG);
    assert_non_null(strstr(err.text, "/nonexistent/ca.pem"));
    assert_null(c);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(methods_bodies_headers_and_statuses_go_both_ways),
        T(a_thousand_calls_in_a_row_leave_nothing),
        T(a_redirect_is_an_answer_and_not_followed),
        T(calls_to_one_host_wait_in_line),
        T(urgent_calls_go_ahead_in_the_line),
        T(an_answer_too_late_is_no_answer_and_was_sent),
        T(waiting_in_line_counts_and_nothing_was_sent),
        T(a_response_above_the_ceiling_is_refused),
        T(gzip_is_decoded),
        T(a_gzip_bomb_is_refused_long_before_it_is_whole),
        T(private_addresses_are_refused_under_every_name),
        cmocka_unit_test(private_is_what_the_registries_say),
        T(what_cannot_be_asked_is_refused_later_and_unsent),
        T(sent_is_true_once_a_byte_of_the_request_left),
        T(a_request_on_a_dead_kept_connection_is_not_repeated),
        T(broken_answers_are_no_answers),
        T(an_endless_head_is_refused),
        T(tls_is_verified_and_an_unknown_authority_gets_nothing),
        T(a_client_certificate_is_shown_when_there_is_one),
        T(a_canceled_call_is_never_heard_of_again),
        T(closing_ends_every_call),
        T(a_reply_may_close_the_client),
        T(files_that_are_not_there_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
