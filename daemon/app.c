/*
 * Start: zone and tables, store (locked, checked, migrated), secrets, client, core,
 * listeners, then the feed, since the server may call as soon as it knows our endpoint.
 * What the store keeps for us (channel, key of the log's hash) is asked for step by step
 * on the loop; ready is said when the last step is done.
 *
 * A step that fails runs in a callback of the store, which cannot be closed from there:
 * the stop it asks for begins in the loop's next turn.
 *
 * Stop: listeners finish what they have begun, for five seconds at most; then the core
 * drops what it waits for, the store finishes its queue, the client closes, the loop runs
 * empty.
 */
#include "daemon/app.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <curl/curl.h>
#include <uv.h>

#include "base/text.h"
#include "daemon/callers.h"
#include "daemon/command.h"
#include "daemon/feed.h"
#include "daemon/intake.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "daemon/notify.h"
#include "daemon/outbox.h"
#include "daemon/routes.h"
#include "daemon/tables.h"

enum {
    DRAIN_MS = 5000,
    LAG_MS = 5000,
    SECRET_BYTES = 24,
    HEARTBEAT_LATE =
        2, /* watchdog turns without an answer of the store before we stop pinging */
};

struct app {
    struct ow_core core;
    uv_loop_t loop;
    uv_async_t store_wake, failed;
    uv_signal_t on_term, on_int;
    uv_timer_t watchdog, lag_timer;
    int64_t watchdog_ms, lag_seen;
    bool heartbeat_open;
    unsigned heartbeats_missed;
    struct ow_client *client;
    struct ow_intake *intake;
    struct ow_outbox *outbox;
    struct ow_feed *feed;
    struct ow_hook_calls *calls;
    struct ow_routes *routes;
    struct ow_callers *callers; /* NULL: CDS Hooks needs no token */
    struct ow_server *main, *operations;
    unsigned servers_open;
    struct ow_timer *drain_timer;
    struct ow_knowledge *knowledge;
    char *channel, *endpoint, *public_url, *authorization, *webhook_authorization;
    const char *directory;
    bool ready, draining;
    int status;
};

static void app_stop(struct app *a, int status);

/* --- the store asks for a turn --- */

static void on_store_wake(uv_async_t *h)
{
    struct app *a = h->data;

    if (a->core.store)
        ow_store_poll(a->core.store);
}

static void wake_from_store(void *arg)
{
    struct app *a = arg;

    uv_async_send(&a->store_wake);
}

/* --- core hooks --- */

static void on_stored(void *arg)
{
    struct app *a = arg;

    if (!a->core.stopping)
        ow_intake_wake(a->intake);
}

static void on_verdict(void *arg)
{
    struct app *a = arg;

    if (!a->core.stopping)
        ow_outbox_wake(a->outbox);
}

static void on_hint(void *arg, int64_t event_id)
{
    struct app *a = arg;

    ow_feed_catch_up(a->feed, event_id);
}

static void on_hints_done(void *arg, const int64_t *ids, size_t n)
{
    struct app *a = arg;

    ow_intake_hints_done(a->intake, ids, n);
}

static bool on_ready_asked(void *arg, const char **why)
{
    const struct app *a = arg;

    if (!a->ready || a->draining) {
        *why = a->draining ? "stopping\n" : "starting\n";
        return false;
    }
    return true;
}

/* --- watchdog: tied to work that got done --- */

/* The loop turned and the store's thread went all the way to the disk. That the disk is
 * full is an answer too: a restart would not make room, and would end what still works.
 */
static void on_heartbeat(void *arg, enum ow_code code, const struct ow_err *err)
{
    struct app *a = arg;

    (void)code;
    (void)err;
    a->heartbeat_open = false;
    a->heartbeats_missed = 0;
}

static void on_watchdog(uv_timer_t *t)
{
    struct app *a = t->data;

    if (!a->core.store || a->draining)
        return;
    if (a->heartbeats_missed < HEARTBEAT_LATE)
        ow_notify("WATCHDOG=1");
    else
        OW_LOG(OW_ERROR, "watchdog.silent",
               "the store does not answer: systemd is not told we live");
    a->heartbeats_missed++;
    if (!a->heartbeat_open) {
        char now[OW_TIME_TEXT];

        a->heartbeat_open = true;
        ow_store_put(a->core.store, "heartbeat",
                     ow_time_format(ow_now_utc(a->core.world), now), on_heartbeat, a);
    }
}

static void on_lag_timer(uv_timer_t *t)
{
    struct app *a = t->data;
    int64_t now = (int64_t)uv_now(&a->loop);

    ow_metric_set(OW_M_loop_lag_milliseconds,
                  a->lag_seen ? now - a->lag_seen - LAG_MS : 0);
    a->lag_seen = now;
}

/* --- signals --- */

static void on_signal(uv_signal_t *h, int signum)
{
    struct app *a = h->data;

    OW_LOG(OW_INFO, "stopping", "asked to stop", OW_F_INT("signal", signum));
    app_stop(a, OW_EXIT_OK);
}

/* --- start: step by step --- */

static char *random_hex(size_t bytes)
{
    unsigned char raw[64];
    char *hex = ow_alloc(bytes * 2 + 1);

    ow_assert(bytes <= sizeof raw && getrandom(raw, bytes, 0) == (ssize_t)bytes);
    ow_hex(raw, bytes, hex);
    return hex;
}

static void app_ready(struct app *a)
{
    char status[160];

    a->ready = true;
    snprintf(status, sizeof status, "READY=1\nSTATUS=listening on port %d",
             ow_server_port(a->main));
    ow_notify(status);
    OW_LOG(OW_INFO, "ready", "opiward is ready",
           OW_F_INT("port", ow_server_port(a->main)),
           OW_F_INT("operations_port", ow_server_port(a->operations)),
           OW_F("version", OW_VERSION), OW_F("policy", a->core.config->policy.name),
           OW_F("knowledge", ow_knowledge_version(a->core.knowledge)),
           OW_F("sha256", ow_knowledge_sha256(a->core.knowledge)));
    ow_feed_start(a->feed);
    ow_intake_wake(a->intake);
    ow_outbox_wake(a->outbox);
}

static void app_fail(struct app *a, int status, const char *event, const char *text)
{
    OW_LOG(OW_ERROR, event, "cannot start", OW_F("reason", text));
    a->status = status;
    uv_async_send(&a->failed);
}

static void on_failed(uv_async_t *h)
{
    struct app *a = h->data;

    app_stop(a, a->status);
}

static struct ow_server_limits app_limits(const struct ow_config *c)
{
    return (struct ow_server_limits){
        .head_bytes = (size_t)c->listen_head_max,
        .target_bytes = (size_t)c->listen_target_max,
        .headers = (unsigned)ow_config_int(c->listen_headers_max),
        .body_bytes = (size_t)c->listen_body_max,
        .connections = (unsigned)ow_config_int(c->listen_connections_max),
        .per_peer = (unsigned)ow_config_int(c->listen_per_peer_max),
        .head_ms = c->listen_head_timeout,
        .body_rate = ow_config_int(c->listen_body_rate),
        .write_ms = c->listen_write_timeout,
        .idle_ms = c->listen_idle_timeout,
    };
}

static const char *or_null(const char *s)
{
    return *s ? s : NULL;
}

static enum ow_code app_listen(struct app *a, struct ow_err *err)
{
    const struct ow_config *c = a->core.config;
    struct ow_server_options opt = { .address = c->listen_address,
                                     .port = (int)ow_config_int(c->listen_port),
                                     .fd = ow_notify_listen_fd("http"),
                                     .tls_cert = or_null(c->listen_tls_cert),
                                     .tls_key = or_null(c->listen_tls_key),
                                     .tls_client_ca = or_null(c->listen_tls_client_ca),
                                     .limits = app_limits(c) };
    enum ow_code code = ow_server_open(&a->loop, &opt, ow_routes_main, a->routes,
                                       &a->main, err);

    if (code != OW_OK)
        return ow_err_prefix(err, code, "listen");
    a->servers_open++;
    opt = (struct ow_server_options){ .address = c->operations_address,
                                      .port = (int)ow_config_int(c->operations_port),
                                      .fd = ow_notify_listen_fd("operations"),
                                      .limits = app_limits(c) };
    code = ow_server_open(&a->loop, &opt, ow_routes_operations, a->routes, &a->operations,
                          err);
    if (code != OW_OK)
        return ow_err_prefix(err, code, "operations");
    a->servers_open++;
    return OW_OK;
}

static char *app_public_url(const struct app *a)
{
    const struct ow_config *c = a->core.config;
    char base[600];

    if (*c->listen_public_url)
        return ow_strdup(c->listen_public_url);
    snprintf(base, sizeof base, "http%s://%s:%d", *c->listen_tls_cert ? "s" : "",
             c->listen_address, ow_server_port(a->main));
    return ow_strdup(base);
}

static char *app_endpoint(const struct app *a)
{
    size_t n = strlen(a->public_url) + strlen(a->channel) + sizeof "/notify/";
    char *url = ow_alloc(n);

    snprintf(url, n, "%s/notify/%s", a->public_url, a->channel);
    return url;
}

static void app_open(struct app *a)
{
    struct ow_err why = { "" };

    if (app_listen(a, &why) != OW_OK) {
        app_fail(a, OW_EXIT_UNAVAILABLE, "listen.failed", why.text);
        return;
    }
    a->public_url = app_public_url(a);
    a->core.public_url = a->public_url;
    a->endpoint = app_endpoint(a);
    a->core.endpoint = a->endpoint;
    app_ready(a);
}

static void on_callers_started(void *arg, enum ow_code code, const struct ow_err *err)
{
    struct app *a = arg;

    if (a->draining)
        return;
    if (code == OW_OK)
        app_open(a);
    else
        app_fail(a, OW_EXIT_IO, "store.failed", err->text);
}

static void on_distrusted(void *arg, enum ow_code code, const struct ow_err *err)
{
    struct app *a = arg;

    if (a->draining)
        return;
    if (code != OW_OK)
        app_fail(a, OW_EXIT_IO, "store.failed", err->text);
    else if (a->callers)
        ow_callers_start(a->callers, on_callers_started, a);
    else
        app_open(a);
}

static void app_distrust(struct app *a)
{
    ow_store_distrust(a->core.store, on_distrusted, a);
}

static void on_channel_stored(void *arg, enum ow_code code, const struct ow_err *err)
{
    struct app *a = arg;

    if (a->draining)
        return;
    if (code == OW_OK)
        app_distrust(a);
    else
        app_fail(a, OW_EXIT_IO, "store.failed", err->text);
}

static void on_channel(void *arg, enum ow_code code, const char *value,
                       const struct ow_err *err)
{
    struct app *a = arg;

    if (a->draining)
        return;
    if (code != OW_OK) {
        app_fail(a, OW_EXIT_IO, "store.failed", err->text);
        return;
    }
    a->channel = value ? ow_strdup(value) : random_hex(SECRET_BYTES);
    a->core.channel = a->channel;
    if (value)
        app_distrust(a);
    else
        ow_store_put(a->core.store, "channel", a->channel, on_channel_stored, a);
}

static void app_channel(struct app *a)
{
    const char *file = a->core.config->fhir_channel_secret_file;
    struct ow_err err = { "" };

    if (!*file) {
        ow_store_get(a->core.store, "channel", on_channel, a);
    } else if (ow_secret_read(file, &a->channel, &err) != OW_OK) {
        app_fail(a, OW_EXIT_CONFIG, "secret.unreadable", err.text);
    } else {
        a->core.channel = a->channel;
        app_distrust(a);
    }
}

static void app_log_key(struct app *a, const char *hex)
{
    uint8_t key[16];

    if (!ow_log_key_read(hex, key)) {
        app_fail(a, OW_EXIT_CONFIG, "secret.unreadable",
                 "log.key_file: expected 32 hexadecimal digits");
        return;
    }
    ow_log_set_key(key);
    app_channel(a);
}

static void on_log_key_stored(void *arg, enum ow_code code, const struct ow_err *err)
{
    struct app *a = arg;

    if (a->draining)
        return;
    if (code == OW_OK)
        app_channel(a);
    else
        app_fail(a, OW_EXIT_IO, "store.failed", err->text);
}

static void on_log_key(void *arg, enum ow_code code, const char *value,
                       const struct ow_err *err)
{
    struct app *a = arg;
    char *made;
    uint8_t key[16];

    if (a->draining)
        return;
    if (code != OW_OK) {
        app_fail(a, OW_EXIT_IO, "store.failed", err->text);
        return;
    }
    if (value) {
        app_log_key(a, value);
        return;
    }
    made = random_hex(sizeof key);
    if (ow_unhex(made, sizeof key, key))
        ow_log_set_key(key);
    ow_store_put(a->core.store, "log-key", made, on_log_key_stored, a);
    free(made);
}

static void app_keys(struct app *a)
{
    const char *file = a->core.config->log_key_file;
    struct ow_err err = { "" };
    char *hex;

    if (!*file) {
        ow_store_get(a->core.store, "log-key", on_log_key, a);
        return;
    }
    if (ow_secret_read(file, &hex, &err) != OW_OK) {
        app_fail(a, OW_EXIT_CONFIG, "secret.unreadable", err.text);
        return;
    }
    app_log_key(a, hex);
    free(hex);
}

/* --- start: what can be had without the loop --- */

static void on_table_error(void *arg, const char *file, unsigned line, unsigned column,
                           const char *text)
{
    (void)arg;
    OW_LOG(OW_ERROR, "table.bad", "knowledge table refused", OW_F("file", file),
           OW_F_INT("line", line), OW_F_INT("column", column), OW_F("reason", text));
}

static int app_judgement(struct app *a)
{
    struct ow_err err = { "" };
    char folder[4096];

    if (ow_zone_load(a->core.config->site_zone, &a->core.zone, &err) != OW_OK) {
        OW_LOG(OW_ERROR, "zone.bad", "cannot start", OW_F("reason", err.text));
        return OW_EXIT_CONFIG;
    }
    ow_tables_folder(a->core.config, folder, sizeof folder);
    if (ow_tables_load(folder, on_table_error, a, &a->knowledge) != OW_OK)
        return OW_EXIT_CONFIG;
    a->core.knowledge = a->knowledge;
    return OW_EXIT_OK;
}

static int app_store(struct app *a)
{
    const char *state = getenv("STATE_DIRECTORY"); /* systemd */
    struct ow_store_options opt = { .threaded = true,
                                    .wake = wake_from_store,
                                    .wake_arg = a };
    struct ow_err err = { "" };
    enum ow_open_result r;

    opt.directory = state && *state ? state : a->core.config->store_directory;
    r = ow_store_open(&opt, &a->core.store, &err);
    if (r == OW_STORE_OPENED)
        return OW_EXIT_OK;
    OW_LOG(OW_ERROR, "store.failed", "cannot start", OW_F("reason", err.text));
    return r == OW_STORE_NEWER  ? OW_EXIT_CONFIG
           : r == OW_STORE_BUSY ? OW_EXIT_AGAIN
                                : OW_EXIT_CREATE;
}

static char *authorization(const char *scheme, const char *secret)
{
    size_t n = strlen(scheme) + strlen(secret) + 2;
    char *h = ow_alloc(n);

    snprintf(h, n, "%s %s", scheme, secret);
    return h;
}

static char *basic(const char *secret)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = strlen(secret), o = 0;
    char *b64 = ow_alloc((n + 2) / 3 * 4 + 1), *h;

    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)(unsigned char)secret[i] << 16;

        v |= i + 1 < n ? (uint32_t)(unsigned char)secret[i + 1] << 8 : 0;
        v |= i + 2 < n ? (uint32_t)(unsigned char)secret[i + 2] : 0;
        b64[o++] = digits[v >> 18];
        b64[o++] = digits[v >> 12 & 63];
        b64[o++] = i + 1 < n ? digits[v >> 6 & 63] : '=';
        b64[o++] = i + 2 < n ? digits[v & 63] : '=';
    }
    b64[o] = '\0';
    h = authorization("Basic", b64);
    free(b64);
    return h;
}

static int app_secrets(struct app *a)
{
    const struct ow_config *c = a->core.config;
    struct ow_err err = { "" };
    char *secret;

    if (!ow_streq(c->fhir_auth, "none")) {
        if (ow_secret_read(c->fhir_secret_file, &secret, &err) != OW_OK)
            goto bad;
        a->authorization = ow_streq(c->fhir_auth, "basic")
                               ? basic(secret)
                               : authorization("Bearer", secret);
        free(secret);
    }
    if (*c->sinks_webhook_secret_file) {
        if (ow_secret_read(c->sinks_webhook_secret_file, &secret, &err) != OW_OK)
            goto bad;
        a->webhook_authorization = authorization("Bearer", secret);
        free(secret);
    }
    a->core.authorization = a->authorization;
    a->core.webhook_authorization = a->webhook_authorization;
    return OW_EXIT_OK;
bad:
    OW_LOG(OW_ERROR, "secret.unreadable", "cannot start", OW_F("reason", err.text));
    return OW_EXIT_CONFIG;
}

static int app_client(struct app *a)
{
    const struct ow_config *c = a->core.config;
    struct ow_client_options opt = {
        .per_host = (unsigned)ow_config_int(c->fhir_requests_max),
        .connect_ms = 5000,
        .max_body = 16 << 20,
        .max_ratio = 100,
        .ca_file = or_null(c->fhir_ca_file),
        .cert_file = or_null(c->fhir_cert_file),
        .key_file = or_null(c->fhir_key_file),
        .allow_private = c->fhir_allow_private,
        .user_agent = "opiward/" OW_VERSION,
    };
    struct ow_err err = { "" };

    if (ow_client_open(&a->loop, &opt, &a->client, &err) != OW_OK) {
        OW_LOG(OW_ERROR, "client.failed", "cannot start", OW_F("reason", err.text));
        return OW_EXIT_CONFIG;
    }
    a->core.world = ow_world_uv_new(&a->loop, a->client);
    return OW_EXIT_OK;
}

static void app_core(struct app *a)
{
    a->core.started = ow_now_utc(a->core.world);
    a->outbox = ow_outbox_new(&a->core);
    a->feed = ow_feed_new(&a->core, &(struct ow_feed_hooks){ .stored = on_stored,
                                                             .hints_done = on_hints_done,
                                                             .arg = a });
    a->intake = ow_intake_new(
        &a->core,
        &(struct ow_intake_hooks){ .verdict = on_verdict, .hint = on_hint, .arg = a });
    a->calls = ow_hook_calls_new(&a->core);
    if (ow_hooks_jwt_required(a->core.config))
        a->callers = ow_callers_new(&a->core);
    a->routes = ow_routes_new(&a->core, a->calls,
                              &(struct ow_routes_hooks){ .stored = on_stored,
                                                         .ready = on_ready_asked,
                                                         .arg = a,
                                                         .callers = a->callers });
}

static void app_handles(struct app *a)
{
    ow_assert(uv_loop_init(&a->loop) == 0);
    uv_async_init(&a->loop, &a->store_wake, on_store_wake);
    uv_async_init(&a->loop, &a->failed, on_failed);
    uv_signal_init(&a->loop, &a->on_term);
    uv_signal_init(&a->loop, &a->on_int);
    uv_timer_init(&a->loop, &a->watchdog);
    uv_timer_init(&a->loop, &a->lag_timer);
    a->store_wake.data = a->failed.data = a->on_term.data = a->on_int.data = a;
    a->watchdog.data = a->lag_timer.data = a;
}

static int app_start(struct app *a)
{
    int status = app_judgement(a);

    if (status == OW_EXIT_OK)
        status = app_secrets(a);
    if (status == OW_EXIT_OK)
        status = app_store(a);
    if (status == OW_EXIT_OK)
        status = app_client(a);
    if (status != OW_EXIT_OK)
        return status;
    app_core(a);
    uv_signal_start(&a->on_term, on_signal, SIGTERM);
    uv_signal_start(&a->on_int, on_signal, SIGINT);
    uv_timer_start(&a->lag_timer, on_lag_timer, 0, LAG_MS);
    a->watchdog_ms = ow_notify_watchdog_ms();
    if (a->watchdog_ms)
        uv_timer_start(&a->watchdog, on_watchdog, 0, (uint64_t)a->watchdog_ms);
    app_keys(a);
    return OW_EXIT_OK;
}

/* --- stop: start backwards --- */

static void on_nothing_left(void *arg)
{
    (void)arg;
}

static void close_handles(struct app *a)
{
    uv_close((uv_handle_t *)&a->store_wake, NULL);
    uv_close((uv_handle_t *)&a->failed, NULL);
    uv_close((uv_handle_t *)&a->on_term, NULL);
    uv_close((uv_handle_t *)&a->on_int, NULL);
    uv_close((uv_handle_t *)&a->watchdog, NULL);
    uv_close((uv_handle_t *)&a->lag_timer, NULL);
}

static void app_close_core(struct app *a)
{
    a->core.stopping = true;
    if (a->calls)
        ow_hook_calls_stop(a->calls);
    if (a->callers)
        ow_callers_stop(a->callers);
    if (a->feed)
        ow_feed_stop(a->feed);
    if (a->outbox)
        ow_outbox_stop(a->outbox);
    if (a->intake)
        ow_intake_stop(a->intake);
    if (a->core.store)
        ow_store_close(a->core.store); /* runs the callbacks that are still to come */
    a->core.store = NULL;
    if (a->client)
        ow_client_close(a->client, on_nothing_left, a);
    if (a->core.world)
        ow_world_uv_close(a->core.world, on_nothing_left, a);
    close_handles(a);
}

static void on_server_closed(void *arg)
{
    struct app *a = arg;

    if (--a->servers_open == 0)
        app_close_core(a);
}

static void app_close_servers(struct app *a)
{
    unsigned n = a->servers_open;

    if (a->drain_timer) {
        a->core.world->ops->timer_stop(a->core.world, a->drain_timer);
        a->drain_timer = NULL;
    }
    if (n == 0) {
        app_close_core(a);
        return;
    }
    if (a->main)
        ow_server_close(a->main, on_server_closed, a);
    if (a->operations)
        ow_server_close(a->operations, on_server_closed, a);
}

static void on_drain_late(void *arg)
{
    struct app *a = arg;

    a->drain_timer = NULL;
    OW_LOG(OW_WARNING, "drain.late", "requests still open after the wait are dropped");
    app_close_servers(a);
}

static void on_drained(void *arg)
{
    struct app *a = arg;

    if (a->drain_timer)
        app_close_servers(a);
}

static void on_close_turn(void *arg)
{
    struct app *a = arg;

    a->drain_timer = NULL;
    app_close_servers(a);
}

static void app_stop(struct app *a, int status)
{
    if (a->draining)
        return;
    a->draining = true;
    a->status = status;
    ow_notify("STOPPING=1");
    if (!a->main) { /* in a turn of its own: a store callback may have called us */
        a->drain_timer = a->core.world->ops->timer_start(a->core.world, 0, on_close_turn,
                                                         a);
        return;
    }
    a->drain_timer = a->core.world->ops->timer_start(a->core.world, DRAIN_MS,
                                                     on_drain_late, a);
    ow_server_drain(a->main, on_drained, a);
}

static void app_free(struct app *a)
{
    ow_routes_free(a->routes);
    ow_hook_calls_free(a->calls);
    ow_callers_free(a->callers);
    ow_intake_free(a->intake);
    ow_feed_free(a->feed);
    ow_outbox_free(a->outbox);
    ow_knowledge_free(a->knowledge);
    ow_zone_free(a->core.zone);
    free(a->channel);
    free(a->endpoint);
    free(a->public_url);
    free(a->authorization);
    free(a->webhook_authorization);
}

int ow_app_run(const struct ow_config *config)
{
    struct app a = { .core = { .config = config } };
    int status;

    signal(SIGPIPE, SIG_IGN);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    app_handles(&a);
    status = app_start(&a);
    if (status != OW_EXIT_OK) {
        a.status = status;
        a.draining = true;
        app_close_core(&a);
    }
    uv_run(&a.loop, UV_RUN_DEFAULT);
    ow_assert(uv_loop_close(&a.loop) == 0);
    app_free(&a);
    curl_global_cleanup();
    OW_LOG(OW_INFO, "stopped", "opiward has stopped", OW_F_INT("status", a.status));
    return a.status;
}
