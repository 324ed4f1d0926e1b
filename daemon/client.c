#include "daemon/client.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/buf.h"
#include "daemon/address.h"

/*
 * A call is queued at its host, then active (its easy handle is in the multi handle),
 * then over. Calls and their easy handles are kept for reuse. Callers hear of an end
 * only from the loop: from a socket or timer of libcurl's, or from our own tick, which
 * also ends calls whose time ran out while they waited in line.
 *
 * Never twice by itself: when a kept connection turns out dead, libcurl sends the
 * request again on a new one. Bodies are given through a read callback that cannot be
 * rewound, so that this fails once a byte of the body has left, and the caller, who
 * knows what a repeat means, decides.
 *
 * Where to connect is checked on the address itself, when the socket is opened: names
 * that resolve to something else the second time gain nothing.
 */

enum {
    KEEP_CALLS = 64,
    KEEP_BODY = 64 * 1024,
    KEEP_CONNECTIONS = 64,
    CONNECTION_AGE_S = 60,
    HEAD_BYTES = 64 * 1024,
    TICK_MS = 50,
    RATIO_FREE = 64 * 1024, /* decoded bytes below which no ratio is looked at */
    READ_AHEAD = 16 * 1024, /* encoded bytes libcurl may hold uncounted */
};

enum call_state {
    CALL_IDLE,
    CALL_QUEUED,
    CALL_ACTIVE,
    CALL_FAILED, /* its end is known, and told at the next tick */
};

enum call_rank { RANK_URGENT, RANK_USUAL, RANK_LAST };

struct call_list {
    struct ow_call *first, *last;
};

struct host {
    struct host *next;
    char *origin;
    unsigned active;
    struct call_list queue;
};

struct ow_call {
    struct ow_call *prev, *next; /* in its host's queue, active, failed or idle */
    struct ow_client *client;
    struct host *host;
    CURL *easy;
    enum call_state state;
    ow_reply_fn *fn;
    void *arg;
    int64_t deadline_ms; /* of the loop's clock */
    char *url, *method, *body;
    size_t body_len, body_at;
    struct curl_slist *headers;
    /* the response */
    struct ow_buf head, content;
    size_t name_at[OW_WIRE_HEADERS], value_at[OW_WIRE_HEADERS];
    size_t n_headers;
    bool head_done, encoded, address_refused;
    enum call_rank rank;
    const char *broken; /* which ceiling */
    enum ow_code code;
    struct ow_err err;
};

struct ow_client {
    uv_loop_t *loop;
    struct ow_client_options opt;
    char *ca_file, *cert_file, *key_file, *user_agent;
    CURLM *multi;
    uv_timer_t timer; /* libcurl's */
    uv_timer_t tick;  /* ours */
    struct host *hosts;
    struct call_list active, failed;
    struct ow_call *idle;
    unsigned n_idle, n_queued;
    unsigned handles; /* on the loop */
    bool closing;
    void (*closed)(void *arg);
    void *closed_arg;
};

struct watch {
    uv_poll_t poll;
    struct ow_client *client;
    curl_socket_t fd;
};

void ow_client_options_default(struct ow_client_options *ret)
{
    *ret = (struct ow_client_options){
        .per_host = 4,
        .connect_ms = 5000,
        .max_body = 16 << 20,
        .max_ratio = 100,
        .user_agent = "opiward/" OW_VERSION,
    };
}

/* ---- lists ---- */

static void list_add(struct call_list *l, struct ow_call *call)
{
    call->next = NULL;
    call->prev = l->last;
    if (l->last)
        l->last->next = call;
    else
        l->first = call;
    l->last = call;
}

/* Behind those that wait with as much right, before the rest. */
static void list_add_ranked(struct call_list *l, struct ow_call *call)
{
    struct ow_call *at = l->last;

    while (at && at->rank > call->rank)
        at = at->prev;
    if (at == l->last) {
        list_add(l, call);
        return;
    }
    call->prev = at;
    call->next = at ? at->next : l->first;
    call->next->prev = call;
    if (at)
        at->next = call;
    else
        l->first = call;
}

static void list_remove(struct call_list *l, struct ow_call *call)
{
    if (call->prev)
        call->prev->next = call->next;
    else
        l->first = call->next;
    if (call->next)
        call->next->prev = call->prev;
    else
        l->last = call->prev;
    call->prev = call->next = NULL;
}

static int64_t now_ms(const struct ow_client *c)
{
    return (int64_t)uv_now(c->loop);
}

/* ---- what libcurl tells us during a transfer ---- */

static size_t call_break(struct ow_call *call, const char *why)
{
    call->broken = why;
    return 0;
}

static bool ratio_is_wrong(const struct ow_call *call, size_t ahead)
{
    curl_off_t encoded = 0;

    if (!call->encoded || call->client->opt.max_ratio == 0 ||
        call->content.len <= RATIO_FREE)
        return false;
    curl_easy_getinfo(call->easy, CURLINFO_SIZE_DOWNLOAD_T, &encoded);
    return call->content.len / call->client->opt.max_ratio > (size_t)encoded + ahead;
}

static size_t on_body(char *data, size_t one, size_t n, void *arg)
{
    struct ow_call *call = arg;

    (void)one;
    ow_buf_add(&call->content, data, n);
    if (call->content.failed)
        return call_break(call, "response too large");
    if (ratio_is_wrong(call, READ_AHEAD))
        return call_break(call, "response expands too much");
    return n;
}

static void head_begin(struct ow_call *call)
{
    ow_buf_reset(&call->head);
    call->n_headers = 0;
    call->head_done = call->encoded = false;
}

/* Append a piece of the head as a string; where it begins. */
static size_t head_string(struct ow_call *call, const char *s, size_t n)
{
    size_t at = call->head.len;

    ow_buf_add(&call->head, s, n);
    ow_buf_char(&call->head, '\0');
    return at;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t head_field(struct ow_call *call, const char *line, size_t n)
{
    const char *colon = memchr(line, ':', n), *value, *end = line + n;
    size_t i = call->n_headers;

    if (!colon)
        return call_break(call, "malformed response head");
    if (i == OW_WIRE_HEADERS)
        return call_break(call, "response with too many header fields");
    for (value = colon + 1; value < end && is_blank(*value); value++)
        ;
    while (end > value && is_blank(end[-1]))
        end--;
    call->name_at[i] = head_string(call, line, (size_t)(colon - line));
    call->value_at[i] = head_string(call, value, (size_t)(end - value));
    call->n_headers++;
    if (call->head.failed)
        return call_break(call, "response head too large");
    if (ow_strcaseeq(call->head.data + call->name_at[i], "content-encoding")) {
        if (call->encoded || memchr(value, ',', (size_t)(end - value)))
            return call_break(call, "response encoded more than once");
        call->encoded = true;
    }
    return n;
}

static size_t on_head(char *line, size_t one, size_t n, void *arg)
{
    struct ow_call *call = arg;

    (void)one;
    if (n >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        head_begin(call); /* the last one counts: a 100 may stand before it */
        return n;
    }
    if (call->head_done)
        return n; /* trailers are read past */
    if (n <= 2 && is_blank(line[0])) {
        call->head_done = true;
        return n;
    }
    return head_field(call, line, n);
}

static size_t on_read(char *data, size_t one, size_t n, void *arg)
{
    struct ow_call *call = arg;
    size_t left = call->body_len - call->body_at;

    (void)one;
    if (n > left)
        n = left;
    memcpy(data, call->body + call->body_at, n);
    call->body_at += n;
    return n;
}

static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct ow_call *call = arg;

    (void)purpose;
    if (!call->client->opt.allow_private && ow_address_is_private(&a->addr)) {
        call->address_refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/* ---- easy handles ---- */

static void easy_prepare(struct ow_call *call)
{
    const struct ow_client *c = call->client;
    CURL *e = call->easy;

    curl_easy_setopt(e, CURLOPT_PRIVATE, call);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L); /* never wait for a resolver thread */
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_PROXY, ""); /* the environment has no say */
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
    curl_easy_setopt(e, CURLOPT_USERAGENT, c->user_agent);
    curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, (long)CONNECTION_AGE_S);
    curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
    if (c->ca_file) { /* and nothing beside it */
        curl_easy_setopt(e, CURLOPT_CAINFO, c->ca_file);
        curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
    }
    if (c->cert_file) {
        curl_easy_setopt(e, CURLOPT_SSLCERT, c->cert_file);
        curl_easy_setopt(e, CURLOPT_SSLKEY, c->key_file ? c->key_file : c->cert_file);
    }
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(e, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(e, CURLOPT_READDATA, call);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, call);
}

static void easy_set_method(struct ow_call *call)
{
    bool head = ow_streq(call->method, "HEAD"), get = ow_streq(call->method, "GET");
    bool bare = call->body_len == 0 && ow_streq(call->method, "DELETE");
    CURL *e = call->easy;

    curl_easy_setopt(e, CURLOPT_HTTPGET, 1L); /* back to a known state */
    curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, NULL);
    if (head)
        curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
    if (head || (get && call->body_len == 0))
        return;
    curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, call->method);
    if (bare)
        return;
    curl_easy_setopt(e, CURLOPT_POST, 1L);
    curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_len);
    curl_easy_setopt(e, CURLOPT_POSTFIELDS, call->body_len == 0 ? "" : NULL);
}

static void easy_set_request(struct ow_call *call)
{
    int64_t left = call->deadline_ms - now_ms(call->client);
    int64_t connect = call->client->opt.connect_ms;
    CURL *e = call->easy;

    if (left < 1)
        left = 1;
    if (connect <= 0 || connect > left)
        connect = left;
    curl_easy_setopt(e, CURLOPT_URL, call->url);
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, call->headers);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)left);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)connect);
    easy_set_method(call);
}

/* ---- calls ---- */

static struct ow_call *call_new(struct ow_client *c)
{
    struct ow_call *call = c->idle;

    if (call) {
        c->idle = call->next;
        c->n_idle--;
        call->next = NULL;
        return call;
    }
    call = ow_alloc_zero(sizeof *call);
    call->client = c;
    call->easy = curl_easy_init();
    ow_assert(call->easy);
    ow_buf_init(&call->head, HEAD_BYTES);
    ow_buf_init(&call->content, c->opt.max_body);
    easy_prepare(call);
    return call;
}

static void call_free(struct ow_call *call)
{
    curl_easy_cleanup(call->easy);
    ow_buf_done(&call->head);
    ow_buf_done(&call->content);
    free(call);
}

/* Free what belongs to one request, and keep the rest for the next. */
static void call_recycle(struct ow_call *call)
{
    struct ow_client *c = call->client;

    curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(call->headers);
    free(call->url);
    free(call->method);
    free(call->body);
    call->url = call->method = call->body = NULL;
    call->headers = NULL;
    head_begin(call);
    if (call->content.cap > KEEP_BODY)
        ow_buf_done(&call->content);
    ow_buf_reset(&call->content);
    call->body_len = call->body_at = 0;
    call->address_refused = false;
    call->broken = NULL;
    call->state = CALL_IDLE;
    call->host = NULL;
    if (c->closing || c->n_idle >= KEEP_CALLS) {
        call_free(call);
        return;
    }
    call->next = c->idle;
    c->idle = call;
    c->n_idle++;
}

static void host_pump(struct ow_client *c, struct host *h);

static void host_free_if_unused(struct ow_client *c, struct host *h)
{
    struct host **at = &c->hosts;

    if (h->active > 0 || h->queue.first)
        return;
    while (*at != h)
        at = &(*at)->next;
    *at = h->next;
    free(h->origin);
    free(h);
}

/* Take the call out of whatever it is in. */
static void call_detach(struct ow_call *call)
{
    struct ow_client *c = call->client;
    struct host *h = call->host;

    switch (call->state) {
    case CALL_QUEUED:
        list_remove(&h->queue, call);
        c->n_queued--;
        break;
    case CALL_ACTIVE:
        list_remove(&c->active, call);
        curl_multi_remove_handle(c->multi, call->easy);
        h->active--;
        break;
    case CALL_FAILED:
        list_remove(&c->failed, call);
        break;
    case CALL_IDLE:
        break;
    }
    call->state = CALL_IDLE;
    call->host = NULL;
    if (!h)
        return;
    if (!c->closing)
        host_pump(c, h);
    host_free_if_unused(c, h);
}

static void call_reply(struct ow_call *call, enum ow_code code, bool sent)
{
    struct ow_header headers[OW_WIRE_HEADERS];
    struct ow_response resp = { .headers = headers };
    long status = 0;

    if (code == OW_OK) {
        curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
        for (size_t i = 0; i < call->n_headers; i++)
            headers[i] = (struct ow_header){ call->head.data + call->name_at[i],
                                             call->head.data + call->value_at[i] };
        resp.status = (int)status;
        resp.n_headers = call->n_headers;
        resp.body = ow_buf_cstr(&call->content);
        resp.body_len = call->content.len;
    }
    call->fn(call->arg, code, code == OW_OK ? &resp : NULL, sent, &call->err);
}

static void call_end(struct ow_call *call, enum ow_code code, bool sent)
{
    call_detach(call);
    call_reply(call, code, sent);
    call_recycle(call);
}

/* The scheme and authority of a URL; false when it is none of ours. */
static bool url_origin(const char *url, size_t *ret)
{
    size_t scheme = ow_starts_with(url, "https://")  ? 8
                    : ow_starts_with(url, "http://") ? 7
                                                     : 0;

    *ret = scheme ? scheme + strcspn(url + scheme, "/?#") : 0;
    return *ret > scheme && !memchr(url, '@', *ret) && !strpbrk(url, "\r\n \t");
}

static enum ow_code call_explain(struct ow_call *call, enum ow_code code, const char *why)
{
    size_t n = 0;

    if (!call->url || !url_origin(call->url, &n))
        return ow_err_set(&call->err, code, "%s", why);
    return ow_err_set(&call->err, code, "%.*s: %s", (int)n, call->url, why);
}

/* ---- queue ---- */

static void on_tick(uv_timer_t *t);

static void tick_start(struct ow_client *c, uint64_t after_ms)
{
    if (!uv_is_active((uv_handle_t *)&c->tick) || after_ms == 0)
        uv_timer_start(&c->tick, on_tick, after_ms, TICK_MS);
}

static void call_fail(struct ow_call *call, enum ow_code code, const char *why)
{
    call->code = call_explain(call, code, why);
    call->state = CALL_FAILED;
    list_add(&call->client->failed, call);
    tick_start(call->client, 0);
}

static void call_start(struct ow_call *call)
{
    struct ow_client *c = call->client;

    easy_set_request(call);
    call->state = CALL_ACTIVE;
    call->host->active++;
    list_add(&c->active, call);
    ow_assert(curl_multi_add_handle(c->multi, call->easy) == CURLM_OK);
}

static void host_pump(struct ow_client *c, struct host *h)
{
    while (h->queue.first && h->active < c->opt.per_host) {
        struct ow_call *call = h->queue.first;

        list_remove(&h->queue, call);
        c->n_queued--;
        call_start(call);
    }
}

static struct host *host_of(struct ow_client *c, const char *url, size_t n)
{
    struct host *h = c->hosts;

    while (h && (strlen(h->origin) != n || strncasecmp(h->origin, url, n) != 0))
        h = h->next;
    if (h)
        return h;
    h = ow_alloc_zero(sizeof *h);
    h->origin = ow_alloc(n + 1);
    memcpy(h->origin, url, n);
    h->origin[n] = '\0';
    h->next = c->hosts;
    c->hosts = h;
    return h;
}

static void queue_expire(struct ow_client *c, struct host *h)
{
    for (struct ow_call *call = h->queue.first, *next; call; call = next) {
        next = call->next;
        if (call->deadline_ms > now_ms(c))
            continue;
        list_remove(&h->queue, call);
        c->n_queued--;
        call->host = NULL;
        call_fail(call, OW_AGAIN, "no free place in time");
    }
}

static void on_tick(uv_timer_t *t)
{
    struct ow_client *c = t->data;

    for (struct host *h = c->hosts, *next; h; h = next) {
        next = h->next;
        queue_expire(c, h);
        host_free_if_unused(c, h);
    }
    while (c->failed.first && !c->closing)
        call_end(c->failed.first, c->failed.first->code, false);
    if (c->n_queued == 0 && !c->failed.first && !c->closing)
        uv_timer_stop(&c->tick);
}

/* ---- the loop ---- */

static bool call_was_sent(const struct ow_call *call)
{
    long head = 0;

    curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &head);
    return head > 0; /* a body never leaves before its head */
}

static enum ow_code call_judge(struct ow_call *call, CURLcode rc)
{
    if (call->broken)
        return call_explain(call, OW_INPUT, call->broken);
    if (rc == CURLE_OK && ratio_is_wrong(call, 0))
        return call_explain(call, OW_INPUT, "response expands too much");
    if (rc == CURLE_OK)
        return OW_OK;
    /* what a name stands for may change, and the data of who asks are not to blame */
    if (call->address_refused && rc == CURLE_COULDNT_CONNECT)
        return call_explain(call, OW_AGAIN, "its address is private");
    if (rc == CURLE_UNSUPPORTED_PROTOCOL && call_was_sent(call))
        return call_explain(call, OW_AGAIN, "the answer is not HTTP");
    if (rc == CURLE_URL_MALFORMAT || rc == CURLE_UNSUPPORTED_PROTOCOL ||
        rc == CURLE_BAD_CONTENT_ENCODING)
        return call_explain(call, OW_INPUT, curl_easy_strerror(rc));
    return call_explain(call, OW_AGAIN, curl_easy_strerror(rc));
}

static void client_drain(struct ow_client *c)
{
    CURLMsg *msg;
    int left;

    while (!c->closing && (msg = curl_multi_info_read(c->multi, &left))) {
        CURLcode rc = msg->data.result;
        struct ow_call *call;
        bool sent;

        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&call);
        sent = call_was_sent(call);
        call_end(call, call_judge(call, rc), sent);
    }
}

static void client_act(struct ow_client *c, curl_socket_t fd, int events)
{
    int running;

    curl_multi_socket_action(c->multi, fd, events, &running);
    client_drain(c);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watch *w = poll->data;
    int flags = status < 0 ? CURL_CSELECT_ERR : 0;

    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    client_act(w->client, w->fd, flags);
}

static void handle_gone(struct ow_client *c)
{
    void (*closed)(void *arg) = c->closed;
    void *arg = c->closed_arg;

    if (--c->handles > 0 || !c->closing)
        return;
    free(c->ca_file);
    free(c->cert_file);
    free(c->key_file);
    free(c->user_agent);
    free(c);
    curl_global_cleanup();
    if (closed)
        closed(arg);
}

static void on_watch_closed(uv_handle_t *h)
{
    struct watch *w = h->data;
    struct ow_client *c = w->client;

    free(w);
    handle_gone(c);
}

static void on_timer_closed(uv_handle_t *h)
{
    handle_gone(h->data);
}

static struct watch *watch_new(struct ow_client *c, curl_socket_t fd)
{
    struct watch *w = ow_alloc_zero(sizeof *w);

    w->client = c;
    w->fd = fd;
    if (uv_poll_init_socket(c->loop, &w->poll, fd) != 0) {
        free(w);
        return NULL;
    }
    w->poll.data = w;
    c->handles++;
    curl_multi_assign(c->multi, fd, w);
    return w;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    struct ow_client *c = arg;
    struct watch *w = socket_arg;
    int events = 0;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (w) {
            curl_multi_assign(c->multi, fd, NULL);
            uv_close((uv_handle_t *)&w->poll, on_watch_closed);
        }
        return 0;
    }
    if (!w)
        w = watch_new(c, fd);
    if (!w)
        return -1;
    if (what & CURL_POLL_IN)
        events |= UV_READABLE;
    if (what & CURL_POLL_OUT)
        events |= UV_WRITABLE;
    return uv_poll_start(&w->poll, events, on_poll) == 0 ? 0 : -1;
}

static void on_timer(uv_timer_t *t)
{
    client_act(t->data, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timeout(CURLM *multi, long ms, void *arg)
{
    struct ow_client *c = arg;

    (void)multi;
    if (ms < 0)
        uv_timer_stop(&c->timer);
    else
        uv_timer_start(&c->timer, on_timer, (uint64_t)ms, 0);
    return 0;
}

/* ---- sending ---- */

static bool headers_copy(struct ow_call *call, const struct ow_request *req)
{
    struct ow_buf line;
    bool good = true;

    ow_buf_init(&line, HEAD_BYTES);
    call->headers = curl_slist_append(NULL, "Expect:");
    if (!ow_header_get(req->headers, req->n_headers, "content-type"))
        call->headers = curl_slist_append(call->headers, "Content-Type:");
    for (size_t i = 0; i < req->n_headers && good; i++) {
        const struct ow_header *h = &req->headers[i];

        good = *h->name && !strpbrk(h->name, "\r\n:; ") && !strpbrk(h->value, "\r\n");
        ow_buf_reset(&line);
        if (*h->value)
            ow_buf_printf(&line, "%s: %s", h->name, h->value);
        else
            ow_buf_printf(&line, "%s;", h->name); /* how libcurl spells an empty one */
        good = good && !line.failed;
        if (good)
            call->headers = curl_slist_append(call->headers, line.data);
        ow_assert(call->headers);
    }
    ow_buf_done(&line);
    return good;
}

static void body_copy(struct ow_call *call, const struct ow_request *req)
{
    call->body_len = req->body_len;
    if (req->body_len == 0)
        return;
    call->body = ow_alloc(req->body_len);
    memcpy(call->body, req->body, req->body_len);
}

struct ow_call *ow_client_send(struct ow_client *c, const struct ow_request *req,
                               int64_t timeout_ms, ow_reply_fn *fn, void *arg)
{
    struct ow_call *call;
    size_t origin;

    ow_assert(!c->closing);
    call = call_new(c);
    call->fn = fn;
    call->arg = arg;
    call->rank = req->urgent ? RANK_URGENT : req->can_wait ? RANK_LAST : RANK_USUAL;
    call->err.text[0] = '\0';
    call->deadline_ms = now_ms(c) + timeout_ms;
    call->url = ow_strdup(req->url);
    call->method = ow_strdup(req->method);
    body_copy(call, req);
    if (!url_origin(req->url, &origin)) {
        call_fail(call, OW_INPUT, "the URL is not http or https, or holds credentials");
        return call;
    }
    if (!headers_copy(call, req)) {
        call_fail(call, OW_INPUT, "malformed request header");
        return call;
    }
    call->host = host_of(c, req->url, origin);
    call->state = CALL_QUEUED;
    list_add_ranked(&call->host->queue, call);
    c->n_queued++;
    host_pump(c, call->host);
    if (call->state == CALL_QUEUED)
        tick_start(c, TICK_MS);
    return call;
}

void ow_client_cancel(struct ow_client *c, struct ow_call *call)
{
    ow_assert(call->client == c && call->state != CALL_IDLE);
    call_detach(call);
    call_recycle(call);
}

/* ---- life ---- */

static char *copy_or_null(const char *s)
{
    return s ? ow_strdup(s) : NULL;
}

static enum ow_code check_file(const char *what, const char *file, struct ow_err *err)
{
    if (!file || access(file, R_OK) == 0)
        return OW_OK;
    return ow_err_set(err, OW_CONFIG, "%s %s cannot be read", what, file);
}

static void client_init_loop(struct ow_client *c)
{
    ow_assert(uv_timer_init(c->loop, &c->timer) == 0);
    ow_assert(uv_timer_init(c->loop, &c->tick) == 0);
    c->timer.data = c->tick.data = c;
    c->handles = 2;
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)KEEP_CONNECTIONS);
}

enum ow_code ow_client_open(uv_loop_t *loop, const struct ow_client_options *opt,
                            struct ow_client **ret, struct ow_err *err)
{
    struct ow_client *c;
    enum ow_code code = check_file("CA file", opt->ca_file, err);

    if (code == OW_OK)
        code = check_file("certificate", opt->cert_file, err);
    if (code == OW_OK)
        code = check_file("private key", opt->key_file, err);
    if (code != OW_OK)
        return code;
    ow_assert(opt->per_host > 0);
    ow_assert(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    c = ow_alloc_zero(sizeof *c);
    c->loop = loop;
    c->opt = *opt;
    c->ca_file = copy_or_null(opt->ca_file);
    c->cert_file = copy_or_null(opt->cert_file);
    c->key_file = copy_or_null(opt->key_file);
    c->user_agent = copy_or_null(opt->user_agent);
    c->multi = curl_multi_init();
    ow_assert(c->multi);
    client_init_loop(c);
    *ret = c;
    return OW_OK;
}

static void client_cancel_all(struct ow_client *c)
{
    while (c->failed.first)
        call_end(c->failed.first, OW_CANCELED, false);
    while (c->active.first)
        call_end(c->active.first, OW_CANCELED, call_was_sent(c->active.first));
    while (c->hosts)
        call_end(c->hosts->queue.first, OW_CANCELED, false);
}

void ow_client_close(struct ow_client *c, void (*closed)(void *arg), void *arg)
{
    ow_assert(!c->closing);
    c->closing = true;
    c->closed = closed;
    c->closed_arg = arg;
    client_cancel_all(c);
    while (c->idle) {
        struct ow_call *next = c->idle->next;

        call_free(c->idle);
        c->idle = next;
    }
    curl_multi_cleanup(c->multi);
    uv_close((uv_handle_t *)&c->timer, on_timer_closed);
    uv_close((uv_handle_t *)&c->tick, on_timer_closed);
}
