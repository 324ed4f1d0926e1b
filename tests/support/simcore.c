#include "tests/support/simcore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "daemon/tables.h"
#include "fhir/read.h"
#include "fhir/writeback.h"
#include "tests/support/build.h"
#include "tests/support/faultfs.h"
#include "tests/support/storekit.h"

enum { DOWN_MS = 3000, STORE_MS = 4, CHART_MEMORY = 64 << 20, EPISODES_MOST = 64 };

/* The server's exchange, here without a server. */
struct ow_exchange {
    struct simcore *core;
    struct ow_exchange *next;
    struct sim_delivery *delivery; /* NULL: its client is gone */
    char *method, *path, *body;
    struct ow_request req;
    struct ow_header type;
};

/* --- the store's turn --- */

static void on_store_turn(void *arg, int64_t start)
{
    struct simcore *s = arg;

    if (start != s->starts || !s->running)
        return; /* of a daemon that died since */
    s->store_due = false;
    simworld_note(s->w, "store");
    ow_store_poll(s->core.store);
}

static void on_store_wake(void *arg)
{
    struct simcore *s = arg;

    if (s->store_due || s->w->dead)
        return;
    s->store_due = true;
    simworld_after(s->w, (int64_t)simworld_chance(s->w, STORE_MS), on_store_turn, s,
                   s->starts);
}

/* --- notifications --- */

void simcore_reply(struct ow_exchange *x, const struct ow_response *resp)
{
    struct simcore *s = x->core;
    struct ow_exchange **at = &s->exchanges;

    while (*at != x)
        at = &(*at)->next;
    *at = x->next;
    if (x->delivery)
        simehr_answered(s->ehr, x->delivery, resp->status);
    free(x->method);
    free(x->path);
    free(x->body);
    free(x);
}

static bool on_deliver(void *arg, const struct ow_request *req, struct sim_delivery *d)
{
    struct simcore *s = arg;
    struct ow_exchange *x;

    if (!s->up || s->w->dead)
        return false;
    x = ow_alloc_zero(sizeof *x);
    x->core = s;
    x->next = s->exchanges;
    s->exchanges = x;
    x->delivery = d;
    x->req = *req; /* a request lives until its answer */
    x->req.method = x->method = ow_strdup(req->method);
    x->req.path = x->path = ow_strdup(req->path);
    x->req.body = x->body = ow_strdup(req->body);
    if (req->n_headers) {
        x->type = (struct ow_header){ "Content-Type", "application/fhir+json" };
        x->req.headers = &x->type;
    }
    ow_routes_main(x, &x->req, s->routes);
    return true;
}

static void exchanges_cut(struct simcore *s)
{
    for (struct ow_exchange *x = s->exchanges; x; x = x->next) {
        if (x->delivery)
            simehr_answered(s->ehr, x->delivery, 0);
        x->delivery = NULL;
    }
}

/* --- the network's other end --- */

static void on_request(void *arg, const struct ow_request *req, struct sim_response *ret)
{
    struct simcore *s = arg;

    if (ow_starts_with(req->url, SIM_BASE)) {
        simehr_serve(s->ehr, req, ret);
    } else {
        s->webhook_posts++;
        ret->status = 200;
    }
}

/* --- hooks of the core --- */

static void on_stored(void *arg)
{
    struct simcore *s = arg;

    if (!s->core.stopping)
        ow_intake_wake(s->intake);
}

static void on_verdict(void *arg)
{
    struct simcore *s = arg;

    s->n_verdicts++;
    if (!s->core.stopping)
        ow_outbox_wake(s->outbox);
}

static void on_hint(void *arg, int64_t event_id)
{
    struct simcore *s = arg;

    ow_feed_catch_up(s->feed, event_id);
}

static void on_hints_done(void *arg, const int64_t *ids, size_t n)
{
    struct simcore *s = arg;

    ow_intake_hints_done(s->intake, ids, n);
}

static bool on_ready_asked(void *arg, const char **why)
{
    const struct simcore *s = arg;

    *why = "";
    return s->up;
}

/* --- start and stop --- */

static void on_distrusted(void *arg, enum ow_code code, const struct ow_err *err)
{
    struct simcore *s = arg;

    (void)err;
    if (s->core.stopping)
        return;
    ow_assert(code == OW_OK || faultfs_hit());
    if (code != OW_OK)
        return;
    s->up = true;
    ow_feed_start(s->feed);
    ow_intake_wake(s->intake);
    ow_outbox_wake(s->outbox);
}

static void on_restart(void *arg, int64_t number)
{
    struct simcore *s = arg;

    (void)number;
    if (!s->running)
        simcore_start(s);
}

/* Power is back: the disk holds what was synced, and the daemon is started soon. */
static void disk_restore(struct simcore *s)
{
    faultfs_cut();
    faultfs_plan(FAULTFS_NONE, 0, false);
    simworld_after(s->w, DOWN_MS, on_restart, s, 0);
}

static void core_make(struct simcore *s)
{
    const struct ow_feed_hooks feed = { .stored = on_stored,
                                        .hints_done = on_hints_done,
                                        .arg = s };
    const struct ow_intake_hooks intake = { .verdict = on_verdict,
                                            .hint = on_hint,
                                            .arg = s };
    const struct ow_routes_hooks routes = { .stored = on_stored,
                                            .ready = on_ready_asked,
                                            .arg = s };

    s->core = (struct ow_core){ .world = &s->w->world,
                                .store = s->core.store,
                                .config = &s->config,
                                .knowledge = s->knowledge,
                                .channel = "0123456789abcdef",
                                .endpoint = "http://opiward.example.org/notify/"
                                            "0123456789abcdef",
                                .started = ow_now_utc(&s->w->world) };
    s->outbox = ow_outbox_new(&s->core);
    s->feed = ow_feed_new(&s->core, &feed);
    s->intake = ow_intake_new(&s->core, &intake);
    s->calls = ow_hook_calls_new(&s->core);
    s->routes = ow_routes_new(&s->core, s->calls, &routes);
}

void simcore_start(struct simcore *s)
{
    struct ow_store_options opt = { .directory = s->directory,
                                    .queue_max = s->queue_max,
                                    .wake = on_store_wake,
                                    .wake_arg = s,
                                    .vfs = FAULTFS_NAME };
    struct ow_err err = { "" };
    enum ow_open_result r;

    ow_assert(!s->running);
    s->starts++;
    simworld_note(s->w, "start %u", s->starts);
    r = ow_store_open(&opt, &s->core.store, &err);
    if (r != OW_STORE_OPENED && faultfs_hit()) { /* power went while it opened */
        disk_restore(s);
        return;
    }
    if (r != OW_STORE_OPENED)
        fprintf(stderr, "store: %s\n", err.text);
    ow_assert(r == OW_STORE_OPENED);
    core_make(s);
    s->running = true;
    ow_store_distrust(s->core.store, on_distrusted, s);
}

static void bury(struct simcore *s);

static void core_drop(struct simcore *s)
{
    s->up = false;
    s->core.stopping = true;
    ow_hook_calls_stop(s->calls);
    ow_feed_stop(s->feed);
    ow_outbox_stop(s->outbox);
    ow_intake_stop(s->intake);
    ow_store_close(s->core.store);
    s->core.store = NULL;
    ow_assert(!s->exchanges);
    ow_routes_free(s->routes);
    ow_hook_calls_free(s->calls);
    ow_intake_free(s->intake);
    ow_feed_free(s->feed);
    ow_outbox_free(s->outbox);
    s->running = s->store_due = false;
}

void simcore_stop(struct simcore *s)
{
    if (s->crashed)
        bury(s);
    if (!s->running)
        return;
    core_drop(s);
    simworld_note(s->w, "stopped");
}

/* --- crash --- */

void simcore_crash(struct simcore *s)
{
    if (!s->running || s->crashed)
        return;
    s->crashed = true;
    s->up = false;
    if (!faultfs_hit())
        faultfs_plan(FAULTFS_STOP, 1, true);
    simworld_kill(s->w);
    exchanges_cut(s);
}

static void on_kill(void *arg)
{
    simcore_crash(arg);
}

void simcore_crash_at_op(struct simcore *s, int64_t ops)
{
    s->w->kill_at = s->w->ops + ops;
    s->w->kill = on_kill;
    s->w->kill_arg = s;
}

void simcore_crash_at_disk(struct simcore *s, unsigned calls)
{
    (void)s;
    faultfs_plan(FAULTFS_STOP, calls, true);
}

static void bury(struct simcore *s)
{
    core_drop(s);
    simworld_revive(s->w);
    s->crashed = false;
    disk_restore(s);
}

void simcore_no_crash(struct simcore *s)
{
    s->w->kill_at = 0;
    if (!faultfs_hit())
        faultfs_plan(FAULTFS_NONE, 0, false);
}

/* --- running --- */

static bool turn(struct simcore *s, int64_t until)
{
    bool more;

    if (s->crashed)
        bury(s);
    more = simworld_step(s->w, until);
    if (s->running && !s->crashed && faultfs_hit())
        simcore_crash(s);
    if (s->crashed)
        bury(s);
    if (ow_metric_get(OW_M_jobs) > s->jobs_most)
        s->jobs_most = ow_metric_get(OW_M_jobs);
    return more;
}

void simcore_run(struct simcore *s, int64_t ms)
{
    int64_t until = s->w->mono + ms;

    while (turn(s, until))
        ;
    simworld_idle_until(s->w, until);
}

static void on_counts(void *arg, enum ow_code code, const struct ow_store_counts *c,
                      const struct ow_err *err)
{
    struct simcore *s = arg;

    (void)err;
    if (code == OW_OK)
        s->counts = *c;
    else
        s->counts.waiting = s->counts.due = -1;
}

const struct ow_store_counts *simcore_count(struct simcore *s)
{
    memset(&s->counts, 0, sizeof s->counts);
    s->counts.waiting = -1;
    if (!s->up)
        return &s->counts;
    ow_store_count(s->core.store, on_counts, s);
    simcore_run(s, 2 * STORE_MS);
    return &s->counts;
}

static bool settled(struct simcore *s)
{
    const struct ow_store_counts *c = simcore_count(s);

    return s->up && c->waiting == 0 && c->due == 0 && s->w->n_calls == 0 &&
           simehr_open_deliveries(s->ehr) == 0 && ow_outbox_idle(s->outbox) &&
           ow_intake_idle(s->intake);
}

bool simcore_settle(struct simcore *s, int64_t ms)
{
    int64_t until = s->w->mono + ms;

    while (s->w->mono < until) {
        simcore_run(s, 10 * OW_SECOND);
        if (settled(s))
            return true;
    }
    return false;
}

/* --- the independent judgement --- */

static const char *severity_of(enum ow_tier t)
{
    return t == OW_TIER_CRITICAL ? "high" : t == OW_TIER_WARNING ? "moderate" : "low";
}

/* The open issue of a finding, whichever episode it is. */
static const struct sim_issue *issue_of(struct simcore *s, const char *patient,
                                        const struct ow_finding *f)
{
    char key[33];

    for (int64_t episode = 1; episode <= EPISODES_MOST; episode++) {
        ow_alert_key(s->config.site_id, patient, f->rule, f->cause, episode, key);
        for (size_t i = 0; i < simehr_n_issues(s->ehr); i++) {
            const struct sim_issue *issue = simehr_issue(s->ehr, i);

            if (issue->open && strcmp(issue->key, key) == 0)
                return issue;
        }
    }
    return NULL;
}

static size_t differ(const char *patient, const char *rule, const char *what)
{
    fprintf(stderr, "difference: %s %s: %s\n", patient, rule, what);
    return 1;
}

static size_t check_findings(struct simcore *s, const struct ow_verdict *v, size_t *open)
{
    size_t bad = 0;

    for (size_t i = 0; i < v->n_findings; i++) {
        const struct ow_finding *f = &v->findings[i];
        const struct sim_issue *issue;

        if (f->tier == OW_TIER_INFO)
            continue;
        issue = issue_of(s, v->patient, f);
        if (!issue)
            bad += differ(v->patient, f->rule, "lost");
        else if (strcmp(issue->severity, severity_of(f->tier)) != 0)
            bad += differ(v->patient, f->rule, "of another tier");
        ++*open;
    }
    return bad;
}

/* A dose rule may stay open while an order cannot be read: a doubt closes nothing. */
static bool may_linger(const struct ow_verdict *v, const struct sim_issue *issue)
{
    return v->at_least && strcmp(issue->rule, "med-threshold") == 0;
}

static size_t check_surplus(struct simcore *s, const struct ow_verdict *v, size_t open)
{
    size_t seen = 0, lingering = 0;

    for (size_t i = 0; i < simehr_n_issues(s->ehr); i++) {
        const struct sim_issue *issue = simehr_issue(s->ehr, i);

        if (!issue->open || strcmp(issue->patient, v->patient) != 0)
            continue;
        seen++;
        lingering += may_linger(v, issue);
    }
    if (seen <= open || seen - open <= lingering)
        return 0;
    return differ(v->patient, "", "more open than judged");
}

static const struct ow_verdict *judge(struct simcore *s, size_t patient,
                                      struct ow_arena *arena)
{
    struct ow_question q = { .knowledge = s->knowledge,
                             .policy = &s->config.policy,
                             .at = ow_now_utc(&s->w->world) };
    struct ow_reader *reader = ow_reader_new(
        arena, &(struct ow_reader_options){ .source = s->config.fhir_name });
    const struct ow_verdict *v = NULL;
    const struct ow_chart *charts;
    struct ow_err err = { "" };
    const cJSON *root;
    struct ow_buf b;
    size_t n = 0;

    ow_buf_init(&b, CHART_MEMORY);
    simehr_chart(s->ehr, patient, &b);
    if (ow_json_parse(b.data, b.len, NULL, arena, &root, &err) != OW_OK ||
        ow_reader_add(reader, root, &err) != OW_OK ||
        ow_reader_charts(reader, &charts, &n, &err) != OW_OK || n != 1 ||
        ow_evaluate(&charts[0], &q, arena, &v, &err) != OW_OK)
        fprintf(stderr, "independent judgement: %s\n", err.text);
    ow_buf_done(&b);
    ow_assert(v);
    return v;
}

size_t simcore_differences(struct simcore *s)
{
    size_t bad = 0;

    for (size_t i = 0; i < simehr_n_patients(s->ehr); i++) {
        struct ow_arena arena;
        const struct ow_verdict *v;
        size_t open = 0;

        ow_arena_init(&arena, CHART_MEMORY);
        v = judge(s, i, &arena);
        bad += check_findings(s, v, &open);
        bad += check_surplus(s, v, open);
        ow_arena_done(&arena);
    }
    return bad;
}

/* --- life --- */

static int64_t log_now(void *arg)
{
    struct simcore *s = arg;

    return ow_now_utc(&s->w->world);
}

/* What is logged is part of the story. */
static void log_line(void *arg, const char *line, size_t len)
{
    struct simcore *s = arg;

    ow_buf_add(&s->w->trace, line, len);
}

static void on_error(void *arg, const char *file, unsigned line, unsigned column,
                     const char *text)
{
    (void)arg;
    fprintf(stderr, "%s:%u:%u: %s\n", file, line, column, text);
}

/* Read once for all worlds of a test program; it never changes. */
static struct ow_knowledge *shared_knowledge(void)
{
    static struct ow_knowledge *shared;
    enum ow_code code;

    if (shared)
        return shared;
    code = ow_tables_load("conf/knowledge", on_error, NULL, &shared);
    ow_assert(code == OW_OK);
    return shared;
}

static void directory_make(struct simcore *s)
{
    const char *root = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

    snprintf(s->directory, sizeof s->directory, "%s/opiward-sim-XXXXXX", root);
    ow_assert(mkdtemp(s->directory) != NULL);
}

struct simcore *simcore_new(uint64_t seed)
{
    struct simcore *s = ow_alloc_zero(sizeof *s);
    struct simehr_options ehr = { .base_url = SIM_BASE,
                                  .deliver = on_deliver,
                                  .deliver_arg = s };
    enum ow_code code;

    faultfs_install();
    faultfs_plan(FAULTFS_NONE, 0, false);
    s->w = simworld_new(seed, SIM_MORNING);
    s->w->peer = on_request;
    s->w->peer_arg = s;
    s->ehr = simehr_new(s->w, &ehr);
    code = ow_config_load(NULL, on_error, NULL, &s->defaults);
    ow_assert(code == OW_OK);
    s->config = *s->defaults;
    /* what is due has no part in these stories; the loaded policy is ours alone */
    build_policy_core(&s->config.policy);
    build_policy_core((struct ow_policy *)ow_config_policy(&s->config, NULL, 0));
    s->config.fhir_base_url = SIM_BASE;
    s->knowledge = shared_knowledge();
    ow_log_open(&(struct ow_log_options){ .level = OW_INFO,
                                          .format = OW_LOG_JSON,
                                          .now = log_now,
                                          .write = log_line,
                                          .arg = s });
    directory_make(s);
    return s;
}

void simcore_free(struct simcore *s)
{
    simcore_stop(s);
    ow_log_close();
    simehr_free(s->ehr);
    simworld_free(s->w);
    ow_config_unref(s->defaults);
    storekit_remove(s->directory);
    faultfs_forget();
    free(s);
}
