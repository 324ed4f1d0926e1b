#include "daemon/hook_call.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/concern.h"
#include "base/text.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "daemon/told.h"
#include "daemon/warm.h"
#include "fhir/hooks.h"
#include "fhir/reference.h"
#include "fhir/search.h"

enum { ANSWER_MAX = 4 << 20 };

/* The total does not depend on it, so it is no reason to say "at least". */
static const char NO_BIRTH_DATE[] = "no birth date could be had: age counts as unknown";

struct hook_call;

struct question { /* one request to the FHIR server */
    struct question *next;
    struct hook_call *call;
    struct ow_call *sent;
    unsigned tag;
    char *url;
};

struct hook_call {
    struct hook_call *next;
    struct ow_hook_calls *owner;
    struct ow_arena arena;
    struct ow_hooks_request req;
    struct ow_search *search;
    struct question *questions;
    struct ow_timer *deadline;
    struct ow_told_wait *wait; /* for what was told before */
    bool kinds_asked;          /* the rest of the chart, once */
    ow_hook_answer_fn *fn;
    void *arg;
};

struct ow_hook_calls {
    struct ow_core *core;
    struct ow_told_memory *told;
    struct ow_warm *warm;
    struct hook_call *calls; /* those that wait for the store or the FHIR server */
    struct ow_arena arena;   /* reused by calls that do not */
    struct ow_arena scratch; /* of a look ahead */
    struct ow_buf answer;
};

/* --- answers --- */

static void answer_error(struct ow_hook_calls *h, int status, const char *code,
                         const char *text, ow_hook_answer_fn *fn, void *arg)
{
    ow_metric_add(OW_M_hooks_refused_total, 1);
    ow_buf_reset(&h->answer);
    ow_operation_outcome(&h->answer, code, text);
    fn(arg, status, ow_buf_cstr(&h->answer), h->answer.len);
}

/* The patient's chart among those that were read: the one the hook names. */
static const struct ow_chart *hook_chart(const struct ow_hooks_request *req,
                                         struct ow_arena *arena, struct ow_err *err)
{
    const struct ow_chart *charts;
    struct ow_chart *own;
    size_t n;

    if (ow_reader_charts(req->reader, &charts, &n, err) != OW_OK)
        return NULL;
    own = OW_NEW(arena, struct ow_chart);
    for (size_t i = 0; i < n; i++) {
        if (ow_streq(charts[i].patient.reference, req->patient))
            *own = charts[i];
    }
    own->patient.reference = req->patient;
    own->hook = req->hook;
    own->not_asked = OW_KIND_ALL & ~req->asked;
    return own;
}

/* Who asks: context.userId in the form of a reference. */
static const char *prescriber_of(const struct ow_hooks_request *req,
                                 struct ow_arena *arena)
{
    const char *reference = ow_reference_normal(arena, req->user);

    return reference ? reference : req->user;
}

/* Is there an opioid or a sedative, so that the rest of the chart matters? */
static bool concerns_us(struct ow_hook_calls *h, const struct ow_hooks_request *req,
                        struct ow_arena *arena)
{
    const struct ow_core *core = h->core;
    struct ow_question q = { .knowledge = core->knowledge,
                             .policy = &core->config->policy,
                             .zone = core->zone,
                             .at = ow_now_utc(core->world) };
    const struct ow_chart *chart = hook_chart(req, arena, NULL);

    ow_arena_reset(&h->scratch);
    return chart && ow_concern(chart, &q, &h->scratch);
}

/* Kinds of resources to ask for: what nobody looked for, if it matters. */
static unsigned kinds_wanted(struct ow_hook_calls *h, const struct ow_hooks_request *req,
                             struct ow_arena *arena)
{
    unsigned wanted = OW_KIND_ALL & ~req->asked;

    return wanted && concerns_us(h, req, arena) ? wanted : 0;
}

static void hook_judge(struct ow_hook_calls *h, const struct ow_hooks_request *req,
                       struct ow_arena *arena, ow_hook_answer_fn *fn, void *arg)
{
    const struct ow_core *core = h->core;
    struct ow_question q = { .knowledge = core->knowledge,
                             .zone = core->zone,
                             .at = ow_now_utc(core->world),
                             .prescriber = prescriber_of(req, arena),
                             .encounter = req->encounter,
                             .instance = req->hook_instance };
    struct ow_err err = { "" };
    const struct ow_chart *chart = hook_chart(req, arena, &err);
    const struct ow_verdict *v;

    /* not there when the store was too slow: then nothing was told before */
    (void)!ow_told_peek(h->told, req->patient, &q);

    if (chart)
        q.policy = ow_config_policy_for(core->config, chart, q.at);
    if (!chart || ow_evaluate(chart, &q, arena, &v, &err) != OW_OK) {
        answer_error(h, 400, "invalid", err.text, fn, arg);
        return;
    }
    ow_buf_reset(&h->answer);
    ow_hooks_response(v, &h->answer);
    if (h->answer.failed) {
        answer_error(h, 413, "too-costly", "the cards would be longer than the limit", fn,
                     arg);
        return;
    }
    if (chart->n_missing)
        ow_metric_add(OW_M_hooks_partial_total, 1);
    ow_metric_add(OW_M_hooks_cards_total, (int64_t)v->n_cards);
    fn(arg, 200, ow_buf_cstr(&h->answer), h->answer.len);
    ow_told_tell(h->told, v, &q);
    if (req->hook == OW_HOOK_ORDER_SIGN)
        ow_warm_drop(h->warm, req->patient);
}

/* --- calls that ask the FHIR server first --- */

static void call_drop_questions(struct hook_call *c)
{
    struct ow_world *w = c->owner->core->world;

    while (c->questions) {
        struct question *q = c->questions;

        c->questions = q->next;
        w->ops->send_cancel(w, q->sent);
        free(q->url);
        free(q);
    }
}

static void call_end(struct hook_call *c)
{
    struct hook_call **at = &c->owner->calls;
    struct ow_world *w = c->owner->core->world;

    call_drop_questions(c);
    if (c->wait)
        ow_told_cancel(c->wait);
    if (c->deadline)
        w->ops->timer_stop(w, c->deadline);
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    ow_arena_done(&c->arena);
    free(c);
}

/* What came of its search, once. */
static void call_search_done(struct hook_call *c)
{
    struct ow_core *core = c->owner->core;

    c->req.asked |= ow_search_answered(c->search);
    if (!c->req.authorization && ow_search_complete(c->search))
        ow_kinds_note(&core->kinds, c->search, ow_now_mono(core->world));
}

static void call_answer(struct hook_call *c)
{
    if (c->search)
        call_search_done(c);
    if (!c->search && c->req.lacks_patient)
        ow_reader_note(c->req.reader, NO_BIRTH_DATE);
    hook_judge(c->owner, &c->req, &c->arena, c->fn, c->arg);
    call_end(c);
}

static void call_ask(struct hook_call *c);

/* Judge with what there is; the card says what is missing. What only helps to judge and
 * is not there counts as not looked for. */
static void call_answer_partly(struct hook_call *c, const char *why)
{
    bool essential = !c->search || ow_search_essential(c->search);

    OW_LOG(OW_WARNING, "hook.partial", "answered with data missing", OW_F("reason", why));
    call_drop_questions(c);
    if (!essential && c->req.lacks_orders)
        ow_reader_missing(c->req.reader, "the patient's current medication orders");
    if (!essential && c->req.lacks_patient)
        ow_reader_note(c->req.reader, NO_BIRTH_DATE);
    call_answer(c);
}

static void call_ask(struct hook_call *c);
static void call_search(struct hook_call *c);

/* The search is done: what it brought may make the rest of the chart matter. */
static void call_widen(struct hook_call *c)
{
    if (c->kinds_asked)
        return;
    call_search_done(c);
    c->req.lacks_orders = c->req.lacks_patient = false;
    call_search(c);
    call_ask(c);
}

/* Everything that could be had is there, or something is still on its way. */
static void call_go_on(struct hook_call *c)
{
    if (c->search)
        call_ask(c);
    if (c->search && ow_search_complete(c->search))
        call_widen(c);
    if (!c->wait && (!c->search || ow_search_complete(c->search)))
        call_answer(c);
}

static void on_told(void *arg)
{
    struct hook_call *c = arg;

    c->wait = NULL;
    call_go_on(c);
}

static void on_deadline(void *arg)
{
    struct hook_call *c = arg;

    c->deadline = NULL;
    call_answer_partly(c, "hooks.deadline passed");
}

static const char *call_authorization(const struct hook_call *c)
{
    return c->req.authorization ? c->req.authorization : c->owner->core->authorization;
}

/* Signing changes what there is to read: what it reads itself is not kept. */
static void call_keep_warm(struct hook_call *c, const char *url,
                           const struct ow_response *resp)
{
    if (resp->status == 200 && c->req.hook != OW_HOOK_ORDER_SIGN)
        ow_warm_keep(c->owner->warm, c->req.patient, c->req.user, call_authorization(c),
                     url, resp->body, resp->body_len);
}

/* The answer that this user's order-select had to the same question, fed at once. */
static bool call_feed_warm(struct hook_call *c, const char *url, unsigned tag)
{
    static const struct ow_header json = { "Content-Type", "application/fhir+json" };
    struct ow_response resp = { .status = 200, .headers = &json, .n_headers = 1 };
    struct ow_err err;
    int64_t after;

    if (c->req.hook != OW_HOOK_ORDER_SIGN)
        return false;
    resp.body = ow_warm_find(c->owner->warm, c->req.user, call_authorization(c), url,
                             &resp.body_len);
    if (!resp.body)
        return false;
    ow_metric_add(OW_M_hooks_warm_total, 1);
    /* it was read without a fault before; a fault now is told in the reader */
    (void)!ow_search_feed(c->search, tag, &resp, &after, &err);
    return true;
}

static void on_question_answered(void *arg, enum ow_code code,
                                 const struct ow_response *resp, bool sent,
                                 const struct ow_err *err)
{
    struct question *q = arg, **at;
    struct hook_call *c = q->call;
    struct ow_err why = { "" };
    int64_t after = 0;
    unsigned tag = q->tag;
    char *url;

    (void)sent;
    for (at = &c->questions; *at != q; at = &(*at)->next)
        ;
    *at = q->next;
    url = q->url;
    free(q);
    if (code == OW_OK) {
        code = ow_search_feed(c->search, tag, resp, &after, &why);
        if (code == OW_OK)
            call_keep_warm(c, url, resp);
    } else if (ow_search_lost(c->search, tag, err->text)) {
        code = OW_OK;
    } else {
        why = *err;
    }
    free(url);
    if (code != OW_OK || ow_arena_full(&c->arena))
        call_answer_partly(c, code == OW_OK ? "the chart is larger than intake.memory_max"
                                            : why.text);
    else
        call_go_on(c);
}

static void call_ask(struct hook_call *c)
{
    struct ow_core *core = c->owner->core;
    struct ow_request req;
    unsigned tag;

    while (ow_search_next(c->search, &req, &tag)) {
        struct question *q;

        if (call_feed_warm(c, req.url, tag))
            continue;
        q = ow_alloc_zero(sizeof *q);
        q->url = ow_strdup(req.url);
        req.urgent = true; /* a clinician waits */
        q->call = c;
        q->tag = tag;
        q->next = c->questions;
        c->questions = q;
        q->sent = core->world->ops->send(core->world, &req, core->config->fhir_timeout,
                                         on_question_answered, q);
    }
}

/* The same but for slashes at the end? */
static bool same_base(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);

    while (n && a[n - 1] == '/')
        n--;
    while (m && b[m - 1] == '/')
        m--;
    return n == m && strncmp(a, b, n) == 0;
}

/* May we ask our FHIR server? Only the one this site configured, whatever a caller names.
 */
static bool may_ask(const struct ow_core *core, const struct ow_hooks_request *req)
{
    const char *base = core->config->fhir_base_url;

    return core->config->hooks_fhir_fallback && *base &&
           (!req->fhir_server || same_base(base, req->fhir_server));
}

static void call_search(struct hook_call *c)
{
    struct ow_core *core = c->owner->core;
    struct ow_page *pages = OW_NEW_N(&c->arena, struct ow_page, c->req.n_next_pages);
    struct ow_search_options opt = {
        .base_url = core->config->fhir_base_url,
        .source = core->config->fhir_name,
        .zone = core->zone,
        .page_size = (unsigned)ow_config_int(core->config->fhir_page_size),
        .max_pages = (unsigned)ow_config_int(core->config->fhir_pages_max),
        .patient = c->req.patient,
        .authorization = call_authorization(c),
        .want_orders = c->req.lacks_orders,
        .want_patient = c->req.lacks_patient,
        .want_kinds = kinds_wanted(c->owner, &c->req, &c->arena),
        .pages = pages,
        .lenient = true,
        .skip = c->req.authorization
                    ? 0
                    : ow_kinds_skip(&core->kinds, ow_now_mono(core->world)),
    };
    bool first = !c->search;

    for (size_t i = 0; first && i < c->req.n_next_pages; i++)
        if (c->req.pages[i].kind != 0 || c->req.pages_suffice)
            pages[opt.n_pages++] = c->req.pages[i];
    c->kinds_asked = opt.want_kinds != 0 || !first;
    c->search = ow_search_new(&c->arena, &opt, c->req.reader);
}

/* A call that waits: for the FHIR server when `search`, for the store when it does not
 * stand in memory what this patient's people were told. */
static void call_begin(struct ow_hook_calls *h, const char *body, size_t len,
                       const char *service, bool search, ow_hook_answer_fn *fn, void *arg)
{
    struct ow_core *core = h->core;
    struct hook_call *c = ow_alloc_zero(sizeof *c);
    struct ow_question known;
    struct ow_err err;
    enum ow_code code;

    c->owner = h;
    c->fn = fn;
    c->arg = arg;
    ow_arena_init(&c->arena, (size_t)core->config->intake_memory_max);
    c->next = h->calls;
    h->calls = c;
    code = ow_hooks_read(&c->arena, body, len, service, core->config->hooks_allow_http,
                         core->zone, &c->req, &err);
    ow_assert(code == OW_OK); /* the same bytes were read before */
    if (search)
        call_search(c);
    c->deadline = core->world->ops->timer_start(core->world, core->config->hooks_deadline,
                                                on_deadline, c);
    if (!ow_told_peek(h->told, c->req.patient, &known))
        c->wait = ow_told_load(h->told, c->req.patient, on_told, c);
    if (c->search)
        call_ask(c);
}

/* --- the way in --- */

static bool server_allowed(const struct ow_hooks_request *req, const char *only)
{
    return !only || !*only || !req->fhir_server || same_base(only, req->fhir_server);
}

void ow_hook_call(struct ow_hook_calls *h, const char *service, const char *fhir_server,
                  const char *body, size_t len, ow_hook_answer_fn *fn, void *arg)
{
    struct ow_core *core = h->core;
    struct ow_hooks_request req;
    struct ow_question known;
    struct ow_err err = { "" };
    bool lacks;

    ow_metric_add(OW_M_hooks_requests_total, 1);
    ow_arena_reset(&h->arena);
    if (ow_hooks_read(&h->arena, body, len, service, core->config->hooks_allow_http,
                      core->zone, &req, &err) != OW_OK) {
        OW_LOG(OW_INFO, "hook.refused", "CDS Hooks request refused",
               OW_F("reason", err.text));
        answer_error(h, 400, "invalid", err.text, fn, arg);
        return;
    }
    if (!server_allowed(&req, fhir_server)) {
        OW_LOG(OW_INFO, "hook.refused", "CDS Hooks request refused",
               OW_F("reason", "fhirServer is not the one of this client"));
        answer_error(h, 400, "invalid", "fhirServer is not the one of this client", fn,
                     arg);
        return;
    }
    lacks = req.lacks_orders || req.lacks_patient || req.n_next_pages > 0;
    if (may_ask(core, &req) && (lacks || kinds_wanted(h, &req, &h->arena))) {
        call_begin(h, body, len, service, true, fn, arg);
    } else if (req.lacks_orders) {
        answer_error(
            h, 412, "required",
            "the prefetch holds no MedicationRequest search of the patient and there "
            "is no FHIR server that may be asked",
            fn, arg);
    } else if (!ow_told_peek(h->told, req.patient, &known)) {
        call_begin(h, body, len, service, false, fn, arg);
    } else {
        if (req.lacks_patient)
            ow_reader_note(req.reader, NO_BIRTH_DATE);
        hook_judge(h, &req, &h->arena, fn, arg);
    }
}

/* --- feedback --- */

struct feedback_call {
    struct ow_hook_calls *owner;
    struct ow_arena arena;
    ow_hook_answer_fn *fn;
    void *arg;
    const struct ow_hooks_feedback *said;
    size_t n;
};

static void feedback_count(const struct ow_hooks_feedback *said,
                           const struct ow_feedback_joined *joined)
{
    if (!joined->patient)
        ow_metric_add(OW_M_feedback_unknown_total, 1);
    if (joined->fresh)
        ow_metric_answer(joined->rule, said->outcome, said->reason_code);
}

static void on_feedback_stored(void *arg, enum ow_code code,
                               const struct ow_feedback_joined *joined, size_t n,
                               const struct ow_err *err)
{
    struct feedback_call *c = arg;

    int64_t fresh = 0;

    for (size_t i = 0; i < n; i++) {
        fresh += joined[i].fresh;
        feedback_count(&c->said[i], &joined[i]);
        if (joined[i].patient)
            ow_told_answered(c->owner->told, joined[i].patient);
    }
    if (code == OW_OK) {
        ow_metric_add(OW_M_feedback_total, fresh);
        c->fn(c->arg, 200, "", 0);
    } else {
        answer_error(c->owner, 503, "transient", err->text, c->fn, c->arg);
    }
    ow_arena_done(&c->arena);
    free(c);
}

void ow_hook_feedback(struct ow_hook_calls *h, const char *service, const char *body,
                      size_t len, ow_hook_answer_fn *fn, void *arg)
{
    struct feedback_call *c = ow_alloc_zero(sizeof *c);
    struct ow_feedback *rows;
    struct ow_err err = { "" };

    (void)service; /* cards of all services are told apart by their uuid */
    *c = (struct feedback_call){ .owner = h, .fn = fn, .arg = arg };
    ow_arena_init(&c->arena, (size_t)h->core->config->intake_memory_max);
    if (ow_hooks_read_feedback(&c->arena, body, len, &c->said, &c->n, &err) != OW_OK) {
        answer_error(h, 400, "invalid", err.text, fn, arg);
        ow_arena_done(&c->arena);
        free(c);
        return;
    }
    rows = OW_NEW_N(&c->arena, struct ow_feedback, c->n);
    for (size_t i = 0; i < c->n; i++) {
        ow_time now = ow_now_utc(h->core->world);

        rows[i] = (struct ow_feedback){ .card = c->said[i].card,
                                        .outcome = c->said[i].outcome,
                                        .reason_code = c->said[i].reason_code,
                                        .reason_system = c->said[i].reason_system,
                                        .suggestions = c->said[i].suggestions,
                                        .at = c->said[i].has_at ? c->said[i].at : now,
                                        .received = now };
    }
    ow_store_feedback(h->core->store, rows, c->n, on_feedback_stored, c);
}

/* --- life --- */

struct ow_hook_calls *ow_hook_calls_new(struct ow_core *core)
{
    struct ow_hook_calls *h = ow_alloc_zero(sizeof *h);

    h->core = core;
    h->told = ow_told_new(core);
    h->warm = ow_warm_new(core);
    ow_arena_init(&h->arena, (size_t)core->config->intake_memory_max);
    ow_arena_init(&h->scratch, (size_t)core->config->intake_memory_max);
    ow_buf_init(&h->answer, ANSWER_MAX);
    return h;
}

void ow_hook_calls_stop(struct ow_hook_calls *h)
{
    while (h->calls) {
        struct hook_call *c = h->calls;

        answer_error(h, 503, "transient", "the service is stopping", c->fn, c->arg);
        call_end(c);
    }
}

void ow_hook_calls_free(struct ow_hook_calls *h)
{
    if (!h)
        return;
    ow_assert(!h->calls);
    ow_told_free(h->told);
    ow_warm_free(h->warm);
    ow_arena_done(&h->arena);
    ow_arena_done(&h->scratch);
    ow_buf_done(&h->answer);
    free(h);
}
