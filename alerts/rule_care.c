/*
 * What is due before an opioid is given or goes on. Each is one line at most, of tier
 * info but for naloxone, and silent where nobody looked for what would settle it.
 */
#include "alerts/history.h"
#include "alerts/scope.h"
#include "base/text.h"

static bool is_2016(const struct ow_pending *p)
{
    return p->j->policy->table == OW_TABLE_CDC_2016;
}

/* ---- naloxone-offer ---- */

struct grounds {
    struct ow_pending *p;
    const char *text, *lead, *by;
};

static void ground(struct grounds *g, const char *text, const char *by)
{
    struct ow_arena *arena = g->p->j->arena;

    g->text = g->text == NULL ? text : ow_say(arena, OW_WORD_LIST, g->text, text);
    if (g->lead == NULL)
        g->lead = text;
    if (g->by == NULL)
        g->by = by;
}

static void ground_fact(struct grounds *g, enum ow_fact_id fact, enum ow_word word)
{
    const struct ow_judge *j = g->p->j;

    if (ow_fact(j, fact) == 1)
        ground(g, ow_word(j->arena, word), ow_fact_by(j, fact));
}

static void ground_dose(struct grounds *g)
{
    struct ow_judge *j = g->p->j;
    struct ow_ratio limit = ow_param(g->p, OW_PARAM_NALOXONE_MED);

    if (j->v->total.has_peak && ow_ratio_cmp(j->v->total.peak, limit) >= 0)
        ground(g,
               ow_say(j->arena, OW_WORD_REACHES, ow_rule_med_text(j, j->v->total.peak),
                      ow_say_ratio(j->arena, limit)),
               NULL);
    for (size_t i = 0; i < j->v->n_sedatives; i++) {
        const struct ow_sedation *s = &j->v->sedatives[i];

        if (s->tier <= 2 && s->overlap_days > 0) {
            ground(g, ow_say(j->arena, OW_WORD_GROUND_SEDATIVE, s->drug),
                   s->line->order->reference);
            return;
        }
    }
}

static void ground_age(struct grounds *g)
{
    struct ow_pending *p = g->p;

    if (p->age >= ow_param_whole(p, OW_PARAM_NALOXONE_AGE) &&
        ow_fact(p->j, OW_FACT_RENAL_HEPATIC) == 1)
        ground(g,
               ow_say(p->j->arena, OW_WORD_GROUND_RENAL, ow_say_int(p->j->arena, p->age)),
               ow_fact_by(p->j, OW_FACT_RENAL_HEPATIC));
}

/*
 * An opioid with something that makes an overdose more likely, and no naloxone ordered or
 * handed over in two years. [CDC-2022-R8; CDC-2016-R8]
 */
void ow_rule_naloxone(struct ow_pending *p)
{
    struct ow_judge *j = p->j;
    struct grounds g = { .p = p };
    struct ow_scope s;
    struct ow_finding *f;

    if (p->selected_sedative && !p->selected_opioid) { /* the sedative is what is new */
        struct ow_pending all = *p;

        all.anything = true;
        s = ow_scope_read(&all);
    } else {
        s = ow_scope_read(p);
    }
    if (s.any == NULL)
        return;
    ground_dose(&g);
    ground_fact(&g, OW_FACT_OUD, OW_WORD_GROUND_OUD);
    ground_fact(&g, OW_FACT_OVERDOSE, OW_WORD_GROUND_OVERDOSE);
    ground_fact(&g, OW_FACT_SUBSTANCE_MISUSE, OW_WORD_GROUND_MISUSE);
    ground_fact(&g, OW_FACT_SLEEP_BREATHING, OW_WORD_GROUND_SLEEP);
    ground_fact(&g, OW_FACT_LOST_TOLERANCE, OW_WORD_GROUND_TOLERANCE);
    ground_age(&g);
    if (g.text == NULL ||
        ow_scope_due(p, OW_RULE_NALOXONE, OW_EVENT_NALOXONE, OW_PARAM_NALOXONE_DAYS) != 1)
        return;
    f = ow_scope_finding(p, OW_TIER_WARNING,
                         ow_say(j->arena, OW_WORD_NALOXONE_REASON, g.text),
                         ow_say(j->arena, OW_WORD_SUMMARY_NALOXONE, g.lead), "",
                         "CDC-2022-R8", "CDC-2016-R8");
    ow_scope_evidence(p, f, s.any, g.by);
}

/* ---- nonopioid-first, treatment-goals, risk-discussion ---- */

/*
 * Opioid-naive: for acute pain always [CDC-2022-R1]; for subacute and chronic pain while
 * no plan of pain treatment was made in the window [CDC-2022-R2]. The 2016 edition speaks
 * of chronic pain only, and asks for no plan. [CDC-2016-R1]
 */
void ow_rule_nonopioid(struct ow_pending *p)
{
    struct ow_scope s = ow_scope_read(p);
    bool acute = s.acute != NULL && !is_2016(p), lasting = s.lasting != NULL;
    const struct ow_item *it = lasting ? s.lasting : s.acute;
    struct ow_finding *f;

    if ((!acute && !lasting) || ow_scope_fact(p, OW_RULE_NONOPIOID, OW_FACT_NAIVE) != 1)
        return;
    if (lasting && !is_2016(p))
        lasting = ow_scope_due(p, OW_RULE_NONOPIOID, OW_EVENT_PLAN,
                               OW_PARAM_NONOPIOID_DAYS) == 1;
    if (!acute && !lasting)
        return;
    f = ow_rule_finding(p, OW_TIER_INFO,
                        ow_word(p->j->arena, lasting ? OW_WORD_NONOPIOID_LASTING
                                                     : OW_WORD_NONOPIOID_ACUTE),
                        ow_word(p->j->arena, OW_WORD_SUMMARY_NONOPIOID), "");
    if (is_2016(p))
        ow_rule_cite(p, f, "CDC-2016-R1", NULL, NULL);
    else
        ow_rule_cite(p, f, acute ? "CDC-2022-R1" : NULL, lasting ? "CDC-2022-R2" : NULL,
                     NULL);
    ow_scope_evidence(p, f, lasting ? it : s.acute, NULL);
}

/* A first prescription for subacute or chronic pain without a plan of pain treatment in
 * the window. [CDC-2022-R2; CDC-2016-R2] */
void ow_rule_goals(struct ow_pending *p)
{
    struct ow_scope s = ow_scope_read(p);
    struct ow_finding *f;

    if (s.lasting == NULL || ow_scope_fact(p, OW_RULE_GOALS, OW_FACT_NAIVE) != 1 ||
        ow_scope_due(p, OW_RULE_GOALS, OW_EVENT_PLAN, OW_PARAM_GOALS_DAYS) != 1)
        return;
    f = ow_scope_finding(
        p, OW_TIER_INFO,
        ow_say(p->j->arena, OW_WORD_GOALS_REASON,
               ow_say_ratio(p->j->arena, ow_param(p, OW_PARAM_GOALS_DAYS))),
        ow_word(p->j->arena, OW_WORD_SUMMARY_GOALS), "", "CDC-2022-R2", "CDC-2016-R2");
    ow_scope_evidence(p, f, s.lasting, p->j->latest[OW_EVENT_PLAN].by);
}

/* Subacute or chronic, and no talk about risks on record in the window. [CDC-2016-R3]
 * The 2022 edition has it within R2; here it stays a line of its own. */
void ow_rule_risk(struct ow_pending *p)
{
    struct ow_scope s = ow_scope_read(p);
    struct ow_finding *f;

    if (s.lasting == NULL ||
        ow_scope_due(p, OW_RULE_RISK, OW_EVENT_COUNSELING, OW_PARAM_RISK_DAYS) != 1)
        return;
    f = ow_scope_finding(
        p, OW_TIER_INFO,
        ow_say(p->j->arena, OW_WORD_RISK_REASON,
               ow_say_ratio(p->j->arena, ow_param(p, OW_PARAM_RISK_DAYS))),
        ow_word(p->j->arena, OW_WORD_SUMMARY_RISK), "", "site-policy", "CDC-2016-R3");
    ow_scope_evidence(p, f, s.lasting, p->j->latest[OW_EVENT_COUNSELING].by);
}

/* ---- reassess, pdmp-due, agreement-due ---- */

/*
 * Subacute or chronic and already begun (7 of the last 10 days, or 21 of 30 in each of
 * three months), and no assessment in the window. [CDC-2022-R7; CDC-2016-R7] An office
 * visit is not asked for: the published set of visits cannot be met.
 */
void ow_rule_reassess(struct ow_pending *p)
{
    struct ow_scope s = ow_scope_read(p);
    const struct ow_history *h;
    struct ow_finding *f;

    if (s.lasting == NULL)
        return;
    h = ow_history(p->j);
    if (ow_history_opioid_days(h, 10, 1) < ow_param_whole(p, OW_PARAM_REASSESS_BEGUN) &&
        !ow_history_steady(h, 3))
        return;
    if (ow_scope_due(p, OW_RULE_REASSESS, OW_EVENT_ASSESSMENT, OW_PARAM_REASSESS_DAYS) !=
        1)
        return;
    f = ow_scope_finding(
        p, OW_TIER_INFO,
        ow_say(p->j->arena, OW_WORD_REASSESS_REASON,
               ow_say_ratio(p->j->arena, ow_param(p, OW_PARAM_REASSESS_DAYS))),
        ow_word(p->j->arena, OW_WORD_SUMMARY_REASSESS), "", "CDC-2022-R7", "CDC-2016-R7");
    ow_scope_evidence(p, f, s.lasting, p->j->latest[OW_EVENT_ASSESSMENT].by);
}

/* No review in the window, at any prescription; under 2016 at those for chronic pain.
 * [CDC-2022-R9; CDC-2016-R9] */
void ow_rule_pdmp(struct ow_pending *p)
{
    struct ow_scope s = ow_scope_read(p);
    const struct ow_item *it = is_2016(p) ? s.lasting : s.any;
    struct ow_finding *f;

    if (it == NULL ||
        ow_scope_due(p, OW_RULE_PDMP, OW_EVENT_PDMP, OW_PARAM_PDMP_DAYS) != 1)
        return;
    f = ow_scope_finding(
        p, OW_TIER_INFO,
        ow_say(p->j->arena, OW_WORD_PDMP_REASON,
               ow_say_ratio(p->j->arena, ow_param(p, OW_PARAM_PDMP_DAYS))),
        ow_word(p->j->arena, OW_WORD_SUMMARY_PDMP), "", "CDC-2022-R9", "CDC-2016-R9");
    ow_scope_evidence(p, f, it, p->j->latest[OW_EVENT_PDMP].by);
}

/* Long-term therapy without a treatment agreement in the window. */
void ow_rule_agreement(struct ow_pending *p)
{
    struct ow_scope s = ow_scope_read(p);
    struct ow_finding *f;

    if (s.pain == NULL || ow_fact(p->j, OW_FACT_CHRONIC) != 1 ||
        ow_scope_due(p, OW_RULE_AGREEMENT, OW_EVENT_AGREEMENT, OW_PARAM_AGREEMENT_DAYS) !=
            1)
        return;
    f = ow_scope_finding(
        p, OW_TIER_INFO,
        ow_say(p->j->arena, OW_WORD_AGREEMENT_REASON,
               ow_say_ratio(p->j->arena, ow_param(p, OW_PARAM_AGREEMENT_DAYS))),
        ow_word(p->j->arena, OW_WORD_SUMMARY_AGREEMENT), "", "site-policy",
        "site-policy");
    ow_scope_evidence(p, f, s.pain, p->j->latest[OW_EVENT_AGREEMENT].by);
}
