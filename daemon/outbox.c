/*
 * The happy path: ask the store what is due, send it, mark it sent, ask again.
 *
 * What fails. No answer: the peer may have acted, so the delivery is marked as of unknown
 * outcome; a create is then looked up by its identifier before it is sent again. The same
 * after 409 and 412: a conditional create that lost a race finds what won it. An answer
 * that asks for patience: back off. A refusal: dead letter. The store: it is told again
 * until it takes the outcome, and the delivery is in flight till then. The process: at
 * start every due delivery is of unknown outcome.
 *
 * A later revision looks up what it is about and then updates exactly that, because two
 * updates by identifier at once may create two.
 */
#include "daemon/outbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/text.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "fhir/search.h"
#include "fhir/writeback.h"

enum {
    FLIGHT_MAX = 64,
    SCRATCH_MAX = 8 << 20,
    RECHECK_MS = 60000,
    STORE_RETRY_MS = 1000,
    RETRY_AFTER_MOST = 6 * OW_MINUTE, /* what base/backoff keeps of one, with jitter */
};

struct sink;

struct flight { /* one delivery on its way */
    struct sink *sink;
    int64_t id;
    ow_time created;
    unsigned attempts;
    bool unknown;
    char *body, *alert_key, *identity;
    size_t body_len;
    struct ow_call *call;
    bool marking;           /* the store is told the outcome: */
    struct ow_timer *timer; /* ... again, it did not take it */
    enum ow_delivery_state state;
    ow_time due;
    char *error;
};

struct sink {
    const char *name;
    struct ow_outbox *outbox;
    bool on;
    struct flight *flights[FLIGHT_MAX];
    size_t n_flights;
    bool asking, again;
    ow_time clock_back; /* 0, or the least instant to ask with: the clock was set back */
    struct ow_timer *timer;
    unsigned failures;  /* in a row */
    int64_t open_until; /* mono; breaker lets nothing through before */
    bool probe_only;    /* half open: one at a time */
};

struct ow_outbox {
    struct ow_core *core;
    struct sink sinks[2];
};

static void sink_pump(struct sink *s);
static void sink_wait(struct sink *s, int64_t ms);
static void on_mark_again(void *arg);

/* --- one delivery --- */

static char *copy(const char *data, size_t len)
{
    char *c = ow_alloc(len + 1);

    memcpy(c, data, len);
    c[len] = '\0';
    return c;
}

static void flight_free(struct flight *f)
{
    free(f->body);
    free(f->alert_key);
    free(f->identity);
    free(f->error);
    free(f);
}

static void sink_remove(struct sink *s, struct flight *f)
{
    for (size_t i = 0; i < s->n_flights; i++) {
        if (s->flights[i] == f)
            s->flights[i] = s->flights[--s->n_flights];
    }
    flight_free(f);
}

static void on_marked(void *arg, enum ow_code code, const struct ow_err *err)
{
    struct flight *f = arg;
    struct sink *s = f->sink;
    struct ow_world *w = s->outbox->core->world;

    f->marking = false;
    if (code != OW_OK && code != OW_MISSING && !s->outbox->core->stopping) {
        OW_LOG(OW_WARNING, "delivery.unmarked", "outcome of a delivery not stored",
               OW_F("sink", s->name), OW_F("reason", err->text));
        f->timer = w->ops->timer_start(w, STORE_RETRY_MS, on_mark_again, f);
        return;
    }
    s->outbox->core->progress++;
    sink_remove(s, f);
    if (!s->outbox->core->stopping)
        sink_pump(s);
}

static void flight_tell(struct flight *f)
{
    struct ow_core *core = f->sink->outbox->core;

    f->marking = true;
    ow_store_delivery(core->store, f->id, f->state, f->due, f->unknown, f->error,
                      ow_now_utc(core->world), on_marked, f);
}

static void on_mark_again(void *arg)
{
    struct flight *f = arg;

    f->timer = NULL;
    flight_tell(f);
}

static void flight_mark(struct flight *f, enum ow_delivery_state state, ow_time due,
                        const char *error)
{
    f->call = NULL;
    f->state = state;
    f->due = due;
    f->error = error ? ow_strdup(error) : NULL;
    flight_tell(f);
}

static void breaker_success(struct sink *s)
{
    if (s->probe_only)
        OW_LOG(OW_INFO, "breaker.closed", "deliveries flow again", OW_F("sink", s->name));
    s->failures = 0;
    s->probe_only = false;
    s->open_until = 0;
}

static void breaker_failure(struct sink *s)
{
    struct ow_core *core = s->outbox->core;

    s->failures++;
    if (!s->probe_only &&
        s->failures < (unsigned)ow_config_int(core->config->outbox_breaker_failures))
        return;
    if (!s->probe_only)
        ow_metric_add(OW_M_breaker_opened_total, 1);
    s->probe_only = true;
    s->open_until = ow_now_mono(core->world) + core->config->outbox_breaker_pause;
    OW_LOG(OW_WARNING, "breaker.open", "deliveries pause: failures in a row",
           OW_F("sink", s->name), OW_F_INT("failures", s->failures),
           OW_F_INT("pause_ms", core->config->outbox_breaker_pause));
}

static void flight_sent(struct flight *f, bool found)
{
    breaker_success(f->sink);
    ow_metric_add(found ? OW_M_deliveries_found_total : OW_M_deliveries_sent_total, 1);
    OW_LOG(OW_INFO, found ? "delivery.found" : "delivery.sent",
           found ? "an earlier try had arrived" : "delivered",
           OW_F("sink", f->sink->name), OW_F_INT("delivery", f->id),
           OW_F("identity", f->identity), OW_F_INT("attempts", f->attempts + 1));
    flight_mark(f, OW_DELIVERY_SENT, 0, NULL);
}

static void flight_dead(struct flight *f, const char *why)
{
    ow_metric_add(OW_M_deliveries_dead_total, 1);
    OW_LOG(OW_ERROR, "delivery.dead", "dead letter: not tried again",
           OW_F("sink", f->sink->name), OW_F_INT("delivery", f->id), OW_F("reason", why),
           OW_F_INT("attempts", f->attempts + 1));
    flight_mark(f, OW_DELIVERY_DEAD, 0, why);
}

static void flight_retry(struct flight *f, const char *why, int64_t retry_after_ms)
{
    struct ow_core *core = f->sink->outbox->core;
    struct ow_backoff backoff = { core->config->outbox_first_retry,
                                  core->config->outbox_retry_cap };
    ow_time now = ow_now_utc(core->world);
    int64_t wait;

    breaker_failure(f->sink);
    if (now - f->created > core->config->outbox_give_up_after) {
        flight_dead(f, why);
        return;
    }
    wait = ow_backoff_ms(&backoff, f->attempts + 1, retry_after_ms,
                         ow_random(core->world));
    ow_metric_add(OW_M_deliveries_retried_total, 1);
    OW_LOG(OW_WARNING, "delivery.retry", "delivery failed, tried again later",
           OW_F("sink", f->sink->name), OW_F_INT("delivery", f->id), OW_F("reason", why),
           OW_F_INT("attempts", f->attempts + 1), OW_F_INT("retry_ms", wait));
    flight_mark(f, OW_DELIVERY_DUE, now + wait, why);
}

/* --- sending --- */

static void flight_reply(struct flight *f, const struct ow_response *resp)
{
    struct ow_core *core = f->sink->outbox->core;
    int64_t after = ow_retry_after_ms(resp, ow_now_utc(core->world));
    struct ow_arena scratch;
    const char *text = "";

    ow_arena_init(&scratch, SCRATCH_MAX);
    switch (ow_writeback_reply(&scratch, resp, &text)) {
    case OW_REPLY_DONE:
        flight_sent(f, false);
        break;
    case OW_REPLY_REFUSED:
        breaker_success(f->sink); /* the peer is well, the letter is not */
        flight_dead(f, text);
        break;
    case OW_REPLY_RETRY:
        /* A proxy may answer for a server that has acted; who loses a race may have lost
         * it to an earlier try of ours. */
        f->unknown |= resp->status < 400 || resp->status >= 500 || resp->status == 408 ||
                      resp->status == 409 || resp->status == 412;
        flight_retry(f, text, after);
        break;
    case OW_REPLY_DENIED:
        flight_retry(f, text, after);
        break;
    }
    ow_arena_done(&scratch);
}

static void on_reply(void *arg, enum ow_code code, const struct ow_response *resp,
                     bool sent, const struct ow_err *err)
{
    struct flight *f = arg;

    if (code == OW_OK) {
        flight_reply(f, resp);
        return;
    }
    f->unknown |= sent;
    flight_retry(f, err->text, 0);
}

static void flight_send(struct flight *f)
{
    struct ow_core *core = f->sink->outbox->core;
    bool fhir = ow_streq(f->sink->name, OW_SINK_FHIR);
    struct ow_header headers[] = {
        {"Content-Type",     fhir ? "application/fhir+json" : "application/json"     },
        { "Accept",          fhir ? "application/fhir+json" : "application/json"     },
        { "Idempotency-Key", f->identity                                             },
        { "Authorization",   fhir ? core->authorization : core->webhook_authorization},
    };
    struct ow_request req = {
        .method = "POST",
        .url = fhir ? core->config->fhir_base_url : core->config->sinks_webhook_url,
        .headers = headers,
        .n_headers = headers[3].value ? 4 : 3,
        .body = f->body,
        .body_len = f->body_len,
        .urgent = true, /* what was found goes out before more is looked for */
    };

    f->call = core->world->ops->send(core->world, &req, core->config->fhir_timeout,
                                     on_reply, f);
}

/* A first revision is a create, later ones are updates. */
static bool flight_is_create(const struct flight *f)
{
    return ow_ends_with(f->identity, "-0");
}

/* From now on this try is about what was found, by its id. */
static void flight_aim(struct flight *f, const struct ow_writeback_found *found)
{
    struct ow_buf b;

    if (found->n_issues > 1)
        OW_LOG(OW_WARNING, "delivery.twins", "the server has an alert more than once",
               OW_F("sink", f->sink->name), OW_F_INT("delivery", f->id),
               OW_F_INT("found", found->n_issues));
    ow_buf_init(&b, SCRATCH_MAX);
    ow_writeback_aim(f->body, f->body_len, found, &b);
    free(f->body);
    f->body = copy(ow_buf_cstr(&b), b.len);
    f->body_len = b.len;
    ow_buf_done(&b);
}

static void on_probed(void *arg, enum ow_code code, const struct ow_response *resp,
                      bool sent, const struct ow_err *err)
{
    struct flight *f = arg;
    struct ow_core *core = f->sink->outbox->core;
    struct ow_writeback_found found = { 0 };
    struct ow_arena scratch;
    struct ow_err why = { "" };
    int64_t after = 0;

    (void)sent;
    ow_arena_init(&scratch, SCRATCH_MAX);
    if (code == OW_OK) {
        code = ow_writeback_lookup_answer(&scratch, resp,
                                          core->config->site_identifier_system,
                                          f->alert_key, &found, &why);
        after = ow_retry_after_ms(resp, ow_now_utc(core->world));
    } else {
        why = *err;
    }
    if (code != OW_OK) {
        flight_retry(f, why.text, after);
    } else if (found.issue && flight_is_create(f)) {
        flight_sent(f, true);
    } else {
        if (!flight_is_create(f))
            flight_aim(f, &found);
        flight_send(f);
    }
    ow_arena_done(&scratch);
}

static void flight_begin(struct flight *f)
{
    struct ow_core *core = f->sink->outbox->core;
    bool create = flight_is_create(f);
    struct ow_request req;
    struct ow_arena scratch;

    if (!f->alert_key || (create && !f->unknown)) {
        flight_send(f);
        return;
    }
    ow_arena_init(&scratch, SCRATCH_MAX);
    (create ? ow_writeback_probe : ow_writeback_lookup)(
        &scratch, core->config->fhir_base_url, core->config->site_identifier_system,
        f->alert_key, core->authorization, &req);
    req.urgent = true;
    f->call = core->world->ops->send(core->world, &req, core->config->fhir_timeout,
                                     on_probed, f);
    ow_arena_done(&scratch);
}

/* --- one sink --- */

static void sink_take(struct sink *s, const struct ow_delivery *d)
{
    struct flight *f = ow_alloc_zero(sizeof *f);

    f->sink = s;
    f->id = d->id;
    f->created = d->created;
    f->attempts = d->attempts;
    f->unknown = d->unknown;
    f->body = copy(d->message.body, d->message.body_len);
    f->body_len = d->message.body_len;
    f->alert_key = d->message.alert_key ? ow_strdup(d->message.alert_key) : NULL;
    f->identity = ow_strdup(d->message.identity);
    s->flights[s->n_flights++] = f;
    flight_begin(f);
}

static void on_sink_timer(void *arg)
{
    struct sink *s = arg;

    s->timer = NULL;
    sink_pump(s);
}

static void sink_wait(struct sink *s, int64_t ms)
{
    struct ow_world *w = s->outbox->core->world;

    if (s->timer)
        w->ops->timer_stop(w, s->timer);
    s->timer = w->ops->timer_start(w, ms < 1 ? 1 : ms, on_sink_timer, s);
}

/* No wait is that long: the wall clock was set back after the wait began. */
static bool sink_clock_back(const struct sink *s, ow_time next_due)
{
    const struct ow_core *core = s->outbox->core;
    int64_t most = core->config->outbox_retry_cap;

    if (most < RETRY_AFTER_MOST)
        most = RETRY_AFTER_MOST;
    return next_due - ow_now_utc(core->world) > most;
}

static void on_due(void *arg, enum ow_code code, const struct ow_delivery *d, size_t n,
                   ow_time next_due, const struct ow_err *err)
{
    struct sink *s = arg;
    struct ow_core *core = s->outbox->core;
    int64_t wait = RECHECK_MS;

    s->asking = false;
    if (core->stopping)
        return;
    if (code != OW_OK) {
        OW_LOG(OW_WARNING, "outbox.unreadable", "cannot read the outbox",
               OW_F("sink", s->name), OW_F("reason", err->text));
        sink_wait(s, STORE_RETRY_MS);
        return;
    }
    for (size_t i = 0; i < n; i++)
        sink_take(s, &d[i]);
    if (s->again) {
        sink_pump(s);
        return;
    }
    if (n == 0 && next_due != OW_TIME_MAX && sink_clock_back(s, next_due)) {
        s->clock_back = next_due;
        sink_pump(s);
        return;
    }
    /* The wall clock may jump: look again after a minute at the latest. */
    if (n == 0 && next_due != OW_TIME_MAX && next_due - ow_now_utc(core->world) < wait)
        wait = next_due - ow_now_utc(core->world);
    if (n == 0)
        sink_wait(s, wait);
}

static size_t sink_room(const struct sink *s)
{
    size_t max = s->probe_only
                     ? 1
                     : (size_t)ow_config_int(s->outbox->core->config->outbox_in_flight);

    return s->n_flights < max ? max - s->n_flights : 0;
}

static void sink_pump(struct sink *s)
{
    struct ow_core *core = s->outbox->core;
    int64_t ids[FLIGHT_MAX], closed = s->open_until - ow_now_mono(core->world);
    ow_time now = ow_now_utc(core->world);

    if (!s->on || core->stopping)
        return;
    if (s->asking) {
        s->again = true;
        return;
    }
    s->again = false;
    if (s->open_until && closed > 0) {
        sink_wait(s, closed);
        return;
    }
    if (sink_room(s) == 0)
        return; /* each delivery that ends pumps again */
    for (size_t i = 0; i < s->n_flights; i++)
        ids[i] = s->flights[i]->id;
    if (now < s->clock_back)
        now = s->clock_back;
    s->clock_back = 0; /* for one question only: what is put off anew is in our time */
    s->asking = true;
    ow_store_due(core->store, s->name, now, sink_room(s), ids, s->n_flights, on_due, s);
}

/* --- life --- */

struct ow_outbox *ow_outbox_new(struct ow_core *core)
{
    struct ow_outbox *o = ow_alloc_zero(sizeof *o);

    o->core = core;
    o->sinks[0] = (struct sink){ .name = OW_SINK_FHIR,
                                 .outbox = o,
                                 .on = core->config->sinks_fhir &&
                                       *core->config->fhir_base_url };
    o->sinks[1] = (struct sink){ .name = OW_SINK_WEBHOOK,
                                 .outbox = o,
                                 .on = *core->config->sinks_webhook_url };
    return o;
}

void ow_outbox_wake(struct ow_outbox *o)
{
    for (size_t i = 0; i < OW_LEN(o->sinks); i++)
        sink_pump(&o->sinks[i]);
}

static void sink_stop(struct sink *s)
{
    struct ow_world *w = s->outbox->core->world;

    if (s->timer)
        w->ops->timer_stop(w, s->timer);
    s->timer = NULL;
    for (size_t i = s->n_flights; i-- > 0;) {
        struct flight *f = s->flights[i];

        if (f->marking)
            continue; /* ends with its store call */
        if (f->timer)
            w->ops->timer_stop(w, f->timer);
        else
            w->ops->send_cancel(w, f->call);
        sink_remove(s, f);
    }
}

void ow_outbox_stop(struct ow_outbox *o)
{
    ow_assert(o->core->stopping);
    for (size_t i = 0; i < OW_LEN(o->sinks); i++)
        sink_stop(&o->sinks[i]);
}

bool ow_outbox_idle(const struct ow_outbox *o)
{
    for (size_t i = 0; i < OW_LEN(o->sinks); i++) {
        if (o->sinks[i].asking || o->sinks[i].n_flights)
            return false;
    }
    return true;
}

void ow_outbox_free(struct ow_outbox *o)
{
    if (!o)
        return;
    ow_assert(ow_outbox_idle(o));
    free(o);
}
