#include "daemon/rxnorm_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/ratio.h"
#include "base/text.h"

struct parts {
    size_t at[OW_RX_PARTS]; /* concepts, without repeats */
    size_t n;
    bool many; /* more than there is room for */
};

static void parts_add(struct parts *p, size_t concept)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->at[i] == concept)
            return;
    if (p->n == OW_RX_PARTS)
        p->many = true;
    else
    p->at[p->n++] = concept;
}

static bool is_tty(const struct ow_rxnorm *g, size_t i, const char *tty)
{
    return ow_streq(g->concepts[i].tty, tty);
}

static bool is_pack(const struct ow_rxnorm *g, size_t i)
{
    return is_tty(g, i, "GPCK") || is_tty(g, i, "BPCK");
}

/* What a concept points at with one kind of link. */
static void parts_of(const struct ow_rxnorm *g, size_t i, enum ow_rx_rela rela,
                     struct parts *ret)
{
    size_t n;
    const struct ow_rx_link *l = ow_rxnorm_links(g, i, rela, &n);

    for (size_t k = 0; k < n; k++)
        parts_add(ret, l[k].to);
}

/* The drug components (SCDC) of a product; those of its generic when it names none. */
static void components_of(const struct ow_rxnorm *g, size_t i, struct parts *ret)
{
    struct parts own = { .n = 0 }, generic = { .n = 0 };

    if (is_tty(g, i, "SCDC")) {
        parts_add(ret, i);
        return;
    }
    parts_of(g, i, OW_RX_COMPONENT, &own);
    for (size_t k = 0; k < own.n; k++)
        if (is_tty(g, own.at[k], "SCDC"))
            parts_add(ret, own.at[k]);
    ret->many = ret->many || own.many;
    if (ret->n > 0)
        return;
    parts_of(g, i, OW_RX_GENERIC, &generic);
    for (size_t k = 0; k < generic.n; k++) {
        struct parts of = { .n = 0 };

        if (is_tty(g, generic.at[k], "SCDC"))
            parts_add(ret, generic.at[k]);
        else if (is_tty(g, generic.at[k], "SCD"))
            parts_of(g, generic.at[k], OW_RX_COMPONENT, &of);
        for (size_t m = 0; m < of.n; m++)
            if (is_tty(g, of.at[m], "SCDC"))
                parts_add(ret, of.at[m]);
    }
}

/* The ingredient of the kind asked for that a component has; SIZE_MAX: none. */
static size_t ingredient_of(const struct ow_rxnorm *g, size_t component, bool opioid)
{
    size_t n;
    const struct ow_rx_link *l = ow_rxnorm_links(g, component, OW_RX_INGREDIENT, &n);

    for (size_t k = 0; k < n; k++) {
        size_t i = g->concepts[l[k].to].ingredient;

        if (i != SIZE_MAX &&
            (opioid ? g->ingredients[i].opioid : g->ingredients[i].sedative))
            return i;
    }
    return SIZE_MAX;
}

/* --- strength --- */

/* "10 MG" or the end of "oxycodone hydrochloride 10 MG". */
static bool strength_parse(const char *s, struct ow_ratio *value, const char **unit)
{
    static const char *const units[] = { "MG", "MG/ML", "MG/HR", "MG/ACTUAT" };
    const char *space = strrchr(s, ' '), *start;

    if (space == NULL)
        return false;
    for (start = space; start > s && start[-1] != ' '; start--)
        ;
    for (size_t i = 0; i < OW_LEN(units); i++) {
        if (!ow_streq(space + 1, units[i]))
            continue;
        *unit = units[i];
        return ow_ratio_parse(start, (size_t)(space - start), value) &&
               ow_ratio_positive(*value);
    }
    return false;
}

/* Of a component: its attribute, its name, and both alike where there are both. NULL, or
 * why there is none. */
static const char *strength_of(const struct ow_rx_concept *c, struct ow_ratio *value,
                               const char **unit)
{
    static const char units[] = "its strength is not in MG, MG/ML, MG/HR or MG/ACTUAT";
    const char *own_unit = "";
    struct ow_ratio own = OW_ZERO;
    bool named = c->name != NULL && strength_parse(c->name, &own, &own_unit);

    if (c->strength == NULL) {
        *value = own;
        *unit = own_unit;
        return named ? NULL : units;
    }
    if (!strength_parse(c->strength, value, unit))
        return units;
    if (named && (ow_ratio_cmp(*value, own) != 0 || !ow_streq(*unit, own_unit)))
        return "the strength in its name is another than RXN_STRENGTH";
    return NULL;
}

static const char *decimal(struct ow_rxnorm *g, struct ow_ratio v)
{
    char text[OW_RATIO_TEXT];

    return ow_arena_strdup(&g->arena, ow_ratio_format(v, 6, text));
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *join(struct ow_rxnorm *g, const char **list, size_t n,
                        const char *between)
{
    const char *ret = "";

    if (n > 0)
        qsort(list, n, sizeof *list, by_text);
    for (size_t i = 0; i < n; i++)
        ret = i == 0 ? list[i]
                     : ow_arena_printf(&g->arena, "%s%s%s", ret, between, list[i]);
    return ret;
}

/* Components to ingredient and strength: see the header. */
static enum ow_rx_answer opioid_read(struct ow_rxnorm *g, const struct parts *p,
                                     struct ow_rx_drug *ret, const char **why)
{
    const char *others[OW_RX_PARTS], *salts[OW_RX_PARTS];
    struct ow_ratio total = OW_ZERO;
    size_t n_others = 0, n_salts = 0;

    for (size_t k = 0; k < p->n; k++) {
        const struct ow_rx_concept *c = &g->concepts[p->at[k]];
        size_t in = ingredient_of(g, p->at[k], true);
        struct ow_ratio value;
        const char *unit;

        if (in == SIZE_MAX) {
            others[n_others++] = c->name != NULL ? c->name : "?";
            continue;
        }
        if (n_salts > 0 && ret->ingredients[0] != in)
            return *why = "two opioids", OW_RX_LEFT_OUT;
        *why = strength_of(c, &value, &unit);
        if (*why != NULL)
            return OW_RX_LEFT_OUT;
        if ((n_salts > 0 && !ow_streq(unit, ret->unit)) ||
            !ow_ratio_add(total, value, &total))
            return *why = "two strengths that do not add up", OW_RX_LEFT_OUT;
        ret->ingredients[0] = in;
        ret->unit = unit;
        salts[n_salts++] = decimal(g, value);
    }
    if (n_salts == 0)
        return OW_RX_NONE;
    ret->n_ingredients = 1;
    ret->strength = decimal(g, total);
    ret->parts = n_salts > 1 ? join(g, salts, n_salts, "+") : "";
    ret->others = join(g, others, n_others, "; ");
    return OW_RX_DRUG;
}

static void form_of(const struct ow_rxnorm *g, size_t i, struct ow_rx_drug *ret)
{
    struct parts form = { .n = 0 }, generic = { .n = 0 };

    parts_of(g, i, OW_RX_FORM, &form);
    if (form.n == 0) {
        parts_of(g, i, OW_RX_GENERIC, &generic);
        for (size_t k = 0; k < generic.n; k++)
            parts_of(g, generic.at[k], OW_RX_FORM, &form);
    }
    if (form.n == 0 || g->concepts[form.at[0]].name == NULL)
        return;
    ret->form = g->concepts[form.at[0]].name;
    ret->form_rxcui = g->concepts[form.at[0]].rxcui;
}

/* Hours in "72 HR fentanyl ...". */
static int wear_of(const char *name)
{
    size_t n = strspn(name, "0123456789");
    int hours = 0;

    if (n == 0 || n > 3 || !ow_starts_with(name + n, " HR "))
        return 0;
    for (size_t i = 0; i < n; i++)
        hours = hours * 10 + (name[i] - '0');
    return hours;
}

static enum ow_rx_answer product_read(struct ow_rxnorm *g, size_t i, bool opioid,
                                      struct ow_rx_drug *ret, const char **why);

/* A pack is what it contains; of an opioid one strength in one form, and nothing else. */
static enum ow_rx_answer pack_read(struct ow_rxnorm *g, size_t i, bool opioid,
                                   struct ow_rx_drug *ret, const char **why)
{
    struct parts content = { .n = 0 }, generic = { .n = 0 };
    bool some = false, other = false;

    parts_of(g, i, OW_RX_CONTENT, &content);
    if (content.n == 0) {
        parts_of(g, i, OW_RX_GENERIC, &generic);
        for (size_t k = 0; k < generic.n; k++)
            parts_of(g, generic.at[k], OW_RX_CONTENT, &content);
    }
    for (size_t k = 0; k < content.n; k++) {
        struct ow_rx_drug d = { .form = "", .parts = "", .others = "" };
        enum ow_rx_answer answer = product_read(g, content.at[k], opioid, &d, why);

        if (answer == OW_RX_LEFT_OUT)
            return answer;
        other = other || answer == OW_RX_NONE;
        if (answer == OW_RX_NONE)
            continue;
        if (!some)
            *ret = d;
        else if (opioid && (d.ingredients[0] != ret->ingredients[0] ||
                            !ow_streq(d.strength, ret->strength) ||
                            !ow_streq(d.unit, ret->unit) || !ow_streq(d.form, ret->form)))
            return *why = "a pack of different strengths", OW_RX_LEFT_OUT;
        for (size_t m = 0; some && !opioid && m < d.n_ingredients; m++) {
            size_t x = 0;

            while (x < ret->n_ingredients && ret->ingredients[x] != d.ingredients[m])
                x++;
            if (x == ret->n_ingredients && x < OW_RX_PARTS)
                ret->ingredients[ret->n_ingredients++] = d.ingredients[m];
        }
        some = true;
    }
    if (!some)
        return OW_RX_NONE;
    if (opioid && other)
        return *why = "a pack that holds other drugs beside", OW_RX_LEFT_OUT;
    ret->inner_form = ret->form;
    ret->form = "";
    form_of(g, i, ret);
    if (ret->form[0] == '\0')
        ret->form = "Pack";
    return OW_RX_DRUG;
}

static enum ow_rx_answer product_read(struct ow_rxnorm *g, size_t i, bool opioid,
                                      struct ow_rx_drug *ret, const char **why)
{
    struct parts p = { .n = 0 };
    enum ow_rx_answer answer = OW_RX_NONE;

    components_of(g, i, &p);
    if (p.many)
        return *why = "more components than are read", OW_RX_LEFT_OUT;
    if (opioid) {
        answer = opioid_read(g, &p, ret, why);
    } else {
        for (size_t k = 0; k < p.n; k++) {
            size_t in = ingredient_of(g, p.at[k], false), x = 0;

            while (in != SIZE_MAX && x < ret->n_ingredients && ret->ingredients[x] != in)
                x++;
            if (in != SIZE_MAX && x == ret->n_ingredients)
                ret->ingredients[ret->n_ingredients++] = in;
        }
        answer = ret->n_ingredients > 0 ? OW_RX_DRUG : OW_RX_NONE;
    }
    if (answer == OW_RX_DRUG)
        form_of(g, i, ret);
    return answer;
}

enum ow_rx_answer ow_rx_drug_read(struct ow_rxnorm *g, size_t concept, bool opioid,
                                  struct ow_rx_drug *ret, const char **why)
{
    static const char *const kinds[] = { "SCD", "SBD", "GPCK", "BPCK", "SCDC", "SBDC" };
    const struct ow_rx_concept *c = &g->concepts[concept];
    enum ow_rx_answer answer;
    size_t k = 0;

    *ret = (struct ow_rx_drug){ .form = "", .parts = "", .others = "", .inner_form = "" };
    while (k < OW_LEN(kinds) && !ow_streq(c->tty, kinds[k]))
        k++;
    if (k == OW_LEN(kinds) || !c->ours || c->suppressed || (c->vet && !c->human))
        return OW_RX_NONE;
    if (is_pack(g, concept))
        answer = pack_read(g, concept, opioid, ret, why);
    else
        answer = product_read(g, concept, opioid, ret, why);
    if (answer == OW_RX_DRUG)
        ret->wear_hours = wear_of(c->name);
    if (answer == OW_RX_DRUG && k < 4 && ret->form[0] == '\0')
        return *why = "no dose form", OW_RX_LEFT_OUT;
    if (answer == OW_RX_DRUG && k >= 4)
        ret->form = "";
    return answer;
}
