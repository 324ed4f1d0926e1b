#include "fhir/dosage_read.h"

#include <string.h>

#include "base/text.h"

static size_t length(const cJSON *array)
{
    size_t n = 0;

    for (const cJSON *c = array ? array->child : NULL; c; c = c->next)
        n++;
    return n;
}

static void events_read(struct ow_rd *r, const cJSON *timing, struct ow_timing *ret)
{
    const cJSON *list = ow_rd_array(r, timing, "event"), *c;
    struct ow_span *events;

    if (length(list) == 0)
        return;
    events = OW_NEW_N(r->arena, struct ow_span, length(list));
    cJSON_ArrayForEach(c, list)
    {
        if (cJSON_IsString(c) &&
            ow_time_parse(c->valuestring, r->zone, &events[ret->n_events], NULL) == OW_OK)
            ret->n_events++;
        else
            ow_rd_refuse(r, "event", "expected FHIR times");
    }
    ret->events = events;
}

static void bounds_read(struct ow_rd *r, const cJSON *repeat, struct ow_timing *ret)
{
    if (ow_rd_quantity(r, repeat, "boundsDuration", &ret->bounds_duration))
        ret->bounds = OW_BOUNDS_DURATION;
    if (ow_rd_range(r, repeat, "boundsRange", &ret->bounds_range))
        ret->bounds = OW_BOUNDS_RANGE;
    if (ow_rd_period(r, repeat, "boundsPeriod", &ret->bounds_period))
        ret->bounds = OW_BOUNDS_PERIOD;
}

/* DSTU2 and STU3 wrote some of these otherwise; a member that R4 and R5 do not know is
 * not skipped, since it may be the one that says how often. */
static void repeat_members_check(struct ow_rd *r, const cJSON *repeat)
{
    static const char *const known[] = {
        "id",        "extension",    "boundsDuration", "boundsRange", "boundsPeriod",
        "count",     "countMax",     "duration",       "durationMax", "durationUnit",
        "frequency", "frequencyMax", "period",         "periodMax",   "periodUnit",
        "dayOfWeek", "timeOfDay",    "when",           "offset",      "fhir_comments",
    };

    for (const cJSON *c = repeat->child; c; c = c->next) {
        const char *name = c->string + (c->string[0] == '_');
        bool found = false;

        for (size_t i = 0; i < OW_LEN(known) && !found; i++)
            found = *name == *known[i] && strcmp(name, known[i]) == 0;
        if (!found)
            ow_rd_refuse(r, NULL, "has an element that FHIR R4 does not know");
    }
}

static void repeat_read(struct ow_rd *r, const cJSON *repeat, struct ow_timing *ret)
{
    ret->has_repeat = true;
    bounds_read(r, repeat, ret);
    ow_rd_number(r, repeat, "count", &ret->count);
    ow_rd_number(r, repeat, "countMax", &ret->count_max);
    ow_rd_number(r, repeat, "duration", &ret->duration);
    ow_rd_number(r, repeat, "durationMax", &ret->duration_max);
    ret->duration_unit = ow_rd_string(r, repeat, "durationUnit");
    ow_rd_number(r, repeat, "frequency", &ret->frequency);
    ow_rd_number(r, repeat, "frequencyMax", &ret->frequency_max);
    ow_rd_number(r, repeat, "period", &ret->period);
    ow_rd_number(r, repeat, "periodMax", &ret->period_max);
    ret->period_unit = ow_rd_string(r, repeat, "periodUnit");
    ret->n_day_of_week = ow_rd_strings(r, repeat, "dayOfWeek", &ret->day_of_week);
    ret->n_time_of_day = ow_rd_strings(r, repeat, "timeOfDay", &ret->time_of_day);
    ret->n_when = ow_rd_strings(r, repeat, "when", &ret->when);
    repeat_members_check(r, repeat);
}

static void timing_read(struct ow_rd *r, const cJSON *timing, struct ow_timing *ret)
{
    size_t mark = ow_rd_enter(r, "timing", -1), inner;
    const cJSON *repeat;

    ow_rd_modifier(r, timing);
    events_read(r, timing, ret);
    ow_rd_concept(r, timing, "code", &ret->code);
    repeat = ow_rd_object(r, timing, "repeat");
    if (repeat) {
        inner = ow_rd_enter(r, "repeat", -1);
        repeat_read(r, repeat, ret);
        ow_rd_leave(r, inner);
    }
    ow_rd_leave(r, mark);
}

static struct ow_dose_rate dose_rate_of(struct ow_rd *r, const cJSON *o)
{
    struct ow_dose_rate ret = { 0 };
    struct ow_concept type;

    if (ow_rd_concept(r, o, "type", &type))
        ret.type = type.n_codings > 0 && type.codings[0].code ? type.codings[0].code
                                                              : type.text;
    ret.has_dose = ow_rd_quantity(r, o, "doseQuantity", &ret.dose);
    ret.has_dose_range = ow_rd_range(r, o, "doseRange", &ret.dose_range);
    ret.has_rate = ow_rd_quantity(r, o, "rateQuantity", &ret.rate);
    ret.has_rate_range = ow_rd_range(r, o, "rateRange", &ret.rate_range);
    ret.has_rate_ratio = ow_rd_fraction(r, o, "rateRatio", &ret.rate_ratio);
    return ret;
}

static void doses_read(struct ow_rd *r, const cJSON *dosage, struct ow_dosage *ret)
{
    const cJSON *list = ow_rd_array(r, dosage, "doseAndRate"), *c;
    struct ow_dose_rate *doses;
    int i = 0;

    if (length(list) == 0)
        return;
    doses = OW_NEW_N(r->arena, struct ow_dose_rate, length(list));
    cJSON_ArrayForEach(c, list)
    {
        size_t mark = ow_rd_enter(r, "doseAndRate", i++);

        if (!cJSON_IsObject(c))
            ow_rd_refuse(r, NULL, "expected an object");
        doses[ret->n_doses++] = dose_rate_of(r, c);
        ow_rd_leave(r, mark);
    }
    ret->doses = doses;
}

/* MedicationAdministration.dosage has its one dose without a list. */
static void administered_read(struct ow_rd *r, const cJSON *dosage, struct ow_dosage *ret)
{
    struct ow_dose_rate *d;

    if (!ow_json_get(dosage, "dose") && !ow_json_get(dosage, "rateQuantity") &&
        !ow_json_get(dosage, "rateRatio"))
        return;
    d = OW_NEW(r->arena, struct ow_dose_rate);
    d->has_dose = ow_rd_quantity(r, dosage, "dose", &d->dose);
    d->has_rate = ow_rd_quantity(r, dosage, "rateQuantity", &d->rate);
    d->has_rate_ratio = ow_rd_fraction(r, dosage, "rateRatio", &d->rate_ratio);
    ret->doses = d;
    ret->n_doses = 1;
}

/* R4: asNeededBoolean or asNeededCodeableConcept. R5: asNeeded and asNeededFor[]. */
static void as_needed_read(struct ow_rd *r, const cJSON *dosage, struct ow_dosage *ret)
{
    const struct ow_concept *reasons;
    bool yes = false;

    ow_rd_bool(r, dosage, "asNeeded", &yes);
    ow_rd_bool(r, dosage, "asNeededBoolean", &yes);
    ret->as_needed = yes;
    if (ow_rd_concept(r, dosage, "asNeededCodeableConcept", &ret->as_needed_for)) {
        ret->as_needed = true;
    } else if (ow_rd_concepts(r, dosage, "asNeededFor", &reasons) > 0) {
        ret->as_needed = true;
        ret->as_needed_for = reasons[0];
    }
}

/* One Ratio in R4, a list of them in R5. */
static void max_per_period_read(struct ow_rd *r, const cJSON *dosage,
                                struct ow_dosage *ret)
{
    const cJSON *v = ow_json_get(dosage, "maxDosePerPeriod"), *c;
    struct ow_fraction *list;

    if (!cJSON_IsArray(v)) {
        list = OW_NEW(r->arena, struct ow_fraction);
        ret->n_max_per_period = ow_rd_fraction(r, dosage, "maxDosePerPeriod", list);
        ret->max_per_period = list;
        return;
    }
    list = OW_NEW_N(r->arena, struct ow_fraction, length(v));
    cJSON_ArrayForEach(c, v)
    {
        size_t mark = ow_rd_enter(r, "maxDosePerPeriod", (int)ret->n_max_per_period);

        if (!cJSON_IsObject(c))
            ow_rd_refuse(r, NULL, "expected an object");
        list[ret->n_max_per_period++] = ow_rd_fraction_of(r, c);
        ow_rd_leave(r, mark);
    }
    ret->max_per_period = list;
}

static void amounts_read(struct ow_rd *r, const cJSON *dosage, struct ow_dosage *ret)
{
    if (ow_json_get(dosage, "doseQuantity") || ow_json_get(dosage, "doseRange"))
        ow_rd_refuse(r, NULL, "FHIR STU3 dose, R4 has it in doseAndRate");
    doses_read(r, dosage, ret);
    if (ret->n_doses == 0)
        administered_read(r, dosage, ret);
    max_per_period_read(r, dosage, ret);
    ret->has_max_per_administration = ow_rd_quantity(
        r, dosage, "maxDosePerAdministration", &ret->max_per_administration);
    ret->has_max_per_lifetime = ow_rd_quantity(r, dosage, "maxDosePerLifetime",
                                               &ret->max_per_lifetime);
}

struct ow_dosage ow_dosage_of(struct ow_rd *r, const cJSON *dosage)
{
    const char *outer = r->refused;
    struct ow_dosage ret = { 0 };
    const cJSON *timing;

    r->refused = NULL;
    if (!cJSON_IsObject(dosage))
        ow_rd_refuse(r, NULL, "expected an object");
    ow_rd_modifier(r, dosage);
    ret.has_sequence = ow_rd_int(r, dosage, "sequence", &ret.sequence);
    ret.text = ow_rd_string(r, dosage, "text");
    ret.patient_instruction = ow_rd_string(r, dosage, "patientInstruction");
    timing = ow_rd_object(r, dosage, "timing");
    ret.has_timing = timing != NULL;
    if (timing)
        timing_read(r, timing, &ret.timing);
    as_needed_read(r, dosage, &ret);
    ow_rd_concept(r, dosage, "route", &ret.route);
    ow_rd_concept(r, dosage, "site", &ret.site);
    ow_rd_concept(r, dosage, "method", &ret.method);
    ret.n_additional = ow_rd_concepts(r, dosage, "additionalInstruction",
                                      &ret.additional);
    amounts_read(r, dosage, &ret);
    ret.refused = r->refused;
    r->refused = outer;
    return ret;
}

size_t ow_dosages_of(struct ow_rd *r, const cJSON *resource, const char *key,
                     const struct ow_dosage **ret)
{
    const cJSON *v = ow_json_get(resource, key), *c;
    struct ow_dosage *list;
    size_t n = 0;

    *ret = NULL;
    if (!v || cJSON_IsNull(v))
        return 0;
    if (!cJSON_IsArray(v) && !cJSON_IsObject(v)) {
        ow_rd_refuse(r, key, "expected an array of Dosage");
        return 0;
    }
    list = OW_NEW_N(r->arena, struct ow_dosage, cJSON_IsArray(v) ? length(v) : 1);
    for (c = cJSON_IsArray(v) ? v->child : v; c; c = cJSON_IsArray(v) ? c->next : NULL) {
        size_t mark = ow_rd_enter(r, key, cJSON_IsArray(v) ? (int)n : -1);

        list[n++] = ow_dosage_of(r, c);
        ow_rd_leave(r, mark);
    }
    *ret = list;
    return n;
}
