#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "daemon/clock.h"
#include "daemon/server.h"
#include "tests/support/pki.h"

/*
 * Real sockets on loopback. Client and server share one thread: the client's sockets do
 * not block, and every wait turns the server's loop.
 */

enum { WAIT_MS = 5000, MAX_HELD = 8 };

static uv_loop_t loop;
static struct ow_server *server;
static struct ow_server_options options;
static struct pki pki;

/* ---- the handler ---- */

static struct ow_exchange *held[MAX_HELD]; /* of requests to /hold */
static unsigned n_held, n_requests;
static struct ow_buf big;

static void reply_text(struct ow_exchange *x, const char *text, size_t n)
{
    const struct ow_header header = { "Content-Type", "text/plain" };

    ow_exchange_reply(x, &(struct ow_response){ 200, &header, 1, text, n });
}

static void on_request(struct ow_exchange *x, const struct ow_request *req, void *arg)
{
    char text[256];

    assert_ptr_equal(arg, &loop);
    assert_non_null(req->peer);
    n_requests++;
    if (ow_streq(req->path, "/hold")) {
        ow_exchange_set_data(x, ow_strdup(req->query));
        held[n_held++] = x;
    } else if (ow_streq(req->path, "/big")) {
        reply_text(x, big.data, big.len);
    } else {
        int n = snprintf(text, sizeof text, "%s %s %s %zu", req->method, req->path,
                         req->query, req->body_len);

        reply_text(x, text, (size_t)n);
    }
}

static void release(unsigned i)
{
    struct ow_exchange *x = held[i];
    char text[64];
    int n = snprintf(text, sizeof text, "held %s", (char *)ow_exchange_data(x));

    held[i] = NULL;
    reply_text(x, text, (size_t)n);
}

/* ---- the client ---- */

struct client {
    int fd;
    SSL *ssl;
    struct ow_buf in;
    bool ended, reset;
};

static void turn(void)
{
    uv_run(&loop, UV_RUN_NOWAIT);
    usleep(300);
}

static void client_open(struct client *c)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)ow_server_port(server)),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    *c = (struct client){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    ow_buf_init(&c->in, 64 << 20);
    assert_int_equal(connect(c->fd, (struct sockaddr *)&to, sizeof to), 0);
}

static void client_close(struct client *c)
{
    SSL_free(c->ssl);
    close(c->fd);
    ow_buf_done(&c->in);
}

static void client_send_n(struct client *c, const char *data, size_t n)
{
    if (c->ssl)
        assert_int_equal(SSL_write(c->ssl, data, (int)n), (int)n);
    else
        assert_int_equal(send(c->fd, data, n, MSG_NOSIGNAL), (ssize_t)n);
}

static void client_send(struct client *c, const char *text)
{
    client_send_n(c, text, strlen(text));
}

static void client_read(struct client *c)
{
    char data[65536];
    ssize_t n;

    if (c->ended)
        return;
    if (c->ssl) {
        int k = SSL_read(c->ssl, data, sizeof data);

        if (k <= 0 && SSL_get_error(c->ssl, k) == SSL_ERROR_WANT_READ)
            return;
        c->reset = k <= 0 && SSL_get_error(c->ssl, k) != SSL_ERROR_ZERO_RETURN;
        n = k > 0 ? k : 0;
    } else {
        n = recv(c->fd, data, sizeof data, MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            return;
        c->reset = n < 0;
    }
    if (n > 0)
        ow_buf_add(&c->in, data, (size_t)n);
    else
        c->ended = true;
}

/* Turn the loop until `text` has come (NULL: until the end), or too long. */
static bool client_wait_ms(struct client *c, const char *text, int64_t ms)
{
    int64_t until = ow_clock_mono() + ms;

    do {
        turn();
        client_read(c);
        if (text ? strstr(ow_buf_cstr(&c->in), text) != NULL : c->ended)
            return true;
    } while (!(text && c->ended) && ow_clock_mono() < until);
    return false;
}

static void client_wait(struct client *c, const char *text)
{
    if (!client_wait_ms(c, text, WAIT_MS))
        fail_msg("no \"%s\" in \"%s\"%s", text ? text : "(end)", ow_buf_cstr(&c->in),
                 c->ended ? ", ended" : "");
}

static void turn_for(int64_t ms)
{
    int64_t until = ow_clock_mono() + ms;

    while (ow_clock_mono() < until)
        turn();
}

static void wait_requests(unsigned n)
{
    int64_t until = ow_clock_mono() + WAIT_MS;

    while (n_requests < n && ow_clock_mono() < until)
        turn();
    assert_int_equal(n_requests, n);
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
    options = (struct ow_server_options){ .address = "127.0.0.1", .fd = -1 };
    ow_server_limits_default(&options.limits);
    n_held = n_requests = 0;
    ow_buf_init(&big, 64 << 20);
    return 0;
}

static void start(void)
{
    struct ow_err err;

    if (ow_server_open(&loop, &options, on_request, &loop, &server, &err) != OW_OK)
        fail_msg("%s", err.text);
}

static int tear_down(void **state)
{
    bool closed = false;

    (void)state;
    if (server) {
        ow_server_close(server, on_flag, &closed);
        uv_run(&loop, UV_RUN_DEFAULT);
        assert_true(closed);
    }
    server = NULL;
    ow_buf_done(&big);
    assert_int_equal(uv_loop_close(&loop), 0); /* nothing was left behind */
    return 0;
}

#define GET(path)  "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST(path) "POST " path " HTTP/1.1\r\nHost: a\r\nContent-Length: "

/* ---- answers ---- */

static void a_request_is_answered_and_the_connection_kept(void **state)
{
    struct client c;

    (void)state;
    start();
    client_open(&c);
    client_send(&c, GET("/a%20b?q=1"));
    client_wait(&c, "GET /a b q=1 0");
    assert_non_null(strstr(c.in.data, "HTTP/1.1 200 OK\r\nDate: "));
    assert_non_null(strstr(c.in.data, " GMT\r\n"));
    assert_null(strstr(c.in.data, "Connection:"));
    client_send(&c, POST("/p") "3\r\n\r\nabc");
    client_wait(&c, "POST /p  3");
    client_send(&c, "DELETE /d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    client_wait(&c, NULL);
    assert_non_null(strstr(c.in.data, "DELETE /d  0"));
    assert_non_null(strstr(c.in.data, "Connection: close"));
    assert_false(c.reset);
    client_close(&c);
}

static void head_has_a_length_and_no_body(void **state)
{
    struct client c;

    (void)state;
    start();
    client_open(&c);
    client_send(&c, "HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n");
    client_wait(&c, "\r\n\r\n");
    assert_non_null(strstr(c.in.data, "Content-Length: 10\r\n"));
    assert_true(ow_ends_with(c.in.data, "\r\n\r\n"));
    client_send(&c, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    client_wait(&c, "OPTIONS /  0");
    client_close(&c);
}

static void a_thousand_requests_on_one_connection(void **state)
{
    struct client c;
    char text[64];

    (void)state;
    start();
    client_open(&c);
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof text, "GET /n?%d HTTP/1.1\r\nHost: a\r\n\r\n", i);
        client_send(&c, text);
        snprintf(text, sizeof text, "GET /n %d 0", i);
        client_wait(&c, text);
        ow_buf_reset(&c.in);
    }
    assert_int_equal(ow_server_stats(server).requests, 1000);
    assert_int_equal(ow_server_stats(server).accepted, 1);
    client_close(&c);
}

static void a_hundred_connections_one_after_the_other_leave_nothing(void **state)
{
    (void)state;
    start();
    for (int i = 0; i < 100; i++) {
        struct client c;

        client_open(&c);
        client_send(&c, GET("/x"));
        client_wait(&c, "GET /x");
        client_close(&c);
    }
    turn_for(20);
    assert_int_equal(ow_server_stats(server).open, 0);
    assert_int_equal(ow_server_stats(server).accepted, 100);
}

static void pipelined_requests_are_answered_in_order_though_late(void **state)
{
    const char *first, *second, *third;
    struct client c;

    (void)state;
    start();
    client_open(&c);
    client_send(&c, GET("/hold?1") POST("/b") "2\r\n\r\nhi" GET("/hold?3") GET("/d"));
    wait_requests(1);
    turn_for(20);
    assert_int_equal(n_requests, 1); /* the second waits for the first */
    assert_int_equal(c.in.len, 0);
    release(0);
    wait_requests(3);
    release(1);
    client_wait(&c, "GET /d");
    first = strstr(c.in.data, "held 1");
    second = strstr(c.in.data, "POST /b  2");
    third = strstr(c.in.data, "held 3");
    assert_true(first && second && third && first < second && second < third);
    assert_true(strstr(c.in.data, "GET /d") > third);
    client_close(&c);
}

static void many_pipelined_requests_do_not_grow_memory(void **state)
{
    struct client c;
    struct ow_buf b;
    unsigned n = 0;

    (void)state;
    ow_buf_init(&b, 1 << 20);
    for (int i = 0; i < 3000; i++)
        ow_buf_str(&b, GET("/m"));
    start();
    client_open(&c);
    client_send_n(&c, b.data, b.len);
    wait_requests(3000);
    client_send(&c, GET("/last"));
    client_wait(&c, "GET /last");
    for (const char *at = c.in.data; (at = strstr(at, "GET /m")); at++)
        n++;
    assert_int_equal(n, 3000);
    ow_buf_done(&b);
    client_close(&c);
}

static void a_large_answer_arrives_whole(void **state)
{
    struct client c;

    (void)state;
    for (int i = 0; i < 1 << 20; i++)
        ow_buf_str(&big, "0123456");
    ow_buf_str(&big, "END");
    start();
    client_open(&c);
    client_send(&c, GET("/big") GET("/after"));
    client_wait(&c, "GET /after");
    assert_non_null(strstr(c.in.data, "Content-Length: 7340035\r\n"));
    assert_non_null(strstr(c.in.data, "0123456ENDHTTP/1.1 200"));
    client_close(&c);
}

static void no_request_is_taken_up_while_an_answer_is_unread(void **state)
{
    int64_t until = ow_clock_mono() + 2 * WAIT_MS;
    struct client c;

    (void)state;
    for (int i = 0; i < 20 << 10; i++)
        ow_buf_printf(&big, "%01000d", i);
    start();
    client_open(&c);
    client_send(&c, GET("/big") GET("/big") GET("/last"));
    wait_requests(1);
    turn_for(50);
    assert_int_equal(n_requests, 1);
    while (n_requests < 3 && ow_clock_mono() < until) {
        turn();
        client_read(&c);
        ow_buf_reset(&c.in); /* what is in it is another test's matter */
    }
    assert_int_equal(n_requests, 3);
    client_close(&c);
}

static void a_client_that_hung_up_makes_the_answer_a_no_op(void **state)
{
    struct client c;

    (void)state;
    start();
    client_open(&c);
    client_send(&c, GET("/hold?x"));
    wait_requests(1);
    setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 },
               sizeof(struct linger));
    client_close(&c); /* with a reset */
    turn_for(20);
    release(0);
    turn_for(20);
    assert_int_equal(ow_server_stats(server).open, 0);
}

static void an_answer_after_the_server_closed_is_a_no_op(void **state)
{
    struct client c;
    bool closed = false;

    (void)state;
    start();
    client_open(&c);
    client_send(&c, GET("/hold?x"));
    wait_requests(1);
    ow_server_close(server, on_flag, &closed);
    server = NULL;
    turn_for(20);
    assert_true(closed);
    release(0); /* ASan sees what this touches, and what it leaves */
    client_close(&c);
}

static void a_client_that_closes_its_half_still_gets_its_answer(void **state)
{
    struct client c;

    (void)state;
    start();
    client_open(&c);
    client_send(&c, GET("/hold?half"));
    shutdown(c.fd, SHUT_WR);
    wait_requests(1);
    turn_for(20);
    release(0);
    client_wait(&c, NULL);
    assert_non_null(strstr(c.in.data, "held half"));
    client_close(&c);
}

static void expect_continue_gets_a_100_first(void **state)
{
    struct client c;

    (void)state;
    start();
    client_open(&c);
    client_send(&c, "POST /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                    "Content-Length: 2\r\n\r\n");
    client_wait(&c, "HTTP/1.1 100 Continue\r\n\r\n");
    client_send(&c, "hi");
    client_wait(&c, "POST /e  2");
    client_close(&c);
}

/* ---- refusals ---- */

static void refused(const char *text, const char *status_line)
{
    struct client c;

    client_open(&c);
    client_send(&c, text);
    client_wait(&c, NULL);
    assert_int_equal(strncmp(c.in.data, status_line, strlen(status_line)), 0);
    assert_non_null(strstr(c.in.data, "Connection: close\r\n"));
    assert_non_null(strstr(c.in.data, "\"resourceType\":\"OperationOutcome\""));
    assert_non_null(strstr(c.in.data, "\"severity\":\"error\""));
    assert_false(c.reset);
    client_close(&c);
}

static void a_bad_request_is_refused_and_closed(void **state)
{
    (void)state;
    start();
    refused("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "HTTP/1.1 400 ");
    refused("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400 ");
    refused("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 501 ");
    assert_int_equal(n_requests, 0);
    assert_int_equal(ow_server_stats(server).refused, 3);
}

static void a_body_too_large_is_refused_before_it_is_read(void **state)
{
    static char chunk[65536];
    struct client c;
    ssize_t n = 0;

    (void)state;
    start();
    refused(POST("/") "4194305\r\n\r\n", "HTTP/1.1 413 ");
    refused("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
            "Content-Length: 99999999\r\n\r\n",
            "HTTP/1.1 413 ");
    /* and a client that sends all the same still gets to read why */
    client_open(&c);
    client_send(&c, POST("/") "6000000\r\n\r\n");
    for (int i = 0; i < 60 && n >= 0; i++) {
        n = send(c.fd, chunk, sizeof chunk, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            n = 0;
        turn();
    }
    shutdown(c.fd, SHUT_WR);
    client_wait(&c, NULL);
    assert_false(c.reset);
    assert_non_null(strstr(c.in.data, "HTTP/1.1 413 "));
    assert_int_equal(n_requests, 0);
    client_close(&c);
}

static void a_good_request_before_a_bad_one_is_answered_first(void **state)
{
    struct client c;

    (void)state;
    start();
    client_open(&c);
    client_send(&c, GET("/good") "GARBAGE\r\n\r\n" GET("/never"));
    client_wait(&c, NULL);
    assert_non_null(strstr(c.in.data, "GET /good"));
    assert_non_null(strstr(c.in.data, "HTTP/1.1 501 "));
    assert_null(strstr(c.in.data, "/never"));
    client_close(&c);
}

static void one_connection_too_many_is_told_so(void **state)
{
    struct client c[3], late;

    (void)state;
    options.limits.connections = 3;
    start();
    for (int i = 0; i < 3; i++) {
        client_open(&c[i]);
        client_send(&c[i], GET("/x"));
        client_wait(&c[i], "GET /x");
    }
    refused(GET("/x"), "HTTP/1.1 503 ");
    client_close(&c[0]);
    turn_for(20);
    client_open(&late);
    client_send(&late, GET("/late"));
    client_wait(&late, "GET /late");
    client_close(&late);
    client_close(&c[1]);
    client_close(&c[2]);
}

static void one_address_cannot_take_all(void **state)
{
    struct client c[2];

    (void)state;
    options.limits.per_peer = 2;
    start();
    for (int i = 0; i < 2; i++) {
        client_open(&c[i]);
        client_send(&c[i], GET("/x"));
        client_wait(&c[i], "GET /x");
    }
    refused(GET("/x"), "HTTP/1.1 503 ");
    client_close(&c[0]);
    client_close(&c[1]);
    turn_for(20);
    client_open(&c[0]);
    client_send(&c[0], GET("/y"));
    client_wait(&c[0], "GET /y");
    client_close(&c[0]);
}

static void a_connection_ends_after_its_number_of_requests(void **state)
{
    struct client c;

    (void)state;
    options.limits.requests = 2;
    start();
    client_open(&c);
    client_send(&c, GET("/1") GET("/2") GET("/3"));
    client_wait(&c, NULL);
    assert_non_null(strstr(c.in.data, "GET /2"));
    assert_null(strstr(c.in.data, "GET /3"));
    client_close(&c);
}

/* ---- deadlines ---- */

static void a_dripped_head_is_cut(void **state)
{
    struct client c;
    int64_t begin = ow_clock_mono();

    (void)state;
    options.limits.head_ms = 200;
    start();
    client_open(&c);
    client_send(&c, "GET / HTTP/1.1\r\n");
    while (!c.ended && ow_clock_mono() < begin + WAIT_MS) {
        if (!c.in.len)
            (void)!send(c.fd, "A: b\r\n", 6, MSG_NOSIGNAL);
        client_wait_ms(&c, NULL, 40);
    }
    assert_true(c.ended);
    assert_non_null(strstr(c.in.data, "HTTP/1.1 408 "));
    assert_in_range(ow_clock_mono() - begin, 150, 1500);
    assert_int_equal(ow_server_stats(server).timed_out, 1);
    client_close(&c);
}

static void a_late_first_byte_buys_no_second_term(void **state)
{
    struct client c;
    int64_t begin = ow_clock_mono();

    (void)state;
    options.limits.head_ms = 400;
    start();
    client_open(&c);
    turn_for(330);
    client_send(&c, "GET ");
    client_wait(&c, NULL);
    assert_in_range(ow_clock_mono() - begin, 350, 690);
    client_close(&c);
}

static void a_silent_connection_is_closed(void **state)
{
    struct client c;
    int64_t begin = ow_clock_mono();

    (void)state;
    options.limits.head_ms = 150;
    start();
    client_open(&c);
    client_wait(&c, NULL);
    assert_in_range(ow_clock_mono() - begin, 100, 1500);
    client_close(&c);
}

static void an_idle_connection_is_closed_without_a_word(void **state)
{
    struct client c;
    int64_t begin;

    (void)state;
    options.limits.idle_ms = 150;
    start();
    client_open(&c);
    client_send(&c, GET("/x"));
    client_wait(&c, "GET /x");
    begin = ow_clock_mono();
    ow_buf_reset(&c.in);
    client_wait(&c, NULL);
    assert_int_equal(c.in.len, 0);
    assert_in_range(ow_clock_mono() - begin, 100, 1500);
    assert_int_equal(ow_server_stats(server).timed_out, 0);
    client_close(&c);
}

static void a_slow_body_is_cut_and_a_steady_one_is_not(void **state)
{
    struct client slow, steady;
    char piece[101];
    int sent = 0;

    (void)state;
    options.limits.body_grace_ms = 150;
    options.limits.body_rate = 1000;
    start();
    memset(piece, 'x', 100);
    piece[100] = '\0';
    client_open(&slow);
    client_open(&steady);
    client_send(&slow, POST("/slow") "1000\r\n\r\n");
    client_send(&steady, POST("/steady") "1000\r\n\r\n");
    while (sent < 10) { /* 100 bytes each 50 ms are 2000/s, 2 each are 40/s */
        client_send(&steady, piece);
        if (!slow.ended && slow.in.len == 0)
            (void)!send(slow.fd, "yy", 2, MSG_NOSIGNAL);
        client_wait_ms(&slow, NULL, slow.ended ? 0 : 50);
        if (slow.ended)
            turn_for(50);
        sent++;
    }
    client_wait(&steady, "POST /steady  1000");
    client_wait(&slow, NULL);
    assert_non_null(strstr(slow.in.data, "HTTP/1.1 408 "));
    client_close(&slow);
    client_close(&steady);
}

static void an_answer_that_is_not_read_ends_the_connection(void **state)
{
    struct client c;
    int64_t until = ow_clock_mono() + WAIT_MS;

    (void)state;
    options.limits.write_ms = 200;
    for (int i = 0; i < 20 << 10; i++)
        ow_buf_printf(&big, "%01000d", i);
    start();
    client_open(&c);
    client_send(&c, GET("/big"));
    wait_requests(1);
    while (ow_server_stats(server).open > 0 && ow_clock_mono() < until)
        turn();
    assert_int_equal(ow_server_stats(server).open, 0);
    assert_int_equal(ow_server_stats(server).timed_out, 1);
    client_close(&c);
}

static void a_handler_may_take_its_time(void **state)
{
    struct client c;

    (void)state;
    options.limits.head_ms = options.limits.idle_ms = options.limits.body_grace_ms = 80;
    start();
    client_open(&c);
    client_send(&c, GET("/hold?long"));
    wait_requests(1);
    turn_for(300);
    release(0);
    client_wait(&c, "held long");
    client_close(&c);
}

/* ---- drain ---- */

static void drain_answers_what_has_begun_and_closes_the_rest(void **state)
{
    struct client idle, waiting, begun;
    bool drained = false;
    int fd;

    (void)state;
    start();
    client_open(&idle);
    client_send(&idle, GET("/x"));
    client_wait(&idle, "GET /x");
    client_open(&waiting);
    client_send(&waiting, GET("/hold?w"));
    wait_requests(2);
    client_open(&begun);
    client_send(&begun, POST("/begun") "4\r\n\r\nab");
    turn_for(20);
    ow_server_drain(server, on_flag, &drained);
    client_wait(&idle, NULL);
    client_close(&idle);
    assert_false(drained);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_not_equal(connect(fd,
                                 (struct sockaddr *)&(struct sockaddr_in){
                                     .sin_family = AF_INET,
                                     .sin_port = htons((uint16_t)ow_server_port(server)),
                                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
                                 sizeof(struct sockaddr_in)),
                         0);
    close(fd);
    client_send(&begun, "cd");
    client_wait(&begun, NULL);
    assert_non_null(strstr(begun.in.data, "POST /begun  4"));
    assert_non_null(strstr(begun.in.data, "Connection: close"));
    client_close(&begun);
    turn_for(20);
    assert_false(drained);
    release(0);
    client_wait(&waiting, NULL);
    assert_non_null(strstr(waiting.in.data, "held w"));
    client_close(&waiting);
    turn_for(50);
    assert_true(drained);
}

static void drain_without_connections_ends_too(void **state)
{
    bool drained = false;

    (void)state;
    start();
    ow_server_drain(server, on_flag, &drained);
    assert_false(drained); /* not inside the call */
    turn_for(20);
    assert_true(drained);
}

/* ---- descriptors ---- */

static int64_t cpu_ms(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 +
           (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000;
}

static void out_of_descriptors_does_not_spin_and_accepts_again(void **state)
{
    struct rlimit old, low;
    struct client c;
    int64_t cpu, until;
    int spare;

    (void)state;
    start();
    turn_for(5);
    client_open(&c);
    client_send(&c, GET("/x"));
    if (loop.emfile_fd >= 0) /* libuv's own way out, gone as it is under a real flood */
        close(loop.emfile_fd);
    loop.emfile_fd = -1;
    spare = dup(0);
    close(spare);
    getrlimit(RLIMIT_NOFILE, &old);
    low = (struct rlimit){ (rlim_t)spare, old.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    cpu = cpu_ms();
    until = ow_clock_mono() + 700;
    while (ow_clock_mono() < until) {
        uv_run(&loop, UV_RUN_NOWAIT); /* would not come back */
        usleep(5000);
    }
    cpu = cpu_ms() - cpu;
    assert_int_equal(n_requests, 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_in_range(cpu, 0, 200);
    client_wait(&c, "GET /x"); /* it waited in the kernel's queue */
    client_close(&c);
}

/* ---- TLS ---- */

static SSL_CTX *tls_client(const char *cert, const char *key, int max_version)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    assert_int_equal(SSL_CTX_load_verify_file(ctx, pki.ca), 1);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    if (max_version)
        SSL_CTX_set_max_proto_version(ctx, max_version);
    if (cert) {
        assert_int_equal(SSL_CTX_use_certificate_file(ctx, cert, SSL_FILETYPE_PEM), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM), 1);
    }
    return ctx;
}

/* Connect and shake hands; false when either side refuses. */
static bool tls_open(struct client *c, SSL_CTX *ctx)
{
    int64_t until = ow_clock_mono() + WAIT_MS;
    int rc;

    client_open(c);
    assert_int_equal(fcntl(c->fd, F_SETFL, O_NONBLOCK), 0);
    c->ssl = SSL_new(ctx);
    SSL_set_fd(c->ssl, c->fd);
    SSL_set1_host(c->ssl, "localhost");
    SSL_set_alpn_protos(c->ssl, (const unsigned char *)"\x02h2\x08http/1.1", 12);
    do {
        turn();
        rc = SSL_connect(c->ssl);
    } while (rc != 1 && SSL_get_error(c->ssl, rc) == SSL_ERROR_WANT_READ &&
             ow_clock_mono() < until);
    ERR_clear_error();
    return rc == 1;
}

static void use_tls(void)
{
    pki_make(&pki);
    options.tls_cert = pki.server_cert;
    options.tls_key = pki.server_key;
}

static void tls_carries_requests_and_says_good_bye(void **state)
{
    const unsigned char *alpn;
    unsigned alpn_len;
    struct client c;
    SSL_CTX *ctx;

    (void)state;
    use_tls();
    for (int i = 0; i < 1 << 18; i++)
        ow_buf_str(&big, "0123456");
    start();
    ctx = tls_client(NULL, NULL, 0);
    assert_true(tls_open(&c, ctx));
    assert_string_equal(SSL_get_version(c.ssl), "TLSv1.3");
    SSL_get0_alpn_selected(c.ssl, &alpn, &alpn_len);
    assert_int_equal(alpn_len, 8);
    assert_memory_equal(alpn, "http/1.1", 8);
    client_send(&c, GET("/hold?1") GET("/big") GET("/2"));
    wait_requests(1);
    release(0);
    client_wait(&c, "GET /2");
    assert_non_null(strstr(c.in.data, "Content-Length: 1835008\r\n"));
    assert_non_null(strstr(c.in.data, "0123456HTTP/1.1 200"));
    client_send(&c, "GET / HTTP/1.1\r\n\r\n");
    client_wait(&c, NULL);
    assert_non_null(strstr(c.in.data, "HTTP/1.1 400 "));
    assert_false(c.reset); /* close_notify came, so nothing was cut off */
    assert_int_equal(SSL_get_shutdown(c.ssl) & SSL_RECEIVED_SHUTDOWN,
                     SSL_RECEIVED_SHUTDOWN);
    client_close(&c);
    SSL_CTX_free(ctx);
    pki_remove(&pki);
}

static void old_tls_and_plain_text_are_refused(void **state)
{
    struct client c;
    SSL_CTX *ctx;

    (void)state;
    use_tls();
    start();
    ctx = tls_client(NULL, NULL, TLS1_1_VERSION);
    SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
    SSL_CTX_set_security_level(ctx, 0);
    assert_false(tls_open(&c, ctx));
    client_close(&c);
    SSL_CTX_free(ctx);
    ctx = tls_client(NULL, NULL, TLS1_2_VERSION);
    assert_true(tls_open(&c, ctx));
    client_close(&c);
    SSL_CTX_free(ctx);
    client_open(&c);
    client_send(&c, GET("/plain"));
    client_wait(&c, NULL);
    assert_null(strstr(ow_buf_cstr(&c.in), "HTTP/1.1"));
    client_close(&c);
    turn_for(20);
    assert_int_equal(n_requests, 0);
    assert_int_equal(ow_server_stats(server).open, 0);
    pki_remove(&pki);
}

static void a_handshake_that_stalls_is_cut(void **state)
{
    struct client c;

    (void)state;
    use_tls();
    options.limits.head_ms = 150;
    start();
    client_open(&c);
    client_send_n(&c, "\x16\x03\x01", 3);
    client_wait(&c, NULL);
    assert_int_equal(ow_server_stats(server).timed_out, 1);
    client_close(&c);
    pki_remove(&pki);
}

static void server_name(struct client *c, char ret[64])
{
    X509 *cert = SSL_get1_peer_certificate(c->ssl);

    X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, ret, 64);
    X509_free(cert);
}

static void reload_serves_the_new_certificate_and_keeps_the_old_connections(void **state)
{
    struct client before, after;
    struct ow_err err = { "" };
    char name[64];
    SSL_CTX *ctx;
    FILE *f;

    (void)state;
    use_tls();
    start();
    ctx = tls_client(NULL, NULL, 0);
    assert_true(tls_open(&before, ctx));
    pki_renew_server(&pki, "renewed");
    assert_int_equal(ow_server_reload_tls(server, &err), OW_OK);
    assert_true(tls_open(&after, ctx));
    server_name(&after, name);
    assert_string_equal(name, "renewed");
    client_send(&before, GET("/old"));
    client_wait(&before, "GET /old");
    client_close(&after);

    f = fopen(pki.server_key, "w"); /* a broken key: the old certificate stays */
    fputs("nothing\n", f);
    fclose(f);
    assert_int_equal(ow_server_reload_tls(server, &err), OW_CONFIG);
    assert_non_null(strstr(err.text, pki.server_key));
    assert_true(tls_open(&after, ctx));
    server_name(&after, name);
    assert_string_equal(name, "renewed");
    client_close(&after);
    client_close(&before);
    SSL_CTX_free(ctx);
    pki_remove(&pki);
}

/* In TLS 1.3 the client learns of a refused certificate with the first read. */
static bool served(struct client *c)
{
    (void)!SSL_write(c->ssl, GET("/m"), (int)strlen(GET("/m")));
    ERR_clear_error();
    return client_wait_ms(c, "GET /m", 1000);
}

static void client_certificates_are_asked_for_and_checked(void **state)
{
    struct client c;
    SSL_CTX *good, *none, *stranger;

    (void)state;
    use_tls();
    options.tls_client_ca = pki.ca;
    start();
    good = tls_client(pki.client_cert, pki.client_key, 0);
    none = tls_client(NULL, NULL, 0);
    stranger = tls_client(pki.other_cert, pki.other_key, 0);
    assert_true(tls_open(&c, good));
    assert_true(served(&c));
    client_close(&c);
    assert_false(tls_open(&c, none) && served(&c));
    client_close(&c);
    assert_false(tls_open(&c, stranger) && served(&c));
    client_close(&c);
    assert_int_equal(n_requests, 1);
    SSL_CTX_free(good);
    SSL_CTX_free(none);
    SSL_CTX_free(stranger);
    pki_remove(&pki);
}

/* ---- opening ---- */

static void not_opened(const char *word)
{
    struct ow_err err = { "" };
    struct ow_server *s = NULL;

    assert_int_equal(ow_server_open(&loop, &options, on_request, &loop, &s, &err),
                     OW_CONFIG);
    assert_null(s);
    if (!strstr(err.text, word))
        fail_msg("no \"%s\" in \"%s\"", word, err.text);
    turn_for(5);
}

static void what_cannot_be_opened_says_why(void **state)
{
    (void)state;
    options.address = "localhost";
    not_opened("localhost");
    options.address = "127.0.0.1";
    options.port = 70000;
    not_opened("70000");
    options.port = 0;
    options.tls_cert = "/nonexistent/cert.pem";
    not_opened("/nonexistent/cert.pem");
    options.tls_cert = NULL;
    start();
    options.port = ow_server_port(server);
    not_opened("in use");
}

static void a_socket_handed_in_is_served(void **state)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct client c;

    (void)state;
    options.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(options.fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(options.fd, 8), 0);
    start();
    assert_true(ow_server_port(server) > 0);
    client_open(&c);
    client_send(&c, GET("/fd"));
    client_wait(&c, "GET /fd");
    client_close(&c);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_request_is_answered_and_the_connection_kept),
        T(head_has_a_length_and_no_body),
        T(a_thousand_requests_on_one_connection),
        T(a_hundred_connections_one_after_the_other_leave_nothing),
        T(pipelined_requests_are_answered_in_order_though_late),
        T(many_pipelined_requests_do_not_grow_memory),
        T(a_large_answer_arrives_whole),
        T(no_request_is_taken_up_while_an_answer_is_unread),
        T(a_client_that_hung_up_makes_the_answer_a_no_op),
        T(an_answer_after_the_server_closed_is_a_no_op),
        T(a_client_that_closes_its_half_still_gets_its_answer),
        T(expect_continue_gets_a_100_first),
        T(a_bad_request_is_refused_and_closed),
        T(a_body_too_large_is_refused_before_it_is_read),
        T(a_good_request_before_a_bad_one_is_answered_first),
        T(one_connection_too_many_is_told_so),
        T(one_address_cannot_take_all),
        T(a_connection_ends_after_its_number_of_requests),
        T(a_dripped_head_is_cut),
        T(a_late_first_byte_buys_no_second_term),
        T(a_silent_connection_is_closed),
        T(an_idle_connection_is_closed_without_a_word),
        T(a_slow_body_is_cut_and_a_steady_one_is_not),
        T(an_answer_that_is_not_read_ends_the_connection),
        T(a_handler_may_take_its_time),
        T(drain_answers_what_has_begun_and_closes_the_rest),
        T(drain_without_connections_ends_too),
        T(out_of_descriptors_does_not_spin_and_accepts_again),
        T(tls_carries_requests_and_says_good_bye),
        T(old_tls_and_plain_text_are_refused),
        T(a_handshake_that_stalls_is_cut),
        T(reload_serves_the_new_certificate_and_keeps_the_old_connections),
        T(client_certificates_are_asked_for_and_checked),
        T(what_cannot_be_opened_says_why),
        T(a_socket_handed_in_is_served),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
