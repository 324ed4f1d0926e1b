/*
 * One pass over the orders, dispenses and statements of the chart, whether in force or
 * over. Doses do not matter here.
 */
#include "alerts/fact.h"
#include "alerts/history.h"
#include "alerts/roles.h"
#include "base/text.h"

/* ---- what an order is ---- */

bool ow_order_outpatient(const struct ow_order *o)
{
    return o->categories == 0 || (o->categories & ~(unsigned)OW_CATEGORY_INPATIENT) != 0;
}

static bool is_opioid(const struct ow_item *it)
{
    return it->drug.kind == OW_DRUG_OPIOID || it->drug.kind == OW_DRUG_BARE;
}

/* Meant to be carried out, and neither given up nor a mistake. */
static bool was_ordered(const struct ow_order *o)
{
    return o->kind == OW_REQUEST && !o->do_not_perform &&
           o->intent != OW_INTENT_PROPOSAL && o->intent != OW_INTENT_PLAN &&
           o->intent != OW_INTENT_OPTION &&
           (o->status == OW_STATUS_ACTIVE || o->status == OW_STATUS_COMPLETED ||
            o->status == OW_STATUS_STOPPED || o->status == OW_STATUS_ON_HOLD);
}

static bool is_authored_in(const struct ow_order *o, struct ow_span within)
{
    return o->has_authored && ow_span_meets(o->authored, within);
}

static struct ow_sets drug_sets(const struct ow_judge *j, const struct ow_item *it)
{
    const struct ow_concept *c = &it->order->medication.code;
    struct ow_sets ret = { { 0 } };

    for (size_t i = 0; i < c->n_codings; i++) {
        const char *rxcui = ow_coding_rxcui(&c->codings[i], j->kb, NULL);

        if (rxcui != NULL)
            ow_sets_join(&ret, ow_knowledge_sets(j->kb, OW_SYSTEM_RXNORM, rxcui));
    }
    return ret;
}

static bool name_holds(const struct ow_item *it, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (ow_contains_folded(it->drug.name, words[i]))
            return true;
    return false;
}

/*
 * An antagonist against overdose on its own: not the naloxone in buprenorphine or
 * pentazocine tablets. A name is enough, unlike where a dose is at stake: what the name
 * would get wrong is one more reminder, or one less for somebody who has it at home.
 */
static bool is_naloxone(const struct ow_judge *j, const struct ow_item *it)
{
    static const char *const words[] = { "naloxone", "nalmefene", "narcan",
                                         "kloxxado", "zimhi",     "rextovy" };
    struct ow_sets s;

    if (is_opioid(it) || it->drug.like != NULL)
        return false;
    if (name_holds(it, words, OW_LEN(words)))
        return true;
    s = drug_sets(j, it);
    return ow_sets_has(&s, OW_SET_NALOXONE_MEDICATIONS) ||
           ow_sets_has(&s, OW_SET_OPIOID_ANTAGONIST_CONCEPTS);
}

bool ow_item_naltrexone(const struct ow_judge *j, const struct ow_item *it)
{
    static const char *const words[] = { "naltrexone", "vivitrol", "revia", "contrave" };
    struct ow_sets s;

    if (is_opioid(it)) /* the naltrexone in abuse-deterrent morphine is not released */
        return false;
    if (ow_contains_folded(it->drug.name, "methylnaltrexone"))
        return false;
    if (name_holds(it, words, OW_LEN(words)))
        return true;
    s = drug_sets(j, it);
    return ow_sets_has(&s, OW_SET_NALTREXONE_MEDICATIONS) ||
           ow_sets_has(&s, OW_SET_NALTREXONE_BUPROPION_MEDICATIONS);
}

/* Naltrexone with bupropion: given for weight, yet it blocks as the other does. [label of
 * Contrave] */
static bool is_for_weight(const struct ow_judge *j, const struct ow_item *it)
{
    static const char *const words[] = { "bupropion", "contrave" };
    struct ow_sets s = drug_sets(j, it);

    return name_holds(it, words, OW_LEN(words)) ||
           ow_sets_has(&s, OW_SET_NALTREXONE_BUPROPION_MEDICATIONS);
}

static bool reason_says(const struct ow_order *o, const char *word)
{
    for (size_t i = 0; i < o->n_reasons; i++) {
        const struct ow_concept *c = &o->reasons[i];

        if (c->text != NULL && ow_contains_folded(c->text, word))
            return true;
        for (size_t k = 0; k < c->n_codings; k++)
            if (c->codings[k].display != NULL &&
                ow_contains_folded(c->codings[k].display, word))
                return true;
    }
    return false;
}

static bool reason_is_pain(const struct ow_judge *j, const struct ow_order *o)
{
    for (size_t i = 0; i < o->n_reasons; i++) {
        struct ow_sets s = ow_concept_sets(j, &o->reasons[i]);

        if (ow_sets_has(&s, OW_SET_CHRONIC_PAIN_CONDITIONS))
            return true;
    }
    return reason_says(o, "pain");
}

/* Patches, buccal films without naloxone and weak injections are made for pain; a drug
 * component shows it by its strength. [labels of Butrans, Belbuca, Buprenex] */
static bool is_made_for_pain(const struct ow_product *p)
{
    if (p == NULL)
        return false;
    if (p->co_ingredients != NULL && ow_contains_folded(p->co_ingredients, "naloxone"))
        return false;
    if (p->is_patch || p->form == OW_FORM_TRANSDERMAL || p->form == OW_FORM_BUCCAL_FILM)
        return true;
    if (p->form == OW_FORM_INJECTABLE)
        return ow_ratio_cmp(p->strength, OW_RATIO(1, 1)) < 0;
    return !p->has_form && ow_ratio_cmp(p->strength, OW_RATIO(2, 1)) < 0;
}

bool ow_item_treats_oud(const struct ow_judge *j, const struct ow_item *it)
{
    const struct ow_order *o = it->order;

    if (it->drug.methadone)
        return ow_reason_is_oud(j, o);
    if (it->drug.buprenorphine)
        return ow_reason_is_oud(j, o) ||
               (!reason_is_pain(j, o) && !is_made_for_pain(it->drug.product));
    if (is_opioid(it))
        return false;
    return ow_item_naltrexone(j, it) && !reason_says(o, "alcohol") &&
           !is_for_weight(j, it);
}

/* ---- facts of single orders ---- */

struct windows {
    struct ow_span naive;   /* day 90 to yesterday */
    struct ow_span days_90; /* day 90 to today */
};

/* From when it was written to the end of its supply with all refills; the day it was
 * written, where no supply is told. */
static struct ow_span supplied(const struct ow_order *o)
{
    struct ow_span ret = o->authored;
    struct ow_ratio days, ms;
    int64_t refills = o->has_refills && o->refills > 0 ? o->refills : 0;

    if (refills < 1000 && ow_supply_days(o, &days) &&
        ow_ratio_mul(days, OW_RATIO((refills + 1) * OW_DAY, 1), &ms)) {
        ow_time until = ow_time_add(o->authored.from, ow_ratio_ceil(ms));

        if (until > ret.until)
            ret.until = until;
    }
    return ret;
}

static void of_opioid(struct fact_book *b, const struct ow_item *it,
                      const struct windows *w)
{
    const struct ow_order *o = it->order;

    if (!ow_order_outpatient(o) || o->is_draft || !o->has_authored)
        return;
    if (o->kind == OW_DISPENSE && o->status == OW_STATUS_COMPLETED) {
        if (is_authored_in(o, w->naive))
            fact_yes(b, OW_FACT_DISPENSE_90_DAYS, o->reference);
    } else if (!was_ordered(o)) {
        return;
    } else if (is_authored_in(o, w->naive)) {
        fact_yes(b, OW_FACT_ORDER_90_DAYS, o->reference);
    }
    /* what was begun today is what is asked about */
    if (o->authored.from < w->naive.until && ow_span_meets(supplied(o), w->naive))
        fact_yes(b, OW_FACT_NAIVE, o->reference);
}

static void of_oud_treatment(struct fact_book *b, const struct ow_item *it,
                             const struct windows *w)
{
    const struct ow_order *o = it->order;
    bool given = o->kind == OW_DISPENSE && o->status == OW_STATUS_COMPLETED;

    if ((it->stands || ((given || was_ordered(o)) && is_authored_in(o, w->days_90))) &&
        ow_item_treats_oud(b->j, it))
        fact_yes(b, OW_FACT_OUD_TREATMENT, o->reference);
}

static void of_naloxone(struct fact_book *b, const struct ow_item *it)
{
    const struct ow_order *o = it->order;
    bool had = o->is_draft || was_ordered(o) || it->stands ||
               (o->kind != OW_REQUEST && o->status == OW_STATUS_COMPLETED);

    if (!had || !ow_order_outpatient(o) || o->kind == OW_ADMINISTRATION ||
        !is_naloxone(b->j, it))
        return;
    fact_event(b, OW_EVENT_NALOXONE,
               o->has_authored && !o->is_draft
                   ? o->authored
                   : (struct ow_span){ OW_TIME_MIN, OW_TIME_MAX },
               o->reference);
}

/* ---- facts of all of them ---- */

/* In force since before today: what counts in the total ends naivety. True when there is
 * an opioid at all. */
static bool of_those_in_force(struct fact_book *b, ow_time today)
{
    const struct ow_judge *j = b->j;
    bool any = false;

    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *it = &j->items[i];

        if (!ow_item_opioid(it) || it->taken.until <= it->taken.from)
            continue;
        any = true;
        if (!it->order->is_draft && it->order->kind != OW_DISPENSE &&
            ow_order_outpatient(it->order) && it->span.from < today)
            fact_yes(b, OW_FACT_NAIVE, it->order->reference);
    }
    return any;
}

/*
 * Long-term opioid therapy: on opioids on 21 of 30 days in each of the last three times
 * 30 days [CDC opioid CDS 2022, recommendation 7], or an order in force or being signed
 * that lasts 90 days and more [CDC 2022: chronic is longer than three months].
 */
static void chronic(struct fact_book *b)
{
    struct ow_judge *j = b->j;
    bool steady = ow_history_steady(ow_history(j), 3);

    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *it = &j->items[i];
        bool is_long = it->has_length && it->span.until != OW_TIME_MAX &&
                       it->span.from != OW_TIME_MIN &&
                       it->span.until >=
                           ow_time_add(it->span.from, 90 * OW_DAY - OW_HOUR);

        if (ow_item_opioid(it) && it->taken.until > it->taken.from &&
            ow_order_outpatient(it->order) && (steady || is_long))
            fact_yes(b, OW_FACT_CHRONIC, it->order->reference);
    }
    if (steady)
        fact_yes(b, OW_FACT_CHRONIC, NULL);
}

/* The pass gathered what speaks against it. Where dispenses were not looked for, orders
 * decide alone: most servers hold none, and a rule that waited for them would be mute. */
static void naive(struct fact_book *b, bool any)
{
    struct fact_draft *f = &b->f[OW_FACT_NAIVE];
    bool had = f->yes; /* so far: what was ordered or supplied */

    f->yes = !had;
    if (!had && b->j->chart->n_missing > 0) {
        f->yes = false;
        f->undecided = true;
    }
    if (any && !had && (b->j->chart->not_asked & OW_KIND_DISPENSE) != 0)
        ow_judge_note(b->j, ow_word(b->j->arena, OW_WORD_NOTE_NAIVE_BY_ORDERS));
}

void facts_of_orders(struct fact_book *b)
{
    struct ow_judge *j = b->j;
    struct windows w = { ow_days_ago(j, 90, 1), ow_days_ago(j, 90, 0) };

    for (size_t i = 0; i < j->n_all; i++) {
        const struct ow_item *it = &j->all[i];

        if (is_opioid(it))
            of_opioid(b, it, &w);
        else if (it->drug.kind == OW_DRUG_OTHER || it->drug.kind == OW_DRUG_UNKNOWN)
            of_naloxone(b, it);
        of_oud_treatment(b, it, &w);
    }
    naive(b, of_those_in_force(b, w.naive.until));
    chronic(b);
}
