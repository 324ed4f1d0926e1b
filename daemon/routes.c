#include "daemon/routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "fhir/hooks.h"
#include "fhir/subscription.h"
#include "fhir/writeback.h"

enum { NOTICE_MEMORY = 64 << 20, NOTICES_MAX = 10000, REPLY_MAX = 1 << 20 };

struct ow_routes {
    struct ow_core *core;
    struct ow_hook_calls *calls;
    struct ow_routes_hooks hooks;
    struct ow_buf discovery;
};

/* --- answers --- */

static void reply(struct ow_exchange *x, int status, const char *type, const char *body,
                  size_t len, const struct ow_header *more, size_t n_more)
{
    struct ow_header headers[8] = {
        {"Content-Type",   type      },
        { "Cache-Control", "no-store"}
    };
    struct ow_response resp = { .status = status,
                                .headers = headers,
                                .n_headers = 2,
                                .body = body,
                                .body_len = len };

    ow_assert(n_more <= OW_LEN(headers) - 2);
    for (size_t i = 0; i < n_more; i++)
        headers[resp.n_headers++] = more[i];
    ow_exchange_reply(x, &resp);
}

static void refuse_with(struct ow_exchange *x, int status, const char *code,
                        const char *text, const struct ow_header *more, size_t n_more)
{
    struct ow_buf b;

    ow_buf_init(&b, REPLY_MAX);
    ow_operation_outcome(&b, code, text);
    reply(x, status, "application/fhir+json", ow_buf_cstr(&b), b.len, more, n_more);
    ow_buf_done(&b);
}

static void refuse(struct ow_exchange *x, int status, const char *code, const char *text)
{
    refuse_with(x, status, code, text, NULL, 0);
}

/* With up to two headers for a browser. */
static void refuse_method_with(struct ow_exchange *x, const char *allow,
                               const struct ow_header *cors, size_t n)
{
    struct ow_header h[3] = {
        {"Allow", allow}
    };

    ow_assert(n < OW_LEN(h));
    for (size_t i = 0; i < n; i++)
        h[i + 1] = cors[i];
    refuse_with(x, 405, "not-supported", "method not allowed here", h, n + 1);
}

static void refuse_method(struct ow_exchange *x, const char *allow)
{
    refuse_method_with(x, allow, NULL, 0);
}

/* --- notifications --- */

struct notification { /* one delivery that waits for the store */
    struct ow_routes *routes;
    struct ow_exchange *exchange;
    struct ow_arena arena;
    size_t open;
    bool failed, bundle;
};

/* Takes a time that depends on what was said alone, wherever the difference is and
 * however long the secret. */
static bool secret_equal(const char *said, size_t n, const char *secret)
{
    size_t len = strlen(secret);
    unsigned char diff = n != len;

    for (size_t i = 0; i < n; i++)
        diff |= (unsigned char)(said[i] ^ secret[len ? i % len : 0]);
    return diff == 0;
}

static void notification_end(struct notification *n)
{
    struct ow_header retry = { "Retry-After", "5" };

    if (n->failed) {
        ow_metric_add(OW_M_notifications_refused_total, 1);
        refuse_with(n->exchange, 503, "transient",
                    "the event could not be stored, send it again", &retry, 1);
    } else {
        const char *body = n->bundle ? ow_notification_reply : "";

        reply(n->exchange, 200, n->bundle ? "application/fhir+json" : "text/plain", body,
              strlen(body), NULL, 0);
        n->routes->hooks.stored(n->routes->hooks.arg);
    }
    ow_arena_done(&n->arena);
    free(n);
}

static void on_received(void *arg, enum ow_code code, int64_t id, bool duplicate,
                        const struct ow_err *err)
{
    struct notification *n = arg;

    (void)id;
    if (code != OW_OK) {
        OW_LOG(OW_ERROR, "event.not-stored",
               "an event could not be stored and was not acknowledged",
               OW_F("reason", err->text));
        n->failed = true;
    } else {
        ow_metric_add(
            duplicate ? OW_M_events_duplicate_total : OW_M_events_received_total, 1);
    }
    if (--n->open == 0)
        notification_end(n);
}

static void notification_store(struct notification *n, const struct ow_notice *notices,
                               size_t count, const struct ow_request *req)
{
    struct ow_core *core = n->routes->core;

    n->open = 1; /* ours, so that nothing to store ends too */
    for (size_t i = 0; i < count; i++) {
        struct ow_event ev = { .source = core->config->fhir_name,
                               .kind = notices[i].hint      ? OW_EVENT_HINT
                                       : notices[i].deleted ? OW_EVENT_DELETED
                                                            : OW_EVENT_CHANGED,
                               .type = notices[i].type,
                               .rid = notices[i].id,
                               .version = notices[i].deleted ? NULL : notices[i].version,
                               .patient = notices[i].patient,
                               .received = ow_now_utc(core->world) };

        if (notices[i].ignored) {
            ow_metric_add(OW_M_events_ignored_total, 1);
            continue;
        }
        if (count == 1) {
            ev.body = req->body_len ? req->body : NULL;
            ev.body_len = req->body_len;
        }
        n->open++;
        ow_store_receive(core->store, &ev, on_received, n);
    }
    if (--n->open == 0)
        notification_end(n);
}

static bool notification_type_ok(const struct ow_request *req)
{
    const char *type = ow_header_get(req->headers, req->n_headers, "Content-Type");
    const char *encoding = ow_header_get(req->headers, req->n_headers,
                                         "Content-Encoding");

    if (encoding && !ow_strcaseeq(encoding, "identity"))
        return false;
    if (req->body_len == 0)
        return true;
    return type && ow_media_type_is_json(type);
}

static void notify(struct ow_routes *r, struct ow_exchange *x,
                   const struct ow_request *req)
{
    const char *channel = req->path + strlen("/notify/");
    const char *rest = strchr(channel, '/');
    size_t len = rest ? (size_t)(rest - channel) : strlen(channel);
    struct ow_notification said;
    struct notification *n;
    struct ow_err err = { "" };

    if (!r->core->channel || !secret_equal(channel, len, r->core->channel)) {
        ow_metric_add(OW_M_notifications_refused_total, 1);
        refuse(x, 404, "not-found", "no such channel");
        return;
    }
    if (!ow_streq(req->method, "PUT") && !ow_streq(req->method, "POST") &&
        !ow_streq(req->method, "DELETE")) {
        refuse_method(x, "PUT, POST, DELETE");
        return;
    }
    if (!notification_type_ok(req)) {
        ow_metric_add(OW_M_notifications_refused_total, 1);
        refuse(x, 415, "not-supported",
               "expected application/fhir+json without encoding");
        return;
    }
    n = ow_alloc_zero(sizeof *n);
    n->routes = r;
    n->exchange = x;
    ow_arena_init(&n->arena, NOTICE_MEMORY);
    if (ow_notification_read(&n->arena, req, rest ? rest : "", &said, &err) != OW_OK ||
        said.n > NOTICES_MAX) {
        ow_metric_add(OW_M_notifications_refused_total, 1);
        OW_LOG(OW_WARNING, "notification.refused", "a delivery could not be read",
               OW_F("reason", err.text));
        refuse(x, 400, "invalid", *err.text ? err.text : "too many entries");
        ow_arena_done(&n->arena);
        free(n);
        return;
    }
    n->bundle = said.bundle;
    notification_store(n, said.notices, said.n, req);
}

/* --- CDS Hooks --- */

/* Headers for a browser client of a configured origin; none for others. */
static size_t cors(const struct ow_routes *r, const struct ow_request *req,
                   struct ow_header ret[2])
{
    const char *origin = ow_header_get(req->headers, req->n_headers, "Origin");
    const char *at = r->core->config->listen_cors_origins;
    size_t n = origin ? strlen(origin) : 0;

    while (n && *at) {
        size_t len = strcspn(at, " ");

        if (len == n && strncmp(at, origin, n) == 0) {
            ret[0] = (struct ow_header){ "Access-Control-Allow-Origin", origin };
            ret[1] = (struct ow_header){ "Vary", "Origin" };
            return 2;
        }
        at += len;
        at += strspn(at, " ");
    }
    return 0;
}

struct hook_exchange {
    struct ow_routes *routes;
    struct ow_exchange *x;
    struct ow_header cors[2];
    size_t n_cors;
    char *origin;
    char service[64]; /* "": discovery */
    bool feedback;
    const char *request; /* its body; in `copy` when the caller is looked at first */
    size_t request_len;
    char *copy;
    bool kept;     /* the token is in the store, or none was needed */
    bool answered; /* ... and the answer waits for that */
    int status;
    char *body;
    size_t len;
};

static void hook_end(struct hook_exchange *h, int status, const char *body, size_t len)
{
    reply(h->x, status, status == 200 ? "application/json" : "application/fhir+json",
          body, len, h->cors, h->n_cors);
    free(h->origin);
    free(h->copy);
    free(h->body);
    free(h);
}

static void on_hook_answered(void *arg, int status, const char *body, size_t len)
{
    struct hook_exchange *h = arg;

    if (h->kept) {
        hook_end(h, status, body, len);
        return;
    }
    h->answered = true;
    h->status = status;
    h->len = len;
    h->body = ow_alloc(len + 1);
    memcpy(h->body, body, len);
    h->body[len] = '\0';
}

static void on_caller_kept(void *arg)
{
    struct hook_exchange *h = arg;

    h->kept = true;
    if (h->answered)
        hook_end(h, h->status, h->body, h->len);
}

/* Nothing is told to who has no good token: why stands in our log. */
static void hook_deny(struct hook_exchange *h)
{
    struct ow_header all[3] = {
        {"WWW-Authenticate", "Bearer"}
    };

    for (size_t i = 0; i < h->n_cors; i++)
        all[i + 1] = h->cors[i];
    ow_metric_add(OW_M_hooks_refused_total, 1);
    reply(h->x, 401, "text/plain", "", 0, all, h->n_cors + 1);
    free(h->origin);
    free(h->copy);
    free(h);
}

static void on_caller_checked(void *arg, const struct ow_hooks_client *client)
{
    struct hook_exchange *h = arg;
    struct ow_routes *r = h->routes;
    const char *server = client ? client->fhir_server : NULL;

    if (!client && !h->kept)
        hook_deny(h);
    else if (!*h->service)
        on_hook_answered(h, 200, ow_buf_cstr(&r->discovery), r->discovery.len);
    else if (h->feedback)
        ow_hook_feedback(r->calls, h->service, h->request, h->request_len,
                         on_hook_answered, h);
    else
        ow_hook_call(r->calls, h->service, server, h->request, h->request_len,
                     on_hook_answered, h);
}

/* The URL that was called, as the caller knows it; for feedback the service's too. */
static void hook_check(struct hook_exchange *h, const struct ow_request *req)
{
    const char *base = h->routes->core->public_url, *audiences[2];
    char called[2048], service[2048];
    const struct ow_callers_hooks hooks = { on_caller_checked, on_caller_kept, h };
    size_t n = h->feedback ? 2 : 1;

    snprintf(called, sizeof called, "%s%s", base ? base : "", req->path);
    snprintf(service, sizeof service, "%s/cds-services/%s", base ? base : "", h->service);
    audiences[0] = called;
    audiences[1] = service;
    h->copy = ow_alloc(req->body_len + 1);
    memcpy(h->copy, req->body ? req->body : "", req->body ? req->body_len : 0);
    h->copy[req->body_len] = '\0';
    h->request = h->copy;
    ow_callers_check(h->routes->hooks.callers,
                     ow_header_get(req->headers, req->n_headers, "Authorization"),
                     audiences, n, &hooks);
}

static void preflight(struct ow_routes *r, struct ow_exchange *x,
                      const struct ow_request *req)
{
    struct ow_header h[6];
    size_t n = cors(r, req, h);

    if (n == 0) {
        refuse_method(x, "GET, POST");
        return;
    }
    h[n++] = (struct ow_header){ "Access-Control-Allow-Methods", "GET, POST, OPTIONS" };
    h[n++] = (struct ow_header){ "Access-Control-Allow-Headers",
                                 "Authorization, Content-Type, Accept" };
    h[n++] = (struct ow_header){ "Access-Control-Max-Age", "600" };
    reply(x, 204, "text/plain", "", 0, h, n);
}

/* A call of good form: who calls, then what is to be done. */
static void hook_dispatch(struct ow_routes *r, struct ow_exchange *x,
                          const struct ow_request *req, const char *service,
                          bool feedback, bool needs_token)
{
    struct hook_exchange *h = ow_alloc_zero(sizeof *h);

    *h = (struct hook_exchange){ .routes = r,
                                 .x = x,
                                 .feedback = feedback,
                                 .request = req->body,
                                 .request_len = req->body_len };
    ow_copy(h->service, sizeof h->service, service);
    h->n_cors = cors(r, req, h->cors);
    if (h->n_cors) { /* the request may be gone when the answer comes */
        h->origin = ow_strdup(h->cors[0].value);
        h->cors[0].value = h->origin;
    }
    if (needs_token && r->hooks.callers) {
        hook_check(h, req);
        return;
    }
    h->kept = true;
    on_caller_checked(h, NULL);
}

static void discovery(struct ow_routes *r, struct ow_exchange *x,
                      const struct ow_request *req)
{
    struct ow_header h[2];
    size_t n = cors(r, req, h);

    if (ow_streq(req->method, "OPTIONS"))
        preflight(r, x, req);
    else if (!ow_streq(req->method, "GET"))
        refuse_method_with(x, "GET, OPTIONS", h, n);
    else
        hook_dispatch(r, x, req, "", false, r->core->config->hooks_jwt_on_discovery);
}

static void hook(struct ow_routes *r, struct ow_exchange *x, const struct ow_request *req)
{
    const char *rest = req->path + strlen("/cds-services/");
    const char *type = ow_header_get(req->headers, req->n_headers, "Content-Type");
    struct ow_header h[2];
    size_t n = cors(r, req, h);
    bool feedback = ow_ends_with(rest, "/feedback");
    char service[64];

    ow_copy(service, sizeof service, rest);
    if (feedback && strlen(rest) < sizeof service)
        service[strlen(rest) - strlen("/feedback")] = '\0';
    if (ow_hooks_service(service) == OW_HOOK_NONE) {
        refuse_with(x, 404, "not-found", "no such service", h, n);
    } else if (ow_streq(req->method, "OPTIONS")) {
        preflight(r, x, req);
    } else if (!ow_streq(req->method, "POST")) {
        refuse_method_with(x, "POST, OPTIONS", h, n);
    } else if (!type || !ow_media_type_is_json(type)) {
        refuse_with(x, 415, "not-supported", "expected application/json", h, n);
    } else {
        hook_dispatch(r, x, req, service, feedback, true);
    }
}

/* --- the listeners --- */

void ow_routes_main(struct ow_exchange *x, const struct ow_request *req, void *arg)
{
    struct ow_routes *r = arg;

    if (ow_starts_with(req->path, "/notify/"))
        notify(r, x, req);
    else if (ow_streq(req->path, "/cds-services"))
        discovery(r, x, req);
    else if (ow_starts_with(req->path, "/cds-services/"))
        hook(r, x, req);
    else
        refuse(x, 404, "not-found", "nothing here");
}

static void metrics_from_store(struct ow_core *core, const struct ow_store_counts *c)
{
    ow_metric_set(OW_M_inbox_waiting, c->waiting);
    ow_metric_set(OW_M_inbox_parked, c->parked);
    ow_metric_set(OW_M_outbox_due, c->due);
    ow_metric_set(OW_M_dead_letters, c->dead);
    ow_metric_set(OW_M_outbox_oldest_seconds,
                  c->oldest_due ? (ow_now_utc(core->world) - c->oldest_due) / OW_SECOND
                                : 0);
    ow_metric_set(OW_M_store_sync_microseconds, c->last_sync_us);
}

struct scrape {
    struct ow_routes *routes;
    struct ow_exchange *x;
};

/* Figures of the store are as of the scrape; when it fails, those of the last one. */
static void on_counts(void *arg, enum ow_code code, const struct ow_store_counts *c,
                      const struct ow_err *err)
{
    struct scrape *s = arg;
    struct ow_exchange *x = s->x;
    struct ow_buf b;

    (void)err;
    if (code == OW_OK)
        metrics_from_store(s->routes->core, c);
    free(s);
    ow_buf_init(&b, REPLY_MAX);
    ow_metrics_print(&b);
    reply(x, 200, "text/plain; version=0.0.4; charset=utf-8", ow_buf_cstr(&b), b.len,
          NULL, 0);
    ow_buf_done(&b);
}

static void metrics(struct ow_routes *r, struct ow_exchange *x)
{
    struct scrape *s = ow_alloc(sizeof *s);

    *s = (struct scrape){ .routes = r, .x = x };
    ow_store_count(r->core->store, on_counts, s);
}

static void readiness(struct ow_routes *r, struct ow_exchange *x)
{
    const char *why = "ready\n";
    bool ready = r->hooks.ready(r->hooks.arg, &why);

    reply(x, ready ? 200 : 503, "text/plain", why, strlen(why), NULL, 0);
}

void ow_routes_operations(struct ow_exchange *x, const struct ow_request *req, void *arg)
{
    struct ow_routes *r = arg;

    if (!ow_streq(req->method, "GET"))
        refuse_method(x, "GET");
    else if (ow_streq(req->path, "/-/healthy"))
        reply(x, 200, "text/plain", "healthy\n", strlen("healthy\n"), NULL, 0);
    else if (ow_streq(req->path, "/-/ready"))
        readiness(r, x);
    else if (ow_streq(req->path, "/metrics"))
        metrics(r, x);
    else
        refuse(x, 404, "not-found", "nothing here");
}

struct ow_routes *ow_routes_new(struct ow_core *core, struct ow_hook_calls *calls,
                                const struct ow_routes_hooks *hooks)
{
    struct ow_routes *r = ow_alloc_zero(sizeof *r);

    r->core = core;
    r->calls = calls;
    r->hooks = *hooks;
    ow_buf_init(&r->discovery, REPLY_MAX);
    ow_hooks_discovery(&r->discovery);
    return r;
}

void ow_routes_free(struct ow_routes *r)
{
    if (!r)
        return;
    ow_buf_done(&r->discovery);
    free(r);
}
