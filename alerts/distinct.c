/*
 * Distinct: the ingredients and dose forms that the product table speaks of
 *
 * There are some fifty of the first and thirty of the second, so a walk is quick enough
 * for what is asked only about orders without a product.
 */
#include "alerts/kb.h"
#include "base/text.h"

const char *ow_knowledge_ingredient(const struct ow_knowledge *kb, const char *rxcui)
{
    if (rxcui == NULL || rxcui[0] == '\0')
        return NULL;
    for (size_t i = 0; i < kb->n_ingredients; i++)
        if (ow_streq(kb->ingredients[i]->ingredient_rxcui, rxcui))
            return kb->ingredients[i]->ingredient;
    return NULL;
}

static struct ow_dose_form *form_find(const struct ow_knowledge *kb, const char *name)
{
    for (size_t i = 0; i < kb->n_dose_forms; i++)
        if (ow_strcaseeq(kb->dose_forms[i].name, name))
            return &kb->dose_forms[i];
    return NULL;
}

const struct ow_dose_form *ow_knowledge_dose_form(const struct ow_knowledge *kb,
                                                  const char *name)
{
    const struct ow_dose_form *ret = NULL;

    if (name != NULL && name[0] != '\0')
        ret = form_find(kb, name);
    return ret != NULL && ret->form != OW_FORM_UNKNOWN ? ret : NULL;
}

/* A form of two classes ("Transdermal System", also iontophoretic) tells neither. */
static void form_note(struct ow_knowledge *kb, const struct ow_product *p)
{
    struct ow_dose_form *f = form_find(kb, p->dose_form);

    if (f == NULL) {
        kb->dose_forms[kb->n_dose_forms++] =
            (struct ow_dose_form){ p->dose_form, p->form_class, p->form };
    } else if (f->form != p->form) {
        f->form = OW_FORM_UNKNOWN;
    }
}

void kb_distinct_build(struct ow_knowledge *kb)
{
    size_t most = kb->n_products + 1;

    kb->ingredients = OW_NEW_N(&kb->arena, const struct ow_product *, most);
    kb->dose_forms = OW_NEW_N(&kb->arena, struct ow_dose_form, most);
    for (size_t i = 0; i < kb->n_products; i++) {
        const struct ow_product *p = &kb->products[i];

        if (p->ingredient_rxcui[0] != '\0' &&
            ow_knowledge_ingredient(kb, p->ingredient_rxcui) == NULL)
            kb->ingredients[kb->n_ingredients++] = p;
        if (p->has_form && p->dose_form[0] != '\0')
            form_note(kb, p);
    }
}
