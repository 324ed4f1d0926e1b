/*
 * A search is a list of asks: each is one request, waiting, sent or done. The answer to
 * one may add others: the next page, a Medication that no page brought, the orders under
 * a merged patient's other ids. It is complete when all are done and nothing is wanted.
 *
 * Orders and the patient are required: a server that fails there fails the search, to be
 * tried again. The other questions help; a server that does not know them ends in a note.
 * In between stands what begins well and breaks off (a next link to another host, too
 * many pages, a circle): what there is stays, and `missing` says that it is not all.
 */
#include "fhir/search.h"

#include <string.h>

#include "fhir/outcome.h"
#include "fhir/reference.h"
#include "fhir/url.h"

enum {
    PAGE_SIZE_DEFAULT = 200,
    PAGES_DEFAULT = 50,
    MEDICATIONS_MOST = 100,
    MERGED_MOST = 4,
};

enum question {
    Q_ORDERS,
    Q_PATIENT,
    Q_CONDITIONS,
    Q_DISPENSES,
    Q_MEDICATION, /* one that was referred to and did not come */
    Q_KIND,       /* what helps to judge */
    Q_PAGE,       /* a page of orders that a prefetch began */
};

static const char *const question_names[] = {
    [Q_ORDERS] = "medication orders", [Q_PATIENT] = "the patient",
    [Q_CONDITIONS] = "conditions",    [Q_DISPENSES] = "dispenses",
    [Q_MEDICATION] = "a medication",  [Q_KIND] = "the chart",
    [Q_PAGE] = "medication orders",
};

static const struct {
    unsigned kind;
    const char *type;
} kind_types[] = {
    {OW_KIND_CONDITION,        "Condition"         },
    { OW_KIND_OBSERVATION,     "Observation"       },
    { OW_KIND_PROCEDURE,       "Procedure"         },
    { OW_KIND_ENCOUNTER,       "Encounter"         },
    { OW_KIND_SERVICE_REQUEST, "ServiceRequest"    },
    { OW_KIND_CARE_PLAN,       "CarePlan"          },
    { OW_KIND_DISPENSE,        "MedicationDispense"},
    { OW_KIND_CONSENT,         "Consent"           },
    { OW_KIND_CONSENT,         "DocumentReference" },
};

enum ask_state {
    ASK_WAITING,
    ASK_SENT,
    ASK_DONE,
};

struct ask {
    enum question question;
    enum ask_state state;
    const char *url;
    const char *subject; /* Patient/x it is about */
    unsigned page;       /* from 1 */
    bool include;        /* asks for _include */
    unsigned kind;       /* OW_KIND_* that it asks for */
    uint32_t type;       /* the same as a bit of ow_search_types */
    bool failed, refused, skipped;
};

struct ow_search {
    struct ow_arena *arena;
    struct ow_search_options opt;
    struct ow_reader *reader;
    struct ask *asks;
    size_t n, cap;
    size_t first_waiting;
    bool medications_asked;
    unsigned n_merged;
};

static struct ask *ask_add(struct ow_search *s, enum question q, const char *url)
{
    OW_ARENA_GROW(s->arena, s->asks, s->n, s->cap);
    s->asks[s->n] = (struct ask){ .question = q, .url = url, .page = 1 };
    return &s->asks[s->n++];
}

static bool is_helpful(const struct ask *a)
{
    return a->question == Q_CONDITIONS || a->question == Q_DISPENSES ||
           a->question == Q_KIND;
}

static void ask_patient_search(struct ow_search *s, enum question q, const char *type,
                               const char *subject, bool include)
{
    struct ask *a = ask_add(
        s, q,
        ow_arena_printf(s->arena, "%s/%s?patient=%s%s&_count=%u", s->opt.base_url, type,
                        subject, include ? "&_include=MedicationRequest:medication" : "",
                        s->opt.page_size));

    a->subject = subject;
    a->include = include;
    a->kind = ow_kind_of(type);
}

static bool is_asked(const struct ow_search *s, const char *url)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->asks[i].url, url) == 0)
            return true;
    return false;
}

/* Pages that the prefetch began. One of orders on another server: all of it is asked. */
static bool pages_ask(struct ow_search *s)
{
    bool all = true;

    for (size_t i = 0; i < s->opt.n_pages; i++) {
        const struct ow_page *p = &s->opt.pages[i];
        const char *url;
        struct ask *a;

        if (!ow_url_same_origin(s->opt.base_url, p->url)) {
            all &= p->kind != 0;
            continue;
        }
        url = ow_url_absolute(s->arena, s->opt.base_url, p->url);
        if (is_asked(s, url))
            continue;
        a = ask_add(s, p->kind ? Q_KIND : Q_PAGE, url);
        a->subject = s->opt.patient;
        a->kind = p->kind;
        a->page = 2;
    }
    return all;
}

const char *ow_search_type(unsigned i)
{
    return i < OW_LEN(kind_types) ? kind_types[i].type : NULL;
}

static uint32_t type_bit(const char *type)
{
    for (unsigned i = 0; i < OW_LEN(kind_types); i++)
        if (strcmp(kind_types[i].type, type) == 0)
            return 1u << i;
    return 0;
}

/* One search of what helps to judge; one that the server refused before ends at once, as
 * if it had been refused again. */
static void helpful_ask(struct ow_search *s, enum question q, const char *type)
{
    struct ask *a;

    ask_patient_search(s, q, type, s->opt.patient, false);
    a = &s->asks[s->n - 1];
    a->type = type_bit(type);
    if (!(s->opt.skip & a->type))
        return;
    a->state = ASK_DONE;
    a->failed = a->skipped = true;
    ow_reader_note(s->reader, ow_arena_printf(s->arena,
                                              "%s: not asked, the server did "
                                              "not answer this search before",
                                              type));
}

static void kinds_ask(struct ow_search *s)
{
    for (size_t i = 0; i < OW_LEN(kind_types); i++)
        if (s->opt.want_kinds & kind_types[i].kind)
            helpful_ask(s, Q_KIND, kind_types[i].type);
}

/* Are there pages of orders that make a search of them all needless? */
static bool orders_paged(struct ow_search *s)
{
    bool any = false;

    for (size_t i = 0; i < s->opt.n_pages; i++)
        any |= s->opt.pages[i].kind == 0;
    return pages_ask(s) && any;
}

struct ow_search *ow_search_new(struct ow_arena *arena,
                                const struct ow_search_options *opt,
                                struct ow_reader *reader)
{
    struct ow_search *s = OW_NEW(arena, struct ow_search);

    *s = (struct ow_search){ .arena = arena, .opt = *opt, .reader = reader };
    s->opt.base_url = ow_arena_strdup(arena, opt->base_url);
    s->opt.patient = ow_arena_strdup(arena, opt->patient);
    s->opt.source = ow_arena_strdup(arena, opt->source);
    s->opt.authorization = ow_arena_strdup(arena, opt->authorization);
    if (s->opt.page_size == 0)
        s->opt.page_size = PAGE_SIZE_DEFAULT;
    if (s->opt.max_pages == 0)
        s->opt.max_pages = PAGES_DEFAULT;
    if (!reader) {
        struct ow_reader_options r = { .zone = opt->zone,
                                       .source = s->opt.source,
                                       .patient = s->opt.patient };

        s->reader = ow_reader_new(arena, &r);
    }
    if (!orders_paged(s) && opt->want_orders)
        ask_patient_search(s, Q_ORDERS, "MedicationRequest", s->opt.patient, true);
    kinds_ask(s);
    if (opt->want_patient)
        ask_add(s, Q_PATIENT,
                ow_arena_printf(arena, "%s/%s", s->opt.base_url, s->opt.patient));
    if (opt->want_orders && !opt->lenient && !ow_reader_has(s->reader, "Condition"))
        helpful_ask(s, Q_CONDITIONS, "Condition");
    if (opt->want_orders && !opt->lenient &&
        !ow_reader_has(s->reader, "MedicationDispense"))
        helpful_ask(s, Q_DISPENSES, "MedicationDispense");
    return s;
}

struct ow_reader *ow_search_reader(struct ow_search *s)
{
    return s->reader;
}

static bool all_done(const struct ow_search *s)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->asks[i].state != ASK_DONE)
            return false;
    }
    return true;
}

bool ow_search_complete(const struct ow_search *s)
{
    return all_done(s) && (s->medications_asked || !s->opt.want_orders);
}

bool ow_search_next(struct ow_search *s, struct ow_request *ret, unsigned *tag)
{
    while (s->first_waiting < s->n && s->asks[s->first_waiting].state != ASK_WAITING)
        s->first_waiting++;
    if (s->first_waiting == s->n)
        return false;
    *tag = (unsigned)s->first_waiting;
    s->asks[*tag].state = ASK_SENT;
    ow_get_request(s->arena, s->asks[*tag].url, s->opt.authorization, ret);
    return true;
}

/* --- answers --- */

static void missing(struct ow_search *s, enum question q, const char *why)
{
    const char *text = ow_arena_printf(s->arena, "%s: %s", question_names[q], why);

    /* what is no order does not make the total smaller */
    if (q == Q_CONDITIONS || q == Q_DISPENSES || q == Q_KIND)
        ow_reader_note(s->reader, text);
    else
        ow_reader_missing(s->reader, text);
}

static void page_next(struct ow_search *s, size_t from, const char *link)
{
    struct ask was = s->asks[from], *a;
    const char *url;

    if (!ow_url_same_origin(s->opt.base_url, link)) {
        missing(s, was.question, "the next page is on another server, not followed");
        return;
    }
    url = ow_url_absolute(s->arena, s->opt.base_url, link);
    if (is_asked(s, url)) {
        missing(s, was.question, "the pages run in a circle");
        return;
    }
    if (was.page >= s->opt.max_pages) {
        missing(s, was.question,
                ow_arena_printf(s->arena, "more than %u pages", s->opt.max_pages));
        return;
    }
    a = ask_add(s, was.question, url);
    a->page = was.page + 1;
    a->subject = was.subject;
    a->kind = was.kind;
    a->type = was.type;
}

/* Orders may still stand under the other ids of a merged patient. */
static void merged_ask(struct ow_search *s, const cJSON *patient)
{
    const cJSON *links = ow_json_array(patient, "link"), *c;

    if (!s->opt.want_orders)
        return;
    cJSON_ArrayForEach(c, links)
    {
        const char *kind = ow_json_string(c, "type");
        const char *other = ow_reference_normal(
            s->arena, ow_json_string(ow_json_object(c, "other"), "reference"));

        if (!other || !ow_starts_with(other, "Patient/") ||
            strcmp(other, s->opt.patient) == 0 ||
            (!ow_streq(kind, "replaced-by") && !ow_streq(kind, "replaces")))
            continue;
        if (s->n_merged++ < MERGED_MOST)
            ask_patient_search(s, Q_ORDERS, "MedicationRequest", other, true);
        else
            missing(s, Q_ORDERS, "the patient was merged too often");
    }
}

static bool orders_done(const struct ow_search *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->asks[i].state != ASK_DONE && s->asks[i].question != Q_KIND)
            return false;
    return true;
}

/* When all pages are in: Medications that orders refer to and no page brought. */
static void medications_ask(struct ow_search *s)
{
    const char *const *wanted;
    size_t n;

    if (s->medications_asked || !orders_done(s))
        return;
    s->medications_asked = true;
    n = ow_reader_unresolved(s->reader, &wanted);
    for (size_t i = 0; i < n && i < MEDICATIONS_MOST; i++)
        ask_add(s, Q_MEDICATION,
                ow_arena_printf(s->arena, "%s/%s", s->opt.base_url, wanted[i]));
    if (n > MEDICATIONS_MOST)
        missing(s, Q_MEDICATION, "too many are referred to and not included");
}

static enum ow_code answer_read(struct ow_search *s, size_t i, const cJSON *root,
                                struct ow_err *err)
{
    const char *type = ow_json_string(root, "resourceType");
    bool page = s->asks[i].question != Q_PATIENT && s->asks[i].question != Q_MEDICATION;
    bool outcome = ow_streq(type, "OperationOutcome");
    const char *next;

    if (!outcome &&
        !ow_streq(type,
                  page ? "Bundle"
                       : (s->asks[i].question == Q_PATIENT ? "Patient" : "Medication")))
        return ow_err_set(err, OW_INPUT, "%s: the server sent another kind of resource",
                          question_names[s->asks[i].question]);
    if (outcome && s->opt.lenient && is_helpful(&s->asks[i]))
        return ow_err_set(err, OW_INPUT, "the server answered with an outcome");
    /* what cannot be read of it is in the reader's list of what is missing */
    (void)!ow_reader_add(s->reader, root, NULL);
    if (ow_arena_full(s->arena))
        return ow_err_set(err, OW_INPUT, "the answers need more memory than the limit");
    if (s->asks[i].question == Q_PATIENT)
        merged_ask(s, root);
    next = page && !outcome ? ow_reader_next_link(s->reader) : NULL;
    if (next)
        page_next(s, i, next);
    return OW_OK;
}

/* A refusal, neither temporary nor of our credentials: is there another way? */
static enum ow_code refused(struct ow_search *s, size_t i, enum ow_code code,
                            const struct ow_response *resp, struct ow_err *err)
{
    struct ask a = s->asks[i];

    if (a.question == Q_PAGE && resp->status < 500) { /* it has expired */
        ask_patient_search(s, Q_ORDERS, "MedicationRequest", a.subject, true);
        return OW_OK;
    }
    if (a.page > 1 && !(is_helpful(&a) && s->opt.lenient))
        return ow_err_prefix(err, OW_AGAIN, "%s: a next link has expired",
                             question_names[a.question]);
    if (a.include && (resp->status == 400 || resp->status == 422)) {
        ask_patient_search(s, Q_ORDERS, "MedicationRequest", a.subject, false);
        return OW_OK;
    }
    switch (a.question) {
    case Q_PATIENT:
        if (resp->status == 410)
            return ow_err_set(err, OW_MISSING, "the patient is gone");
        if (resp->status != 404)
            return ow_err_prefix(err, code, "the patient");
        /* Never known to this server, or not to us: the orders still count. */
        missing(s, a.question, "the server answered 404");
        return OW_OK;
    case Q_ORDERS:
    case Q_PAGE:
        return ow_err_prefix(err, OW_INPUT, "medication orders");
    default:
        missing(s, a.question,
                ow_arena_printf(s->arena, "the server answered %d", resp->status));
        return OW_OK;
    }
}

static int64_t retry_after(const struct ow_response *resp);

/* Will the same search be refused for any patient? Not for want of time or of a token. */
static bool is_refusal(int status)
{
    return (status >= 400 && status < 500 && status != 401 && status != 408 &&
            status != 409 && status != 425 && status != 429) ||
           status == 501;
}

enum ow_code ow_search_feed(struct ow_search *s, unsigned tag,
                            const struct ow_response *resp, int64_t *retry_after_ms,
                            struct ow_err *err)
{
    struct ow_err local = { "" };
    const cJSON *root;
    enum ow_code code;

    ow_assert(tag < s->n && s->asks[tag].state == ASK_SENT);
    s->asks[tag].state = ASK_DONE;
    code = ow_response_json(s->arena, resp, &root, &local);
    if (code == OW_OK)
        code = answer_read(s, tag, root, &local);
    else if (code == OW_MISSING || (code == OW_INPUT && resp->status >= 300))
        code = refused(s, tag, code, resp, &local);
    else if (code == OW_DENIED && is_helpful(&s->asks[tag]) && resp->status == 403)
        code = refused(s, tag, code, resp, &local); /* a scope we were not given */
    else
        ow_err_prefix(&local, code, "%s", question_names[s->asks[tag].question]);
    s->asks[tag].failed |= code != OW_OK || resp->status >= 300;
    s->asks[tag].refused = s->asks[tag].page == 1 && is_refusal(resp->status);
    if (code != OW_OK && s->opt.lenient && is_helpful(&s->asks[tag])) {
        missing(s, s->asks[tag].question, local.text);
        code = OW_OK;
    }
    if (code == OW_AGAIN && retry_after_ms)
        *retry_after_ms = retry_after(resp);
    if (code == OW_OK)
        medications_ask(s);
    else if (err)
        *err = local;
    return code;
}

bool ow_search_lost(struct ow_search *s, unsigned tag, const char *why)
{
    struct ask *a = &s->asks[tag];

    ow_assert(tag < s->n && a->state == ASK_SENT);
    a->state = ASK_DONE;
    a->failed = true;
    if (!s->opt.lenient || !is_helpful(a))
        return false;
    missing(s, a->question, why);
    medications_ask(s);
    return true;
}

bool ow_search_essential(const struct ow_search *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->asks[i].state != ASK_DONE && !is_helpful(&s->asks[i]))
            return false;
    return s->medications_asked || !s->opt.want_orders;
}

unsigned ow_search_answered(const struct ow_search *s)
{
    unsigned answered = 0, failed = 0;

    for (size_t i = 0; i < s->n; i++) {
        answered |= s->asks[i].kind;
        if (s->asks[i].failed || s->asks[i].state != ASK_DONE)
            failed |= s->asks[i].kind;
    }
    return answered & ~failed;
}

unsigned ow_search_asked(const struct ow_search *s)
{
    unsigned asked = 0;

    for (size_t i = 0; i < s->n; i++)
        asked |= s->asks[i].kind;
    return asked;
}

struct ow_search_types ow_search_types(const struct ow_search *s)
{
    struct ow_search_types t = { 0 };

    for (size_t i = 0; i < s->n; i++) {
        const struct ask *a = &s->asks[i];

        if (a->state != ASK_DONE || a->skipped)
            continue;
        if (a->refused)
            t.refused |= a->type;
        else if (a->failed)
            t.lost |= a->type;
        else
            t.answered |= a->type;
    }
    t.answered &= ~(t.refused | t.lost);
    return t;
}

/* --- Retry-After --- */

static int digits(const char *s, int n)
{
    int v = 0;

    for (int i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9')
            return -1;
        v = v * 10 + (s[i] - '0');
    }
    return v;
}

/* Sun, 06 Nov 1994 08:49:37 GMT [RFC 9110, 5.6.7]; the obsolete forms are not read. */
static bool http_date(const char *s, ow_time *ret)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct ow_civil c = { 0 };

    if (strlen(s) != 29 || strcmp(s + 25, " GMT") != 0 || strncmp(s + 3, ", ", 2) != 0)
        return false;
    for (int m = 0; m < 12; m++) {
        if (strncmp(s + 8, months + 3 * (size_t)m, 3) == 0)
            c.month = m + 1;
    }
    c.day = digits(s + 5, 2);
    c.year = digits(s + 12, 4);
    c.hour = digits(s + 17, 2);
    c.minute = digits(s + 20, 2);
    c.second = digits(s + 23, 2);
    if (c.month == 0 || c.hour < 0 || c.hour > 23 || c.minute < 0 || c.minute > 59 ||
        c.second < 0 || c.second > 60 || !ow_date_valid(c.year, c.month, c.day))
        return false;
    *ret = ow_civil_to_utc(&c);
    return true;
}

int64_t ow_retry_after_ms(const struct ow_response *resp, ow_time now)
{
    const char *v = ow_header_get(resp->headers, resp->n_headers, "Retry-After");
    uint64_t seconds;
    ow_time at;

    if (!v)
        return 0;
    if (ow_parse_u64(v, &seconds))
        return seconds < INT64_MAX / OW_SECOND ? (int64_t)seconds * OW_SECOND : 0;
    if (!http_date(v, &at) || at <= now)
        return 0;
    return at - now;
}

/* Without a clock: a date counts from the answer's own Date. */
static int64_t retry_after(const struct ow_response *resp)
{
    const char *date = ow_header_get(resp->headers, resp->n_headers, "Date");
    ow_time now = OW_TIME_MAX;

    if (date && !http_date(date, &now))
        now = OW_TIME_MAX;
    return ow_retry_after_ms(resp, now);
}

const char *ow_outcome_text(struct ow_arena *arena, const char *body, size_t len)
{
    const cJSON *root;

    if (len == 0 || ow_json_parse(body, len, NULL, arena, &root, NULL) != OW_OK)
        return "";
    return ow_outcome_words(arena, root);
}

/* --- one order --- */

void ow_order_read_request(struct ow_arena *arena, const char *base_url,
                           const char *authorization, const char *type, const char *id,
                           struct ow_request *ret)
{
    ow_get_request(arena, ow_arena_printf(arena, "%s/%s/%s", base_url, type, id),
                   authorization, ret);
}

enum ow_code ow_order_subject(struct ow_arena *arena, const struct ow_response *resp,
                              const char **patient, struct ow_err *err)
{
    const cJSON *root, *subject;
    enum ow_code code = ow_response_json(arena, resp, &root, err);
    const char *ref, *words, *type;

    if (code != OW_OK)
        return code;
    words = ow_outcome_words(arena, root);
    if (*words)
        return ow_err_set(err, OW_AGAIN, "the server says %s", words);
    /* else a stranger's answer would be taken for an order that names nobody */
    type = ow_json_string(root, "resourceType");
    if (!type || ow_streq(type, "Bundle"))
        return ow_err_set(err, OW_INPUT, "the server's answer: expected an order");
    subject = ow_json_object(root, "subject");
    if (!subject)
        subject = ow_json_object(root, "patient");
    ref = ow_reference_normal(arena, ow_json_string(subject, "reference"));
    if (ow_streq(ow_json_string(root, "resourceType"), "Patient") &&
        ow_json_string(root, "id"))
        ref = ow_arena_printf(arena, "Patient/%s", ow_json_string(root, "id"));
    *patient = ref && ow_starts_with(ref, "Patient/") ? ref : NULL;
    return OW_OK;
}
