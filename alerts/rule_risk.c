/*
 * Who the patient is: treated for opioid use disorder, pregnant, a child, or in need of
 * pain care first.
 */
#include "alerts/scope.h"
#include "base/text.h"

/* ---- oud-treatment-conflict ---- */

/* Not buprenorphine, and not one of the mixed kind. A code without a strength may be. */
static bool is_full_agonist(const struct ow_item *it)
{
    static const char *const mixed[] = { "Butorphanol", "Nalbuphine", "Pentazocine",
                                         "Meptazinol" };

    if (!ow_item_opioid(it) || it->drug.buprenorphine)
        return false;
    for (size_t i = 0; i < OW_LEN(mixed); i++)
        if (it->drug.ingredient != NULL && ow_streq(it->drug.ingredient, mixed[i]))
            return false;
    return true;
}

static bool together(const struct ow_judge *j, const struct ow_item *a,
                     const struct ow_item *b)
{
    ow_time from = a->taken.from > b->taken.from ? a->taken.from : b->taken.from;
    ow_time until = a->taken.until < b->taken.until ? a->taken.until : b->taken.until;

    return ow_scope_taken(a) && ow_scope_taken(b) && from < until &&
           until > j->window.from && from < j->window.until;
}

static void conflict(struct ow_pending *p, const struct ow_item *treatment,
                     const struct ow_item *agonist, enum ow_word reason,
                     const char *cause)
{
    struct ow_judge *j = p->j;
    struct ow_finding *f = ow_rule_finding(
        p, OW_TIER_CRITICAL,
        ow_say(j->arena, reason, treatment->drug.name, agonist->drug.name),
        ow_say(j->arena, OW_WORD_SUMMARY_OUD_CONFLICT, treatment->drug.name,
               agonist->drug.name),
        cause);

    ow_rule_cite(p, f, "FDA labels", NULL, NULL);
    ow_scope_evidence(p, f, treatment, agonist->order->reference);
}

static bool conflict_of(struct ow_pending *p, const struct ow_item *treatment,
                        enum ow_word reason, const char *cause)
{
    struct ow_judge *j = p->j;

    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *it = &j->items[i];

        if (it == treatment || !is_full_agonist(it) || !together(j, treatment, it) ||
            !(p->anything || ow_scope_selected(treatment) || ow_scope_selected(it)))
            continue;
        conflict(p, treatment, it, reason, cause);
        return true;
    }
    return false;
}

/*
 * Buprenorphine or naltrexone, whatever the dose, while a full agonist is taken: it can
 * bring on withdrawal, or keep the other from working. One finding for each of the two.
 */
void ow_rule_oud_conflict(struct ow_pending *p)
{
    struct ow_judge *j = p->j;
    bool done[2] = { false, false };

    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *it = &j->items[i];
        bool naltrexone;

        if (!ow_scope_taken(it))
            continue;
        if (it->drug.buprenorphine && ow_item_opioid(it))
            naltrexone = false;
        else if (it->stands && ow_item_naltrexone(j, it))
            naltrexone = true;
        else
            continue;
        if (!done[naltrexone])
            done[naltrexone] = conflict_of(p, it,
                                           naltrexone ? OW_WORD_CONFLICT_NALTREXONE
                                                      : OW_WORD_CONFLICT_BUPRENORPHINE,
                                           naltrexone ? "naltrexone" : "buprenorphine");
    }
}

/* ---- opioid-use-disorder ---- */

/* Active, recorded in the window, and no treatment ordered. [CDC-2022-R12; CDC-2016-R12]
 */
void ow_rule_oud(struct ow_pending *p)
{
    const struct ow_latest *l = &p->j->latest[OW_EVENT_OUD];
    struct ow_finding *f;

    if (!(p->anything || p->selected_opioid) || ow_fact(p->j, OW_FACT_OUD) != 1 ||
        ow_event_due(p->j, OW_EVENT_OUD, ow_param_whole(p, OW_PARAM_OUD_DAYS)) != 0 ||
        ow_scope_fact(p, OW_RULE_OUD, OW_FACT_OUD_TREATMENT) != 0)
        return;
    f = ow_scope_finding(p, OW_TIER_WARNING, ow_word(p->j->arena, OW_WORD_OUD_REASON),
                         ow_word(p->j->arena, OW_WORD_SUMMARY_OUD), "", "CDC-2022-R12",
                         "CDC-2016-R12");
    ow_scope_evidence(p, f, NULL, l->by);
}

/* ---- pregnancy ---- */

void ow_rule_pregnancy(struct ow_pending *p)
{
    struct ow_scope s = ow_scope_read(p);
    bool treated = ow_fact(p->j, OW_FACT_OUD) == 1 ||
                   ow_fact(p->j, OW_FACT_OUD_TREATMENT) == 1;
    struct ow_finding *f;

    if (s.any == NULL || ow_fact(p->j, OW_FACT_PREGNANT) != 1)
        return;
    f = ow_rule_finding(
        p, OW_TIER_WARNING,
        ow_say(p->j->arena,
               treated ? OW_WORD_PREGNANCY_TREATED_REASON : OW_WORD_PREGNANCY_REASON,
               s.any->drug.name),
        ow_say(p->j->arena,
               treated ? OW_WORD_SUMMARY_PREGNANCY_TREATED : OW_WORD_SUMMARY_PREGNANCY,
               s.any->drug.name),
        "");
    ow_rule_cite(p, f, "site-policy", NULL, NULL);
    ow_scope_evidence(p, f, s.any, ow_fact_by(p->j, OW_FACT_PREGNANT));
}

/* ---- ppact-priority ---- */

static const char *benzodiazepine(const struct ow_judge *j)
{
    for (size_t i = 0; i < j->v->n_sedatives; i++) {
        const struct ow_sedation *s = &j->v->sedatives[i];

        if (s->overlap_days > 0 &&
            ow_streq(s->cls, ow_sedative_class_name(OW_SEDATIVE_BENZODIAZEPINE)))
            return s->drug;
    }
    return NULL;
}

static bool is_inpatient(const struct ow_record *r)
{
    static const char *const classes[] = { "IMP", "ACUTE", "NONAC" }; /* [v3 ActCode] */

    for (size_t i = 0; i < r->n_categories; i++)
        for (size_t k = 0; k < r->categories[i].n_codings; k++)
            for (size_t c = 0; c < OW_LEN(classes); c++)
                if (ow_streq(r->categories[i].codings[k].code, classes[c]))
                    return true;
    return false;
}

/* Visits in 12 months, inpatient stays aside: codes do not tell primary care apart. */
static int64_t visits(const struct ow_judge *j)
{
    struct ow_span year = ow_days_ago(j, 365, 0);
    int64_t n = 0;

    for (const struct ow_record *r = ow_record_next(j, NULL, "Encounter", NULL);
         r != NULL; r = ow_record_next(j, r, "Encounter", NULL))
        n += !is_inpatient(r) && r->has_when && r->when.from >= year.from &&
             r->when.from <= j->q->at && !ow_streq(r->status, "cancelled") &&
             !ow_streq(r->status, "planned") && !ow_streq(r->status, "entered-in-error");
    return n;
}

/* Long-term therapy with 120 MME/d, a benzodiazepine, or many visits (when the site set a
 * number). [PPACT] */
void ow_rule_ppact(struct ow_pending *p)
{
    struct ow_judge *j = p->j;
    struct ow_scope s = ow_scope_read(p);
    struct ow_ratio med = ow_param(p, OW_PARAM_PPACT_MED);
    int64_t most = ow_param_whole(p, OW_PARAM_PPACT_VISITS), n;
    const char *why = NULL, *drug;
    struct ow_finding *f;

    if (s.pain == NULL || ow_fact(j, OW_FACT_CHRONIC) != 1)
        return;
    if (j->v->total.has_peak && ow_ratio_cmp(j->v->total.peak, med) >= 0)
        why = ow_say(j->arena, OW_WORD_REACHES, ow_rule_med_text(j, j->v->total.peak),
                     ow_say_ratio(j->arena, med));
    else if ((drug = benzodiazepine(j)) != NULL)
        why = ow_say(j->arena, OW_WORD_GROUND_SEDATIVE, drug);
    else if (most > 0 && (n = visits(j)) >= most)
        why = ow_say(j->arena, OW_WORD_GROUND_VISITS, ow_say_int(j->arena, n));
    if (why == NULL)
        return;
    f = ow_rule_finding(p, OW_TIER_INFO, ow_say(j->arena, OW_WORD_PPACT_REASON, why),
                        ow_say(j->arena, OW_WORD_SUMMARY_PPACT, why), "");
    ow_rule_cite(p, f, "PPACT", NULL, NULL);
    ow_scope_evidence(p, f, s.pain, NULL);
}

/* ---- paediatric-contraindicated ---- */

static const char *const warned_of[] = { "Codeine", "Tramadol" };

/* Its number in the list; OW_LEN(warned_of): not in it. */
static size_t warning_of(const struct ow_item *it)
{
    size_t k = 0;

    if (!ow_item_opioid(it) || !ow_scope_taken(it))
        return OW_LEN(warned_of);
    while (k < OW_LEN(warned_of) && !ow_streq(it->drug.ingredient, warned_of[k]))
        k++;
    return k;
}

struct child {
    enum ow_tier tier;
    enum ow_word reason;
    const char *by;
};

/* What of this child speaks against the drug; false: nothing. */
static bool child_read(const struct ow_pending *p, struct child *ret)
{
    static const struct {
        enum ow_fact_id fact;
        enum ow_word word;
    } risks[] = {
        {OW_FACT_OBESITY,          OW_WORD_CHILD_OBESITY},
        { OW_FACT_SLEEP_BREATHING, OW_WORD_CHILD_SLEEP  },
        { OW_FACT_LUNG,            OW_WORD_CHILD_LUNG   },
    };
    const struct ow_judge *j = p->j;

    *ret = (struct child){ OW_TIER_CRITICAL, OW_WORD_CHILD_UNDER,
                           j->chart->patient.reference };
    if (p->age < ow_param_whole(p, OW_PARAM_PAEDIATRIC_NEVER_UNDER))
        return true;
    ret->reason = OW_WORD_CHILD_TONSILS;
    ret->by = j->latest[OW_EVENT_TONSILS].by;
    if (ow_event_due(j, OW_EVENT_TONSILS,
                     ow_param_whole(p, OW_PARAM_PAEDIATRIC_SURGERY_DAYS)) == 0)
        return true;
    for (size_t i = 0; i < OW_LEN(risks); i++)
        if (ow_fact(j, risks[i].fact) == 1) {
            *ret = (struct child){ OW_TIER_WARNING, risks[i].word,
                                   ow_fact_by(j, risks[i].fact) };
            return true;
        }
    return false;
}

/*
 * Codeine or tramadol: never under 12; under 18 not after tonsils or adenoids were taken
 * out, and not with obesity, sleep apnoea or severe lung disease. [FDA 2017-04-20] An
 * age known by the year only counts as the lower one.
 */
void ow_rule_paediatric(struct ow_pending *p)
{
    struct ow_judge *j = p->j;
    bool seen[OW_LEN(warned_of)] = { false };
    struct child c;

    if (p->age < 0 || p->age >= ow_param_whole(p, OW_PARAM_PAEDIATRIC_UNDER) ||
        !child_read(p, &c))
        return;
    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *it = &j->items[i];
        size_t k = warning_of(it);
        struct ow_finding *f;

        if (k == OW_LEN(warned_of) || seen[k] || !(p->anything || ow_scope_selected(it)))
            continue;
        seen[k] = true;
        f = ow_rule_finding(
            p, c.tier,
            ow_say(j->arena, c.reason, it->drug.name, ow_say_int(j->arena, p->age)),
            ow_say(j->arena, OW_WORD_SUMMARY_CHILD, warned_of[k],
                   ow_say_int(j->arena, p->age)),
            warned_of[k]);
        ow_rule_cite(p, f, "FDA 2017-04-20", NULL, NULL);
        ow_scope_evidence(p, f, it, c.by);
    }
}
