#include "fhir/order.h"

#include <string.h>

#include "base/text.h"
#include "fhir/dosage_read.h"
#include "fhir/medication.h"
#include "fhir/proposal.h"
#include "fhir/reference.h"

struct order_rd {
    struct ow_rd r;    /* what decides: a fault refuses the order */
    struct ow_rd side; /* what describes: a fault is a note */
    const cJSON *resource;
    const struct ow_resolver *resolver;
};

static const struct {
    const char *type;
    enum ow_order_kind kind;
    const char *dosage; /* name of its dosage element */
} kinds[] = {
    {"MedicationRequest",         OW_REQUEST,        "dosageInstruction"},
    { "MedicationDispense",       OW_DISPENSE,       "dosageInstruction"},
    { "MedicationStatement",      OW_STATEMENT,      "dosage"           },
    { "MedicationAdministration", OW_ADMINISTRATION, "dosage"           },
};

static size_t kind_index(const char *type)
{
    size_t i = 0;

    while (i < OW_LEN(kinds) && !ow_streq(type, kinds[i].type))
        i++;
    return i;
}

bool ow_order_is(const char *resource_type)
{
    return kind_index(resource_type) < OW_LEN(kinds);
}

static enum ow_status status_of(const char *text)
{
    static const struct {
        const char *word;
        enum ow_status status;
    } words[] = {
        {"active",            OW_STATUS_ACTIVE          },
        { "on-hold",          OW_STATUS_ON_HOLD         },
        { "draft",            OW_STATUS_DRAFT           },
        { "completed",        OW_STATUS_COMPLETED       },
        { "ended",            OW_STATUS_COMPLETED       }, /* R5 */
        { "stopped",          OW_STATUS_STOPPED         },
        { "cancelled",        OW_STATUS_CANCELLED       },
        { "entered-in-error", OW_STATUS_ENTERED_IN_ERROR},
        { "unknown",          OW_STATUS_UNKNOWN         },
    };

    if (!text)
        return OW_STATUS_NONE;
    for (size_t i = 0; i < OW_LEN(words); i++) {
        if (strcmp(text, words[i].word) == 0)
            return words[i].status;
    }
    return OW_STATUS_OTHER;
}

static enum ow_intent intent_of(const char *text)
{
    static const struct {
        const char *word;
        enum ow_intent intent;
    } words[] = {
        {"order",           OW_INTENT_ORDER         },
        { "original-order", OW_INTENT_ORIGINAL_ORDER},
        { "reflex-order",   OW_INTENT_REFLEX_ORDER  },
        { "filler-order",   OW_INTENT_FILLER_ORDER  },
        { "instance-order", OW_INTENT_INSTANCE_ORDER},
        { "proposal",       OW_INTENT_PROPOSAL      },
        { "plan",           OW_INTENT_PLAN          },
        { "option",         OW_INTENT_OPTION        },
    };

    if (!text)
        return OW_INTENT_NONE;
    for (size_t i = 0; i < OW_LEN(words); i++) {
        if (strcmp(text, words[i].word) == 0)
            return words[i].intent;
    }
    return OW_INTENT_OTHER;
}

static unsigned category_bit(const char *code)
{
    static const struct {
        const char *code;
        unsigned bit;
    } codes[] = {
        {"inpatient",   OW_CATEGORY_INPATIENT },
        { "outpatient", OW_CATEGORY_OUTPATIENT},
        { "community",  OW_CATEGORY_COMMUNITY },
        { "discharge",  OW_CATEGORY_DISCHARGE },
    };

    for (size_t i = 0; i < OW_LEN(codes); i++) {
        if (ow_streq(code, codes[i].code))
            return codes[i].bit;
    }
    return 0;
}

static unsigned categories_of(struct order_rd *o)
{
    const struct ow_concept *list;
    size_t n = ow_rd_concepts(&o->side, o->resource, "category", &list);
    unsigned set = 0;

    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < list[i].n_codings; k++)
            set |= category_bit(list[i].codings[k].code);
    }
    return set;
}

static const char *normal(const struct order_rd *o, const char *reference)
{
    if (!reference)
        return NULL;
    return o->resolver->normal(o->resolver->arg, o->resource, reference);
}

static const char *reference_under(struct order_rd *o, const cJSON *object,
                                   const char *key)
{
    return normal(o, ow_rd_reference(&o->side, object, key));
}

/* References in an array, or a lone one. */
static size_t references_under(struct order_rd *o, const char *key,
                               const char *const **ret)
{
    const cJSON *v = ow_json_get(o->resource, key), *c;
    const char **list = NULL;
    size_t n = 0, cap = 0;

    for (c = cJSON_IsArray(v) ? v->child : v; c; c = cJSON_IsArray(v) ? c->next : NULL) {
        const char *ref = normal(o, ow_json_string(c, "reference"));

        if (!ref)
            continue;
        OW_ARENA_GROW(o->r.arena, list, n, cap);
        list[n++] = ref;
    }
    *ret = list;
    return n;
}

static void identity_read(struct order_rd *o, struct ow_order *ret)
{
    const cJSON *v = ow_json_get(o->resource, "identifier"), *c;
    const char **list = NULL;
    size_t cap = 0;

    for (c = cJSON_IsArray(v) ? v->child : v; c; c = cJSON_IsArray(v) ? c->next : NULL) {
        const char *id = ow_rd_identifier(&o->side, c);

        if (!id)
            continue;
        OW_ARENA_GROW(o->r.arena, list, ret->n_identifiers, cap);
        list[ret->n_identifiers++] = id;
    }
    ret->identifiers = list;
    ret->id = ow_json_string(o->resource, "id");
    ret->n_based_on = references_under(o, "basedOn", &ret->based_on);
    ret->n_authorizing = references_under(o, "authorizingPrescription",
                                          &ret->authorizing);
    ret->prior = reference_under(o, o->resource, "priorPrescription");
    ret->group = ow_rd_identifier(&o->side,
                                  ow_json_object(o->resource, "groupIdentifier"));
    ret->encounter = reference_under(o, o->resource, "encounter");
    if (!ret->encounter)
        ret->encounter = reference_under(o, o->resource, "context");
}

static void standing_read(struct order_rd *o, struct ow_order *ret)
{
    const char *intent;

    ow_rd_modifier(&o->r, o->resource);
    if (ow_json_get(o->resource, "implicitRules"))
        ow_rd_refuse(&o->r, "implicitRules", "rules that are not known here");
    ret->status_text = ow_rd_string(&o->r, o->resource, "status");
    ret->status = status_of(ret->status_text);
    intent = ow_rd_string(&o->r, o->resource, "intent");
    ret->intent = intent_of(intent);
    ret->categories = categories_of(o);
    ow_rd_bool(&o->r, o->resource, "doNotPerform", &ret->do_not_perform);
    if (!ret->do_not_perform)
        ow_rd_bool(&o->r, o->resource, "doNotPrescribe", &ret->do_not_perform);
}

static void people_read(struct order_rd *o, struct ow_order *ret)
{
    const cJSON *performers = ow_json_array(o->resource, "performer");

    ret->prescriber = reference_under(o, o->resource, "requester");
    ret->recorder = reference_under(o, o->resource, "recorder");
    if (!ret->prescriber)
        ret->prescriber = ret->recorder;
    if (performers && performers->child)
        ret->performer = reference_under(o, performers->child, "actor");
    ret->n_reasons = ow_rd_concepts(&o->side, o->resource, "reasonCode", &ret->reasons);
    if (ret->n_reasons == 0)
        ret->n_reasons = ow_rd_concepts(&o->side, o->resource, "reason", &ret->reasons);
}

static void dispense_request_read(struct order_rd *o, struct ow_order *ret)
{
    const cJSON *d = ow_rd_object(&o->side, o->resource, "dispenseRequest");
    size_t mark = ow_rd_enter(&o->side, "dispenseRequest", -1);
    size_t same = ow_rd_enter(&o->r, "dispenseRequest", -1);

    if (d)
        ow_rd_modifier(&o->r, d);
    ow_rd_leave(&o->r, same);
    ow_rd_quantity(&o->side, d, "quantity", &ret->supply_quantity);
    ow_rd_quantity(&o->side, d, "expectedSupplyDuration", &ret->supply_duration);
    ret->has_refills = ow_rd_int(&o->side, d, "numberOfRepeatsAllowed", &ret->refills);
    ret->has_validity = ow_rd_period(&o->side, d, "validityPeriod", &ret->validity);
    ow_rd_leave(&o->side, mark);
}

/* effective[x], R5's occurrence[x] and its misspelling in R5's MedicationAdministration
 */
static void effective_read(struct order_rd *o, struct ow_order *ret)
{
    static const char *const times[] = { "effectiveDateTime", "occurrenceDateTime",
                                         "occurenceDateTime" };
    static const char *const periods[] = { "effectivePeriod", "occurrencePeriod",
                                           "occurencePeriod" };

    for (size_t i = 0; i < OW_LEN(times) && !ret->has_authored; i++)
        ret->has_authored = ow_rd_time(&o->side, o->resource, times[i], &ret->authored);
    for (size_t i = 0; i < OW_LEN(periods) && !ret->has_effective; i++)
        ret->has_effective = ow_rd_period(&o->side, o->resource, periods[i],
                                          &ret->effective);
    if (ret->has_effective && !ret->has_authored && ret->effective.from != OW_TIME_MIN) {
        ret->has_authored = true;
        ret->authored = (struct ow_span){ ret->effective.from, ret->effective.from + 1 };
    }
}

static void times_read(struct order_rd *o, struct ow_order *ret)
{
    switch (ret->kind) {
    case OW_REQUEST:
        ret->has_authored = ow_rd_time(&o->side, o->resource, "authoredOn",
                                       &ret->authored);
        dispense_request_read(o, ret);
        break;
    case OW_DISPENSE:
        ret->has_authored = ow_rd_time(&o->side, o->resource, "whenHandedOver",
                                       &ret->authored);
        ow_rd_quantity(&o->side, o->resource, "quantity", &ret->supply_quantity);
        ow_rd_quantity(&o->side, o->resource, "daysSupply", &ret->supply_duration);
        break;
    case OW_STATEMENT:
    case OW_ADMINISTRATION:
        effective_read(o, ret);
        break;
    }
}

struct ow_order ow_order_of(struct ow_arena *arena, const struct ow_zone *zone,
                            const cJSON *resource, const char *reference,
                            const struct ow_resolver *resolver, const char **note)
{
    const char *type = ow_json_string(resource, "resourceType");
    size_t k = kind_index(type);
    struct order_rd o = { .resource = resource, .resolver = resolver };
    struct ow_order ret = { .raw = ow_proposal_fits(resource) ? resource : NULL,
                            .reference = reference };

    ow_assert(k < OW_LEN(kinds));
    ret.kind = kinds[k].kind;
    ow_rd_init(&o.r, arena, zone, type);
    ow_rd_init(&o.side, arena, zone, type);
    standing_read(&o, &ret);
    ret.medication = ow_medication_of(&o.r, resource, resolver);
    ret.n_dosages = ow_dosages_of(&o.r, resource, kinds[k].dosage, &ret.dosages);
    identity_read(&o, &ret);
    people_read(&o, &ret);
    times_read(&o, &ret);
    if (ow_order_too_old(resource))
        ow_rd_refuse(&o.r, NULL, "not in the form of FHIR R4 or R5");
    ret.refused = o.r.refused;
    *note = o.side.refused;
    return ret;
}

const char *ow_order_medication_wanted(struct ow_arena *arena, const cJSON *resource,
                                       const struct ow_resolver *resolver)
{
    const char *reference = ow_medication_reference(resource), *wanted;

    (void)arena;
    if (!reference || resolver->find(resolver->arg, resource, reference))
        return NULL;
    wanted = resolver->normal(resolver->arg, resource, reference);
    return wanted && ow_starts_with(wanted, "Medication/") ? wanted : NULL;
}

/* STU3 gave requester an agent; both older versions have the dose on the Dosage itself.
 */
const char *ow_order_too_old(const cJSON *resource)
{
    const char *type = ow_json_string(resource, "resourceType");
    const cJSON *dosages, *d;
    size_t k = kind_index(type);

    if (ow_streq(type, "MedicationOrder"))
        return "MedicationOrder is FHIR DSTU2; FHIR R4, R4B or R5 expected";
    if (k == OW_LEN(kinds))
        return NULL;
    if (ow_json_get(ow_json_object(resource, "requester"), "agent"))
        return "requester.agent is FHIR STU3; FHIR R4, R4B or R5 expected";
    dosages = ow_json_array(resource, kinds[k].dosage);
    cJSON_ArrayForEach(d, dosages)
    {
        if (ow_json_get(d, "doseQuantity") || ow_json_get(d, "doseRange"))
            return "a dose outside doseAndRate is FHIR STU3; FHIR R4, R4B or R5 expected";
    }
    return NULL;
}
