/*
 * Adding only collects; nothing is judged until the charts are asked for, since a
 * Medication or the link of a merged patient may come on a later page. Then versions are
 * settled, every resource gets its patient, and each patient's share is read in the
 * order in which it came.
 *
 * What must not happen is that something vanishes: a resource that cannot be read is an
 * error *and* an entry of `missing`, a resource of another patient is counted in the
 * notes, and an order that is read only in part carries why.
 */
#include "fhir/read.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "fhir/clinic.h"
#include "fhir/order.h"
#include "fhir/outcome.h"
#include "fhir/pool.h"
#include "fhir/record.h"
#include "fhir/reference.h"

enum { BUNDLE_DEPTH = 4, ALIAS_STEPS = 8, PATH_SIZE = 96 };

struct words {
    const char **items;
    size_t n, cap;
};

struct alias { /* a merged patient */
    const char *from, *to;
};

struct ow_reader {
    struct ow_arena *arena;
    struct ow_reader_options opt;
    struct ow_pool pool;
    struct words missing, notes;
    struct alias *aliases;
    size_t n_aliases, cap_aliases;
    const char *next_link;
    const char **selections; /* sorted; NULL: every draft is selected */
    size_t n_selections;
    bool drafts; /* what is being added is a draft */
    unsigned n_foreign;
    enum ow_code code; /* of the add in hand */
};

static void words_add(struct ow_arena *arena, struct words *w, const char *text)
{
    OW_ARENA_GROW(arena, w->items, w->n, w->cap);
    w->items[w->n++] = text;
}

struct ow_reader *ow_reader_new(struct ow_arena *arena,
                                const struct ow_reader_options *opt)
{
    struct ow_reader *r = OW_NEW(arena, struct ow_reader);

    r->arena = arena;
    if (opt)
        r->opt = *opt;
    r->pool = (struct ow_pool){ .arena = arena, .zone = r->opt.zone };
    return r;
}

void ow_reader_missing(struct ow_reader *r, const char *what)
{
    words_add(r->arena, &r->missing, ow_arena_strdup(r->arena, what));
}

void ow_reader_note(struct ow_reader *r, const char *what)
{
    words_add(r->arena, &r->notes, ow_arena_strdup(r->arena, what));
}

size_t ow_reader_n_missing(const struct ow_reader *r)
{
    return r->missing.n;
}

const char *ow_reader_next_link(const struct ow_reader *r)
{
    return r->next_link;
}

bool ow_reader_has(const struct ow_reader *r, const char *type)
{
    for (size_t i = 0; i < r->pool.n; i++) {
        if (r->pool.items[i].resource && !r->pool.items[i].is_draft &&
            strcmp(r->pool.items[i].type, type) == 0)
            return true;
    }
    return false;
}

unsigned ow_kind_of(const char *type)
{
    static const struct {
        const char *type;
        unsigned kind;
    } kinds[] = {
        {"Condition",           OW_KIND_CONDITION      },
        { "Observation",        OW_KIND_OBSERVATION    },
        { "DiagnosticReport",   OW_KIND_OBSERVATION    },
        { "Procedure",          OW_KIND_PROCEDURE      },
        { "Encounter",          OW_KIND_ENCOUNTER      },
        { "ServiceRequest",     OW_KIND_SERVICE_REQUEST},
        { "CarePlan",           OW_KIND_CARE_PLAN      },
        { "MedicationDispense", OW_KIND_DISPENSE       },
        { "Consent",            OW_KIND_CONSENT        },
        { "DocumentReference",  OW_KIND_CONSENT        },
    };

    for (size_t i = 0; i < OW_LEN(kinds); i++)
        if (ow_streq(kinds[i].type, type))
            return kinds[i].kind;
    return 0;
}

/* --- adding --- */

/* The first fault of an add is its error; every one is also something missing. */
static void fault(struct ow_reader *r, struct ow_err *err, const char *path,
                  const char *what)
{
    const char *text = *path ? ow_arena_printf(r->arena, "%s: %s", path, what) : what;

    if (r->code == OW_OK)
        r->code = ow_err_set(err, OW_INPUT, "%s", text);
    words_add(r->arena, &r->missing, text);
}

static void outcome_add(struct ow_reader *r, const char *path, const cJSON *outcome)
{
    const char *text = ow_arena_printf(r->arena, "%s%sthe server says %s", path,
                                       *path ? ": " : "",
                                       ow_outcome_words(r->arena, outcome));

    words_add(r->arena, ow_outcome_hurts(outcome) ? &r->missing : &r->notes, text);
}

static int string_order(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool selections_hold(const struct ow_reader *r, const char *name)
{
    return name && bsearch(&name, r->selections, r->n_selections, sizeof name,
                           string_order) != NULL;
}

static bool is_selected(const struct ow_reader *r, const struct ow_item *item)
{
    return !r->selections || selections_hold(r, item->name) ||
           selections_hold(r, item->full_url) || selections_hold(r, item->id);
}

/* Each as it is written and in its normal form. */
static void selections_read(struct ow_reader *r, const cJSON *list)
{
    struct words w = { 0 };
    const cJSON *c;

    r->selections = NULL;
    r->n_selections = 0;
    if (!list)
        return;
    words_add(r->arena, &w, ""); /* an empty list selects nothing */
    cJSON_ArrayForEach(c, list)
    {
        const char *name;

        if (!cJSON_IsString(c))
            continue;
        name = ow_reference_normal(r->arena, c->valuestring);
        words_add(r->arena, &w, c->valuestring);
        if (name)
            words_add(r->arena, &w, name);
    }
    qsort(w.items, w.n, sizeof *w.items, string_order);
    r->selections = w.items;
    r->n_selections = w.n;
}

static void bundle_add(struct ow_reader *r, const cJSON *bundle, const char *path,
                       int depth, struct ow_err *err);

static void resource_add(struct ow_reader *r, const cJSON *resource, const char *path,
                         const char *full_url, unsigned bundle, int depth,
                         struct ow_err *err)
{
    const char *type = ow_json_string(resource, "resourceType");
    const char *old;
    struct ow_item *item;

    if (!type || !ow_reference_type_ok(type, strlen(type))) {
        fault(r, err, path,
              cJSON_IsObject(resource) ? "expected a resource with its resourceType"
                                       : "expected a FHIR resource, a JSON object");
        return;
    }
    if (strcmp(type, "Bundle") == 0) {
        bundle_add(r, resource, path, depth, err);
        return;
    }
    if (strcmp(type, "OperationOutcome") == 0) {
        outcome_add(r, path, resource);
        return;
    }
    old = ow_order_too_old(resource);
    if (old)
        fault(r, err, path, old);
    if (ow_json_get(resource, "id") && !ow_json_string(resource, "id"))
        fault(r, err, path, "expected a string as id");
    item = ow_pool_add(&r->pool, resource, path, full_url, bundle);
    item->is_draft = r->drafts;
    item->selected = r->drafts && is_selected(r, item);
}

/* An entry without a resource: a deletion, or the answer to a request of a batch. */
static void entry_bare(struct ow_reader *r, const cJSON *entry, const char *path,
                       unsigned bundle)
{
    const cJSON *request = ow_json_object(entry, "request");
    const cJSON *response = ow_json_object(entry, "response");
    const char *status = ow_json_string(response, "status");

    if (ow_streq(ow_json_string(request, "method"), "DELETE")) {
        const char *url = ow_json_string(request, "url");

        ow_pool_delete(&r->pool, url ? url : ow_json_string(entry, "fullUrl"),
                       ow_json_string(response, "lastModified"), bundle);
        return;
    }
    if (status && (status[0] == '4' || status[0] == '5'))
        words_add(
            r->arena, &r->missing,
            ow_arena_printf(r->arena, "%s: the server answered %.3s", path, status));
    if (ow_json_object(response, "outcome"))
        outcome_add(r, path, ow_json_object(response, "outcome"));
}

static void entry_add(struct ow_reader *r, const cJSON *entry, const char *path,
                      unsigned bundle, int depth, struct ow_err *err)
{
    const cJSON *resource = ow_json_get(entry, "resource");
    const char *inner = ow_arena_printf(r->arena, "%s.resource", path);

    if (!cJSON_IsObject(entry)) {
        fault(r, err, path, "expected an object");
    } else if (!resource || cJSON_IsNull(resource)) {
        entry_bare(r, entry, path, bundle);
    } else {
        resource_add(r, resource, inner, ow_json_string(entry, "fullUrl"), bundle,
                     depth + 1, err);
    }
}

static const char *next_link_of(const cJSON *bundle)
{
    const cJSON *links = ow_json_array(bundle, "link"), *c;

    cJSON_ArrayForEach(c, links)
    {
        if (ow_streq(ow_json_string(c, "relation"), "next"))
            return ow_json_string(c, "url");
    }
    return NULL;
}

static void bundle_add(struct ow_reader *r, const cJSON *bundle, const char *path,
                       int depth, struct ow_err *err)
{
    const cJSON *entries = ow_json_get(bundle, "entry"), *c;
    unsigned number = ++r->pool.n_bundles;
    int i = 0;

    if (depth == 0)
        r->next_link = next_link_of(bundle);
    if (!entries || cJSON_IsNull(entries))
        return;
    if (!cJSON_IsArray(entries) || depth >= BUNDLE_DEPTH) {
        fault(r, err, *path ? path : "Bundle.entry",
              depth >= BUNDLE_DEPTH ? "Bundles nested too deeply" : "expected an array");
        return;
    }
    cJSON_ArrayForEach(c, entries)
    {
        const char *here = ow_arena_printf(r->arena, "%s%sentry[%d]", path,
                                           *path ? "." : "", i++);

        entry_add(r, c, here, number, depth, err);
    }
}

static enum ow_code add(struct ow_reader *r, const cJSON *resource, struct ow_err *err)
{
    r->code = OW_OK;
    resource_add(r, resource, "", NULL, 0, 0, err);
    if (ow_arena_full(r->arena))
        return ow_err_set(err, OW_INPUT, "more resources than the memory limit allows");
    return r->code;
}

enum ow_code ow_reader_add(struct ow_reader *r, const cJSON *resource, struct ow_err *err)
{
    r->drafts = false;
    return add(r, resource, err);
}

enum ow_code ow_reader_add_draft(struct ow_reader *r, const cJSON *resource,
                                 bool selected, struct ow_err *err)
{
    size_t before = r->pool.n;
    enum ow_code code;

    r->drafts = true;
    r->selections = NULL;
    code = add(r, resource, err);
    r->drafts = false;
    for (size_t i = before; i < r->pool.n; i++)
        r->pool.items[i].selected = selected;
    return code;
}

enum ow_code ow_reader_add_drafts(struct ow_reader *r, const cJSON *drafts,
                                  const cJSON *selections, struct ow_err *err)
{
    const char *link = r->next_link;
    enum ow_code code;

    r->drafts = true;
    selections_read(r, selections);
    code = add(r, drafts, err);
    r->drafts = false;
    r->selections = NULL;
    r->next_link = link;
    return code;
}

/* --- Medications that are not there --- */

static size_t unique(const char **list, size_t n)
{
    size_t out = 0;

    if (n > 1)
        qsort(list, n, sizeof *list, string_order);
    for (size_t i = 0; i < n; i++) {
        if (out == 0 || strcmp(list[out - 1], list[i]) != 0)
            list[out++] = list[i];
    }
    return out;
}

size_t ow_reader_unresolved(const struct ow_reader *r, const char *const **ret)
{
    struct ow_pool *pool = (struct ow_pool *)&r->pool; /* its index is a cache */
    struct words w = { 0 };

    for (size_t i = 0; i < pool->n; i++) {
        struct ow_pool_view view = { pool, &pool->items[i] };
        struct ow_resolver resolver = ow_pool_resolver(&view);
        const char *wanted;

        if (!view.item->resource || !ow_order_is(view.item->type))
            continue;
        wanted = ow_order_medication_wanted(r->arena, view.item->resource, &resolver);
        if (wanted)
            words_add(r->arena, &w, wanted);
    }
    *ret = w.items;
    return unique(w.items, w.n);
}

/* --- whose is it --- */

static void alias_add(struct ow_reader *r, const char *from, const char *to)
{
    if (!from || !to || strcmp(from, to) == 0)
        return;
    OW_ARENA_GROW(r->arena, r->aliases, r->n_aliases, r->cap_aliases);
    r->aliases[r->n_aliases++] = (struct alias){ from, to };
}

static int alias_order(const void *a, const void *b)
{
    const struct alias *x = a, *y = b;
    int d = strcmp(x->from, y->from);

    return d != 0 ? d : strcmp(x->to, y->to);
}

/* Patient.link: replaced-by points to the record that stands, replaces to the old one. */
static void aliases_read(struct ow_reader *r)
{
    r->n_aliases = 0;
    for (size_t i = 0; i < r->pool.n; i++) {
        const struct ow_item *it = &r->pool.items[i];
        const cJSON *links, *c;

        if (it->dropped || strcmp(it->type, "Patient") != 0)
            continue;
        links = ow_json_array(it->resource, "link");
        cJSON_ArrayForEach(c, links)
        {
            const char *other = ow_reference_normal(
                r->arena, ow_json_string(ow_json_object(c, "other"), "reference"));
            const char *kind = ow_json_string(c, "type");

            if (ow_streq(kind, "replaced-by"))
                alias_add(r, it->name, other);
            else if (ow_streq(kind, "replaces"))
                alias_add(r, other, it->name);
        }
    }
    if (r->n_aliases > 0)
        qsort(r->aliases, r->n_aliases, sizeof *r->aliases, alias_order);
}

static const char *alias_follow(const struct ow_reader *r, const char *patient)
{
    for (int step = 0; step < ALIAS_STEPS; step++) {
        size_t low = 0, high = r->n_aliases;

        while (low < high) {
            size_t mid = low + (high - low) / 2;

            if (strcmp(r->aliases[mid].from, patient) < 0)
                low = mid + 1;
            else
                high = mid;
        }
        if (low == r->n_aliases || strcmp(r->aliases[low].from, patient) != 0)
            return patient;
        patient = r->aliases[low].to;
    }
    return patient; /* a circle: any of it will do, and the same every time */
}

enum whose {
    WHOSE_PATIENT, /* the reference is known */
    WHOSE_NONE,    /* the resource does not say */
    WHOSE_OTHER,   /* a Group, a Device, a Location */
};

static const cJSON *subject_object(const cJSON *resource)
{
    static const char *const keys[] = { "subject", "patient", "for", "beneficiary",
                                        "individual" };

    for (size_t i = 0; i < OW_LEN(keys); i++) {
        const cJSON *v = ow_json_object(resource, keys[i]);

        if (v)
            return v;
    }
    return NULL;
}

static enum whose subject_of(struct ow_reader *r, const struct ow_item *it,
                             const char **ret)
{
    struct ow_pool_view view = { &r->pool, it };
    struct ow_resolver resolver = ow_pool_resolver(&view);
    const char *reference, *name;

    if (strcmp(it->type, "Patient") == 0) {
        *ret = alias_follow(r, it->name);
        return WHOSE_PATIENT;
    }
    reference = ow_json_string(subject_object(it->resource), "reference");
    name = reference ? resolver.normal(&view, it->resource, reference) : NULL;
    if (!name && reference && ow_starts_with(reference, "urn:"))
        name = reference; /* a patient who is only in another Bundle */
    if (!name)
        return WHOSE_NONE;
    if (strncmp(name, "Patient", 7) != 0 && !ow_starts_with(name, "urn:"))
        return WHOSE_OTHER;
    *ret = alias_follow(r, name);
    return WHOSE_PATIENT;
}

/* Belongs to nobody and is shown to all: whether a participant is an oncologist. */
static bool is_shared(const struct ow_item *it)
{
    return strcmp(it->type, "PractitionerRole") == 0;
}

static bool is_helper(const struct ow_item *it)
{
    static const char *const types[] = { "Medication",         "Substance",
                                         "Parameters",         "Subscription",
                                         "SubscriptionStatus", "Practitioner",
                                         "Organization",       "Location" };

    for (size_t i = 0; i < OW_LEN(types); i++) {
        if (strcmp(it->type, types[i]) == 0)
            return true;
    }
    return false;
}

/* Give every item its patient; those without one come back with NULL. */
static void patients_assign(struct ow_reader *r)
{
    const char *only = r->opt.patient ? alias_follow(r, r->opt.patient) : NULL;

    for (size_t i = 0; i < r->pool.n; i++) {
        struct ow_item *it = &r->pool.items[i];
        enum whose whose;

        it->patient = NULL;
        if (it->dropped || is_helper(it) || is_shared(it))
            continue;
        whose = subject_of(r, it, &it->patient);
        if (it->is_draft && only) {
            if (whose != WHOSE_NONE && !ow_streq(it->patient, only))
                words_add(r->arena, &r->notes,
                          ow_arena_printf(r->arena,
                                          "draft %s names another subject: read as this "
                                          "patient's",
                                          it->name));
            it->patient = only;
        } else if (whose == WHOSE_OTHER ||
                   (only && it->patient && strcmp(it->patient, only) != 0)) {
            it->dropped = true;
            r->n_foreign++;
        }
    }
}

static size_t patients_list(struct ow_reader *r, const char *const **ret)
{
    const char **list = OW_NEW_N(r->arena, const char *, r->pool.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < r->pool.n; i++) {
        if (!r->pool.items[i].dropped && r->pool.items[i].patient)
            list[n++] = r->pool.items[i].patient;
    }
    if (r->opt.patient)
        list[n++] = alias_follow(r, r->opt.patient);
    n = unique(list, n);
    *ret = list;
    return n;
}

/* Orders that name nobody belong to the only patient there is. */
static enum ow_code orphans_assign(struct ow_reader *r, const char *const *patients,
                                   size_t n, struct ow_err *err)
{
    for (size_t i = 0; i < r->pool.n; i++) {
        struct ow_item *it = &r->pool.items[i];

        if (it->dropped || it->patient || is_helper(it) || is_shared(it))
            continue;
        if (n == 1) {
            it->patient = patients[0];
        } else if (ow_order_is(it->type)) {
            return ow_err_set(err, OW_INPUT,
                              "%s: subject names no patient, and the data hold %zu",
                              it->id ? it->type : it->name, n);
        }
    }
    return OW_OK;
}

/* --- charts --- */

struct chart_rd {
    struct ow_reader *r;
    struct words notes;
    struct ow_order *orders;
    size_t n_orders, cap_orders;
    struct ow_record_list records;
    struct ow_clinic_list clinics;
};

static void item_note(struct chart_rd *c, const struct ow_item *it, const char *note)
{
    if (note)
        words_add(c->r->arena, &c->notes,
                  ow_arena_printf(c->r->arena, "%s: %s", it->name, note));
}

static void order_add(struct chart_rd *c, const struct ow_item *it)
{
    struct ow_pool_view view = { &c->r->pool, it };
    struct ow_resolver resolver = ow_pool_resolver(&view);
    const char *note;
    struct ow_order o = ow_order_of(c->r->arena, c->r->opt.zone, it->resource, it->name,
                                    &resolver, &note);

    o.source = c->r->opt.source;
    o.is_draft = it->is_draft;
    o.selected = it->selected;
    OW_ARENA_GROW(c->r->arena, c->orders, c->n_orders, c->cap_orders);
    c->orders[c->n_orders++] = o;
    item_note(c, it, note);
}

static void clinic_add(struct chart_rd *c, const struct ow_item *it,
                       const struct ow_resolver *resolver)
{
    const struct ow_record *last = c->records.n > 0 ? &c->records.items[c->records.n - 1]
                                                    : NULL;
    bool own = last && ow_streq(last->reference, it->name) && last->has_when;

    ow_clinic_add(c->r->arena, it->resource, it->name,
                  own ? last->when.from : OW_TIME_MIN, resolver, &c->clinics);
}

static void item_read(struct chart_rd *c, const struct ow_item *it,
                      struct ow_chart *chart)
{
    struct ow_pool_view view = { &c->r->pool, it };
    struct ow_resolver resolver = ow_pool_resolver(&view);
    const char *note;

    if (ow_order_is(it->type)) {
        order_add(c, it);
    } else if (strcmp(it->type, "Patient") != 0) {
        ow_record_add(c->r->arena, c->r->opt.zone, it->resource, it->name, &resolver,
                      &c->records, &note);
        item_note(c, it, note);
        if (strcmp(it->type, "Encounter") == 0)
            clinic_add(c, it, &resolver);
    } else if (strcmp(it->name, chart->patient.reference) == 0) {
        chart->patient = ow_patient_of(c->r->arena, c->r->opt.zone, it->resource,
                                       it->name);
    } else {
        item_note(c, it, "merged into this patient");
    }
}

static int patient_order(const void *pa, const void *pb)
{
    const struct ow_item *a = *(const struct ow_item *const *)pa;
    const struct ow_item *b = *(const struct ow_item *const *)pb;
    int d = strcmp(a->patient, b->patient);

    return d != 0 ? d : a->at < b->at ? -1 : a->at > b->at;
}

/* Items with a patient, by patient and place. */
static size_t items_sort(struct ow_reader *r, const struct ow_item ***ret)
{
    const struct ow_item **list = OW_NEW_N(r->arena, const struct ow_item *, r->pool.n);
    size_t n = 0;

    for (size_t i = 0; i < r->pool.n; i++) {
        if (!r->pool.items[i].dropped && r->pool.items[i].patient)
            list[n++] = &r->pool.items[i];
    }
    if (n > 1)
        qsort(list, n, sizeof *list, patient_order);
    *ret = list;
    return n;
}

/* What all charts show, found once. */
static size_t shared_list(struct ow_reader *r, const struct ow_item ***ret)
{
    size_t n = 0, cap = 0;

    *ret = NULL;
    for (size_t i = 0; i < r->pool.n; i++) {
        if (r->pool.items[i].dropped || !is_shared(&r->pool.items[i]))
            continue;
        OW_ARENA_GROW(r->arena, *ret, n, cap);
        (*ret)[n++] = &r->pool.items[i];
    }
    return n;
}

static void chart_finish(struct chart_rd *c, struct ow_chart *chart)
{
    struct ow_reader *r = c->r;

    for (size_t i = 0; i < r->notes.n; i++)
        words_add(r->arena, &c->notes, r->notes.items[i]);
    if (r->n_foreign > 0)
        words_add(r->arena, &c->notes,
                  ow_arena_printf(r->arena, "%u resource%s of another subject left out",
                                  r->n_foreign, r->n_foreign == 1 ? "" : "s"));
    chart->orders = c->orders;
    chart->n_orders = c->n_orders;
    ow_clinic_choose(&c->clinics, chart);
    chart->records = c->records.items;
    chart->n_records = c->records.n;
    chart->missing = r->missing.items;
    chart->n_missing = r->missing.n;
    chart->notes = c->notes.items;
    chart->n_notes = c->notes.n;
}

static void settle_note(void *arg, const char *text)
{
    struct ow_reader *r = arg;

    words_add(r->arena, &r->notes, text);
}

static struct ow_chart *charts_build(struct ow_reader *r, const char *const *patients,
                                     size_t n)
{
    struct ow_chart *charts = OW_NEW_N(r->arena, struct ow_chart, n);
    const struct ow_item **items, **shared;
    size_t n_items = items_sort(r, &items), n_shared = shared_list(r, &shared), k = 0;

    for (size_t i = 0; i < n && !ow_arena_full(r->arena); i++) {
        struct chart_rd c = { .r = r };

        charts[i].patient.reference = patients[i];
        charts[i].hook = r->opt.hook;
        for (; k < n_items && strcmp(items[k]->patient, patients[i]) == 0; k++)
            item_read(&c, items[k], &charts[i]);
        for (size_t m = 0; m < n_shared; m++)
            item_read(&c, shared[m], &charts[i]);
        chart_finish(&c, &charts[i]);
    }
    return charts;
}

enum ow_code ow_reader_charts(struct ow_reader *r, const struct ow_chart **ret, size_t *n,
                              struct ow_err *err)
{
    const char *const *patients;
    enum ow_code code;
    size_t n_patients, n_notes = r->notes.n;

    for (size_t i = 0; i < r->pool.n; i++)
        r->pool.items[i].dropped = false;
    r->n_foreign = 0;
    ow_pool_settle(&r->pool, settle_note, r);
    aliases_read(r);
    patients_assign(r);
    n_patients = patients_list(r, &patients);
    code = orphans_assign(r, patients, n_patients, err);
    if (code != OW_OK)
        return code;
    *ret = charts_build(r, patients, n_patients);
    *n = n_patients;
    r->notes.n = n_notes; /* those of this round are in the charts */
    if (ow_arena_full(r->arena))
        return ow_err_set(err, OW_INPUT, "more data than the memory limit allows");
    return OW_OK;
}
