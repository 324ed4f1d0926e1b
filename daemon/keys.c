#include "daemon/keys.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "daemon/files.h"
#include "daemon/log.h"
#include "daemon/metrics.h"

enum {
    FETCH_MS = 3000,
    FRESH_LEAST = OW_MINUTE,
    FRESH_MOST = 24 * OW_HOUR,
    FRESH_DEFAULT = 10 * OW_MINUTE, /* when the answer does not say */
    RETRY_MS = OW_MINUTE,
    ASK_MS = OW_MINUTE,
    OLD_MS = 24 * OW_HOUR,
};

struct waiter {
    ow_keys_fn *fn;
    void *arg;
    struct waiter *next;
};

struct ow_keys {
    struct ow_core *core;
    const struct ow_hooks_client *client;
    struct ow_jwks *set;
    struct stat seen; /* of the file, whether it was good or not */
    int64_t got_ms;   /* mono: when the set came */
    int64_t asked_ms; /* mono: the last fetch out of turn */
    bool asked;
    struct ow_timer *timer;
    struct ow_call *call;
    struct waiter *waiters;
};

static void set_take(struct ow_keys *k, const char *text, size_t n, const char *from)
{
    struct ow_jwks *set = NULL;
    struct ow_err err = { "" };

    if (ow_jwks_parse(text, n, &set, &err) != OW_OK) {
        OW_LOG(OW_ERROR, "keys.bad", "the keys of a client cannot be used, old ones stay",
               OW_F("client", k->client->iss), OW_F("from", from),
               OW_F("reason", err.text));
        return;
    }
    ow_jwks_free(k->set);
    k->set = set;
    k->got_ms = ow_now_mono(k->core->world);
    OW_LOG(OW_INFO, "keys.read", "keys of a client were read",
           OW_F("client", k->client->iss), OW_F("from", from),
           OW_F_INT("keys", (int64_t)ow_jwks_count(set)));
}

/* --- file --- */

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void file_look(struct ow_keys *k)
{
    const char *path = k->client->jwks_file;
    struct ow_err err = { "" };
    struct stat now;
    char *text;
    size_t n;

    if (stat(path, &now) != 0 || same_file(&now, &k->seen))
        return; /* gone: maybe about to be replaced */
    k->seen = now;
    if (ow_file_read(path, OW_JWKS_BYTES, &text, &n, &err) != OW_OK) {
        OW_LOG(OW_ERROR, "keys.bad", "the keys of a client cannot be used, old ones stay",
               OW_F("client", k->client->iss), OW_F("from", path),
               OW_F("reason", err.text));
        return;
    }
    set_take(k, text, n, path);
    free(text);
}

/* --- URL --- */

static void fetch(struct ow_keys *k);

static void on_fetch_due(void *arg)
{
    struct ow_keys *k = arg;

    k->timer = NULL;
    if (!k->call)
        fetch(k);
}

static void fetch_after(struct ow_keys *k, int64_t ms)
{
    struct ow_world *w = k->core->world;

    if (k->timer)
        w->ops->timer_stop(w, k->timer);
    k->timer = w->ops->timer_start(w, ms, on_fetch_due, k);
}

static void waiters_call(struct ow_keys *k)
{
    struct waiter *w = k->waiters;

    k->waiters = NULL;
    while (w) {
        struct waiter *next = w->next;

        w->fn(w->arg);
        free(w);
        w = next;
    }
}

/* How long the answer may be kept, ms. */
static int64_t freshness(const struct ow_response *resp)
{
    const char *at = ow_header_get(resp->headers, resp->n_headers, "Cache-Control");
    int64_t seconds = 0;

    for (; at && *at; at += strcspn(at, ","), at += *at == ',') {
        at += strspn(at, " \t");
        if (strncasecmp(at, "no-store", 8) == 0 || strncasecmp(at, "no-cache", 8) == 0)
            return FRESH_LEAST;
        if (strncasecmp(at, "max-age=", 8) != 0)
            continue;
        for (const char *d = at + 8; *d >= '0' && *d <= '9' && seconds < FRESH_MOST; d++)
            seconds = seconds * 10 + (*d - '0');
        seconds *= OW_SECOND;
        return seconds < FRESH_LEAST  ? FRESH_LEAST
               : seconds > FRESH_MOST ? FRESH_MOST
                                      : seconds;
    }
    return FRESH_DEFAULT;
}

static void fetch_failed(struct ow_keys *k, const char *why)
{
    bool old = k->set && ow_now_mono(k->core->world) - k->got_ms > OLD_MS;

    ow_metric_add(OW_M_hooks_key_failures_total, 1);
    OW_LOG(OW_WARNING, "keys.unreachable", "the keys of a client cannot be fetched",
           OW_F("client", k->client->iss), OW_F("reason", why),
           OW_F("old_keys", old      ? "dropped"
                            : k->set ? "kept"
                                     : "none"));
    if (old) {
        ow_jwks_free(k->set);
        k->set = NULL;
    }
    fetch_after(k, RETRY_MS);
}

static void on_fetched(void *arg, enum ow_code code, const struct ow_response *resp,
                       bool sent, const struct ow_err *err)
{
    struct ow_keys *k = arg;

    (void)sent;
    k->call = NULL;
    if (code != OW_OK) {
        fetch_failed(k, err->text);
    } else if (resp->status != 200) {
        struct ow_err why;

        ow_err_set(&why, OW_AGAIN, "status %d", resp->status);
        fetch_failed(k, why.text);
    } else if (resp->body_len > OW_JWKS_BYTES) {
        fetch_failed(k, "larger than 256 KiB");
    } else {
        set_take(k, resp->body, resp->body_len, k->client->jwks_url);
        fetch_after(k, freshness(resp));
    }
    waiters_call(k);
}

static void fetch(struct ow_keys *k)
{
    static const struct ow_header accept = { "Accept", "application/jwk-set+json, "
                                                       "application/json" };
    struct ow_request req = { .method = "GET",
                              .url = k->client->jwks_url,
                              .headers = &accept,
                              .n_headers = 1,
                              .urgent = true };

    ow_metric_add(OW_M_hooks_key_fetches_total, 1);
    k->call = k->core->world->ops->send(k->core->world, &req, FETCH_MS, on_fetched, k);
}

/* --- the way in --- */

struct ow_keys *ow_keys_new(struct ow_core *core, const struct ow_hooks_client *client)
{
    struct ow_keys *k = ow_alloc_zero(sizeof *k);

    k->core = core;
    k->client = client;
    return k;
}

void ow_keys_start(struct ow_keys *k)
{
    if (*k->client->jwks_file)
        file_look(k);
    else
        fetch(k);
}

const struct ow_jwks *ow_keys_get(struct ow_keys *k)
{
    if (*k->client->jwks_file)
        file_look(k);
    return k->set;
}

bool ow_keys_ask(struct ow_keys *k, ow_keys_fn *fn, void *arg)
{
    int64_t now = ow_now_mono(k->core->world);
    struct waiter *w;

    if (!*k->client->jwks_url || k->core->stopping)
        return false; /* a file was just looked at */
    if (!k->call) {
        if (k->asked && now - k->asked_ms < ASK_MS)
            return false;
        k->asked = true;
        k->asked_ms = now;
        fetch(k);
    }
    w = ow_alloc(sizeof *w);
    *w = (struct waiter){ fn, arg, k->waiters };
    k->waiters = w;
    return true;
}

void ow_keys_stop(struct ow_keys *k)
{
    struct ow_world *w = k->core->world;

    if (k->timer)
        w->ops->timer_stop(w, k->timer);
    if (k->call)
        w->ops->send_cancel(w, k->call);
    k->timer = NULL;
    k->call = NULL;
    waiters_call(k);
}

void ow_keys_free(struct ow_keys *k)
{
    if (!k)
        return;
    ow_assert(!k->timer && !k->call && !k->waiters);
    ow_jwks_free(k->set);
    free(k);
}
