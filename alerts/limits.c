/*
 * Limits: the site's tables of highest doses and of preferred drugs
 *
 * Both may be left out. An ingredient that no opioid product has is a fault: a slip of
 * the pen would silence the rule for that drug.
 */
#include <string.h>

#include "alerts/kb.h"
#include "base/text.h"

static bool release_read(struct ow_tsv *t, size_t column, enum ow_release *ret)
{
    static const char *const names[] = { "any", "immediate", "extended" };
    const char *s = ow_tsv_field(t, column);

    for (size_t i = 0; i < OW_LEN(names); i++)
        if (strcmp(s, names[i]) == 0) {
            *ret = (enum ow_release)i;
            return true;
        }
    ow_tsv_fault(t, column, "any, immediate or extended was expected");
    return false;
}

bool ow_release_is(enum ow_release r, const struct ow_product *p)
{
    return r == OW_RELEASE_ANY ||
           (p != NULL && p->extended_release == (r == OW_RELEASE_EXTENDED));
}

/* ---- highest doses ---- */

enum { M_INGREDIENT, M_RELEASE, M_AGE, M_MG, M_SOURCE, M_N };

static bool ingredient_known(const struct ow_knowledge *kb, const char *name)
{
    for (size_t i = 0; i < kb->n_products; i++)
        if (ow_streq(kb->products[i].ingredient, name))
            return true;
    return false;
}

static bool max_dose_read(const struct ow_knowledge *kb, struct ow_tsv *t,
                          struct ow_max_dose *m)
{
    const char *age = ow_tsv_field(t, M_AGE), *mg = ow_tsv_field(t, M_MG);
    struct ow_ratio years;

    m->ingredient = ow_tsv_field(t, M_INGREDIENT);
    m->source = ow_tsv_field(t, M_SOURCE);
    if (!ingredient_known(kb, m->ingredient)) {
        ow_tsv_fault(t, M_INGREDIENT, "no opioid product has this ingredient");
        return false;
    }
    if (!release_read(t, M_RELEASE, &m->release))
        return false;
    if (!ow_ratio_parse(age, strlen(age), &years) || years.den != 1 || years.num < 0 ||
        years.num > 150) {
        ow_tsv_fault(t, M_AGE, "whole years from 0 to 150 were expected");
        return false;
    }
    m->age_from = (int)years.num;
    if (!ow_ratio_parse(mg, strlen(mg), &m->mg_day) || !ow_ratio_positive(m->mg_day)) {
        ow_tsv_fault(t, M_MG, "mg above zero were expected");
        return false;
    }
    if (m->source[0] == '\0') {
        ow_tsv_fault(t, M_SOURCE, "must not be empty");
        return false;
    }
    return true;
}

static bool max_dose_twice(const struct ow_knowledge *kb, const struct ow_max_dose *m)
{
    for (size_t i = 0; i < kb->n_max_doses; i++) {
        const struct ow_max_dose *k = &kb->max_doses[i];

        if (ow_streq(k->ingredient, m->ingredient) && k->release == m->release &&
            k->age_from == m->age_from)
            return true;
    }
    return false;
}

void kb_max_doses_load(struct ow_knowledge *kb, const struct ow_knowledge_file *f,
                       struct ow_tsv_log *log)
{
    static const char *const columns[M_N] = { "ingredient", "release", "age_from",
                                              "mg_per_day", "source" };
    struct ow_tsv t;

    if (f->data == NULL || !ow_tsv_open(&t, f, columns, M_N, log, &kb->arena))
        return;
    kb->max_doses = OW_NEW_N(&kb->arena, struct ow_max_dose, kb_lines(f));
    while (ow_tsv_next(&t)) {
        struct ow_max_dose m;

        if (!max_dose_read(kb, &t, &m))
            continue;
        if (max_dose_twice(kb, &m))
            ow_tsv_fault(&t, M_INGREDIENT, "%.64s is there twice", m.ingredient);
        else
            kb->max_doses[kb->n_max_doses++] = m;
    }
}

const struct ow_max_dose *ow_knowledge_max_doses(const struct ow_knowledge *kb, size_t *n)
{
    *n = kb->n_max_doses;
    return kb->max_doses;
}

/* ---- preferred drugs ---- */

void kb_preferred_load(struct ow_knowledge *kb, const struct ow_knowledge_file *f,
                       struct ow_tsv_log *log)
{
    enum { P_RXCUI, P_RELEASE, P_PREFERRED, P_SOURCE, P_N };
    static const char *const columns[P_N] = { "rxcui", "release", "preferred", "source" };
    struct ow_tsv t;

    if (f->data == NULL || !ow_tsv_open(&t, f, columns, P_N, log, &kb->arena))
        return;
    kb->preferred = OW_NEW_N(&kb->arena, struct ow_preferred, kb_lines(f));
    while (ow_tsv_next(&t)) {
        struct ow_preferred p = { .rxcui = ow_tsv_field(&t, P_RXCUI),
                                  .preferred = ow_tsv_field(&t, P_PREFERRED),
                                  .source = ow_tsv_field(&t, P_SOURCE) };

        if (!kb_rxcui_valid(p.rxcui))
            ow_tsv_fault(&t, P_RXCUI, "an RxNorm number was expected");
        else if (p.preferred[0] == '\0' || p.source[0] == '\0')
            ow_tsv_fault(&t, p.preferred[0] == '\0' ? P_PREFERRED : P_SOURCE,
                         "must not be empty");
        else if (release_read(&t, P_RELEASE, &p.release))
            kb->preferred[kb->n_preferred++] = p;
    }
}

const struct ow_preferred *ow_knowledge_preferred(const struct ow_knowledge *kb,
                                                  size_t *n)
{
    *n = kb->n_preferred;
    return kb->preferred;
}
