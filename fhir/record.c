#include "fhir/record.h"

#include <string.h>

#include "base/text.h"

struct record_rd {
    struct ow_rd r; /* its complaints are dropped: a record is read as far as it goes */
    const cJSON *resource;
    const struct ow_resolver *resolver;
    struct ow_concept *more;
    const char **more_of;
    size_t n_more, cap_more, cap_more_of;
    const char **links;
    size_t n_links, cap_links;
};

enum { LINKS_MOST = 200 };

static const char *first_code(const struct ow_concept *c)
{
    return c->n_codings > 0 && c->codings[0].code ? c->codings[0].code : c->text;
}

/* A code, or the first code of a CodeableConcept. */
static const char *code_under(struct record_rd *d, const char *key)
{
    const char *s = ow_json_string(d->resource, key);
    struct ow_concept c;

    if (s)
        return s;
    if (!ow_json_object(d->resource, key))
        return NULL;
    ow_rd_concept(&d->r, d->resource, key, &c);
    return first_code(&c);
}

/* `of`: the element as ow_record names it. */
static void more_add(struct record_rd *d, const cJSON *object, const char *key,
                     const char *of)
{
    const struct ow_concept *list;
    size_t n = ow_rd_concepts(&d->r, object, key, &list);

    for (size_t i = 0; i < n; i++) {
        OW_ARENA_GROW(d->r.arena, d->more, d->n_more, d->cap_more);
        OW_ARENA_GROW(d->r.arena, d->more_of, d->n_more, d->cap_more_of);
        d->more_of[d->n_more] = of;
        d->more[d->n_more++] = list[i];
    }
}

static void more_add_each(struct record_rd *d, const char *array, const char *key,
                          const char *of)
{
    const cJSON *c, *list = ow_json_array(d->resource, array);

    cJSON_ArrayForEach(c, list)
    {
        more_add(d, c, key, of);
    }
}

static void more_read(struct record_rd *d)
{
    static const char *const plain[] = { "reasonCode", "reason",
                                         "type",       "serviceType",
                                         "specialty",  "interpretation",
                                         "outcome",    "dispositionCode" };
    static const char *const stays[] = { "hospitalization", "admission" };

    for (size_t i = 0; i < OW_LEN(plain); i++)
        more_add(d, d->resource, plain[i], plain[i]);
    for (size_t i = 0; i < OW_LEN(stays); i++)
        more_add(d, ow_json_object(d->resource, stays[i]), "dischargeDisposition",
                 "dischargeDisposition");
    more_add_each(d, "diagnosis", "use", "diagnosis.use");
    more_add_each(d, "participant", "type", "participant.type");
}

/* Every Reference inside, but for the patient's. Depth is bounded by the JSON limits. */
static void links_read(struct record_rd *d, const cJSON *node)
{
    for (const cJSON *c = node->child; c; c = c->next) {
        const char *ref;

        if (ow_streq(c->string, "subject") || ow_streq(c->string, "patient") ||
            ow_streq(c->string, "contained"))
            continue;
        if (cJSON_IsObject(c) || cJSON_IsArray(c))
            links_read(d, c);
        if (!cJSON_IsString(c) || !ow_streq(c->string, "reference"))
            continue;
        ref = d->resolver->normal(d->resolver->arg, d->resource, c->valuestring);
        if (!ref || d->n_links >= LINKS_MOST)
            continue;
        OW_ARENA_GROW(d->r.arena, d->links, d->n_links, d->cap_links);
        d->links[d->n_links++] = ref;
    }
}

static bool time_under(struct record_rd *d, const char *stem, struct ow_span *ret,
                       const char **of)
{
    static const char *const endings[] = { "DateTime", "Period", "Instant", "Date", "" };
    char key[48];

    for (size_t i = 0; i < OW_LEN(endings); i++) {
        const cJSON *v;
        size_t n = ow_copy(key, sizeof key, stem);

        ow_copy(key + n, sizeof key - n, endings[i]);
        v = ow_json_get(d->resource, key);
        if ((cJSON_IsString(v) && ow_rd_time(&d->r, d->resource, key, ret)) ||
            (cJSON_IsObject(v) && ow_rd_period(&d->r, d->resource, key, ret))) {
            *of = ow_arena_strdup(d->r.arena, key);
            return true;
        }
    }
    return false;
}

static void times_read(struct record_rd *d, struct ow_record *ret)
{
    static const char *const when[] = { "onset",      "effective", "performed",
                                        "occurrence", "period",    "created",
                                        "authored",   "dateTime",  "date" };
    static const char *const recorded[] = { "recordedDate", "issued", "authoredOn",
                                            "dateRecorded", "created" };

    for (size_t i = 0; i < OW_LEN(when) && !ret->has_when; i++)
        ret->has_when = time_under(d, when[i], &ret->when, &ret->when_of);
    for (size_t i = 0; i < OW_LEN(recorded) && !ret->has_recorded; i++) {
        ret->has_recorded = ow_rd_time(&d->r, d->resource, recorded[i], &ret->recorded);
        ret->recorded_of = recorded[i];
    }
    ret->has_updated = ow_rd_time(&d->r, ow_json_object(d->resource, "meta"),
                                  "lastUpdated", &ret->updated);
    if (ret->has_recorded)
        return;
    ret->has_recorded = ret->has_updated;
    ret->recorded = ret->updated;
    ret->recorded_of = ret->has_updated ? "lastUpdated" : NULL;
}

static void value_read(struct ow_rd *r, const cJSON *o, struct ow_record *ret)
{
    bool yes;
    int64_t n;

    ret->value = (struct ow_concept){ 0 };
    ret->value_string = ow_json_string(o, "valueString");
    if (!ow_rd_concept(r, o, "valueCodeableConcept", &ret->value))
        ret->value.text = ret->value_string;
    if (ow_json_bool(o, "valueBoolean", &yes))
        ret->value.text = yes ? "true" : "false";
    ow_rd_quantity(r, o, "valueQuantity", &ret->value_quantity);
    if (ow_json_int(o, "valueInteger", &n)) {
        ret->value_quantity.has_value = true;
        ret->value_quantity.value = OW_RATIO(n, 1);
    }
}

static void categories_read(struct record_rd *d, struct ow_record *ret)
{
    const struct ow_concept *a, *b;
    size_t n = ow_rd_concepts(&d->r, d->resource, "category", &a);
    size_t m = ow_rd_concepts(&d->r, d->resource, "class", &b);
    struct ow_concept *all = OW_NEW_N(d->r.arena, struct ow_concept, n + m);

    if (n > 0)
        memcpy(all, a, n * sizeof *a);
    if (m > 0)
        memcpy(all + n, b, m * sizeof *b);
    ret->categories = all;
    ret->n_categories = n + m;
}

static void components_add(struct record_rd *d, const struct ow_record *whole,
                           struct ow_record_list *list)
{
    const cJSON *c, *all = ow_json_array(d->resource, "component");

    cJSON_ArrayForEach(c, all)
    {
        struct ow_record part = *whole;

        if (!ow_rd_concept(&d->r, c, "code", &part.code))
            continue;
        part.component = true;
        d->more = NULL; /* its own interpretation, not that of the whole */
        d->more_of = NULL;
        d->n_more = d->cap_more = d->cap_more_of = 0;
        more_add(d, c, "interpretation", "interpretation");
        part.more = d->more;
        part.more_of = d->more_of;
        part.n_more = d->n_more;
        value_read(&d->r, c, &part);
        OW_ARENA_GROW(d->r.arena, list->items, list->n, list->cap);
        list->items[list->n++] = part;
    }
}

static const char *normal_of(struct record_rd *d, const cJSON *reference)
{
    const char *s = ow_json_string(reference, "reference");

    return s ? d->resolver->normal(d->resolver->arg, d->resource, s) : NULL;
}

static void people_read(struct record_rd *d, struct ow_record *ret)
{
    const cJSON *c, *list = ow_json_array(d->resource, "performer");
    const char **who = NULL;
    size_t cap = 0;

    ret->encounter = normal_of(d, ow_json_object(d->resource, "encounter"));
    ret->author = normal_of(d, ow_json_object(d->resource, "author"));
    cJSON_ArrayForEach(c, list)
    {
        const cJSON *actor = ow_json_object(c, "actor");
        const char *ref = normal_of(d, actor ? actor : c);

        if (!ref || ret->n_performers >= LINKS_MOST)
            continue;
        OW_ARENA_GROW(d->r.arena, who, ret->n_performers, cap);
        who[ret->n_performers++] = ref;
    }
    ret->performers = who;
}

static struct ow_record record_of(struct record_rd *d, const char *type,
                                  const char *reference)
{
    struct ow_record ret = { .type = type, .reference = reference };

    ret.status = code_under(d, "status");
    if (!ret.status)
        ret.status = code_under(d, "clinicalStatus");
    ret.verification = code_under(d, "verificationStatus");
    ret.intent = ow_json_string(d->resource, "intent");
    categories_read(d, &ret);
    if (ow_json_array(d->resource, "code"))
        more_add(d, d->resource, "code", "code"); /* PractitionerRole */
    else
        ow_rd_concept(&d->r, d->resource, "code", &ret.code);
    if (ret.code.n_codings == 0 && !ret.code.text) /* R5 ServiceRequest.code.concept */
        ow_rd_concept(&d->r, ow_json_object(d->resource, "code"), "concept", &ret.code);
    if (ret.code.n_codings == 0 && !ret.code.text) /* Immunization */
        ow_rd_concept(&d->r, d->resource, "vaccineCode", &ret.code);
    more_read(d);
    times_read(d, &ret);
    value_read(&d->r, d->resource, &ret);
    links_read(d, d->resource);
    people_read(d, &ret);
    ret.more = d->more;
    ret.more_of = d->more_of;
    ret.n_more = d->n_more;
    ret.links = d->links;
    ret.n_links = d->n_links;
    return ret;
}

void ow_record_add(struct ow_arena *arena, const struct ow_zone *zone,
                   const cJSON *resource, const char *reference,
                   const struct ow_resolver *resolver, struct ow_record_list *list,
                   const char **note)
{
    const char *type = ow_json_string(resource, "resourceType");
    struct record_rd d = { .resource = resource, .resolver = resolver };
    struct ow_record whole;

    *note = NULL;
    ow_rd_init(&d.r, arena, zone, type);
    ow_rd_modifier(&d.r, resource);
    if (d.r.refused) {
        *note = d.r.refused;
        return;
    }
    whole = record_of(&d, type, reference);
    OW_ARENA_GROW(arena, list->items, list->n, list->cap);
    list->items[list->n++] = whole;
    components_add(&d, &whole, list);
}

struct ow_patient ow_patient_of(struct ow_arena *arena, const struct ow_zone *zone,
                                const cJSON *resource, const char *reference)
{
    struct ow_patient ret = { .reference = reference };
    struct ow_rd r;

    ow_rd_init(&r, arena, zone, "Patient");
    ret.has_birth = ow_rd_time(&r, resource, "birthDate", &ret.birth);
    ret.gender = ow_json_string(resource, "gender");
    ow_json_bool(resource, "deceasedBoolean", &ret.deceased);
    if (ow_json_string(resource, "deceasedDateTime"))
        ret.deceased = true;
    return ret;
}
