#include "alerts/ranking.h"

#include "alerts/rules.h"
#include "base/text.h"

/* Critical hides what says less about the same cause. */
static const struct {
    enum ow_rule strong, weak;
} same_cause[] = {
    {OW_RULE_TRIPLE,         OW_RULE_SEDATIVE    },
    { OW_RULE_MED_THRESHOLD, OW_RULE_ESCALATION  },
    { OW_RULE_MED_THRESHOLD, OW_RULE_PPACT       },
    { OW_RULE_ABRUPT_STOP,   OW_RULE_FAST_TAPER  },
    { OW_RULE_OUD_CONFLICT,  OW_RULE_OUD         },
    { OW_RULE_OUD_CONFLICT,  OW_RULE_DUPLICATE   },
    { OW_RULE_DUPLICATE,     OW_RULE_EARLY_REFILL},
    { OW_RULE_ER_LA_NAIVE,   OW_RULE_NONOPIOID   },
};

/* The critical finding that says the same as `f` and more; NULL: none. */
static const struct ow_finding *inhibitor(const struct ow_judge *j,
                                          const struct ow_finding *f)
{
    if (f->tier == OW_TIER_CRITICAL)
        return NULL;
    for (size_t i = 0; i < j->v->n_findings; i++) {
        const struct ow_finding *strong = &j->v->findings[i];

        if (strong->tier != OW_TIER_CRITICAL || strong->silent != NULL || strong->shadow)
            continue;
        for (size_t k = 0; k < OW_LEN(same_cause); k++)
            if (strong->id == same_cause[k].strong && f->id == same_cause[k].weak)
                return strong;
    }
    return NULL;
}

static void hold(struct ow_judge *j, struct ow_finding *f, const char *by)
{
    f->silent = by;
    ow_judge_suppress(j, f->rule, by, NULL);
}

void ow_ranking_hold(struct ow_judge *j)
{
    for (size_t i = 0; i < j->v->n_findings; i++) {
        struct ow_finding *f = &j->findings[i];
        const struct ow_finding *strong;

        if (f->shadow) {
            hold(j, f, "shadow");
            continue;
        }
        strong = inhibitor(j, f);
        if (strong != NULL)
            hold(j, f, ow_arena_printf(j->arena, "inhibited:%s", strong->rule));
    }
}

/* Without a hook nobody is looking, and an info is for the desk; a drug that is merely
 * unrecognised never leads. */
static bool may_lead(const struct ow_judge *j, const struct ow_finding *f)
{
    if (f->silent != NULL)
        return false;
    if (f->tier > OW_TIER_INFO)
        return true;
    return j->chart->hook != OW_HOOK_NONE && f->id != OW_RULE_UNKNOWN;
}

static const struct ow_finding *find_lead(const struct ow_judge *j, bool held)
{
    const struct ow_finding *ret = NULL;

    for (size_t i = 0; i < j->v->n_findings; i++) {
        const struct ow_finding *f = &j->v->findings[i];

        if ((f->held != NULL) == held && may_lead(j, f) &&
            (ret == NULL || f->tier > ret->tier))
            ret = f; /* findings stand in the order of the rules */
    }
    return ret;
}

/* What was told before is told again in full to who asks, and interrupts nobody. */
const struct ow_finding *ow_ranking_lead(const struct ow_judge *j)
{
    const struct ow_finding *ret = find_lead(j, false);

    return ret != NULL || j->chart->hook == OW_HOOK_NONE ? ret : find_lead(j, true);
}
