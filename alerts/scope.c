#include "alerts/scope.h"

bool ow_scope_taken(const struct ow_item *it)
{
    return it->taken.until > it->taken.from;
}

bool ow_scope_selected(const struct ow_item *it)
{
    return it->order->is_draft && it->order->selected;
}

static bool is_lasting(const struct ow_judge *j, const struct ow_item *it)
{
    if (ow_fact(j, OW_FACT_CHRONIC) == 1 || it->span.until == OW_TIME_MAX ||
        it->span.from == OW_TIME_MIN)
        return true;
    /* but for the hour of a clock change */
    return it->span.until >=
           ow_time_add(it->span.from, OW_SCOPE_LASTING_DAYS * OW_DAY - OW_HOUR);
}

static void first(const struct ow_item **at, const struct ow_item *it)
{
    if (*at == NULL)
        *at = it;
}

struct ow_scope ow_scope_read(const struct ow_pending *p)
{
    const struct ow_judge *j = p->j;
    struct ow_scope ret = { 0 };

    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *it = &j->items[i];

        if (!ow_item_opioid(it) || !ow_scope_taken(it) ||
            !(p->anything || ow_scope_selected(it)) || !ow_order_outpatient(it->order))
            continue;
        first(&ret.any, it);
        if (ow_item_treats_oud(j, it))
            continue;
        first(&ret.pain, it);
        first(is_lasting(j, it) ? &ret.lasting : &ret.acute, it);
    }
    return ret;
}

int64_t ow_param_whole(const struct ow_pending *p, enum ow_param param)
{
    return ow_ratio_ceil(ow_param(p, param));
}

static void undecided(struct ow_pending *p, enum ow_rule rule)
{
    ow_judge_note(p->j, ow_say(p->j->arena, OW_WORD_NOTE_UNDECIDED, ow_rule_name(rule)));
}

int ow_scope_due(struct ow_pending *p, enum ow_rule rule, enum ow_event e,
                 enum ow_param days)
{
    int due = ow_event_due(p->j, e, ow_param_whole(p, days));

    if (due < 0)
        undecided(p, rule);
    return due;
}

int ow_scope_fact(struct ow_pending *p, enum ow_rule rule, enum ow_fact_id fact)
{
    int value = ow_fact(p->j, fact);

    if (value < 0)
        undecided(p, rule);
    return value;
}

struct ow_finding *ow_scope_finding(struct ow_pending *p, enum ow_tier tier,
                                    const char *reason, const char *summary,
                                    const char *cause, const char *in_2022,
                                    const char *in_2016)
{
    struct ow_finding *f = ow_rule_finding(p, tier, reason, summary, cause);

    ow_rule_cite(p, f, p->j->policy->table == OW_TABLE_CDC_2016 ? in_2016 : in_2022, NULL,
                 NULL);
    return f;
}

void ow_scope_evidence(struct ow_pending *p, struct ow_finding *f,
                       const struct ow_item *it, const char *by)
{
    const char **list = ow_rule_references(p->j, 2);

    f->evidence = list;
    if (it != NULL && it->order->reference != NULL)
        list[f->n_evidence++] = it->order->reference;
    if (by != NULL)
        list[f->n_evidence++] = by;
}
