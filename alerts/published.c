/*
 * The front of the published editions: which rules are asked, what silences them, and the
 * conditions that both editions share.
 */
#include "alerts/published.h"

#include <string.h>

#include "base/text.h"

const struct ow_pub_edition *ow_pub_edition(const struct ow_judge *j)
{
    return j->policy->edition == OW_EDITION_PUBLISHED_2016 ? &ow_pub_2016 : &ow_pub_2022;
}

/* ---- facts ---- */

void ow_pub_fact_by(struct ow_pub *u, struct ow_fact *f, const char *reference)
{
    const char **list;

    if (reference == NULL)
        return;
    list = OW_NEW_N(u->j->arena, const char *, f->n_evidence + 1);
    for (size_t i = 0; i < f->n_evidence; i++)
        list[i] = f->evidence[i];
    list[f->n_evidence++] = reference;
    f->evidence = list;
}

void ow_pub_fact_conditions(struct ow_pub *u, struct ow_fact *f, enum ow_set set,
                            bool active)
{
    const struct ow_record *r = NULL;

    f->value = f->value == 1;
    while ((r = ow_pub_condition(u, r, set, active)) != NULL) {
        f->value = 1;
        ow_pub_fact_by(u, f, r->reference);
    }
}

void ow_pub_fact_encounters(struct ow_pub *u, struct ow_fact *f)
{
    const struct ow_record *r = NULL;

    f->value = f->value == 1;
    while ((r = ow_record_next(u->j, r, "Encounter", NULL)) != NULL)
        if (ow_pub_hospice_encounter(u, r)) {
            f->value = 1;
            ow_pub_fact_by(u, f, r->reference);
        }
}

const char *ow_pub_first(const struct ow_fact *f)
{
    return f->n_evidence > 0 ? f->evidence[0] : "";
}

bool ow_pub_refers(const char *reference, const char *resource)
{
    const char *id = resource != NULL ? strrchr(resource, '/') : NULL;

    if (reference == NULL || resource == NULL)
        return false;
    return ow_ends_with(reference, id != NULL ? id + 1 : resource);
}

void ow_pub_exclude(struct ow_pub *u, unsigned exclusion, const char *by)
{
    u->j->excluded |= exclusion;
    u->j->excluded_by[__builtin_ctz(exclusion)] = by;
}

/* Orders and dispenses of the past, and whether they leave the patient naive. */
static void read_naive(struct ow_pub *u, struct ow_fact *facts)
{
    struct ow_fact *orders = &facts[OW_FACT_ORDER_90_DAYS];
    struct ow_fact *dispenses = &facts[OW_FACT_DISPENSE_90_DAYS];
    struct ow_fact *naive = &facts[OW_FACT_NAIVE];
    const struct ow_pub_order *x = NULL;

    while ((x = ow_pub_past_order(u, x)) != NULL) {
        ow_pub_fact_by(u, orders, x->order->reference);
        ow_pub_fact_by(u, naive, x->order->reference);
    }
    while ((x = ow_pub_past_dispense(u, x)) != NULL) {
        ow_pub_fact_by(u, dispenses, x->order->reference);
        ow_pub_fact_by(u, naive, x->order->reference);
    }
    orders->value = ow_pub_past_order(u, NULL) != NULL;
    dispenses->value = ow_pub_past_dispense(u, NULL) != NULL;
    naive->value = ow_pub_naive(u);
}

/* 18 years or more today. Undecided without a birth date, or with one too coarse. */
static void read_adult(struct ow_pub *u, struct ow_fact *f)
{
    struct ow_judge *j = u->j;
    int least, most;

    j->age = -1;
    ow_pub_fact_by(u, f, j->chart->patient.reference);
    if (!ow_age_years(&j->chart->patient, j->q->zone, j->q->at, &least, &most))
        return;
    j->age = least;
    f->value = least >= 18 ? 1 : most < 18 ? 0 : -1;
    if (f->value == 0)
        ow_pub_exclude(u, OW_EXCLUDE_MINOR, j->chart->patient.reference);
}

static struct ow_fact *new_facts(struct ow_judge *j)
{
    static const char *const names[] = {
#define FACT(id, name) name,
#include "alerts/facts.def"
#undef FACT
    };
    struct ow_fact *facts = OW_NEW_N(j->arena, struct ow_fact, OW_FACT_N);

    for (size_t i = 0; i < OW_FACT_N; i++)
        facts[i] = (struct ow_fact){ .name = names[i], .value = -1 };
    j->facts = j->v->facts = facts;
    j->v->n_facts = OW_FACT_N;
    return facts;
}

struct ow_pub *ow_published_read(struct ow_judge *j)
{
    struct ow_pub *u = OW_NEW(j->arena, struct ow_pub);
    struct ow_fact *facts = new_facts(j);

    u->j = j;
    u->today = ow_zone_day(j->q->zone, j->q->at);
    u->view = j->chart->hook == OW_HOOK_PATIENT_VIEW;
    ow_pub_orders_read(u);
    read_adult(u, &facts[OW_FACT_ADULT]);
    read_naive(u, facts);
    ow_pub_edition(j)->read(u, facts);
    return u;
}

/* ---- running ---- */

static unsigned held_by(struct ow_pub *u, const struct ow_pub_rule *r)
{
    struct ow_judge *j = u->j;
    unsigned general = j->excluded & OW_EXCLUDE_CDC, held = 0;
    const char *eol = u->end_of_life;

    if ((r->silenced_by & OW_PUB_ADULT) != 0)
        held |= general & OW_EXCLUDE_MINOR;
    if ((r->silenced_by & OW_PUB_GENERAL) != 0) {
        held |= general;
        eol = u->terminal != NULL ? u->terminal : eol;
    }
    if ((r->silenced_by & OW_PUB_END_OF_LIFE) != 0 && u->end_of_life != NULL)
        held |= OW_EXCLUDE_END_OF_LIFE;
    if ((held & OW_EXCLUDE_END_OF_LIFE) != 0)
        j->excluded_by[__builtin_ctz(OW_EXCLUDE_END_OF_LIFE)] = eol;
    return held;
}

/* Without a hook, a recommendation that has two is told once. */
static bool told_already(const struct ow_pub_edition *e, size_t i, const bool *told)
{
    for (size_t k = 0; k < i; k++)
        if (told[k] && e->rules[k].rule == e->rules[i].rule)
            return true;
    return false;
}

static bool is_asked(const struct ow_pub *u, const struct ow_pub_rule *r)
{
    enum ow_hook hook = u->j->chart->hook;

    if (u->j->policy->rules[r->rule].mode == OW_MODE_OFF)
        return false;
    if ((r->silenced_by & (OW_PUB_GENERAL | OW_PUB_ADULT)) != 0 &&
        ow_fact(u->j, OW_FACT_ADULT) < 0)
        return false; /* an age that is not known is neither side of 18 */
    return hook == OW_HOOK_NONE || (r->hooks & 1u << hook) != 0;
}

static struct ow_finding *tell(struct ow_pending *p, const struct ow_pub_rule *r,
                               const struct ow_pub_case *c)
{
    struct ow_finding *f = ow_rule_finding(p, OW_TIER_WARNING, c->reason,
                                           ow_word(p->j->arena, r->title), r->sources[0]);

    ow_rule_cite(p, f, r->sources[0], r->sources[1], NULL);
    f->evidence = c->evidence;
    f->n_evidence = c->n_evidence;
    return f;
}

void ow_published_run(struct ow_pub *u, struct ow_pending *p, ow_pub_keep_fn *keep,
                      struct verdict_lists *l)
{
    const struct ow_pub_edition *e = ow_pub_edition(u->j);
    bool *told = OW_NEW_N(u->j->arena, bool, e->n_rules);

    if (ow_fact(u->j, OW_FACT_ADULT) < 0)
        ow_judge_note(u->j, ow_word(p->j->arena, OW_WORD_PUB_NO_AGE));
    for (size_t i = 0; i < e->n_rules; i++) {
        const struct ow_pub_rule *r = &e->rules[i];
        struct ow_pub_case c = { .reason = ow_word(p->j->arena, r->title) };

        if (!is_asked(u, r) || told_already(e, i, told) || !r->holds(u, &c))
            continue;
        told[i] = true;
        keep(p, tell(p, r, &c), r->rule, held_by(u, r), l);
        p->n = 0;
    }
}

/* ---- saying it ---- */

void ow_pub_evidence(struct ow_pub *u, struct ow_pub_case *c, const char *reference)
{
    if (reference == NULL)
        return;
    for (size_t i = 0; i < c->n_evidence; i++)
        if (ow_streq(c->evidence[i], reference))
            return;
    OW_ARENA_GROW(u->j->arena, c->evidence, c->n_evidence, c->cap_evidence);
    c->evidence[c->n_evidence++] = reference;
}

const char *ow_pub_drug(const struct ow_pub *u, const struct ow_pub_order *x)
{
    (void)u;
    if (x->item != NULL)
        return x->item->drug.name;
    return x->order->medication.code.text != NULL
               ? x->order->medication.code.text
               : ow_word(u->j->arena, OW_WORD_PUB_A_DRUG);
}

/* The orders for longer pain, as evidence; the reason names the first. */
static bool say_chronic(struct ow_pub *u, struct ow_pub_case *c, enum ow_word reason)
{
    const struct ow_pub_order *first = ow_pub_chronic(u, NULL);

    if (first == NULL)
        return false;
    c->reason = ow_say(u->j->arena, reason, ow_pub_drug(u, first));
    for (const struct ow_pub_order *x = first; x != NULL; x = ow_pub_chronic(u, x))
        ow_pub_evidence(u, c, x->order->reference);
    return true;
}

/* ---- conditions that both editions share ---- */

bool ow_pub_holds_chronic(struct ow_pub *u, struct ow_pub_case *c)
{
    return say_chronic(u, c, OW_WORD_PUB_LONG);
}

bool ow_pub_holds_chronic_naive(struct ow_pub *u, struct ow_pub_case *c)
{
    return ow_pub_naive(u) && say_chronic(u, c, OW_WORD_PUB_LONG_NAIVE);
}

bool ow_pub_holds_no_plan(struct ow_pub *u, struct ow_pub_case *c)
{
    return ow_pub_naive(u) && say_chronic(u, c, OW_WORD_PUB_NO_PLAN) &&
           !ow_pub_pain_plan(u);
}

bool ow_pub_holds_extended(struct ow_pub *u, struct ow_pub_case *c)
{
    bool found = false;

    if (!ow_pub_naive(u))
        return false;
    for (const struct ow_pub_order *x = ow_pub_chronic(u, NULL); x != NULL;
         x = ow_pub_chronic(u, x)) {
        if (!ow_sets_has(&x->drug,
                         OW_SET_EXTENDED_RELEASE_OPIOID_WITH_AMBULATORY_MISUSE_POTENTIAL))
            continue;
        if (!found)
            c->reason = ow_say(u->j->arena, OW_WORD_PUB_EXTENDED, ow_pub_drug(u, x));
        found = true;
        ow_pub_evidence(u, c, x->order->reference);
    }
    return found;
}

bool ow_pub_holds_dose(struct ow_pub *u, struct ow_pub_case *c)
{
    struct ow_ratio med;

    if (!ow_pub_holds_chronic(u, c) || !ow_pub_med(u, false, &med) ||
        ow_ratio_cmp(med, OW_RATIO(50, 1)) < 0)
        return false;
    c->reason = ow_say(u->j->arena, OW_WORD_PUB_DOSE, ow_say_ratio(u->j->arena, med));
    return true;
}

bool ow_pub_holds_reassess(struct ow_pub *u, struct ow_pub_case *c)
{
    return say_chronic(u, c, OW_WORD_PUB_NOT_ASSESSED) && !ow_pub_assessed(u) &&
           ow_pub_on_opioids(u);
}

bool ow_pub_holds_pdmp(struct ow_pub *u, struct ow_pub_case *c)
{
    return say_chronic(u, c, OW_WORD_PUB_NO_PDMP) && !ow_pub_pdmp_reviewed(u);
}

static const struct ow_pub_order *first_of(const struct ow_pub *u, ow_pub_is_fn *is)
{
    for (size_t i = 0; i < u->n_orders; i++)
        if (is(u, &u->orders[i]))
            return &u->orders[i];
    return NULL;
}

bool ow_pub_holds_together(struct ow_pub *u, struct ow_pub_case *c, ow_pub_is_fn *ordered,
                           ow_pub_is_fn *active)
{
    const struct ow_pub_order *opioid = ow_pub_prescribed(u, NULL);
    const struct ow_pub_order *sedative = first_of(u, active);

    if (opioid == NULL || sedative == NULL) {
        opioid = ow_pub_active_next(
            u, NULL, OW_SET_OPIOID_ANALGESICS_WITH_AMBULATORY_MISUSE_POTENTIAL);
        sedative = first_of(u, ordered);
    }
    if (opioid == NULL || sedative == NULL)
        return false;
    ow_pub_evidence(u, c, opioid->order->reference);
    ow_pub_evidence(u, c, sedative->order->reference);
    c->reason = ow_say(u->j->arena, OW_WORD_PUB_WITH, ow_pub_drug(u, opioid),
                       ow_pub_drug(u, sedative));
    return true;
}
