#include "fhir/medication.h"

#include <string.h>

#include "base/text.h"
#include "fhir/reference.h"

/* The Reference of medication[x], R4 or R5; NULL when there is none. */
static const cJSON *reference_object(const cJSON *order)
{
    const cJSON *r4 = ow_json_object(order, "medicationReference");

    return r4 ? r4 : ow_json_object(ow_json_object(order, "medication"), "reference");
}

const char *ow_medication_reference(const cJSON *order)
{
    return ow_json_string(reference_object(order), "reference");
}

static struct ow_fraction strength_of(struct ow_rd *r, const cJSON *i, bool *has)
{
    struct ow_fraction ret = { 0 };

    *has = ow_rd_fraction(r, i, "strength", &ret) ||
           ow_rd_fraction(r, i, "strengthRatio", &ret) ||
           ow_rd_quantity(r, i, "strengthQuantity", &ret.numerator);
    return ret;
}

/* The item of an ingredient: a concept, or the code of the Substance or Medication it
 * refers to. One step only, so that a circle of references ends. */
static struct ow_concept item_of(struct ow_rd *r, const cJSON *medication, const cJSON *i,
                                 const struct ow_resolver *resolver)
{
    const cJSON *r5 = ow_json_object(i, "item"), *found;
    const char *reference;
    struct ow_concept ret;

    if (ow_rd_concept(r, i, "itemCodeableConcept", &ret) ||
        ow_rd_concept(r, r5, "concept", &ret))
        return ret;
    reference = ow_rd_reference(r, i, "itemReference");
    if (!reference)
        reference = ow_rd_reference(r, r5, "reference");
    found = reference ? resolver->find(resolver->arg, medication, reference) : NULL;
    if (!found)
        return ret;
    if (!ow_rd_concept(r, found, "code", &ret)) /* R5 Substance.code */
        ow_rd_concept(r, ow_json_object(found, "code"), "concept", &ret);
    return ret;
}

static void ingredients_read(struct ow_rd *r, const cJSON *medication,
                             const struct ow_resolver *resolver,
                             struct ow_medication *ret)
{
    const cJSON *list = ow_rd_array(r, medication, "ingredient"), *c;
    struct ow_ingredient *items;
    size_t n = 0;

    for (c = list ? list->child : NULL; c; c = c->next)
        n++;
    if (n == 0)
        return;
    items = OW_NEW_N(r->arena, struct ow_ingredient, n);
    cJSON_ArrayForEach(c, list)
    {
        struct ow_ingredient *i = &items[ret->n_ingredients];
        size_t mark = ow_rd_enter(r, "ingredient", (int)ret->n_ingredients++);
        bool active = true;

        ow_rd_modifier(r, c);
        i->item = item_of(r, medication, c, resolver);
        i->strength = strength_of(r, c, &i->has_strength);
        ow_rd_bool(r, c, "isActive", &active);
        i->inactive = !active;
        ow_rd_leave(r, mark);
    }
    ret->ingredients = items;
}

/* A Medication resource. Its faults are faults of the order: the path says where. */
static void resource_read(struct ow_rd *r, const cJSON *medication,
                          const struct ow_resolver *resolver, struct ow_medication *ret)
{
    char path[OW_RD_PATH];
    size_t len = r->path_len;

    memcpy(path, r->path, sizeof path);
    memcpy(r->path, "Medication", sizeof "Medication");
    r->path_len = strlen(r->path);
    ow_rd_modifier(r, medication);
    if (ow_streq(ow_json_string(medication, "status"), "entered-in-error"))
        ow_rd_refuse(r, "status", "entered in error");
    ow_rd_concept(r, medication, "code", &ret->code);
    if (!ow_rd_concept(r, medication, "form", &ret->form))
        ow_rd_concept(r, medication, "doseForm", &ret->form); /* R5 */
    ingredients_read(r, medication, resolver, ret);
    memcpy(r->path, path, sizeof path);
    r->path_len = len;
}

static void reference_read(struct ow_rd *r, const cJSON *order, const cJSON *reference,
                           const struct ow_resolver *resolver, struct ow_medication *ret)
{
    const char *text = ow_rd_string(r, reference, "reference");
    const cJSON *found = NULL;

    ret->reference = text;
    ret->display = ow_rd_string(r, reference, "display");
    if (text)
        found = resolver->find(resolver->arg, order, text);
    if (found && !ow_streq(ow_json_string(found, "resourceType"), "Medication")) {
        ow_rd_refuse(r, "medication", "refers to something that is no Medication");
        found = NULL;
    }
    if (found)
        resource_read(r, found, resolver, ret);
    else
        ret->unresolved = true;
}

struct ow_medication ow_medication_of(struct ow_rd *r, const cJSON *order,
                                      const struct ow_resolver *resolver)
{
    const cJSON *r5 = ow_rd_object(r, order, "medication");
    const cJSON *reference = reference_object(order);
    struct ow_medication ret = { 0 };
    bool concept = ow_rd_concept(r, order, "medicationCodeableConcept", &ret.code);

    if (!concept)
    concept = ow_rd_concept(r, r5, "concept", &ret.code);
    if (concept && reference && !r5)
        ow_rd_refuse(r, "medication[x]", "given twice");
    if (!concept && reference)
        reference_read(r, order, reference, resolver, &ret);
    else if (!concept && !r->refused)
        ow_rd_refuse(r, "medication[x]", "is missing");
    return ret;
}
