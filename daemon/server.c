#include "daemon/server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/clock.h"
#include "daemon/conn.h"

/*
 * Listening, the list of connections and their ceilings, deadlines, drain and close.
 *
 * Deadlines need no timer each: one timer walks the list, four times in the shortest of
 * them, while there are connections at all.
 *
 * Out of descriptors, libuv would call us for ever from within its accept loop. So the
 * listener is closed (which ends that loop; clients wait in the kernel's queue) and
 * opened again a little later from a second descriptor of the same socket.
 */

enum {
    BACKLOG = 1024,
    ACCEPT_PAUSE_MS = 250,
    SWEEP_MIN_MS = 20,
    SWEEP_MAX_MS = 1000,
    REFUSING_MAX = 64, /* connections that are told so; beyond, they are just closed */
};

struct listener {
    uv_tcp_t tcp;
    struct ow_server *server;
};

void ow_server_limits_default(struct ow_server_limits *ret)
{
    *ret = (struct ow_server_limits){
        .head_bytes = 16 * 1024,
        .target_bytes = 8 * 1024,
        .headers = OW_WIRE_HEADERS,
        .body_bytes = 4 << 20,
        .connections = 1024,
        .per_peer = 256,
        .head_ms = 10 * OW_SECOND,
        .body_rate = 500,
        .body_grace_ms = 10 * OW_SECOND,
        .write_ms = 30 * OW_SECOND,
        .idle_ms = 75 * OW_SECOND,
    };
}

int ow_server_port(const struct ow_server *s)
{
    return s->port;
}

struct ow_server_stats ow_server_stats(const struct ow_server *s)
{
    return s->stats;
}

/* IMF-fixdate, made anew once a second. */
const char *server_date(struct ow_server *s)
{
    static const char days[] = "MonTueWedThuFriSatSun";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int64_t second = (int64_t)(uv_now(s->loop) / 1000);
    struct ow_civil c;
    ow_time now;

    if (second == s->date_s)
        return s->date;
    now = ow_clock_utc();
    c = ow_civil_from_utc(now);
    snprintf(s->date, sizeof s->date, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
             days + 3 * ow_weekday(now), c.day, months + 3 * (c.month - 1), c.year,
             c.hour, c.minute, c.second);
    s->date_s = second;
    return s->date;
}

/* ---- end ---- */

static void server_free(struct ow_server *s)
{
    if (s->listen_fd >= 0)
        close(s->listen_fd);
    ow_tls_context_free(s->tls);
    ow_peers_done(&s->peers);
    free(s->cert);
    free(s->key);
    free(s->client_ca);
    free(s);
}

void server_handle_closed(struct ow_server *s)
{
    void (*drained)(void *arg) = s->drained;
    void (*closed)(void *arg) = s->closed;
    void *arg = s->closed_arg;

    ow_assert(s->handles > 0);
    s->handles--;
    if (s->closing) {
        if (s->handles > 0)
            return;
        server_free(s);
        if (closed)
            closed(arg);
    } else if (s->draining && drained && s->handles == 1) { /* only the timer is left */
        s->drained = NULL;
        drained(s->drained_arg);
    }
}

static void on_listener_closed(uv_handle_t *h)
{
    struct listener *l = h->data;
    struct ow_server *s = l->server;

    free(l);
    server_handle_closed(s);
}

static void on_timer_closed(uv_handle_t *h)
{
    server_handle_closed(h->data);
}

static void listener_close(struct ow_server *s)
{
    if (s->listener)
        uv_close((uv_handle_t *)&s->listener->tcp, on_listener_closed);
    s->listener = NULL;
}

static void listen_end(struct ow_server *s)
{
    listener_close(s);
    s->accept_again_ms = 0;
    if (s->listen_fd >= 0)
        close(s->listen_fd);
    s->listen_fd = -1;
}

/* ---- connections ---- */

static void on_sweep(uv_timer_t *t);

static void sweep_start(struct ow_server *s)
{
    if (!uv_is_active((uv_handle_t *)&s->sweep))
        uv_timer_start(&s->sweep, on_sweep, (uint64_t)s->sweep_ms, (uint64_t)s->sweep_ms);
}

static void conn_link(struct ow_server *s, struct conn *c)
{
    c->next = s->first;
    if (s->first)
        s->first->prev = c;
    s->first = c;
    s->n_conns++;
    if (c->counted)
        s->stats.open++;
    else
        s->n_refusing++;
    sweep_start(s);
}

void server_conn_gone(struct ow_server *s, struct conn *c)
{
    if (c->prev)
        c->prev->next = c->next;
    else
        s->first = c->next;
    if (c->next)
        c->next->prev = c->prev;
    s->n_conns--;
    if (c->counted) {
        s->stats.open--;
        ow_peers_leave(&s->peers, c->address);
    } else {
        s->n_refusing--;
    }
}

static void conn_identify(struct conn *c)
{
    struct sockaddr_storage from = { 0 };
    int len = sizeof from;

    if (uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&from, &len) != 0)
        from.ss_family = AF_UNSPEC;
    ow_peer_address((struct sockaddr *)&from, c->address);
    if (from.ss_family == AF_INET)
        uv_ip4_name((struct sockaddr_in *)&from, c->peer, sizeof c->peer);
    else if (from.ss_family == AF_INET6)
        uv_ip6_name((struct sockaddr_in6 *)&from, c->peer, sizeof c->peer);
}

static void server_serve(struct ow_server *s, struct conn *c)
{
    const char *why = NULL;

    conn_identify(c);
    s->stats.accepted++;
    if (s->stats.open >= s->limits.connections)
        why = "too many connections";
    else if (!ow_peers_enter(&s->peers, c->address, s->limits.per_peer))
        why = "too many connections from this address";
    c->counted = why == NULL;
    conn_link(s, c);
    if (!why)
        conn_start(c);
    else if (s->n_refusing <= REFUSING_MAX)
        conn_start_refused(c, why);
    else
        conn_close(c);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct listener *l = stream->data;
    struct ow_server *s = l->server;
    struct conn *c;

    if (status < 0) {
        listener_close(s);
        s->accept_again_ms = (int64_t)uv_now(s->loop) + ACCEPT_PAUSE_MS;
        sweep_start(s);
        return;
    }
    c = ow_alloc_zero(sizeof *c);
    c->server = s;
    ow_assert(uv_tcp_init(s->loop, &c->tcp) == 0);
    c->tcp.data = c;
    s->handles++;
    if (uv_accept(stream, (uv_stream_t *)&c->tcp) == 0) {
        server_serve(s, c);
    } else {
        conn_link(s, c);
        conn_close(c);
    }
}

/* ---- listening ---- */

/* Take over `fd`, on success. */
static int listener_open(struct ow_server *s, int fd)
{
    struct listener *l = ow_alloc_zero(sizeof *l);
    int rc;

    l->server = s;
    l->tcp.data = l;
    ow_assert(uv_tcp_init(s->loop, &l->tcp) == 0);
    l->tcp.data = l;
    s->handles++;
    s->listener = l;
    rc = uv_tcp_open(&l->tcp, fd);
    if (rc == 0) {
        rc = uv_listen((uv_stream_t *)&l->tcp, BACKLOG, on_connection);
        if (rc != 0)
            listener_close(s); /* closes fd too */
        return rc;
    }
    listener_close(s);
    close(fd);
    return rc;
}

static void listen_again(struct ow_server *s, int64_t now)
{
    int fd = fcntl(s->listen_fd, F_DUPFD_CLOEXEC, 0);

    s->accept_again_ms = 0;
    if (fd < 0 || listener_open(s, fd) != 0)
        s->accept_again_ms = now + ACCEPT_PAUSE_MS;
}

static void on_sweep(uv_timer_t *t)
{
    struct ow_server *s = t->data;
    int64_t now = (int64_t)uv_now(s->loop);

    for (struct conn *c = s->first, *next; c; c = next) {
        next = c->next;
        conn_sweep(c, now);
    }
    if (s->accept_again_ms > 0 && now >= s->accept_again_ms)
        listen_again(s, now);
    if (!s->first && s->accept_again_ms == 0)
        uv_timer_stop(t);
}

/* A bound socket for `address` and `port`, or -1 with errno. */
static int socket_bind(const struct sockaddr *address, socklen_t len)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1, saved;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, address, len) == 0)
        return fd;
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static enum ow_code socket_open(const struct ow_server_options *opt, int *ret,
                                struct ow_err *err)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } address;
    socklen_t len = sizeof address.in;

    if (opt->fd >= 0) {
        *ret = opt->fd;
        return OW_OK;
    }
    if (opt->port < 0 || opt->port > 65535)
        return ow_err_set(err, OW_CONFIG, "port %d is out of range", opt->port);
    if (uv_ip4_addr(opt->address, opt->port, &address.in) != 0) {
        len = sizeof address.in6;
        if (uv_ip6_addr(opt->address, opt->port, &address.in6) != 0)
            return ow_err_set(err, OW_CONFIG, "%s is no IP address", opt->address);
    }
    *ret = socket_bind(&address.any, len);
    if (*ret < 0)
        return ow_err_set(err, OW_CONFIG, "listen on %s port %d: %s", opt->address,
                          opt->port, strerror(errno));
    return OW_OK;
}

static int socket_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } address = { 0 };
    socklen_t len = sizeof address;

    if (getsockname(fd, &address.any, &len) != 0)
        return 0;
    return address.any.sa_family == AF_INET6 ? ntohs(address.in6.sin6_port)
                                             : ntohs(address.in.sin_port);
}

static enum ow_code server_listen(struct ow_server *s,
                                  const struct ow_server_options *opt, struct ow_err *err)
{
    int fd, rc;
    enum ow_code code = socket_open(opt, &fd, err);

    if (code != OW_OK)
        return code;
    s->listen_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    s->port = socket_port(fd);
    rc = listener_open(s, fd);
    if (s->listen_fd < 0 || rc != 0)
        return ow_err_set(err, OW_CONFIG, "listen on %s port %d: %s",
                          opt->fd >= 0 ? "the socket handed in" : opt->address, s->port,
                          rc ? uv_strerror(rc) : strerror(errno));
    return OW_OK;
}

/* ---- life ---- */

static int64_t sweep_interval(const struct ow_server_limits *l)
{
    int64_t ms = l->head_ms;

    if (l->body_grace_ms < ms)
        ms = l->body_grace_ms;
    if (l->write_ms < ms)
        ms = l->write_ms;
    if (l->idle_ms < ms)
        ms = l->idle_ms;
    ms /= 4;
    return ms < SWEEP_MIN_MS ? SWEEP_MIN_MS : ms > SWEEP_MAX_MS ? SWEEP_MAX_MS : ms;
}

static struct ow_server *server_new(uv_loop_t *loop, const struct ow_server_options *opt)
{
    struct ow_server *s = ow_alloc_zero(sizeof *s);
    const struct ow_server_limits *l = &opt->limits;

    s->loop = loop;
    s->limits = *l;
    s->http1_limits = (struct ow_http1_limits){
        .head_bytes = l->head_bytes,
        .target_bytes = l->target_bytes,
        .body_bytes = l->body_bytes,
        .headers = l->headers,
    };
    s->listen_fd = -1;
    s->date_s = -1;
    s->sweep_ms = sweep_interval(l);
    ow_peers_init(&s->peers);
    ow_assert(uv_timer_init(loop, &s->sweep) == 0);
    s->sweep.data = s;
    s->handles++;
    return s;
}

enum ow_code ow_server_open(uv_loop_t *loop, const struct ow_server_options *opt,
                            ow_handler_fn *handler, void *arg, struct ow_server **ret,
                            struct ow_err *err)
{
    struct ow_server *s = server_new(loop, opt);
    enum ow_code code = OW_OK;

    signal(SIGPIPE, SIG_IGN);
    s->handler = handler;
    s->arg = arg;
    if (opt->tls_cert) {
        s->cert = ow_strdup(opt->tls_cert);
        s->key = ow_strdup(opt->tls_key ? opt->tls_key : opt->tls_cert);
        s->client_ca = opt->tls_client_ca ? ow_strdup(opt->tls_client_ca) : NULL;
        code = ow_server_reload_tls(s, err);
    }
    if (code == OW_OK)
        code = server_listen(s, opt, err);
    if (code != OW_OK) {
        ow_server_close(s, NULL, NULL);
        return code;
    }
    *ret = s;
    return OW_OK;
}

enum ow_code ow_server_reload_tls(struct ow_server *s, struct ow_err *err)
{
    struct ow_tls_context *fresh;
    enum ow_code code;

    if (!s->cert)
        return OW_OK;
    code = ow_tls_context_new(s->cert, s->key, s->client_ca, &fresh, err);
    if (code != OW_OK)
        return code;
    ow_tls_context_free(s->tls);
    s->tls = fresh;
    return OW_OK;
}

void ow_server_drain(struct ow_server *s, void (*drained)(void *arg), void *arg)
{
    ow_assert(!s->draining && !s->closing);
    s->draining = true;
    s->drained = drained;
    s->drained_arg = arg;
    for (struct conn *c = s->first, *next; c; c = next) {
        next = c->next;
        conn_drain(c);
    }
    if (!s->listener) { /* so that `drained` has a closing handle to come from */
        struct listener *l = ow_alloc_zero(sizeof *l);

        ow_assert(uv_tcp_init(s->loop, &l->tcp) == 0);
        l->server = s;
        l->tcp.data = l;
        s->handles++;
        s->listener = l;
    }
    listen_end(s);
}

void ow_server_close(struct ow_server *s, void (*closed)(void *arg), void *arg)
{
    ow_assert(!s->closing);
    s->closing = true;
    s->closed = closed;
    s->closed_arg = arg;
    listen_end(s);
    while (s->first)
        conn_close(s->first);
    uv_close((uv_handle_t *)&s->sweep, on_timer_closed);
}
