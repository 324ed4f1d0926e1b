/*
 * The happy path: resolve whose order changed (often the notification told), read the
 * patient's orders back from the server page by page, read from the store what was told
 * before, judge, and write verdict, alerts and intended deliveries in one transaction
 * that also marks the events as judged.
 *
 * What fails: the server or the store (back off, try the whole round again: nothing was
 * promised yet); the data (a proxy may have spoken for the server: try again a few times,
 * then park the events with the reason, loudly); the process (the
 * events are still waiting in the store: the next start begins again; events that met
 * several crashes are parked before they are judged, so that one poisonous chart cannot
 * keep the daemon down).
 */
#include "daemon/job.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/concern.h"
#include "base/backoff.h"
#include "base/text.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "daemon/outcome.h"

enum { JOB_CRASHES_MAX = 3, JOB_UNREADABLE_MAX = 4 };

#define TO(state) (1u << JOB_##state)

/* The whole life of a job. A move not listed here is a bug and asserts. */
static const struct {
    const char *name;
    uint32_t next;
} job_states[JOB_N] = {
    [JOB_NEW] = {"new",        TO(RESOLVING) | TO(FETCHING) | TO(PARKING) | TO(DONE)         },
    [JOB_RESOLVING] = { "resolving", TO(FETCHING) | TO(RECORDING) | TO(BACKOFF) |
                                         TO(PARKING) | TO(DONE)},
    [JOB_FETCHING] = { "fetching",  TO(LOADING) | TO(RECORDING) | TO(BACKOFF) |
                                       TO(PARKING) | TO(DONE)   },
    [JOB_LOADING] = { "loading",
                 TO(MARKING) | TO(DECIDING) | TO(PARKING) | TO(BACKOFF) | TO(DONE)           },
    [JOB_MARKING] = { "marking",   TO(DECIDING) | TO(BACKOFF) | TO(DONE)                         },
    [JOB_DECIDING] = { "deciding",  TO(RECORDING) | TO(PARKING)                                   },
    [JOB_RECORDING] = { "recording", TO(NEW) | TO(BACKOFF) | TO(DONE)                              },
    [JOB_PARKING] = { "parking",   TO(NEW) | TO(BACKOFF) | TO(DONE)                              },
    [JOB_BACKOFF] = { "backoff",   TO(NEW) | TO(DONE)                                            },
    [JOB_DONE] = { "done",      0                                                             },
};

struct job_call {
    struct job_call *next;
    struct job *job;
    struct ow_call *call;
    unsigned tag;
};

static void job_resolve(struct job *j);
static void job_fetch(struct job *j);
static void job_load(struct job *j);
static void job_decide(struct job *j);
static void job_park(struct job *j);

static void job_move(struct job *j, enum job_state to)
{
    ow_assert(job_states[j->state].next & (1u << to));
    j->state = to;
}

/* --- events of a job --- */

/* The inbox hands out each event once, so that none is here twice. */
static void ids_add(int64_t **ids, size_t *n, size_t *cap, int64_t id)
{
    if (*n == *cap) {
        *cap = *cap ? *cap * 2 : 8;
        *ids = ow_realloc(*ids, *cap * sizeof **ids);
    }
    (*ids)[(*n)++] = id;
}

/* Has this round not looked at the server yet? Then one more event is answered by it. */
static bool job_joinable(const struct job *j)
{
    return j->state == JOB_NEW || j->state == JOB_RESOLVING || j->state == JOB_BACKOFF;
}

static void job_note_event(struct job *j, const struct ow_event *ev)
{
    if (ev->attempts > j->attempts)
        j->attempts = ev->attempts;
    if (ev->received < j->owner->core->started)
        j->recovered = true;
}

void job_add_event(struct job *j, const struct ow_event *ev)
{
    job_note_event(j, ev);
    if (job_joinable(j))
        ids_add(&j->ids, &j->n_ids, &j->cap_ids, ev->id);
    else
        ids_add(&j->later, &j->n_later, &j->cap_later, ev->id);
}

void job_take_events(struct job *j, struct job *from)
{
    for (size_t i = 0; i < from->n_ids; i++) {
        if (job_joinable(j))
            ids_add(&j->ids, &j->n_ids, &j->cap_ids, from->ids[i]);
        else
            ids_add(&j->later, &j->n_later, &j->cap_later, from->ids[i]);
    }
    for (size_t i = 0; i < from->n_later; i++)
        ids_add(&j->later, &j->n_later, &j->cap_later, from->later[i]);
    if (from->attempts > j->attempts)
        j->attempts = from->attempts;
    j->recovered |= from->recovered;
    from->n_ids = from->n_later = 0;
}

int64_t job_oldest(const struct job *j)
{
    int64_t oldest = INT64_MAX;

    for (size_t i = 0; i < j->n_ids; i++)
        oldest = j->ids[i] < oldest ? j->ids[i] : oldest;
    for (size_t i = 0; i < j->n_later; i++)
        oldest = j->later[i] < oldest ? j->later[i] : oldest;
    return oldest;
}

struct job *job_new(struct job_owner *owner, const struct ow_event *ev)
{
    struct job *j = ow_alloc_zero(sizeof *j);

    j->owner = owner;
    j->state = JOB_NEW;
    j->source = ow_strdup(ev->source);
    j->patient = ev->patient ? ow_strdup(ev->patient) : NULL;
    j->type = ev->type ? ow_strdup(ev->type) : NULL;
    j->rid = ev->rid ? ow_strdup(ev->rid) : NULL;
    j->deleted = ev->kind == OW_EVENT_DELETED;
    ow_arena_init(&j->arena, (size_t)owner->core->config->intake_memory_max);
    job_add_event(j, ev);
    return j;
}

void job_free(struct job *j)
{
    ow_assert(!j->calls && !j->timer && !j->waiting_store);
    ow_arena_done(&j->arena);
    free(j->source);
    free(j->patient);
    free(j->type);
    free(j->rid);
    free(j->ids);
    free(j->later);
    free(j);
}

static void job_drop_calls(struct job *j)
{
    struct ow_world *w = j->owner->core->world;

    while (j->calls) {
        struct job_call *c = j->calls;

        j->calls = c->next;
        w->ops->send_cancel(w, c->call);
        free(c);
    }
}

void job_cancel(struct job *j)
{
    struct ow_world *w = j->owner->core->world;

    job_drop_calls(j);
    if (j->timer)
        w->ops->timer_stop(w, j->timer);
    j->timer = NULL;
}

/* --- end of a round --- */

/* Nothing left of this round; begin the next when events came meanwhile. */
static void job_end_round(struct job *j)
{
    int64_t *ids = j->ids;
    size_t cap = j->cap_ids;

    ow_arena_reset(&j->arena);
    j->search = NULL;
    j->failures = j->unreadable = 0;
    j->attempts = 0;
    j->recovered = false;
    j->ids = j->later;
    j->n_ids = j->n_later;
    j->cap_ids = j->cap_later;
    j->later = ids;
    j->n_later = 0;
    j->cap_later = cap;
    j->owner->core->progress++;
    if (j->n_ids == 0) {
        job_move(j, JOB_DONE);
        j->owner->done(j->owner, j);
        return;
    }
    job_move(j, JOB_NEW);
    job_start(j);
}

static void on_backoff_over(void *arg)
{
    struct job *j = arg;

    j->timer = NULL;
    job_move(j, JOB_NEW);
    job_start(j);
}

/* Their side or the disk failed: all of the round again, later. */
static void job_retry(struct job *j, const char *event)
{
    struct ow_core *core = j->owner->core;
    struct ow_backoff backoff = { core->config->outbox_first_retry,
                                  core->config->outbox_retry_cap };
    int64_t wait;

    job_drop_calls(j);
    ow_metric_add(OW_M_evaluation_retries_total, 1);
    j->failures++;
    wait = ow_backoff_ms(&backoff, j->failures, j->retry_after_ms,
                         ow_random(core->world));
    j->retry_after_ms = 0;
    OW_LOG(OW_WARNING, event, "evaluation put off", OW_F_PATIENT("patient", j->patient),
           OW_F("reason", j->err.text), OW_F_INT("failures", j->failures),
           OW_F_INT("retry_ms", wait));
    ow_arena_reset(&j->arena);
    j->search = NULL;
    job_move(j, JOB_BACKOFF);
    j->timer = core->world->ops->timer_start(core->world, wait, on_backoff_over, j);
}

/* An answer that breaks the format. Once may be an accident of whoever stands between. */
static void job_unreadable(struct job *j)
{
    if (++j->unreadable < JOB_UNREADABLE_MAX)
        job_retry(j, "fetch.unreadable");
    else
        job_park(j);
}

/* Every store callback begins here: false when the job was cancelled meanwhile. */
static bool job_resumes(struct job *j)
{
    j->waiting_store = false;
    if (!j->owner->core->stopping)
        return true;
    j->state = JOB_DONE;
    j->owner->done(j->owner, j);
    return false;
}

/* --- new, resolving --- */

void job_start(struct job *j)
{
    if (j->attempts >= JOB_CRASHES_MAX) {
        ow_err_set(&j->err, OW_INPUT, "met %u crashes before a verdict", j->attempts);
        job_park(j);
        return;
    }
    if (j->patient) {
        job_move(j, JOB_FETCHING);
        job_fetch(j);
        return;
    }
    job_move(j, JOB_RESOLVING);
    job_resolve(j);
}

static void on_orphan_recorded(void *arg, enum ow_code code, const struct ow_err *err)
{
    struct job *j = arg;

    if (!job_resumes(j))
        return;
    if (code != OW_OK) {
        j->err = *err;
        job_retry(j, "inbox.retry");
        return;
    }
    job_end_round(j);
}

/* Events that concern no patient we could know: answered, without a verdict. */
static void job_record_nothing(struct job *j, const char *why)
{
    struct ow_record_of_verdict rec = { .events = j->ids,
                                        .n_events = j->n_ids,
                                        .source = j->source,
                                        .at = ow_now_utc(j->owner->core->world) };

    OW_LOG(OW_INFO, "event.no-patient", "event concerns no patient", OW_F("why", why));
    job_move(j, JOB_RECORDING);
    j->waiting_store = true;
    ow_store_verdict(j->owner->core->store, &rec, on_orphan_recorded, j);
}

static void job_patient_known(struct job *j, const char *patient)
{
    j->patient = ow_strdup(patient);
    if (j->owner->known(j->owner, j)) { /* another job answers the events */
        job_move(j, JOB_DONE);
        j->owner->done(j->owner, j);
        return;
    }
    job_move(j, JOB_FETCHING);
    job_fetch(j);
}

static void on_order_patient(void *arg, enum ow_code code, const char *patient,
                             const struct ow_err *err)
{
    struct job *j = arg;

    if (!job_resumes(j))
        return;
    if (code != OW_OK) {
        j->err = *err;
        job_retry(j, "inbox.retry");
    } else if (patient) {
        job_patient_known(j, patient);
    } else if (j->owner->older(j->owner, j)) {
        /* One of them may have read the order while it was there. */
        ow_err_set(&j->err, OW_AGAIN, "older events are being judged");
        job_retry(j, "event.waits");
    } else {
        job_record_nothing(j, "an order that is gone and that no verdict has seen");
    }
}

static void job_resolve_from_store(struct job *j)
{
    char *reference = ow_arena_printf(&j->arena, "%s/%s", j->type, j->rid);

    j->waiting_store = true;
    ow_store_order_patient(j->owner->core->store, j->source, reference, on_order_patient,
                           j);
}

static void on_order_read(void *arg, enum ow_code code, const struct ow_response *resp,
                          bool sent, const struct ow_err *err)
{
    struct job_call *c = arg;
    struct job *j = c->job;
    const char *patient = NULL;

    (void)sent;
    j->calls = NULL;
    free(c);
    if (code != OW_OK) {
        j->err = *err;
        if (code == OW_INPUT)
            job_unreadable(j);
        else
            job_retry(j, "fetch.retry");
        return;
    }
    code = ow_order_subject(&j->arena, resp, &patient, &j->err);
    if (code == OW_MISSING) {
        job_resolve_from_store(j);
        return;
    }
    if (code == OW_AGAIN)
        j->retry_after_ms = ow_retry_after_ms(resp, ow_now_utc(j->owner->core->world));
    if (code == OW_OK && patient)
        job_patient_known(j, patient);
    else if (code == OW_OK)
        job_record_nothing(j, "an order without a patient");
    else if (code == OW_INPUT)
        job_unreadable(j);
    else
        job_retry(j, "fetch.retry");
}

/* The notification did not say whose order it is. */
static void job_resolve(struct job *j)
{
    struct ow_core *core = j->owner->core;
    struct ow_request req;
    struct job_call *c;

    if (j->deleted || !j->type || !j->rid) {
        job_resolve_from_store(j);
        return;
    }
    ow_order_read_request(&j->arena, core->config->fhir_base_url, core->authorization,
                          j->type, j->rid, &req);
    c = ow_alloc_zero(sizeof *c);
    c->job = j;
    j->calls = c;
    c->call = core->world->ops->send(core->world, &req, core->config->fhir_timeout,
                                     on_order_read, c);
}

/* --- fetching --- */

static void job_send_questions(struct job *j);

static void job_forget_call(struct job *j, struct job_call *gone)
{
    struct job_call **at = &j->calls;

    while (*at != gone)
        at = &(*at)->next;
    *at = gone->next;
    free(gone);
}

static bool job_ask_rest(struct job *j);
static void job_begin_search(struct job *j);

/* The dose is worth more than the rest of the chart: once more without it. */
static void job_too_large(struct job *j)
{
    ow_err_set(&j->err, OW_INPUT, "the chart is larger than intake.memory_max");
    if (!j->asked_rest || j->orders_only) {
        job_park(j);
        return;
    }
    OW_LOG(OW_WARNING, "fetch.too-large",
           "judged by orders, conditions and dispenses alone",
           OW_F_PATIENT("patient", j->patient), OW_F("reason", j->err.text));
    job_drop_calls(j);
    ow_arena_reset(&j->arena);
    j->orders_only = true;
    job_begin_search(j);
}

static void job_fed(struct job *j, enum ow_code code)
{
    switch (code) {
    case OW_OK:
        if (ow_arena_full(&j->arena)) {
            job_too_large(j);
        } else if (ow_search_complete(j->search)) {
            j->answered |= ow_search_answered(j->search);
            ow_kinds_note(&j->owner->core->kinds, j->search,
                          ow_now_mono(j->owner->core->world));
            if (job_ask_rest(j))
                return;
            job_move(j, JOB_LOADING);
            job_load(j);
        } else {
            job_send_questions(j);
        }
        return;
    case OW_MISSING:
        job_record_nothing(j, "a patient the server does not have");
        return;
    case OW_INPUT:
        job_unreadable(j);
        return;
    default:
        job_retry(j, "fetch.retry");
        return;
    }
}

static void on_answer(void *arg, enum ow_code code, const struct ow_response *resp,
                      bool sent, const struct ow_err *err)
{
    struct job_call *c = arg;
    struct job *j = c->job;
    unsigned tag = c->tag;

    (void)sent;
    job_forget_call(j, c);
    if (code == OW_OK)
        code = ow_search_feed(j->search, tag, resp, &j->retry_after_ms, &j->err);
    else if (ow_search_lost(j->search, tag, err->text))
        code = OW_OK; /* it only helps: judged without */
    else
        j->err = *err;
    if (code != OW_OK)
        job_drop_calls(j);
    job_fed(j, code);
}

/* May it ask now? What only helps goes out as many at once as the server is given, so
 * that a question's time is not spent in our own line. */
static bool job_may_send(const struct job *j)
{
    int64_t most = ow_config_int(j->owner->core->config->fhir_requests_max);

    for (const struct job_call *c = j->calls; j->asked_rest && c; c = c->next)
        most--;
    return most > 0;
}

static void job_send_questions(struct job *j)
{
    struct ow_world *w = j->owner->core->world;
    struct ow_request req;
    unsigned tag;

    while (job_may_send(j) && ow_search_next(j->search, &req, &tag)) {
        struct job_call *c = ow_alloc_zero(sizeof *c);

        req.can_wait = j->asked_rest;
        c->job = j;
        c->tag = tag;
        c->next = j->calls;
        j->calls = c;
        c->call = w->ops->send(w, &req, j->owner->core->config->fhir_timeout, on_answer,
                               c);
    }
}

static struct ow_search_options search_options(const struct job *j)
{
    const struct ow_core *core = j->owner->core;

    return (struct ow_search_options){
        .base_url = core->config->fhir_base_url,
        .patient = j->patient,
        .source = j->source,
        .zone = core->zone,
        .authorization = core->authorization,
        .page_size = (unsigned)ow_config_int(core->config->fhir_page_size),
        .max_pages = (unsigned)ow_config_int(core->config->fhir_pages_max),
        .skip = ow_kinds_skip(&core->kinds, ow_now_mono(core->world)),
    };
}

static void job_fetch(struct job *j)
{
    j->orders_only = false;
    job_begin_search(j);
}

static void job_begin_search(struct job *j)
{
    struct ow_search_options opt = search_options(j);

    opt.want_orders = opt.want_patient = true;
    j->asked_rest = false;
    j->answered = 0;
    j->search = ow_search_new(&j->arena, &opt, NULL);
    job_send_questions(j);
}

/* The patient's chart as far as it was fetched; NULL when there is none. */
static const struct ow_chart *job_chart(struct job *j, struct ow_arena *arena)
{
    const struct ow_chart *charts;
    struct ow_chart *own;
    size_t n;

    if (ow_reader_charts(ow_search_reader(j->search), &charts, &n, &j->err) != OW_OK)
        return NULL;
    if (n != 1) {
        (void)ow_err_set(&j->err, OW_INPUT, "the server answered with %zu patients", n);
        return NULL;
    }
    own = OW_NEW(arena, struct ow_chart);
    *own = charts[0];
    own->not_asked = OW_KIND_ALL & ~j->answered;
    return own;
}

/* Does the rest of the chart matter? Most patients have no opioid, and cost no search
 * more. */
static bool job_concerned(struct job *j, struct ow_arena *scratch)
{
    const struct ow_core *core = j->owner->core;
    struct ow_question q = { .knowledge = core->knowledge,
                             .zone = core->zone,
                             .at = ow_now_utc(core->world) };
    const struct ow_chart *chart = job_chart(j, scratch);

    if (!chart)
        return false;
    q.policy = ow_config_policy_for(core->config, chart, q.at);
    return ow_concern(chart, &q, scratch);
}

/* The kinds that nobody asked for yet. A server that does not offer one answers so, and
 * what depends on it stays undecided: nothing of this fails an evaluation. */
static bool job_ask_rest(struct job *j)
{
    struct ow_search_options opt = search_options(j);
    struct ow_arena scratch;
    bool concerned;

    if (j->asked_rest || j->orders_only)
        return false;
    j->asked_rest = true;
    ow_arena_init(&scratch, SIZE_MAX);
    concerned = job_concerned(j, &scratch);
    ow_arena_done(&scratch);
    if (!concerned)
        return false;
    opt.want_kinds = OW_KIND_ALL & ~(j->answered | ow_search_asked(j->search));
    opt.lenient = true;
    j->search = ow_search_new(&j->arena, &opt, ow_search_reader(j->search));
    job_send_questions(j);
    return true;
}

/* --- loading, marking --- */

static void on_marked(void *arg, enum ow_code code, const struct ow_err *err)
{
    struct job *j = arg;

    if (!job_resumes(j))
        return;
    if (code != OW_OK) {
        j->err = *err;
        job_retry(j, "inbox.retry");
        return;
    }
    job_move(j, JOB_DECIDING);
    job_decide(j);
}

static void on_patient_state(void *arg, enum ow_code code,
                             const struct ow_patient_state *st, const struct ow_err *err)
{
    struct job *j = arg;

    if (!job_resumes(j))
        return;
    if (code != OW_OK) {
        j->err = *err;
        job_retry(j, "inbox.retry");
        return;
    }
    j->known_episodes = ow_outcome_known(&j->arena, st);
    j->n_known = st->n_alerts;
    if (j->recovered) {
        job_move(j, JOB_MARKING);
        j->waiting_store = true;
        ow_store_attempt(j->owner->core->store, j->ids, j->n_ids, on_marked, j);
        return;
    }
    job_move(j, JOB_DECIDING);
    job_decide(j);
}

static void job_load(struct job *j)
{
    j->waiting_store = true;
    ow_store_patient(j->owner->core->store, j->patient, on_patient_state, j);
}

/* --- deciding, recording --- */

static void on_recorded(void *arg, enum ow_code code, const struct ow_err *err)
{
    struct job *j = arg;

    if (code == OW_OK)
        j->owner->recorded(j->owner, j->verdict);
    if (!job_resumes(j))
        return;
    if (code != OW_OK) {
        j->err = *err;
        job_retry(j, "inbox.retry");
        return;
    }
    job_end_round(j);
}

static enum ow_code job_judge(struct job *j, struct ow_outcome *ret)
{
    const struct ow_core *core = j->owner->core;
    struct ow_question q = { .knowledge = core->knowledge,
                             .zone = core->zone,
                             .at = ow_now_utc(core->world) };

    ret->chart = job_chart(j, &j->arena);
    if (!ret->chart)
        return OW_INPUT;
    q.policy = ow_config_policy_for(core->config, ret->chart, q.at);
    return ow_evaluate(ret->chart, &q, &j->arena, &ret->verdict, &j->err);
}

static void job_decide(struct job *j)
{
    struct ow_core *core = j->owner->core;
    struct ow_outcome out = { .source = j->source,
                              .patient = j->patient,
                              .known = j->known_episodes,
                              .n_known = j->n_known,
                              .events = j->ids,
                              .n_events = j->n_ids };
    enum ow_code code = job_judge(j, &out);

    if (code == OW_OK)
        code = ow_outcome_plan(&out, core, &j->arena, &j->err);
    if (code != OW_OK) {
        job_park(j);
        return;
    }
    ow_metric_add(OW_M_evaluations_total, 1);
    if (out.verdict->at_least)
        ow_metric_add(OW_M_evaluations_at_least_total, 1);
    j->verdict = out.verdict;
    job_move(j, JOB_RECORDING);
    j->waiting_store = true;
    ow_store_verdict(core->store, &out.row, on_recorded, j);
}

/* --- parking --- */

static void on_parked(void *arg, enum ow_code code, const struct ow_err *err)
{
    struct job *j = arg;

    if (!job_resumes(j))
        return;
    if (code != OW_OK) {
        j->err = *err;
        job_retry(j, "inbox.retry");
        return;
    }
    ow_metric_add(OW_M_events_parked_total, (int64_t)j->n_ids);
    job_end_round(j);
}

static void job_park(struct job *j)
{
    struct ow_core *core = j->owner->core;

    job_drop_calls(j);
    OW_LOG(OW_ERROR, "event.parked", "events kept for a person: no verdict could be had",
           OW_F_PATIENT("patient", j->patient), OW_F("reason", j->err.text),
           OW_F("state", job_states[j->state].name), OW_F_INT("events", j->n_ids));
    job_move(j, JOB_PARKING);
    j->waiting_store = true;
    ow_store_park(core->store, j->ids, j->n_ids, j->err.text, ow_now_utc(core->world),
                  on_parked, j);
}
