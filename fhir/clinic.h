/*
 * Clinic: where a patient is seen, out of the encounters of a chart
 *
 * A policy may differ between clinics. The encounter that a draft order names decides;
 * without one the encounter that began last; without any the organization that a draft
 * names as its requester. Encounter.serviceProvider is the clinic, the first
 * Encounter.location its place.
 */
#pragma once

#include "fhir/order.h"

struct ow_clinic_seat {
    const char *encounter, *organization, *location; /* Type/id; the latter may be NULL */
    ow_time when;                                    /* OW_TIME_MIN: not known */
};

struct ow_clinic_list {
    struct ow_clinic_seat *items; /* in the arena */
    size_t n, cap;
};

/* Take the Encounter `resource`; `name` is its reference, `when` its beginning. */
void ow_clinic_add(struct ow_arena *arena, const cJSON *resource, const char *name,
                   ow_time when, const struct ow_resolver *resolver,
                   struct ow_clinic_list *list);

/* Set chart->clinic and chart->location; its orders are there already. */
void ow_clinic_choose(const struct ow_clinic_list *list, struct ow_chart *chart);
