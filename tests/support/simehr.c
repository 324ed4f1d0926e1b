#include "tests/support/simehr.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jw.h"
#include "base/text.h"

enum {
    BODY_MAX = 64 << 20,
    SNAPSHOTS = 256,
    ACTIVATION_MS = 700,
    SOON_MS = 50,
    LATE_MS = 40000,
    RETRY_MS = 60000,
};

#define RXNORM "http://www.nlm.nih.gov/research/umls/rxnorm"

struct order {
    char id[40], rxcui[16], drug[120];
    size_t patient;
    unsigned version, tablets, per_day;
    ow_time updated, authored;
    bool active, unreadable, by_reference, deleted;
};

struct patient {
    char id[40], birth[12];
};

struct task {
    char key[80], status[16];
    unsigned versions;
};

struct subscription {
    char id[24];
    unsigned version;
    bool gone;
    cJSON *body;
};

struct snapshot { /* of a search: which orders, in which order */
    size_t *orders, n, page;
    bool with_medication;
};

struct sim_delivery {
    struct simehr *ehr;
    struct sim_delivery *next; /* of all that are open */
    char method[8], path[256];
    struct ow_buf body;
    unsigned tries;
};

struct simehr {
    struct simworld *w;
    struct simehr_options opt;
    struct patient *patients;
    struct order *orders;
    struct sim_issue *issues;
    struct task *tasks;
    struct subscription *subs;
    size_t n_patients, n_orders, n_issues, n_tasks, n_subs;
    size_t cap_patients, cap_orders, cap_issues, cap_tasks, cap_subs;
    struct snapshot snapshots[SNAPSHOTS];
    size_t n_snapshots; /* taken so far; older ones than SNAPSHOTS are gone */
    struct sim_delivery *deliveries;
    char refuse_text[80];
    int refuse_status;
    size_t duplicates, bad;
};

#define GROW(e, items, n, cap)                                                           \
    ((n) < (cap) ? (void)0                                                               \
                 : (void)((cap) = (cap) ? (cap)*2 : 64,                                  \
                          (items) = ow_realloc((items), (cap) * sizeof *(items))))

static ow_time server_now(const struct simehr *e)
{
    return e->w->start + e->w->mono + e->opt.skew_ms;
}

/* --- resources as JSON --- */

static void meta_write(struct ow_jw *j, unsigned version, ow_time updated)
{
    char text[OW_TIME_TEXT], number[16];

    snprintf(number, sizeof number, "%u", version);
    ow_jw_kobject(j, "meta");
    ow_jw_kstring(j, "versionId", number);
    ow_jw_kstring(j, "lastUpdated", ow_time_format(updated, text));
    ow_jw_end(j);
}

static void reference_write(struct ow_jw *j, const char *key, const char *type,
                            const char *id)
{
    char text[80];

    snprintf(text, sizeof text, "%s/%s", type, id);
    ow_jw_kobject(j, key);
    ow_jw_kstring(j, "reference", text);
    ow_jw_end(j);
}

static void concept_write(struct ow_jw *j, const char *key, const struct order *o)
{
    ow_jw_kobject(j, key);
    ow_jw_karray(j, "coding");
    ow_jw_object(j);
    ow_jw_kstring(j, "system", RXNORM);
    ow_jw_kstring(j, "code", o->rxcui);
    ow_jw_kstring(j, "display", o->drug);
    ow_jw_end(j);
    ow_jw_end(j);
    ow_jw_kstring(j, "text", o->drug);
    ow_jw_end(j);
}

static void dose_write(struct ow_jw *j, const struct order *o)
{
    ow_jw_kobject(j, "timing");
    ow_jw_kobject(j, "repeat");
    ow_jw_kint(j, "frequency", o->per_day);
    ow_jw_kint(j, "period", 1);
    ow_jw_kstring(j, "periodUnit", "d");
    ow_jw_end(j);
    ow_jw_end(j);
    ow_jw_karray(j, "doseAndRate");
    ow_jw_object(j);
    ow_jw_kobject(j, "doseQuantity");
    ow_jw_kint(j, "value", o->tablets);
    ow_jw_kstring(j, "unit", "tablet");
    ow_jw_kstring(j, "system", "http://unitsofmeasure.org");
    ow_jw_kstring(j, "code", "{tbl}");
    ow_jw_end(j);
    ow_jw_end(j);
    ow_jw_end(j);
}

static void order_write(const struct simehr *e, struct ow_jw *j, const struct order *o)
{
    char at[OW_TIME_TEXT];

    ow_jw_object(j);
    ow_jw_kstring(j, "resourceType", "MedicationRequest");
    ow_jw_kstring(j, "id", o->id);
    meta_write(j, o->version, o->updated);
    ow_jw_kstring(j, "status", o->active ? "active" : "stopped");
    ow_jw_kstring(j, "intent", "order");
    if (o->by_reference)
        reference_write(j, "medicationReference", "Medication", o->rxcui);
    else
        concept_write(j, "medicationCodeableConcept", o);
    reference_write(j, "subject", "Patient", e->patients[o->patient].id);
    ow_jw_kstring(j, "authoredOn", ow_time_format(o->authored, at));
    ow_jw_karray(j, "dosageInstruction");
    ow_jw_object(j);
    ow_jw_kstring(j, "text", o->unreadable ? "as Dr. Example explained" : "as written");
    if (!o->unreadable)
        dose_write(j, o);
    ow_jw_end(j);
    ow_jw_end(j);
    ow_jw_end(j);
}

static void medication_write(struct ow_jw *j, const struct order *o)
{
    ow_jw_object(j);
    ow_jw_kstring(j, "resourceType", "Medication");
    ow_jw_kstring(j, "id", o->rxcui);
    concept_write(j, "code", o);
    ow_jw_end(j);
}

static void patient_write(struct ow_jw *j, const struct patient *p)
{
    ow_jw_object(j);
    ow_jw_kstring(j, "resourceType", "Patient");
    ow_jw_kstring(j, "id", p->id);
    ow_jw_kstring(j, "birthDate", p->birth);
    ow_jw_end(j);
}

static void entry_begin(const struct simehr *e, struct ow_jw *j, const char *type,
                        const char *id)
{
    char url[400];

    snprintf(url, sizeof url, "%s/%s/%s", e->opt.base_url, type, id);
    ow_jw_object(j);
    ow_jw_kstring(j, "fullUrl", url);
    ow_jw_key(j, "resource");
}

static void entry_end(struct ow_jw *j, const char *mode)
{
    ow_jw_kobject(j, "search");
    ow_jw_kstring(j, "mode", mode);
    ow_jw_end(j);
    ow_jw_end(j);
}

static void order_entries(const struct simehr *e, struct ow_jw *j, const struct order *o,
                          bool with_medication)
{
    entry_begin(e, j, "MedicationRequest", o->id);
    order_write(e, j, o);
    entry_end(j, "match");
    if (!with_medication || !o->by_reference)
        return;
    entry_begin(e, j, "Medication", o->rxcui);
    medication_write(j, o);
    entry_end(j, "include");
}

static void bundle_begin(struct ow_jw *j, struct ow_buf *out)
{
    ow_jw_init(j, out);
    ow_jw_object(j);
    ow_jw_kstring(j, "resourceType", "Bundle");
    ow_jw_kstring(j, "type", "searchset");
}

static void fail(struct sim_response *ret, int status, const char *code)
{
    ret->status = status;
    ow_buf_reset(&ret->body);
    ow_buf_printf(&ret->body,
                  "{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"severity\":"
                  "\"error\",\"code\":\"%s\"}]}",
                  code);
}

/* --- notifications --- */

static struct subscription *active_subscription(struct simehr *e)
{
    for (size_t i = 0; i < e->n_subs; i++) {
        const cJSON *s = cJSON_GetObjectItemCaseSensitive(e->subs[i].body, "status");

        if (!e->subs[i].gone && ow_streq(cJSON_GetStringValue(s), "active"))
            return &e->subs[i];
    }
    return NULL;
}

static void delivery_free(struct sim_delivery *d)
{
    struct sim_delivery **at = &d->ehr->deliveries;

    while (*at != d)
        at = &(*at)->next;
    *at = d->next;
    ow_buf_done(&d->body);
    free(d);
}

static void on_deliver(void *arg, int64_t number)
{
    struct sim_delivery *d = arg;
    struct simehr *e = d->ehr;
    struct ow_header type = { "Content-Type", "application/fhir+json;charset=UTF-8" };
    struct ow_request req = { .method = d->method,
                              .path = d->path,
                              .query = "",
                              .peer = "ehr",
                              .headers = &type,
                              .n_headers = d->body.len ? 1 : 0,
                              .body = ow_buf_cstr(&d->body),
                              .body_len = d->body.len };

    (void)number;
    d->tries++;
    simworld_note(e->w, "notify %s %s try %u", d->method, strrchr(d->path, '/'),
                  d->tries);
    if (!e->opt.deliver(e->opt.deliver_arg, &req, d))
        simehr_answered(e, d, 0);
}

void simehr_answered(struct simehr *e, struct sim_delivery *d, int status)
{
    simworld_note(e->w, "notified %d", status);
    if (status == 200)
        delivery_free(d);
    else
        simworld_after(e->w, e->opt.retry_ms ? e->opt.retry_ms : RETRY_MS, on_deliver, d,
                       0);
}

static void deliver(struct simehr *e, const struct order *o, int64_t after)
{
    struct subscription *s = active_subscription(e);
    const cJSON *channel = cJSON_GetObjectItemCaseSensitive(s->body, "channel");
    const char *url =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(channel, "endpoint"));
    const char *path = url ? strstr(url, "/notify/") : NULL;
    struct sim_delivery *d = ow_alloc_zero(sizeof *d);
    bool put = e->opt.form == SIM_FORM_PUT || e->opt.form == SIM_FORM_ID;
    struct ow_jw j;

    ow_assert(path);
    d->ehr = e;
    d->next = e->deliveries;
    e->deliveries = d;
    ow_buf_init(&d->body, BODY_MAX);
    ow_copy(d->method, sizeof d->method, o->deleted ? "DELETE" : put ? "PUT" : "POST");
    if (o->deleted || put)
        snprintf(d->path, sizeof d->path, "%s/MedicationRequest/%s", path, o->id);
    else
        ow_copy(d->path, sizeof d->path, path);
    if (!o->deleted && e->opt.form < SIM_FORM_ID) {
        ow_jw_init(&j, &d->body);
        order_write(e, &j, o);
    }
    simworld_after(e->w, after, on_deliver, d, 0);
}

static int64_t delivery_delay(struct simehr *e)
{
    if (simworld_odds(e->w, e->opt.late))
        return 1 + (int64_t)simworld_chance(e->w, LATE_MS);
    return 1 + (int64_t)simworld_chance(e->w, SOON_MS);
}

static void notify(struct simehr *e, const struct order *o)
{
    if (!active_subscription(e))
        return;
    if (!o->deleted && simworld_odds(e->w, e->opt.drop)) {
        simworld_note(e->w, "dropped %s", o->id);
        return;
    }
    deliver(e, o, delivery_delay(e));
    if (simworld_odds(e->w, e->opt.twice))
        deliver(e, o, delivery_delay(e));
}

/* --- changes --- */

static struct order *order_find(struct simehr *e, const char *id)
{
    for (size_t i = 0; i < e->n_orders; i++) {
        if (strcmp(e->orders[i].id, id) == 0)
            return &e->orders[i];
    }
    return NULL;
}

static size_t patient_find(const struct simehr *e, const char *id)
{
    for (size_t i = 0; i < e->n_patients; i++) {
        if (strcmp(e->patients[i].id, id) == 0)
            return i;
    }
    return SIZE_MAX;
}

void simehr_patient(struct simehr *e, const char *id, const char *birth)
{
    struct patient *p;

    GROW(e, e->patients, e->n_patients, e->cap_patients);
    p = &e->patients[e->n_patients++];
    ow_copy(p->id, sizeof p->id, id);
    ow_copy(p->birth, sizeof p->birth, birth);
}

void simehr_order(struct simehr *e, const struct sim_order *from)
{
    struct order *o = order_find(e, from->id);

    if (!o) {
        GROW(e, e->orders, e->n_orders, e->cap_orders);
        o = &e->orders[e->n_orders++];
        memset(o, 0, sizeof *o);
        ow_copy(o->id, sizeof o->id, from->id);
    }
    o->patient = patient_find(e, from->patient);
    ow_assert(o->patient != SIZE_MAX);
    ow_copy(o->rxcui, sizeof o->rxcui, from->rxcui);
    ow_copy(o->drug, sizeof o->drug, from->drug);
    o->tablets = from->tablets;
    o->per_day = from->per_day;
    o->active = from->active;
    o->unreadable = from->unreadable;
    o->by_reference = from->by_reference;
    o->authored = from->authored;
    o->deleted = false;
    o->version++;
    o->updated = server_now(e);
    simworld_note(e->w, "change %s/%u", o->id, o->version);
    notify(e, o);
}

void simehr_delete(struct simehr *e, const char *id)
{
    struct order *o = order_find(e, id);

    if (!o || o->deleted)
        return;
    o->deleted = true;
    o->version++;
    o->updated = server_now(e);
    simworld_note(e->w, "delete %s", id);
    notify(e, o);
}

/* --- queries --- */

/* The value of a parameter, percent-decoded. */
static bool param(const char *query, const char *name, char *ret, size_t size)
{
    size_t n = strlen(name), out = 0;

    for (const char *at = query; at && *at; at = strchr(at, '&')) {
        if (*at == '&')
            at++;
        if (strncmp(at, name, n) != 0 || at[n] != '=')
            continue;
        for (at += n + 1; *at && *at != '&' && out + 1 < size; at++) {
            unsigned char byte;

            if (*at == '%' && ow_unhex((char[3]){ at[1], at[2], 0 }, 1, &byte)) {
                ret[out++] = (char)byte;
                at += 2;
            } else {
                ret[out++] = *at == '+' ? ' ' : *at;
            }
        }
        ret[out] = '\0';
        return true;
    }
    return false;
}

static size_t page_size(const struct simehr *e, const char *query)
{
    char text[24];
    uint64_t n = 20;

    if (param(query, "_count", text, sizeof text) && !ow_parse_u64(text, &n))
        n = 20;
    if (e->opt.page_most && n > e->opt.page_most)
        n = e->opt.page_most;
    return (size_t)n;
}

static void page_write(struct simehr *e, size_t number, size_t from,
                       struct sim_response *ret)
{
    struct snapshot *s = &e->snapshots[number % SNAPSHOTS];
    char next[400];
    struct ow_jw j;

    bundle_begin(&j, &ret->body);
    ow_jw_karray(&j, "link");
    if (from + s->page < s->n) {
        snprintf(next, sizeof next, "%s?_getpages=%zu&_offset=%zu", e->opt.base_url,
                 number, from + s->page);
        ow_jw_object(&j);
        ow_jw_kstring(&j, "relation", "next");
        ow_jw_kstring(&j, "url", next);
        ow_jw_end(&j);
    }
    ow_jw_end(&j);
    ow_jw_karray(&j, "entry");
    for (size_t i = from; i < s->n && i < from + s->page; i++) {
        if (!e->orders[s->orders[i]].deleted)
            order_entries(e, &j, &e->orders[s->orders[i]], s->with_medication);
    }
    ow_jw_end(&j);
    ow_jw_end(&j);
    ret->status = 200;
}

static struct snapshot *snapshot_new(struct simehr *e, const char *query)
{
    struct snapshot *s = &e->snapshots[e->n_snapshots++ % SNAPSHOTS];
    char text[80];

    free(s->orders);
    *s = (struct snapshot){ .page = page_size(e, query) };
    s->orders = ow_alloc((e->n_orders + 1) * sizeof *s->orders);
    s->with_medication = param(query, "_include", text, sizeof text);
    return s;
}

static void search_patient(struct simehr *e, const char *query, const char *patient,
                           struct sim_response *ret)
{
    struct snapshot *s = snapshot_new(e, query);
    const char *slash = strrchr(patient, '/');
    size_t p = patient_find(e, slash ? slash + 1 : patient);

    for (size_t i = 0; i < e->n_orders; i++) {
        if (!e->orders[i].deleted && e->orders[i].patient == p)
            s->orders[s->n++] = i;
    }
    page_write(e, e->n_snapshots - 1, 0, ret);
}

/* Insertion from behind: orders are nearly in order of their change already. */
static void sort_by_change(const struct simehr *e, struct snapshot *s)
{
    for (size_t i = 1; i < s->n; i++) {
        size_t x = s->orders[i], at = i;

        for (; at > 0 && e->orders[s->orders[at - 1]].updated > e->orders[x].updated;
             at--)
            s->orders[at] = s->orders[at - 1];
        s->orders[at] = x;
    }
}

static void search_changes(struct simehr *e, const char *query, const char *since,
                           struct sim_response *ret)
{
    struct snapshot *s;
    struct ow_span span;

    if (strncmp(since, "ge", 2) != 0 ||
        ow_time_parse(since + 2, NULL, &span, NULL) != OW_OK) {
        e->bad++;
        fail(ret, 400, "invalid");
        return;
    }
    s = snapshot_new(e, query);
    for (size_t i = 0; i < e->n_orders; i++) {
        if (!e->orders[i].deleted && e->orders[i].updated >= span.from)
            s->orders[s->n++] = i;
    }
    sort_by_change(e, s);
    page_write(e, e->n_snapshots - 1, 0, ret);
}

static void serve_page(struct simehr *e, const char *query, const char *number,
                       struct sim_response *ret)
{
    char text[24];
    uint64_t n, from;

    if (!ow_parse_u64(number, &n) || !param(query, "_offset", text, sizeof text) ||
        !ow_parse_u64(text, &from) || n >= e->n_snapshots ||
        n + SNAPSHOTS < e->n_snapshots)
        fail(ret, 410, "not-found");
    else
        page_write(e, (size_t)n, (size_t)from, ret);
}

static void found_write(struct ow_jw *j, const char *type, size_t number,
                        unsigned version, const char *status, const char *system,
                        const char *key, const char *mode)
{
    char id[24];

    snprintf(id, sizeof id, "%zu", number + 1);
    ow_jw_object(j);
    ow_jw_kobject(j, "resource");
    ow_jw_kstring(j, "resourceType", type);
    ow_jw_kstring(j, "id", id);
    ow_jw_kstring_opt(j, "status", status);
    meta_write(j, version, 0);
    ow_jw_karray(j, "identifier");
    ow_jw_object(j);
    ow_jw_kstring(j, "system", system);
    ow_jw_kstring(j, "value", key);
    ow_jw_end(j);
    ow_jw_end(j);
    ow_jw_end(j);
    entry_end(j, mode);
}

static void search_issues(struct simehr *e, const char *query, const char *identifier,
                          struct sim_response *ret)
{
    const char *bar = strrchr(identifier, '|');
    char text[40], system[120] = "", task[80] = "";
    struct ow_jw j;

    bundle_begin(&j, &ret->body);
    ow_jw_karray(&j, "entry");
    for (size_t i = 0; i < e->n_issues; i++) {
        if (!bar || strcmp(e->issues[i].key, bar + 1) != 0)
            continue;
        found_write(&j, "DetectedIssue", i, e->issues[i].versions, NULL,
                    e->issues[i].system, bar + 1, "match");
        ow_copy(system, sizeof system, e->issues[i].system);
        snprintf(task, sizeof task, "task-%s", bar + 1);
    }
    for (size_t i = 0; i < e->n_tasks; i++) {
        if (param(query, "_revinclude", text, sizeof text) &&
            strcmp(e->tasks[i].key, task) == 0)
            found_write(&j, "Task", i, e->tasks[i].versions, e->tasks[i].status, system,
                        task, "include");
    }
    ow_jw_end(&j);
    ow_jw_end(&j);
    ret->status = 200;
}

static void search_nothing(struct sim_response *ret)
{
    ow_buf_str(&ret->body, "{\"resourceType\":\"Bundle\",\"type\":\"searchset\"}");
    ret->status = 200;
}

static void search_orders(struct simehr *e, const char *query, struct sim_response *ret)
{
    char text[200];

    if (param(query, "_lastUpdated", text, sizeof text)) {
        search_changes(e, query, text, ret);
    } else if (param(query, "patient", text, sizeof text) ||
               param(query, "subject", text, sizeof text)) {
        search_patient(e, query, text, ret);
    } else if (param(query, "_sort", text, sizeof text)) {
        search_changes(e, query, "ge1970", ret);
    } else {
        e->bad++;
        fail(ret, 400, "not-supported");
    }
}

/* --- subscriptions --- */

static struct subscription *sub_find(struct simehr *e, const char *id)
{
    for (size_t i = 0; i < e->n_subs; i++) {
        if (strcmp(e->subs[i].id, id) == 0)
            return &e->subs[i];
    }
    return NULL;
}

static void sub_say(const struct subscription *s, struct sim_response *ret, int status)
{
    char *text = cJSON_PrintUnformatted(s->body);

    ow_buf_str(&ret->body, text);
    free(text);
    ret->status = status;
}

static void sub_set(struct subscription *s, const char *status)
{
    char version[16];
    cJSON *meta = cJSON_CreateObject();

    snprintf(version, sizeof version, "%u", ++s->version);
    cJSON_AddStringToObject(meta, "versionId", version);
    cJSON_DeleteItemFromObjectCaseSensitive(s->body, "meta");
    cJSON_AddItemToObject(s->body, "meta", meta);
    cJSON_DeleteItemFromObjectCaseSensitive(s->body, "id");
    cJSON_AddStringToObject(s->body, "id", s->id);
    cJSON_DeleteItemFromObjectCaseSensitive(s->body, "status");
    cJSON_AddStringToObject(s->body, "status", status);
}

static void on_activate(void *arg, int64_t number)
{
    struct simehr *e = arg;
    struct subscription *s = &e->subs[number];
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(s->body, "status");

    if (!s->gone && ow_streq(cJSON_GetStringValue(status), "requested"))
        sub_set(s, "active");
}

static void sub_put(struct simehr *e, const char *id, const struct ow_request *req,
                    struct sim_response *ret)
{
    cJSON *body = cJSON_ParseWithLength(req->body, req->body_len);
    struct subscription *s = id ? sub_find(e, id) : NULL;

    if (!body || (id && (!s || s->gone))) {
        cJSON_Delete(body);
        fail(ret, body ? 404 : 400, "invalid");
        return;
    }
    if (!s) {
        GROW(e, e->subs, e->n_subs, e->cap_subs);
        s = &e->subs[e->n_subs++];
        *s = (struct subscription){ .version = 0 };
        snprintf(s->id, sizeof s->id, "sub%zu", e->n_subs);
    }
    cJSON_Delete(s->body);
    s->body = body;
    sub_set(s, "requested");
    simworld_after(e->w, ACTIVATION_MS, on_activate, e, s - e->subs);
    sub_say(s, ret, id ? 200 : 201);
}

static void sub_search(struct simehr *e, struct sim_response *ret)
{
    bool first = true;

    ow_buf_str(&ret->body,
               "{\"resourceType\":\"Bundle\",\"type\":\"searchset\",\"entry\":[");
    for (size_t i = 0; i < e->n_subs; i++) {
        if (e->subs[i].gone)
            continue;
        ow_buf_str(&ret->body, first ? "{\"resource\":" : ",{\"resource\":");
        sub_say(&e->subs[i], ret, 200);
        ow_buf_str(&ret->body, "}");
        first = false;
    }
    ow_buf_str(&ret->body, "]}");
    ret->status = 200;
}

static void serve_subscription(struct simehr *e, const struct ow_request *req,
                               const char *id, struct sim_response *ret)
{
    struct subscription *s = id ? sub_find(e, id) : NULL;

    if (ow_streq(req->method, "POST") || ow_streq(req->method, "PUT"))
        sub_put(e, id, req, ret);
    else if (!id)
        sub_search(e, ret);
    else if (!s || s->gone)
        fail(ret, s ? 410 : 404, "not-found");
    else
        sub_say(s, ret, 200);
}

/* --- transactions --- */

static const char *text_at(const cJSON *node, const char *a, const char *b)
{
    node = cJSON_GetObjectItemCaseSensitive(node, a);
    if (cJSON_IsArray(node))
        node = cJSON_GetArrayItem(node, 0);
    if (b)
        node = cJSON_GetObjectItemCaseSensitive(node, b);
    return cJSON_IsString(node) ? node->valuestring : "";
}

static void issue_set(struct sim_issue *i, const cJSON *r)
{
    ow_copy(i->system, sizeof i->system, text_at(r, "identifier", "system"));
    ow_copy(i->key, sizeof i->key, text_at(r, "identifier", "value"));
    ow_copy(i->patient, sizeof i->patient, text_at(r, "patient", "reference"));
    ow_copy(i->rule, sizeof i->rule, text_at(r, "code", "text"));
    ow_copy(i->severity, sizeof i->severity, text_at(r, "severity", NULL));
    i->open = !cJSON_HasObjectItem(r, "mitigation");
    i->versions++;
}

/* "DetectedIssue/3" names the third of them; a condition names none. */
static size_t named(const char *url, size_t n)
{
    const char *slash = strchr(url, '/');
    uint64_t number;

    return slash && ow_parse_u64(slash + 1, &number) && number >= 1 && number <= n
               ? (size_t)number - 1
               : SIZE_MAX;
}

static void put_issue(struct simehr *e, const char *url, const cJSON *r, bool create)
{
    const char *key = text_at(r, "identifier", "value");
    struct sim_issue *old = NULL;

    for (size_t i = 0; i < e->n_issues; i++) {
        if (strcmp(e->issues[i].key, key) == 0)
            old = &e->issues[i];
    }
    if (named(url, e->n_issues) != SIZE_MAX)
        old = &e->issues[named(url, e->n_issues)];
    if (old && !create) {
        issue_set(old, r);
        return;
    }
    if (old && !e->opt.ignores_conditions)
        return;
    e->duplicates += old != NULL;
    GROW(e, e->issues, e->n_issues, e->cap_issues);
    e->issues[e->n_issues] = (struct sim_issue){ .versions = 0 };
    issue_set(&e->issues[e->n_issues++], r);
}

static void put_task(struct simehr *e, const cJSON *r, bool create)
{
    const char *key = text_at(r, "identifier", "value");
    struct task *t = NULL;

    for (size_t i = 0; i < e->n_tasks; i++) {
        if (strcmp(e->tasks[i].key, key) == 0)
            t = &e->tasks[i];
    }
    if (t && create)
        return; /* a Task is created by condition in updates too */
    if (!t) {
        GROW(e, e->tasks, e->n_tasks, e->cap_tasks);
        t = &e->tasks[e->n_tasks++];
        t->versions = 0;
    }
    t->versions++;
    ow_copy(t->key, sizeof t->key, key);
    ow_copy(t->status, sizeof t->status, text_at(r, "status", NULL));
}

/* Every entry must be one the model knows: then all of them happen, else none. */
static bool entries_known(const cJSON *entries)
{
    const cJSON *c;

    cJSON_ArrayForEach(c, entries)
    {
        const cJSON *r = cJSON_GetObjectItemCaseSensitive(c, "resource");
        const char *type = text_at(r, "resourceType", NULL);
        const char *method = text_at(c, "request", "method");
        const char *none = text_at(c, "request", "ifNoneExist");

        if (!*text_at(r, "identifier", "value") ||
            (!ow_streq(type, "DetectedIssue") && !ow_streq(type, "Task")) ||
            (ow_streq(method, "POST") ? !*none : !ow_streq(method, "PUT")))
            return false;
    }
    return cJSON_GetArraySize(entries) > 0;
}

/* Do all conditions on versions hold? */
static bool entries_match(const struct simehr *e, const cJSON *entries)
{
    const cJSON *c;

    cJSON_ArrayForEach(c, entries)
    {
        const cJSON *r = cJSON_GetObjectItemCaseSensitive(c, "resource");
        const char *match = text_at(c, "request", "ifMatch");
        bool task = ow_streq(text_at(r, "resourceType", NULL), "Task");
        size_t i = named(text_at(c, "request", "url"), task ? e->n_tasks : e->n_issues);
        char now[24];

        if (!*match || i == SIZE_MAX)
            continue;
        snprintf(now, sizeof now, "W/\"%u\"",
                 task ? e->tasks[i].versions : e->issues[i].versions);
        if (strcmp(match, now) != 0)
            return false;
    }
    return true;
}

static void serve_transaction(struct simehr *e, const struct ow_request *req,
                              struct sim_response *ret)
{
    cJSON *body = cJSON_ParseWithLength(req->body, req->body_len);
    const cJSON *c, *entries = cJSON_GetObjectItemCaseSensitive(body, "entry");

    if (*e->refuse_text && strstr(req->body, e->refuse_text)) {
        fail(ret, e->refuse_status, "business-rule");
    } else if (!entries_known(entries)) {
        e->bad++;
        fail(ret, 400, "invalid");
    } else if (!entries_match(e, entries)) {
        fail(ret, 412, "conflict");
    } else {
        cJSON_ArrayForEach(c, entries)
        {
            const cJSON *r = cJSON_GetObjectItemCaseSensitive(c, "resource");
            bool create = ow_streq(text_at(c, "request", "method"), "POST");

            if (ow_streq(text_at(r, "resourceType", NULL), "Task"))
                put_task(e, r, create);
            else
                put_issue(e, text_at(c, "request", "url"), r, create);
        }
        ow_buf_str(&ret->body,
                   "{\"resourceType\":\"Bundle\",\"type\":\"transaction-response\"}");
        ret->status = 200;
    }
    cJSON_Delete(body);
}

/* --- the way in --- */

static void serve_order(struct simehr *e, const char *id, struct sim_response *ret)
{
    const struct order *o = order_find(e, id);
    struct ow_jw j;

    if (!o || o->deleted) {
        fail(ret, o ? 410 : 404, "not-found");
        return;
    }
    ow_jw_init(&j, &ret->body);
    order_write(e, &j, o);
    ret->status = 200;
}

static void serve_patient(struct simehr *e, const char *id, struct sim_response *ret)
{
    size_t p = patient_find(e, id);
    struct ow_jw j;

    if (p == SIZE_MAX) {
        fail(ret, 404, "not-found");
        return;
    }
    ow_jw_init(&j, &ret->body);
    patient_write(&j, &e->patients[p]);
    ret->status = 200;
}

/* Kinds that it offers and holds none of; Consent it does not offer. */
static bool is_searchable(const char *type)
{
    static const char *const types[] = { "Condition",   "MedicationDispense",
                                         "Observation", "Procedure",
                                         "Encounter",   "ServiceRequest",
                                         "CarePlan",    "DocumentReference" };

    for (size_t i = 0; i < OW_LEN(types); i++)
        if (ow_streq(type, types[i]))
            return true;
    return false;
}

static void serve_type(struct simehr *e, const struct ow_request *req, const char *type,
                       const char *id, const char *query, struct sim_response *ret)
{
    char text[200];

    if (ow_streq(type, "Subscription"))
        serve_subscription(e, req, *id ? id : NULL, ret);
    else if (ow_streq(type, "MedicationRequest") && *id)
        serve_order(e, id, ret);
    else if (ow_streq(type, "MedicationRequest"))
        search_orders(e, query, ret);
    else if (ow_streq(type, "Patient") && *id)
        serve_patient(e, id, ret);
    else if (ow_streq(type, "DetectedIssue") &&
             param(query, "identifier", text, sizeof text))
        search_issues(e, query, text, ret);
    else if (is_searchable(type))
        search_nothing(ret);
    else if (ow_streq(type, "Consent"))
        fail(ret, 404, "not-supported");
    else {
        e->bad++;
        simworld_note(e->w, "unknown request");

        fail(ret, 404, "not-supported");
    }
}

void simehr_serve(struct simehr *e, const struct ow_request *req,
                  struct sim_response *ret)
{
    const char *rest = req->url + strlen(e->opt.base_url);
    const char *query = strchr(rest, '?');
    char type[40] = "", id[60] = "", text[40];

    query = query ? query + 1 : "";
    sim_response_header(ret, "Content-Type", "application/fhir+json;charset=UTF-8");
    sscanf(rest, "/%39[^/?]/%59[^/?]", type, id);
    if (!*type && ow_streq(req->method, "POST"))
        serve_transaction(e, req, ret);
    else if (!*type && param(query, "_getpages", text, sizeof text))
        serve_page(e, query, text, ret);
    else
        serve_type(e, req, type, id, query, ret);
}

void simehr_refuse(struct simehr *e, const char *text, int status)
{
    ow_copy(e->refuse_text, sizeof e->refuse_text, text ? text : "");
    e->refuse_status = status;
}

void simehr_subscription_status(struct simehr *e, const char *status)
{
    for (size_t i = 0; i < e->n_subs; i++) {
        if (!e->subs[i].gone)
            sub_set(&e->subs[i], status);
    }
}

void simehr_subscription_remove(struct simehr *e)
{
    for (size_t i = 0; i < e->n_subs; i++)
        e->subs[i].gone = true;
}

size_t simehr_n_subscriptions(const struct simehr *e)
{
    size_t n = 0;

    for (size_t i = 0; i < e->n_subs; i++)
        n += !e->subs[i].gone;
    return n;
}

/* --- the witness --- */

size_t simehr_n_patients(const struct simehr *e)
{
    return e->n_patients;
}

const char *simehr_patient_id(const struct simehr *e, size_t i)
{
    return e->patients[i].id;
}

void simehr_chart(struct simehr *e, size_t patient, struct ow_buf *out)
{
    struct ow_jw j;

    bundle_begin(&j, out);
    ow_jw_karray(&j, "entry");
    entry_begin(e, &j, "Patient", e->patients[patient].id);
    patient_write(&j, &e->patients[patient]);
    entry_end(&j, "match");
    for (size_t i = 0; i < e->n_orders; i++) {
        if (!e->orders[i].deleted && e->orders[i].patient == patient)
            order_entries(e, &j, &e->orders[i], true);
    }
    ow_jw_end(&j);
    ow_jw_end(&j);
}

size_t simehr_n_issues(const struct simehr *e)
{
    return e->n_issues;
}

const struct sim_issue *simehr_issue(const struct simehr *e, size_t i)
{
    return &e->issues[i];
}

size_t simehr_duplicates(const struct simehr *e)
{
    return e->duplicates;
}

size_t simehr_bad_requests(const struct simehr *e)
{
    return e->bad;
}

size_t simehr_open_deliveries(const struct simehr *e)
{
    size_t n = 0;

    for (const struct sim_delivery *d = e->deliveries; d; d = d->next)
        n++;
    return n;
}

struct simehr_options *simehr_settings(struct simehr *e)
{
    return &e->opt;
}

struct simehr *simehr_new(struct simworld *w, const struct simehr_options *opt)
{
    struct simehr *e = ow_alloc_zero(sizeof *e);

    e->w = w;
    e->opt = *opt;
    return e;
}

void simehr_free(struct simehr *e)
{
    if (!e)
        return;
    while (e->deliveries)
        delivery_free(e->deliveries);
    for (size_t i = 0; i < e->n_subs; i++)
        cJSON_Delete(e->subs[i].body);
    for (size_t i = 0; i < SNAPSHOTS; i++)
        free(e->snapshots[i].orders);
    free(e->patients);
    free(e->orders);
    free(e->issues);
    free(e->tasks);
    free(e->subs);
    free(e);
}
