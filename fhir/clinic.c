#include "fhir/clinic.h"

#include "base/text.h"

/* The reference of a Reference below `key`, when it is of that type. */
static const char *reference_of(const cJSON *resource, const cJSON *object,
                                const char *key, const char *prefix,
                                const struct ow_resolver *resolver)
{
    const char *s = ow_json_string(ow_json_object(object, key), "reference");
    const char *ref = s ? resolver->normal(resolver->arg, resource, s) : NULL;

    return ref && ow_starts_with(ref, prefix) ? ref : NULL;
}

void ow_clinic_add(struct ow_arena *arena, const cJSON *resource, const char *name,
                   ow_time when, const struct ow_resolver *resolver,
                   struct ow_clinic_list *list)
{
    struct ow_clinic_seat seat = { .encounter = name, .when = when };
    const cJSON *place, *places = ow_json_array(resource, "location");

    seat.organization = reference_of(resource, resource, "serviceProvider",
                                     "Organization/", resolver);
    cJSON_ArrayForEach(place, places)
    {
        if (!seat.location)
            seat.location = reference_of(resource, place, "location", "Location/",
                                         resolver);
    }
    if (!seat.organization && !seat.location)
        return;
    OW_ARENA_GROW(arena, list->items, list->n, list->cap);
    list->items[list->n++] = seat;
}

static bool drafted_in(const struct ow_chart *chart, const char *encounter)
{
    for (size_t i = 0; i < chart->n_orders; i++)
        if (chart->orders[i].is_draft && chart->orders[i].encounter &&
            ow_streq(chart->orders[i].encounter, encounter))
            return true;
    return false;
}

void ow_clinic_choose(const struct ow_clinic_list *list, struct ow_chart *chart)
{
    const struct ow_clinic_seat *best = NULL;
    bool best_drafted = false;

    for (size_t i = 0; i < list->n; i++) {
        const struct ow_clinic_seat *s = &list->items[i];
        bool drafted = drafted_in(chart, s->encounter);

        if (best && (best_drafted > drafted ||
                     (best_drafted == drafted && s->when <= best->when)))
            continue;
        best = s;
        best_drafted = drafted;
    }
    if (best) {
        chart->clinic = best->organization;
        chart->location = best->location;
    }
    for (size_t i = 0; !best && i < chart->n_orders; i++) {
        const struct ow_order *o = &chart->orders[i];

        if (!chart->clinic && o->is_draft && o->prescriber &&
            ow_starts_with(o->prescriber, "Organization/"))
            chart->clinic = o->prescriber;
    }
}
