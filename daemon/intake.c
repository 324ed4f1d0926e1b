#include "daemon/intake.h"

#include <stdlib.h>

#include "base/text.h"
#include "daemon/job.h"
#include "daemon/log.h"
#include "daemon/metrics.h"

enum {
    PULL_MAX = 64, /* events read from the inbox at once */
    STORE_RETRY_MS = 1000,
};

struct ow_intake {
    struct job_owner owner; /* first: jobs know it by this */
    struct ow_intake_hooks hooks;
    struct job *jobs;
    size_t n_jobs;
    int64_t cursor; /* last event taken from the inbox */
    bool pulling, again, full;
    size_t n_marking; /* batches of hints on their way to the store */
    struct ow_timer *timer;
};

struct hints { /* of one pull */
    struct ow_intake *in;
    size_t n;
    int64_t ids[PULL_MAX];
};

static void intake_pull(struct ow_intake *in);

static size_t intake_room(const struct ow_intake *in)
{
    size_t max = (size_t)ow_config_int(in->owner.core->config->intake_jobs_max);

    return in->n_jobs < max ? max - in->n_jobs : 0;
}

static struct job *intake_find(struct ow_intake *in, const char *patient,
                               const struct job * not )
{
    for (struct job *j = in->jobs; j; j = j->next) {
        if (j != not &&j->state != JOB_DONE && j->patient &&
            ow_streq(j->patient, patient))
            return j;
    }
    return NULL;
}

static void intake_take(struct ow_intake *in, const struct ow_event *ev)
{
    struct job *j = ev->patient ? intake_find(in, ev->patient, NULL) : NULL;

    if (j) {
        job_add_event(j, ev);
        return;
    }
    j = job_new(&in->owner, ev);
    j->next = in->jobs;
    in->jobs = j;
    ow_metric_set(OW_M_jobs, (int64_t)++in->n_jobs);
    job_start(j);
}

static void on_retry(void *arg)
{
    struct ow_intake *in = arg;

    in->timer = NULL;
    intake_pull(in);
}

/* --- hints --- */

/* Only now may the search begin: a hint that comes while it runs is news to the store. */
static void on_hints_marked(void *arg, enum ow_code code, const struct ow_err *err)
{
    struct hints *h = arg;
    struct ow_intake *in = h->in;

    in->n_marking--;
    if (code != OW_OK)
        OW_LOG(OW_WARNING, "inbox.retry", "hint not marked", OW_F("reason", err->text));
    for (size_t i = 0; i < h->n && !in->owner.core->stopping; i++)
        in->hooks.hint(in->hooks.arg, h->ids[i]);
    free(h);
}

static void intake_take_hints(struct ow_intake *in, const struct ow_event *events,
                              size_t n)
{
    struct hints *h = ow_alloc_zero(sizeof *h);

    h->in = in;
    for (size_t i = 0; i < n; i++) {
        if (events[i].kind == OW_EVENT_HINT)
            h->ids[h->n++] = events[i].id;
    }
    if (h->n == 0) {
        free(h);
        return;
    }
    in->n_marking++;
    ow_store_attempt(in->owner.core->store, h->ids, h->n, on_hints_marked, h);
}

/* --- the inbox --- */

static void on_events(void *arg, enum ow_code code, const struct ow_event *events,
                      size_t n, const struct ow_err *err)
{
    struct ow_intake *in = arg;

    in->pulling = false;
    if (in->owner.core->stopping)
        return;
    if (code != OW_OK) {
        OW_LOG(OW_ERROR, "inbox.unreadable", "cannot read the inbox",
               OW_F("reason", err->text));
        if (!in->timer)
            in->timer = in->owner.core->world->ops->timer_start(
                in->owner.core->world, STORE_RETRY_MS, on_retry, in);
        return;
    }
    intake_take_hints(in, events, n);
    for (size_t i = 0; i < n; i++) {
        in->cursor = events[i].id;
        if (events[i].kind != OW_EVENT_HINT)
            intake_take(in, &events[i]);
    }
    in->full = n > 0;
    if (in->again || in->full)
        intake_pull(in);
}

static void intake_pull(struct ow_intake *in)
{
    size_t room = intake_room(in);

    if (in->owner.core->stopping)
        return;
    if (in->pulling || room == 0) {
        in->again = true;
        return;
    }
    in->again = false;
    in->pulling = true;
    ow_store_waiting(in->owner.core->store, in->cursor, room < PULL_MAX ? room : PULL_MAX,
                     on_events, in);
}

void ow_intake_wake(struct ow_intake *in)
{
    intake_pull(in);
}

static void on_hint_recorded(void *arg, enum ow_code code, const struct ow_err *err)
{
    (void)arg;
    if (code != OW_OK) /* still waiting in the store: the next start catches up again */
        OW_LOG(OW_WARNING, "inbox.retry", "hint not marked", OW_F("reason", err->text));
}

void ow_intake_hints_done(struct ow_intake *in, const int64_t *ids, size_t n)
{
    struct ow_core *core = in->owner.core;
    struct ow_record_of_verdict rec = { .events = ids,
                                        .n_events = n,
                                        .source = core->config->fhir_name,
                                        .at = ow_now_utc(core->world) };

    ow_store_verdict(core->store, &rec, on_hint_recorded, in);
}

/* --- what jobs report --- */

static void intake_remove(struct ow_intake *in, struct job *gone)
{
    struct job **at = &in->jobs;

    while (*at != gone)
        at = &(*at)->next;
    *at = gone->next;
    job_free(gone);
    ow_metric_set(OW_M_jobs, (int64_t)--in->n_jobs);
}

static void on_job_done(struct job_owner *o, struct job *j)
{
    struct ow_intake *in = (struct ow_intake *)o;

    intake_remove(in, j);
    if (in->again || in->full)
        intake_pull(in);
}

static bool on_patient_known(struct job_owner *o, struct job *j)
{
    struct ow_intake *in = (struct ow_intake *)o;
    struct job *other = intake_find(in, j->patient, j);

    if (!other)
        return false;
    job_take_events(other, j);
    return true;
}

/* Is an event older than all of `j`'s still being judged? Jobs take events in order, so
 * such a job exists here when there is one. */
static bool on_older_asked(struct job_owner *o, const struct job *j)
{
    struct ow_intake *in = (struct ow_intake *)o;

    for (const struct job *other = in->jobs; other; other = other->next) {
        if (other != j && other->state != JOB_DONE && job_oldest(other) < job_oldest(j))
            return true;
    }
    return false;
}

static void on_verdict_recorded(struct job_owner *o, const struct ow_verdict *v)
{
    struct ow_intake *in = (struct ow_intake *)o;

    in->again = true; /* an order that moved may have left an event in the inbox */
    if (in->hooks.told)
        in->hooks.told(in->hooks.arg, v);
    in->hooks.verdict(in->hooks.arg);
}

/* --- life --- */

struct ow_intake *ow_intake_new(struct ow_core *core, const struct ow_intake_hooks *hooks)
{
    struct ow_intake *in = ow_alloc_zero(sizeof *in);

    in->owner = (struct job_owner){ .core = core,
                                    .done = on_job_done,
                                    .known = on_patient_known,
                                    .older = on_older_asked,
                                    .recorded = on_verdict_recorded };
    in->hooks = *hooks;
    return in;
}

void ow_intake_stop(struct ow_intake *in)
{
    struct job *next;

    ow_assert(in->owner.core->stopping);
    if (in->timer)
        in->owner.core->world->ops->timer_stop(in->owner.core->world, in->timer);
    in->timer = NULL;
    for (struct job *j = in->jobs; j; j = next) {
        next = j->next;
        job_cancel(j);
        if (!j->waiting_store)
            intake_remove(in, j);
    }
}

bool ow_intake_idle(const struct ow_intake *in)
{
    return !in->jobs && !in->pulling && !in->n_marking;
}

void ow_intake_free(struct ow_intake *in)
{
    if (!in)
        return;
    ow_assert(ow_intake_idle(in));
    free(in);
}
