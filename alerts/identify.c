#include "alerts/identify.h"

#include <string.h>

#include "alerts/compound.h"
#include "alerts/words.h"
#include "base/text.h"

enum { SHOWN_MOST = 400 }; /* bytes */

/* RxNorm ingredient numbers, as in the table of factors. */
#define RXCUI_BUPRENORPHINE "1819"
#define RXCUI_METHADONE     "6813"

/* Sets whose members are known to be no opioid agonists. */
static const char *const other_sets[] = {
    "naloxone-medications",
    "opioid-antagonist-concepts",
    "amphetamines-class-medications",
};

struct search { /* what the codings seen so far amount to */
    const struct ow_knowledge *kb;
    const struct ow_product *product;
    const struct ow_product *other; /* a different drug among the codings */
    const struct ow_sedative *sedative;
    const struct ow_coding *bare;
    const char *rxcui;               /* first RxNorm code */
    const struct ow_mapping *mapped; /* by which the product was found */
    bool known_other, buprenorphine, methadone;
};

static bool is_rxnorm(const char *system)
{
    return system != NULL && (ow_streq(system, OW_SYSTEM_RXNORM) ||
                              ow_streq(system, "urn:oid:2.16.840.1.113883.6.88"));
}

static bool is_ndc(const char *system)
{
    return ow_streq(system, OW_SYSTEM_NDC) ||
           ow_streq(system, "urn:oid:2.16.840.1.113883.6.69");
}

const char *ow_coding_rxcui(const struct ow_coding *c, const struct ow_knowledge *kb,
                            const struct ow_mapping **mapped)
{
    const struct ow_mapping *m;

    if (mapped != NULL)
        *mapped = NULL;
    if (c->code == NULL)
        return NULL;
    if (is_rxnorm(c->system))
        return c->code;
    m = is_ndc(c->system) ? ow_knowledge_ndc(kb, c->code) : NULL;
    if (m == NULL)
        m = ow_knowledge_local(kb, c->system, c->code);
    if (mapped != NULL)
        *mapped = m;
    return m != NULL ? m->rxcui : NULL;
}

static bool same_drug(const struct ow_product *a, const struct ow_product *b)
{
    if (!ow_streq(a->ingredient, b->ingredient))
        return false;
    if (a->form != b->form && a->has_form && b->has_form)
        return false;
    return a->strength_unit != b->strength_unit ||
           ow_ratio_cmp(a->strength, b->strength) == 0;
}

static void see_product(struct search *s, const struct ow_product *p)
{
    const struct ow_product *held = s->product;

    if (held == NULL) {
        s->product = p;
        return;
    }
    if (!same_drug(held, p) && s->other == NULL)
        s->other = p;
    if (p->has_form && !held->has_form) {
        s->other = s->other == p ? held : s->other;
        s->product = p;
    }
}

static bool shows(const struct ow_coding *c, const char *word)
{
    return c->display != NULL && ow_contains_folded(c->display, word);
}

/* A code without product: an ingredient, a brand, a drug and its form. */
static void see_bare(struct search *s, const struct ow_coding *c, const char *rxcui)
{
    if (ow_knowledge_in_set(s->kb, "opioid-concepts-not-in-product-table",
                            OW_SYSTEM_RXNORM, rxcui)) {
        s->bare = s->bare != NULL ? s->bare : c;
        s->buprenorphine |= ow_streq(rxcui, RXCUI_BUPRENORPHINE) ||
                            shows(c, "buprenorphine") ||
                            ow_knowledge_in_set(s->kb, "buprenorphine-medications",
                                                OW_SYSTEM_RXNORM, rxcui);
        s->methadone |= ow_streq(rxcui, RXCUI_METHADONE) || shows(c, "methadone");
        return;
    }
    for (size_t i = 0; i < OW_LEN(other_sets) && !s->known_other; i++)
        s->known_other = ow_knowledge_in_set(s->kb, other_sets[i], OW_SYSTEM_RXNORM,
                                             rxcui);
}

static void see_concept(struct search *s, const struct ow_concept *concept)
{
    for (size_t i = 0; i < concept->n_codings; i++) {
        const struct ow_coding *c = &concept->codings[i];
        const struct ow_mapping *mapped;
        const char *rxcui = ow_coding_rxcui(c, s->kb, &mapped);
        const struct ow_product *p;
        const struct ow_sedative *sed;

        if (rxcui == NULL)
            continue;
        if (s->rxcui == NULL)
            s->rxcui = rxcui;
        if (s->mapped == NULL)
            s->mapped = mapped;
        p = ow_knowledge_product(s->kb, rxcui);
        sed = ow_knowledge_sedative(s->kb, rxcui);
        if (p != NULL)
            see_product(s, p);
        if (sed != NULL && (s->sedative == NULL || sed->tier < s->sedative->tier))
            s->sedative = sed;
        if (p == NULL && sed == NULL)
            see_bare(s, c, rxcui);
    }
}

/* A string of theirs as it is shown: a name is short, and what is not is cut, so that one
 * string cannot make every card and record as long as itself. */
static const char *shown(const char *text, struct ow_arena *arena)
{
    char head[SHOWN_MOST];

    if (strlen(text) < sizeof head)
        return text;
    ow_copy(head, sizeof head, text);
    return ow_arena_printf(arena, "%s...", head);
}

/* The order's own name for it. */
static const char *own_name(const struct ow_medication *m)
{
    const struct ow_concept *c = &m->code;

    if (c->text != NULL && c->text[0] != '\0')
        return c->text;
    for (size_t i = 0; i < c->n_codings; i++)
        if (c->codings[i].display != NULL && c->codings[i].display[0] != '\0')
            return c->codings[i].display;
    if (m->display != NULL && m->display[0] != '\0')
        return m->display;
    for (size_t i = 0; i < m->n_ingredients; i++) {
        const struct ow_concept *item = &m->ingredients[i].item;

        if (item->text != NULL)
            return item->text;
        for (size_t j = 0; j < item->n_codings; j++)
            if (item->codings[j].display != NULL)
                return item->codings[j].display;
    }
    return NULL;
}

/* A sedative by its name only: enough to warn of, as long as the name is all there is. */
static const struct ow_sedative *find_sedative(const struct ow_medication *m,
                                               const struct ow_knowledge *kb)
{
    const struct ow_concept display = { .text = m->display };
    const struct ow_sedative *ret = ow_knowledge_sedative_like(kb, &m->code);

    if (ret == NULL && m->display != NULL)
        ret = ow_knowledge_sedative_like(kb, &display);
    for (size_t i = 0; ret == NULL && i < m->n_ingredients; i++)
        if (!m->ingredients[i].inactive)
            ret = ow_knowledge_sedative_like(kb, &m->ingredients[i].item);
    return ret;
}

static const char *find_likeness(const struct ow_medication *m,
                                 const struct ow_knowledge *kb)
{
    const struct ow_concept display = { .text = m->display };
    const char *name = own_name(m);
    const char *like = ow_knowledge_opioid_like(kb, &m->code);

    if (like == NULL && m->display != NULL)
        like = ow_knowledge_opioid_like(kb, &display);
    for (size_t i = 0; like == NULL && i < m->n_ingredients; i++)
        if (!m->ingredients[i].inactive)
            like = ow_knowledge_opioid_like(kb, &m->ingredients[i].item);
    if (like == NULL && name != NULL && ow_contains_folded(name, "opioid"))
        like = "opioid";
    return like;
}

/* "system's last part code": which code it is that nobody knows. */
static const char *name_code(const struct ow_coding *c, struct ow_arena *arena)
{
    const char *system = is_rxnorm(c->system)                    ? "RxNorm "
                         : is_ndc(c->system)                     ? "NDC "
                         : ow_streq(c->system, OW_SYSTEM_SNOMED) ? "SNOMED CT "
                         : ow_streq(c->system, OW_SYSTEM_ATC)    ? "ATC "
                                                                 : "local code ";

    return ow_arena_printf(arena, "%s%s", system, shown(c->code, arena));
}

static void describe_unknown(const struct ow_medication *m, const struct ow_knowledge *kb,
                             struct ow_arena *arena, struct ow_drug *ret)
{
    const struct ow_coding *coding = NULL;
    const char *name = own_name(m);

    for (size_t i = 0; coding == NULL && i < m->code.n_codings; i++)
        if (m->code.codings[i].code != NULL)
            coding = &m->code.codings[i];
    ret->like = find_likeness(m, kb);
    ret->sedative = find_sedative(m, kb);
    ret->nameless = name == NULL;
    if (m->unresolved && coding == NULL)
        ret->reason = ow_say(arena, OW_WORD_NOT_IN_DATA,
                             m->reference != NULL ? shown(m->reference, arena) : "?");
    else if (coding != NULL)
        ret->reason = ow_say(arena, OW_WORD_NO_TABLE, name_code(coding, arena));
    else
        ret->reason = ow_word(arena, name != NULL ? OW_WORD_NO_CODE : OW_WORD_NOTHING);
    if (ret->like != NULL)
        ret->reason = ow_say(arena, OW_WORD_LOOKS_LIKE, ret->reason, ret->like);
}

void ow_identify(const struct ow_medication *m, const struct ow_knowledge *kb,
                 struct ow_arena *arena, struct ow_drug *ret)
{
    struct search s = { .kb = kb };
    const char *name;

    see_concept(&s, &m->code);
    for (size_t i = 0; i < m->n_ingredients; i++)
        if (!m->ingredients[i].inactive)
            see_concept(&s, &m->ingredients[i].item);

    name = own_name(m);
    if (s.product == NULL && !s.buprenorphine)
        s.product = ow_compound_product(
            m, kb, name != NULL ? name : ow_word(arena, OW_WORD_UNNAMED), arena);
    *ret = (struct ow_drug){ .product = s.product,
                             .sedative = s.sedative,
                             .mapped = s.mapped };
    ret->rxcui = s.product != NULL ? s.product->rxcui : s.rxcui;
    ret->other = s.other != NULL ? s.other->name : NULL;
    name = s.product != NULL    ? s.product->name
           : s.sedative != NULL ? s.sedative->name
                                : own_name(m);
    ret->name = name != NULL ? shown(name, arena) : ow_word(arena, OW_WORD_UNNAMED);

    if (s.product != NULL) {
        ret->kind = OW_DRUG_OPIOID;
        ret->ingredient = s.product->ingredient;
        ret->buprenorphine = ow_streq(s.product->ingredient_rxcui, RXCUI_BUPRENORPHINE);
        ret->methadone = ow_streq(s.product->ingredient_rxcui, RXCUI_METHADONE);
    } else if (s.bare != NULL) {
        ret->kind = OW_DRUG_BARE;
        ret->buprenorphine = s.buprenorphine;
        ret->methadone = s.methadone;
        ret->reason = ow_say(arena, OW_WORD_BARE, ret->name);
    } else if (s.sedative != NULL || s.known_other) {
        ret->kind = OW_DRUG_OTHER;
    } else {
        ret->kind = OW_DRUG_UNKNOWN;
        describe_unknown(m, kb, arena, ret);
    }
}
