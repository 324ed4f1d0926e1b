#include "daemon/conn.h"

#include <stdlib.h>
#include <string.h>

/*
 * Everything that happens to a connection ends in conn_turn: take input while nothing is
 * being answered, write what there is to write, and set the deadline for whatever the
 * connection now waits for. Input stays in the kernel (reading is stopped) or in `rest`
 * while a handler has the request or an answer is not yet written, so a client can make
 * us hold one request and one answer, no more.
 *
 * A connection ends in order: last answer, close_notify, FIN, then we read and drop what
 * the client still sends until it closes too. Closing at once would let the kernel send
 * a reset, which may overtake the answer that says why.
 */

enum {
    READ_SIZE = 64 * 1024,
    PLAIN_SIZE = 17 * 1024, /* one TLS record */
    OUT_FLUSH = 64 *
                1024, /* answers to pipelined requests go out in one piece up to this */
    OUT_KEEP = 16 * 1024, /* buffers above are given back */
    LINGER_MS = 2000,
    LINGER_BYTES = 8 << 20,
};

/* One loop, one thread: bytes are parsed before the next read, so one buffer will do. */
static _Thread_local char read_buf[READ_SIZE], plain_buf[PLAIN_SIZE];

struct write {
    uv_write_t req;
    struct conn *conn;
    char data[];
};

static void conn_turn(struct conn *c);

static int64_t now_ms(const struct conn *c)
{
    return (int64_t)uv_now(c->server->loop);
}

/* ---- end ---- */

static void conn_free_if_done(struct conn *c)
{
    if (!c->handle_closed || c->x.open)
        return;
    ow_tls_free(c->tls);
    ow_http1_done(&c->http1);
    ow_buf_done(&c->out);
    ow_buf_done(&c->rest);
    free(c->x.data);
    free(c);
}

static void on_closed(uv_handle_t *h)
{
    struct conn *c = h->data;
    struct ow_server *s = c->server;

    c->handle_closed = true;
    c->server = NULL;
    conn_free_if_done(c);
    server_handle_closed(s);
}

void conn_close(struct conn *c)
{
    if (c->state == CONN_CLOSED)
        return;
    c->state = CONN_CLOSED;
    server_conn_gone(c->server, c);
    uv_close((uv_handle_t *)&c->tcp, on_closed);
}

/* ---- writing ---- */

static void on_written(uv_write_t *req, int status)
{
    struct write *w = (struct write *)req;
    struct conn *c = w->conn;

    free(w);
    c->writing--;
    if (c->state == CONN_CLOSED)
        return;
    if (status < 0)
        conn_close(c);
    else if (c->writing == 0)
        conn_turn(c);
}

/* Bytes to the wire: at once as many as the kernel takes, a copy of the rest later. */
static void conn_send(struct conn *c, const char *data, size_t len)
{
    uv_buf_t buf = uv_buf_init((char *)data, (unsigned)len);
    struct write *w;
    int n = c->writing ? UV_EAGAIN : uv_try_write((uv_stream_t *)&c->tcp, &buf, 1);

    if (n < 0 && n != UV_EAGAIN) {
        conn_close(c);
        return;
    }
    if (n > 0) {
        data += n;
        len -= (size_t)n;
    }
    if (len == 0)
        return;
    w = ow_alloc(sizeof *w + len);
    w->conn = c;
    memcpy(w->data, data, len);
    buf = uv_buf_init(w->data, (unsigned)len);
    c->writing++;
    if (uv_write(&w->req, (uv_stream_t *)&c->tcp, &buf, 1, on_written) != 0) {
        c->writing--;
        free(w);
        conn_close(c);
    }
}

static void conn_send_tls(struct conn *c)
{
    const char *data;
    size_t n = ow_tls_output(c->tls, &data);

    if (n > 0 && c->state != CONN_CLOSED) {
        conn_send(c, data, n);
        ow_tls_output_taken(c->tls);
    }
}

static void on_shutdown(uv_shutdown_t *req, int status)
{
    struct conn *c = req->data;

    if (status < 0 || c->peer_ended)
        conn_close(c);
}

/* Say that this was all. The deadline does the rest if the client never answers. */
static void conn_linger(struct conn *c)
{
    if (c->tls) {
        ow_tls_shutdown(c->tls);
        conn_send_tls(c);
    }
    if (c->state == CONN_CLOSED)
        return;
    c->state = CONN_LINGER;
    c->shutdown.data = c;
    if (uv_shutdown(&c->shutdown, (uv_stream_t *)&c->tcp, on_shutdown) != 0)
        conn_close(c);
}

static void conn_flush(struct conn *c)
{
    if (c->state == CONN_CLOSED)
        return;
    if (c->out.len > 0 && c->tls) {
        if (!ow_tls_write(c->tls, c->out.data, c->out.len))
            c->state = CONN_FLUSHING;
    } else if (c->out.len > 0) {
        conn_send(c, c->out.data, c->out.len);
    }
    if (c->out.cap > OUT_KEEP)
        ow_buf_done(&c->out);
    else
        ow_buf_reset(&c->out);
    if (c->tls)
        conn_send_tls(c);
    if (c->state == CONN_FLUSHING && c->writing == 0)
        conn_linger(c);
}

/* ---- answering ---- */

static void conn_refuse(struct conn *c, int status, const char *why)
{
    struct ow_http1_reply how = { .date = server_date(c->server), .minor = 1 };

    c->server->stats.refused++;
    ow_http1_write_error(&c->out, status, why, &how);
    c->state = CONN_FLUSHING;
}

static bool conn_may_go_on(const struct conn *c)
{
    const struct ow_server *s = c->server;

    return c->http1.keep_alive && !s->draining &&
           (s->limits.requests == 0 || c->requests < s->limits.requests);
}

static void conn_answer(struct conn *c, const struct ow_response *resp)
{
    struct ow_http1_reply how = { .date = server_date(c->server),
                                  .minor = c->http1.minor,
                                  .head = ow_streq(c->http1.request.method, "HEAD"),
                                  .keep_alive = conn_may_go_on(c) };

    ow_http1_write(&c->out, resp, &how);
    if (!how.keep_alive)
        c->state = CONN_FLUSHING;
    else
        ow_http1_next(&c->http1);
}

void ow_exchange_reply(struct ow_exchange *x, const struct ow_response *resp)
{
    struct conn *c = (struct conn *)x;

    ow_assert(x->open);
    x->open = false;
    if (c->state == CONN_OPEN)
        conn_answer(c, resp);
    free(x->data); /* only now: the answer may have been made from it */
    x->data = NULL;
    if (c->state == CONN_CLOSED)
        conn_free_if_done(c); /* the client has gone */
    else if (!c->busy)
        conn_turn(c);
}

void ow_exchange_set_data(struct ow_exchange *x, void *data)
{
    x->data = data;
}

void *ow_exchange_data(const struct ow_exchange *x)
{
    return x->data;
}

/* ---- reading ---- */

/* May a request be taken up? */
static bool conn_ready(const struct conn *c)
{
    return c->state == CONN_OPEN && !c->x.open && c->writing == 0 &&
           c->out.len < OUT_FLUSH;
}

static void conn_dispatch(struct conn *c)
{
    struct ow_server *s = c->server;

    s->stats.requests++;
    c->requests++;
    c->x.open = true;
    c->http1.request.peer = c->peer;
    s->handler(&c->x, &c->http1.request, s->arg);
}

/* Parse until something has to be waited for. Returns how much was taken. */
static size_t conn_parse(struct conn *c, const char *data, size_t len)
{
    size_t at = 0, used;

    while (at < len && conn_ready(c)) {
        switch (ow_http1_feed(&c->http1, data + at, len - at, &used)) {
        case OW_HTTP1_REQUEST:
            conn_dispatch(c);
            break;
        case OW_HTTP1_REFUSED:
            conn_refuse(c, c->http1.status, c->http1.why);
            break;
        case OW_HTTP1_MORE:
            if (c->http1.wants_continue) {
                ow_buf_str(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
                c->http1.wants_continue = false;
            }
        }
        at += used;
    }
    return at;
}

static void conn_take(struct conn *c, const char *data, size_t len)
{
    size_t used = conn_parse(c, data, len);

    if (c->state == CONN_OPEN)
        ow_buf_add(&c->rest, data + used, len - used);
}

static void conn_take_rest(struct conn *c)
{
    size_t len;
    char *data = ow_buf_take(&c->rest, &len);

    conn_take(c, data, len);
    free(data);
}

static void conn_take_tls(struct conn *c)
{
    size_t n;

    switch (ow_tls_read(c->tls, plain_buf, sizeof plain_buf, &n)) {
    case OW_TLS_DATA:
        conn_take(c, plain_buf, n);
        break;
    case OW_TLS_MORE:
        c->tls_input = false;
        break;
    case OW_TLS_END:
    case OW_TLS_FAILED:
        c->tls_input = false;
        c->state = CONN_FLUSHING;
    }
}

static bool conn_has_input(const struct conn *c)
{
    return c->rest.len > 0 || c->tls_input;
}

static void conn_work(struct conn *c)
{
    while (conn_ready(c) && conn_has_input(c)) {
        if (c->rest.len > 0)
            conn_take_rest(c);
        else
            conn_take_tls(c);
    }
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *ret)
{
    (void)h;
    (void)suggested;
    *ret = uv_buf_init(read_buf, sizeof read_buf);
}

/* The client will send no more. What it has asked before is still answered. */
static void conn_peer_ended(struct conn *c)
{
    c->peer_ended = true;
    if (c->state == CONN_LINGER || (c->writing == 0 && !c->x.open)) {
        conn_close(c);
        return;
    }
    if (c->state == CONN_OPEN && !c->x.open)
        c->state = CONN_FLUSHING;
    conn_turn(c);
}

static void conn_drop_input(struct conn *c, size_t n)
{
    c->dropped += n;
    if (c->dropped > LINGER_BYTES)
        conn_close(c);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct conn *c = stream->data;

    if (n == UV_EOF) {
        conn_peer_ended(c);
    } else if (n < 0) {
        conn_close(c);
    } else if (n > 0 && c->state != CONN_OPEN) {
        conn_drop_input(c, (size_t)n);
    } else if (n > 0) {
        c->busy = true;
        if (c->tls) {
            ow_tls_input(c->tls, buf->base, (size_t)n);
            c->tls_input = true;
        } else {
            conn_take(c, buf->base, (size_t)n);
        }
        conn_turn(c);
    }
}

/* ---- waiting ---- */

static enum conn_wait conn_waits_for(const struct conn *c)
{
    if (c->state == CONN_LINGER)
        return WAIT_LINGER;
    if (c->writing > 0 || c->state == CONN_FLUSHING)
        return WAIT_WRITE;
    if (c->x.open)
        return WAIT_HANDLER;
    if (c->http1.head_done)
        return WAIT_BODY;
    if (!ow_http1_idle(&c->http1))
        return WAIT_HEAD;
    return c->requests == 0 ? WAIT_FIRST : WAIT_IDLE;
}

static int64_t conn_patience_ms(const struct conn *c, enum conn_wait wait)
{
    const struct ow_server_limits *l = &c->server->limits;

    switch (wait) {
    case WAIT_FIRST:
    case WAIT_HEAD:
        return l->head_ms;
    case WAIT_BODY:
        return l->body_grace_ms; /* and more with each byte: see conn_sweep */
    case WAIT_WRITE:
        return l->write_ms;
    case WAIT_IDLE:
        return l->idle_ms;
    case WAIT_LINGER:
        return LINGER_MS;
    case WAIT_HANDLER:
        break;
    }
    return INT64_MAX / 2;
}

static void conn_arm(struct conn *c)
{
    enum conn_wait wait = conn_waits_for(c);

    if (wait == c->wait && c->armed_for == c->requests)
        return;
    /* The first byte does not buy a slow sender a second term for its head. */
    if (!(c->wait == WAIT_FIRST && wait == WAIT_HEAD))
        c->deadline_ms = now_ms(c) + conn_patience_ms(c, wait);
    c->wait = wait;
    c->armed_for = c->requests;
}

/* Read only what can be taken; a connection that ends reads to see the client's end. */
static void conn_set_reading(struct conn *c)
{
    bool want = c->state != CONN_OPEN || (conn_ready(c) && !conn_has_input(c));

    if (c->peer_ended)
        want = false;
    if (want == c->reading)
        return;
    c->reading = want;
    if (!want)
        uv_read_stop((uv_stream_t *)&c->tcp);
    else if (uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) != 0)
        conn_close(c);
}

static void conn_turn(struct conn *c)
{
    c->busy = true;
    do {
        conn_work(c);
        conn_flush(c);
    } while (conn_ready(c) && conn_has_input(c));
    c->busy = false;
    if (c->state == CONN_CLOSED)
        return;
    conn_set_reading(c);
    if (c->state != CONN_CLOSED)
        conn_arm(c);
}

void conn_sweep(struct conn *c, int64_t now)
{
    int64_t deadline = c->deadline_ms;

    if (c->state == CONN_CLOSED)
        return;
    if (c->wait == WAIT_BODY && c->server->limits.body_rate > 0)
        deadline += (int64_t)c->http1.body.len * 1000 / c->server->limits.body_rate;
    if (now < deadline)
        return;
    if (c->wait == WAIT_IDLE || c->wait == WAIT_LINGER) {
        if (c->wait == WAIT_IDLE)
            c->state = CONN_FLUSHING;
        else
            conn_close(c);
    } else {
        c->server->stats.timed_out++;
        if (c->wait == WAIT_HEAD || c->wait == WAIT_BODY)
            conn_refuse(c, 408, "request too slow");
        else
            conn_close(c);
    }
    if (c->state != CONN_CLOSED)
        conn_turn(c);
}

void conn_drain(struct conn *c)
{
    if (c->state != CONN_OPEN || c->x.open || c->writing > 0 || conn_has_input(c) ||
        !ow_http1_idle(&c->http1))
        return;
    c->state = CONN_FLUSHING;
    conn_turn(c);
}

/* ---- begin ---- */

static void conn_prepare(struct conn *c)
{
    struct ow_server *s = c->server;

    ow_http1_init(&c->http1, &s->http1_limits);
    ow_buf_init(&c->out, SIZE_MAX / 8);
    ow_buf_init(&c->rest, READ_SIZE + PLAIN_SIZE);
    uv_tcp_nodelay(&c->tcp, 1);
    c->wait = WAIT_FIRST;
    c->deadline_ms = now_ms(c) + s->limits.head_ms;
}

void conn_start(struct conn *c)
{
    conn_prepare(c);
    if (c->server->tls)
        c->tls = ow_tls_new(c->server->tls);
    conn_turn(c);
}

void conn_start_refused(struct conn *c, const char *why)
{
    conn_prepare(c);
    if (c->server->tls) { /* a handshake is what we cannot afford now */
        c->server->stats.refused++;
        conn_close(c);
        return;
    }
    conn_refuse(c, 503, why);
    conn_turn(c);
}
