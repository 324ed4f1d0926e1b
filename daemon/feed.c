/*
 * Two small machines side by side. The watch: find our Subscription, create it when there
 * is none, read it until it is active, then look again every `fhir.check_interval`;
 * revive it when the server turned it off. The search for changes: pages of what changed
 * since the watermark, each order an event in the inbox; only when all of it is stored
 * does the watermark move, on the server's clock, and so nothing is skipped by a crash.
 */
#include "daemon/feed.h"

#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/text.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "fhir/search.h"
#include "fhir/subscription.h"

enum {
    SCRATCH_MAX = 64 << 20,
    FIRST_LOOK_MS = 1000,
    PAGES_MAX = 10000, /* of one search for changes: beyond, links run in a circle */
};

enum watch {
    WATCH_OFF,
    WATCH_FINDING,
    WATCH_CREATING,
    WATCH_READING,
    WATCH_REVIVING,
    WATCH_WAITING, /* for the next look */
};

struct ids {
    int64_t *list;
    size_t n, cap;
};

struct feed_page { /* one page of a search, being stored */
    struct ow_feed *feed;
    struct ow_arena arena;
    size_t open; /* store calls that will come back */
    bool failed;
    ow_time newest;
    const char *next;
};

struct ow_feed {
    struct ow_core *core;
    struct ow_feed_hooks hooks;
    enum watch watch;
    struct ow_call *watch_call;
    struct ow_timer *watch_timer;
    char *id, *version; /* of our Subscription */
    enum ow_subscription_status status;
    unsigned watch_failures;

    bool catching, catch_again;
    struct ow_call *catch_call;
    struct ow_timer *catch_timer;
    unsigned catch_failures, pages;
    bool store_waits;
    ow_time watermark, newest; /* server clock */
    struct ids asked;          /* hints that asked before this search began */
    struct ids asking;         /* ... and while it ran */
    char state[160], first[OW_TIME_TEXT];
};

static void watch_find(struct ow_feed *f);
static void watch_read(struct ow_feed *f);
static void catch_begin(struct ow_feed *f);
static void watermark_read(struct ow_feed *f);

static struct ow_subscription_options feed_options(const struct ow_feed *f)
{
    return (struct ow_subscription_options){ .base_url = f->core->config->fhir_base_url,
                                             .endpoint = f->core->endpoint,
                                             .criteria = f->core->config->fhir_criteria,
                                             .authorization = f->core->authorization };
}

static void feed_say(struct ow_feed *f, const char *state)
{
    ow_copy(f->state, sizeof f->state, state);
}

/* --- the watch --- */

static void on_watch_timer(void *arg)
{
    struct ow_feed *f = arg;

    f->watch_timer = NULL;
    if (f->id)
        watch_read(f);
    else
        watch_find(f);
}

static void watch_wait(struct ow_feed *f, int64_t ms)
{
    struct ow_world *w = f->core->world;

    f->watch = WATCH_WAITING;
    f->watch_timer = w->ops->timer_start(w, ms, on_watch_timer, f);
}

static void watch_failed(struct ow_feed *f, const char *why, int64_t after_ms)
{
    struct ow_backoff backoff = { FIRST_LOOK_MS, f->core->config->fhir_check_interval };
    int64_t wait = ow_backoff_ms(&backoff, ++f->watch_failures, after_ms,
                                 ow_random(f->core->world));

    feed_say(f, why);
    ow_metric_set(OW_M_subscription_active, 0);
    OW_LOG(OW_WARNING, "subscription.failed", "cannot look after our Subscription",
           OW_F("reason", why), OW_F_INT("retry_ms", wait));
    watch_wait(f, wait);
}

static void watch_forget(struct ow_feed *f)
{
    free(f->id);
    free(f->version);
    f->id = f->version = NULL;
}

static void watch_keep(struct ow_feed *f, const struct ow_subscription *s)
{
    watch_forget(f);
    f->id = s->id ? ow_strdup(s->id) : NULL;
    f->version = s->version ? ow_strdup(s->version) : NULL;
}

static void watch_active(struct ow_feed *f)
{
    bool was = f->status == OW_SUBSCRIPTION_ACTIVE;

    f->watch_failures = 0;
    f->status = OW_SUBSCRIPTION_ACTIVE;
    ow_metric_set(OW_M_subscription_active, 1);
    feed_say(f, "active");
    if (!was) {
        OW_LOG(OW_INFO, "subscription.active", "notifications will come",
               OW_F("subscription", f->id));
        ow_feed_catch_up(f, 0); /* what happened before it was active */
    }
    watch_wait(f, f->core->config->fhir_check_interval);
}

static void watch_send(struct ow_feed *f, enum watch watch, const struct ow_request *req);

static void watch_revive(struct ow_feed *f, const struct ow_subscription *s)
{
    struct ow_subscription_options o = feed_options(f);
    struct ow_arena a;
    struct ow_request req;

    OW_LOG(OW_WARNING, "subscription.revived", "the server turned our Subscription off",
           OW_F("subscription", f->id),
           OW_F("server_error", s->error ? "given" : "none"));
    f->status = s->status;
    ow_metric_set(OW_M_subscription_active, 0);
    ow_arena_init(&a, SCRATCH_MAX);
    ow_subscription_revive(&a, &o, s, &req);
    watch_send(f, WATCH_REVIVING, &req);
    ow_arena_done(&a);
}

static void watch_create(struct ow_feed *f)
{
    struct ow_subscription_options o = feed_options(f);
    struct ow_arena a;
    struct ow_request req;

    ow_arena_init(&a, SCRATCH_MAX);
    ow_subscription_create(&a, &o, &req);
    watch_send(f, WATCH_CREATING, &req);
    ow_arena_done(&a);
}

static void watch_judge(struct ow_feed *f, enum watch asked,
                        const struct ow_subscription *s)
{
    watch_keep(f, s);
    switch (s->status) {
    case OW_SUBSCRIPTION_ACTIVE:
        watch_active(f);
        return;
    case OW_SUBSCRIPTION_REQUESTED:
        f->status = s->status;
        ow_metric_set(OW_M_subscription_active, 0);
        feed_say(
            f, "requested: the server has not turned it on; is rest-hook enabled there?");
        if (++f->watch_failures == 10)
            OW_LOG(OW_WARNING, "subscription.stuck",
                   "stays requested: changes are found by searching only");
        watch_wait(f, f->watch_failures < 10 ? FIRST_LOOK_MS
                                             : f->core->config->fhir_check_interval);
        return;
    case OW_SUBSCRIPTION_ERROR:
    case OW_SUBSCRIPTION_OFF:
        if (asked == WATCH_REVIVING)
            watch_failed(f, "off or in error, and would not be revived", 0);
        else
            watch_revive(f, s);
        return;
    case OW_SUBSCRIPTION_NONE:
        watch_create(f);
        return;
    }
}

static void on_watch_answer(void *arg, enum ow_code code, const struct ow_response *resp,
                            bool sent, const struct ow_err *err)
{
    struct ow_feed *f = arg;
    struct ow_subscription_options o = feed_options(f);
    enum watch asked = f->watch;
    struct ow_subscription s = { 0 };
    struct ow_err why = { "" };
    struct ow_arena a;
    int64_t after = 0;

    (void)sent;
    f->watch_call = NULL;
    ow_arena_init(&a, SCRATCH_MAX);
    if (code == OW_OK)
        code = ow_subscription_answer(&a, &o, resp, &s, &why);
    else
        why = *err;
    if (resp)
        after = ow_retry_after_ms(resp, ow_now_utc(f->core->world));
    if ((asked == WATCH_READING || asked == WATCH_REVIVING) &&
        (code == OW_MISSING || (code == OW_OK && s.status == OW_SUBSCRIPTION_NONE))) {
        watch_forget(f); /* someone deleted it */
        f->status = OW_SUBSCRIPTION_NONE;
        watch_create(f);
    } else if (code != OW_OK) {
        watch_failed(f, why.text, after);
    } else if (asked == WATCH_CREATING && s.status == OW_SUBSCRIPTION_NONE) {
        watch_failed(f, "the server took our Subscription and does not show it", 0);
    } else {
        watch_judge(f, asked, &s);
    }
    ow_arena_done(&a);
}

static void watch_send(struct ow_feed *f, enum watch watch, const struct ow_request *req)
{
    struct ow_world *w = f->core->world;

    f->watch = watch;
    f->watch_call = w->ops->send(w, req, f->core->config->fhir_timeout, on_watch_answer,
                                 f);
}

static void watch_find(struct ow_feed *f)
{
    struct ow_subscription_options o = feed_options(f);
    struct ow_arena a;
    struct ow_request req;

    ow_arena_init(&a, SCRATCH_MAX);
    ow_subscription_find(&a, &o, &req);
    watch_send(f, WATCH_FINDING, &req);
    ow_arena_done(&a);
}

static void watch_read(struct ow_feed *f)
{
    struct ow_subscription_options o = feed_options(f);
    struct ow_arena a;
    struct ow_request req;

    ow_arena_init(&a, SCRATCH_MAX);
    ow_subscription_read(&a, &o, f->id, &req);
    watch_send(f, WATCH_READING, &req);
    ow_arena_done(&a);
}

/* --- the search for changes --- */

static void on_catch_timer(void *arg)
{
    struct ow_feed *f = arg;

    f->catch_timer = NULL;
    if (f->watermark == OW_TIME_MIN)
        watermark_read(f);
    else if (!f->catching)
        catch_begin(f);
}

static void catch_schedule(struct ow_feed *f, int64_t ms)
{
    struct ow_world *w = f->core->world;

    if (f->catch_timer)
        w->ops->timer_stop(w, f->catch_timer);
    f->catch_timer = w->ops->timer_start(w, ms, on_catch_timer, f);
}

static void catch_failed(struct ow_feed *f, const char *why, int64_t after_ms)
{
    struct ow_backoff backoff = { FIRST_LOOK_MS,
                                  f->core->config->fhir_catch_up_interval };
    int64_t wait = ow_backoff_ms(&backoff, ++f->catch_failures, after_ms,
                                 ow_random(f->core->world));

    OW_LOG(OW_WARNING, "catch-up.failed", "search for changes failed",
           OW_F("reason", why), OW_F_INT("retry_ms", wait));
    f->catching = false;
    f->catch_again = false;
    catch_schedule(f, wait); /* the hints stay and are answered by the next search */
}

static void catch_done(struct ow_feed *f)
{
    f->catching = false;
    f->catch_failures = 0;
    f->core->progress++;
    if (f->asked.n)
        f->hooks.hints_done(f->hooks.arg, f->asked.list, f->asked.n);
    f->asked.n = 0;
    if (f->catch_again)
        catch_begin(f);
    else
        catch_schedule(f, f->core->config->fhir_catch_up_interval);
}

static void on_watermark_stored(void *arg, enum ow_code code, const struct ow_err *err)
{
    struct ow_feed *f = arg;

    f->store_waits = false;
    if (f->core->stopping)
        return;
    if (code != OW_OK)
        catch_failed(f, err->text, 0);
    else
        catch_done(f);
}

static const char *watermark_key(const struct ow_feed *f, char *ret, size_t size)
{
    ow_copy(ret, size, "watermark:");
    ow_copy(ret + strlen(ret), size - strlen(ret), f->core->config->fhir_name);
    return ret;
}

static void catch_end(struct ow_feed *f)
{
    char key[64], value[OW_TIME_TEXT];

    if (f->newest <= f->watermark) {
        catch_done(f);
        return;
    }
    f->watermark = f->newest;
    f->store_waits = true;
    ow_store_put(f->core->store, watermark_key(f, key, sizeof key),
                 ow_time_format(f->watermark, value), on_watermark_stored, f);
}

static void catch_send(struct ow_feed *f, const struct ow_request *req);

static void page_free(struct feed_page *p)
{
    ow_arena_done(&p->arena);
    free(p);
}

static void page_done(struct feed_page *p)
{
    struct ow_feed *f = p->feed;

    f->store_waits = false;
    if (f->core->stopping) {
        page_free(p);
        return;
    }
    f->hooks.stored(f->hooks.arg);
    if (p->newest > f->newest)
        f->newest = p->newest;
    if (p->failed) {
        catch_failed(f, "the store did not take the events", 0);
    } else if (p->next && ++f->pages >= PAGES_MAX) {
        catch_failed(f, "the search for changes has no end", 0);
    } else if (p->next) {
        struct ow_header h[] = {
            {"Accept",         "application/fhir+json"},
            { "Cache-Control", "no-cache"             },
            { "Authorization", f->core->authorization }
        };
        struct ow_request req = {
            .method = "GET", .url = p->next, .headers = h, .n_headers = h[2].value ? 3 : 2
        };

        catch_send(f, &req);
    } else {
        catch_end(f);
    }
    page_free(p);
}

static void on_page_event(void *arg, enum ow_code code, int64_t id, bool duplicate,
                          const struct ow_err *err)
{
    struct feed_page *p = arg;

    (void)id;
    (void)err;
    if (code != OW_OK) {
        p->failed = true;
    } else if (!duplicate) {
        ow_metric_add(OW_M_events_received_total, 1);
        ow_metric_add(OW_M_catch_up_events_total, 1);
    }
    if (--p->open == 0)
        page_done(p);
}

static void page_store(struct feed_page *p, const struct ow_notice *notices, size_t n)
{
    struct ow_core *core = p->feed->core;

    p->open = 1; /* ours, so that an empty page ends too */
    for (size_t i = 0; i < n; i++) {
        struct ow_event ev = { .source = core->config->fhir_name,
                               .kind = notices[i].deleted ? OW_EVENT_DELETED
                                                          : OW_EVENT_CHANGED,
                               .type = notices[i].type,
                               .rid = notices[i].id,
                               .version = notices[i].version,
                               .patient = notices[i].patient,
                               .received = ow_now_utc(core->world) };

        if (notices[i].ignored || notices[i].hint)
            continue;
        p->open++;
        ow_store_receive(core->store, &ev, on_page_event, p);
    }
    p->feed->store_waits = true;
    if (--p->open == 0)
        page_done(p);
}

static void on_catch_answer(void *arg, enum ow_code code, const struct ow_response *resp,
                            bool sent, const struct ow_err *err)
{
    struct ow_feed *f = arg;
    struct ow_subscription_options o = feed_options(f);
    struct feed_page *p = ow_alloc_zero(sizeof *p);
    const struct ow_notice *notices;
    struct ow_err why = { "" };
    size_t n;

    (void)sent;
    f->catch_call = NULL;
    p->feed = f;
    p->newest = OW_TIME_MIN;
    ow_arena_init(&p->arena, SCRATCH_MAX);
    if (code == OW_OK)
        code = ow_catchup_answer(&p->arena, &o, resp, &notices, &n, &p->newest, &p->next,
                                 &why);
    else
        why = *err;
    if (code == OW_OK) {
        page_store(p, notices, n);
        return;
    }
    page_free(p);
    catch_failed(f, why.text,
                 resp ? ow_retry_after_ms(resp, ow_now_utc(f->core->world)) : 0);
}

static void ids_add(struct ids *l, int64_t id)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 8;
        l->list = ow_realloc(l->list, l->cap * sizeof *l->list);
    }
    l->list[l->n++] = id;
}

static void catch_send(struct ow_feed *f, const struct ow_request *req)
{
    struct ow_world *w = f->core->world;

    f->catch_call = w->ops->send(w, req, f->core->config->fhir_timeout, on_catch_answer,
                                 f);
}

static void catch_begin(struct ow_feed *f)
{
    struct ow_subscription_options o = feed_options(f);
    const struct ow_config *c = f->core->config;
    struct ow_arena a;
    struct ow_request req;

    f->catching = true;
    f->catch_again = false;
    f->pages = 0;
    f->newest = f->watermark;
    for (size_t i = 0; i < f->asking.n; i++)
        ids_add(&f->asked, f->asking.list[i]);
    f->asking.n = 0;
    ow_metric_add(OW_M_catch_ups_total, 1);
    ow_arena_init(&a, SCRATCH_MAX);
    ow_catchup_request(&a, &o, ow_time_add(f->watermark, -c->fhir_catch_up_overlap),
                       (unsigned)ow_config_int(c->fhir_page_size), &req);
    catch_send(f, &req);
    ow_arena_done(&a);
}

void ow_feed_catch_up(struct ow_feed *f, int64_t event_id)
{
    if (!*f->core->config->fhir_base_url) {
        if (event_id)
            f->hooks.hints_done(f->hooks.arg, &event_id, 1);
        return;
    }
    if (event_id)
        ids_add(&f->asking, event_id);
    if (f->catching || f->watermark == OW_TIME_MIN)
        f->catch_again = true;
    else
        catch_begin(f);
}

/* --- life --- */

static void watermark_set(struct ow_feed *f, ow_time at)
{
    f->watermark = f->newest = at;
    if (!f->catching)
        catch_begin(f);
}

static void on_first_watermark(void *arg, enum ow_code code, const struct ow_err *err)
{
    struct ow_feed *f = arg;
    struct ow_span span = { 0, 1 };

    f->store_waits = false;
    if (f->core->stopping)
        return;
    if (code != OW_OK) {
        catch_failed(f, err->text, 0);
        return;
    }
    if (ow_time_parse(f->first, NULL, &span, NULL) != OW_OK)
        span.from = 0;
    watermark_set(f, span.from);
}

/* From now on only. Kept at once: a change that comes while we are down is not old. */
static void watermark_first(struct ow_feed *f)
{
    char key[64];

    ow_time_format(ow_now_utc(f->core->world), f->first);
    f->store_waits = true;
    ow_store_put(f->core->store, watermark_key(f, key, sizeof key), f->first,
                 on_first_watermark, f);
}

/* The first start of all has no watermark: `fhir.first_load` says whether what is there
 * already is looked at once, or only what changes from now on. */
static void on_watermark(void *arg, enum ow_code code, const char *value,
                         const struct ow_err *err)
{
    struct ow_feed *f = arg;
    struct ow_span span = { 0, 1 };

    f->store_waits = false;
    if (f->core->stopping)
        return;
    if (code != OW_OK) {
        catch_failed(f, err->text, 0);
    } else if (!value && ow_streq(f->core->config->fhir_first_load, "new")) {
        watermark_first(f);
    } else {
        if (value && ow_time_parse(value, NULL, &span, NULL) != OW_OK)
            span.from = 0;
        watermark_set(f, span.from);
    }
}

static void watermark_read(struct ow_feed *f)
{
    char key[64];

    f->store_waits = true;
    ow_store_get(f->core->store, watermark_key(f, key, sizeof key), on_watermark, f);
}

struct ow_feed *ow_feed_new(struct ow_core *core, const struct ow_feed_hooks *hooks)
{
    struct ow_feed *f = ow_alloc_zero(sizeof *f);

    f->core = core;
    f->hooks = *hooks;
    f->watermark = f->newest = OW_TIME_MIN;
    feed_say(f, "not started");
    return f;
}

void ow_feed_start(struct ow_feed *f)
{
    if (!*f->core->config->fhir_base_url)
        return;
    watermark_read(f);
    if (f->core->config->fhir_subscribe)
        watch_find(f);
    else
        feed_say(f, "not subscribed: changes are found by searching");
}

void ow_feed_stop(struct ow_feed *f)
{
    struct ow_world *w = f->core->world;

    ow_assert(f->core->stopping);
    if (f->watch_timer)
        w->ops->timer_stop(w, f->watch_timer);
    if (f->catch_timer)
        w->ops->timer_stop(w, f->catch_timer);
    if (f->watch_call)
        w->ops->send_cancel(w, f->watch_call);
    if (f->catch_call)
        w->ops->send_cancel(w, f->catch_call);
    f->watch_timer = f->catch_timer = NULL;
    f->watch_call = f->catch_call = NULL;
}

bool ow_feed_idle(const struct ow_feed *f)
{
    return !f->store_waits;
}

const char *ow_feed_state(const struct ow_feed *f)
{
    return f->state;
}

void ow_feed_free(struct ow_feed *f)
{
    if (!f)
        return;
    watch_forget(f);
    free(f->asked.list);
    free(f->asking.list);
    free(f);
}
