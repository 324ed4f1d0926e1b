/*
 * Connection: one client of the server; private to server.c and conn.c
 *
 * Server and connections know each other, so both are told here. A connection belongs to
 * its server until its handle is closed; after that only an exchange that was never
 * answered can keep its memory, and then nothing in it points to the server any more.
 */
#pragma once

#include "daemon/http1.h"
#include "daemon/peers.h"
#include "daemon/server.h"
#include "daemon/tls.h"

enum conn_state {
    CONN_OPEN,     /* reads requests, answers them */
    CONN_FLUSHING, /* the last answer is on its way; what comes in is dropped */
    CONN_LINGER,   /* all is sent, and that is said; waits for the client to close */
    CONN_CLOSED,   /* the handle is closing or closed */
};

/* What the connection waits for, and so which deadline holds. */
enum conn_wait {
    WAIT_FIRST, /* the first byte of all, or the end of the TLS handshake */
    WAIT_HEAD,
    WAIT_BODY,
    WAIT_HANDLER,
    WAIT_WRITE,
    WAIT_IDLE,
    WAIT_LINGER,
};

struct ow_exchange {
    void *data;
    bool open; /* the handler owes an answer */
};

struct conn {
    struct ow_exchange x; /* first, so that an exchange is its connection */
    uv_tcp_t tcp;
    uv_shutdown_t shutdown;
    struct ow_server *server;
    struct conn *prev, *next;
    struct ow_tls *tls; /* NULL: plain */
    struct ow_http1 http1;
    struct ow_buf out;  /* answers not yet written */
    struct ow_buf rest; /* bytes read behind a request that is being answered */
    enum conn_state state;
    enum conn_wait wait;
    int64_t deadline_ms, body_from_ms; /* of the loop's clock */
    uint64_t requests, armed_for;      /* begun; the one the deadline was set for */
    size_t dropped;                    /* bytes read and thrown away */
    unsigned writing;                  /* writes under way */
    bool busy;                         /* inside conn_turn: an answer does not recurse */
    bool reading, tls_input, peer_ended;
    bool handle_closed, counted;
    uint8_t address[16];
    char peer[46];
};

struct ow_server {
    uv_loop_t *loop;
    struct ow_server_limits limits;
    struct ow_http1_limits http1_limits;
    ow_handler_fn *handler;
    void *arg;
    struct ow_tls_context *tls;
    char *cert, *key, *client_ca;
    struct conn *first;
    unsigned n_conns, n_refusing;
    struct ow_peers peers;
    struct ow_server_stats stats;
    struct listener *listener; /* NULL while accepting is paused or over */
    int listen_fd;             /* second descriptor of the listening socket */
    int port;
    uv_timer_t sweep;
    int64_t sweep_ms;
    int64_t accept_again_ms; /* when to listen again; 0: is listening, or never */
    unsigned handles;        /* on the loop */
    bool draining, closing;
    void (*drained)(void *arg);
    void *drained_arg;
    void (*closed)(void *arg);
    void *closed_arg;
    int64_t date_s; /* the second that `date` was made in, on the loop's clock */
    char date[96];
};

/* Serve a connection that has been accepted into `c->tcp`. */
void conn_start(struct conn *c);
/* Tell it that it is one too many, and close. */
void conn_start_refused(struct conn *c, const char *why);
void conn_close(struct conn *c);
/* Close it if nothing has been asked. */
void conn_drain(struct conn *c);
/* Is a deadline over? Then act. */
void conn_sweep(struct conn *c, int64_t now_ms);

/* server.c: the connection is off the list (at once), its handle is closed (later). */
void server_conn_gone(struct ow_server *s, struct conn *c);
void server_handle_closed(struct ow_server *s);
const char *server_date(struct ow_server *s);
