/*
 * Rules about what is not known: doses that cannot be had, drugs that no table knows,
 * orders that nobody ended, figures that contradict each other.
 */
#include "alerts/rule.h"

/* ---- 3. unreadable-dose: an opioid whose dose cannot be had. Never silently zero. ----
 */

static bool is_doubtful(const struct ow_item *it)
{
    return it->drug.like != NULL || it->drug.nameless;
}

/* In force or being signed, and an opioid, perhaps one, or what an opioid is not to meet:
 * what could not be had matters to it. */
static bool minds_missing(const struct ow_item *it)
{
    if (it->taken.until <= it->taken.from) /* an opioid of doubtful status has no time */
        return it->role == OW_ROLE_UNREADABLE;
    return ow_item_opioid(it) || (it->role == OW_ROLE_UNKNOWN && is_doubtful(it)) ||
           (ow_item_sedative(it) && it->drug.sedative->tier <= 2);
}

enum { MISSING_NAMED = 3 };

static const char *missing_words(struct ow_judge *j)
{
    const struct ow_chart *c = j->chart;
    const char *ret = c->missing[0];

    for (size_t i = 1; i < c->n_missing && i < MISSING_NAMED; i++)
        ret = ow_say(j->arena, OW_WORD_LIST, ret, c->missing[i]);
    if (c->n_missing > MISSING_NAMED)
        ret = ow_say(j->arena, OW_WORD_INCOMPLETE_MORE, ret,
                     ow_say_int(j->arena, (int64_t)c->n_missing - MISSING_NAMED));
    return ret;
}

/* One finding for all that could not be had, when anything minds. A partial answer that
 * says nothing would look like a complete one. [CDS Hooks: partial data] */
static void incomplete(struct ow_pending *p)
{
    struct ow_judge *j = p->j;
    const struct ow_total *t = &j->v->total;
    const char **list = ow_rule_references(j, j->n_items);
    struct ow_finding *f;
    size_t n = 0;
    bool minds = false;

    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *it = &j->items[i];

        if (!minds_missing(it) || !ow_rule_has_part(p, it))
            continue;
        minds = true;
        if (it->order->reference != NULL)
            list[n++] = it->order->reference;
    }
    if (!minds)
        return;
    f = ow_rule_finding(
        p, OW_TIER_WARNING, ow_say(j->arena, OW_WORD_INCOMPLETE, missing_words(j)),
        t->has_peak ? ow_say(j->arena, OW_WORD_SUMMARY_INCOMPLETE,
                             ow_rule_med_text(j, t->has_now ? t->now : t->peak))
                    : ow_word(j->arena, OW_WORD_SUMMARY_INCOMPLETE_BARE),
        "missing");
    f->evidence = list;
    f->n_evidence = n;
}

void ow_rule_unreadable(struct ow_pending *p)
{
    struct ow_judge *j = p->j;

    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *it = &j->items[i];
        const struct ow_total *t = &j->v->total;
        const char *summary;

        if (it->role != OW_ROLE_UNREADABLE || !ow_rule_has_part(p, it))
            continue;
        summary = t->has_peak
                      ? ow_say(j->arena, OW_WORD_SUMMARY_UNREADABLE, it->drug.name,
                               ow_rule_med_text(j, t->has_now ? t->now : t->peak))
                      : ow_say(j->arena, OW_WORD_SUMMARY_UNREADABLE_BARE, it->drug.name);
        ow_rule_evidence(p,
                         ow_rule_finding(p, OW_TIER_WARNING,
                                         ow_say(j->arena, OW_WORD_UNREADABLE,
                                                it->drug.name, it->reason),
                                         summary, it->order->reference),
                         it);
    }
    if (j->chart->n_missing > 0)
        incomplete(p);
}

/*
 * ---- 4. unknown-drug ----
 *
 * A name that looks like an opioid, or no name at all, is a warning for that order. All
 * others are one finding of tier info: the tables know opioids and sedatives, so nearly
 * every other drug of a patient is unknown to them, and a warning each would be noise.
 */
static void unknown_one(struct ow_pending *p, const struct ow_item *it)
{
    struct ow_judge *j = p->j;
    const struct ow_total *t = &j->v->total;
    const char *summary =
        t->has_peak ? ow_say(j->arena, OW_WORD_SUMMARY_UNKNOWN, it->drug.name,
                             ow_rule_med_text(j, t->has_now ? t->now : t->peak))
                    : ow_say(j->arena, OW_WORD_SUMMARY_UNKNOWN_BARE, it->drug.name);

    ow_rule_evidence(p,
                     ow_rule_finding(p, OW_TIER_WARNING,
                                     ow_say(j->arena, OW_WORD_UNKNOWN_ONE, it->drug.name,
                                            it->drug.reason),
                                     summary, it->order->reference),
                     it);
}

void ow_rule_unknown(struct ow_pending *p)
{
    struct ow_judge *j = p->j;
    const char **list = NULL;
    size_t n = 0;
    struct ow_finding *f;
    const char *reason;

    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *it = &j->items[i];

        if (it->role != OW_ROLE_UNKNOWN || !ow_rule_has_part(p, it))
            continue;
        if (is_doubtful(it)) {
            unknown_one(p, it);
            continue;
        }
        if (list == NULL)
            list = ow_rule_references(j, j->n_items);
        list[n++] = it->order->reference != NULL ? it->order->reference : "";
    }
    if (n == 0)
        return;
    reason = n == 1 ? ow_word(j->arena, OW_WORD_UNKNOWN_MANY_ONE)
                    : ow_say(j->arena, OW_WORD_UNKNOWN_MANY,
                             ow_say_int(j->arena, (int64_t)n));
    f = ow_rule_finding(p, OW_TIER_INFO, reason, reason, "unrecognised");
    f->evidence = list;
    f->n_evidence = n;
}

/* ---- 5. stale-order: active long after its supply ended ---- */

void ow_rule_stale(struct ow_pending *p)
{
    struct ow_judge *j = p->j;

    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *it = &j->items[i];
        bool sedative = it->drug.sedative != NULL && it->drug.sedative->tier <= 2;
        const char *text;

        if ((it->flags & OW_FLAG_STALE_ACTIVE) == 0 || it->role == OW_ROLE_REPLACED ||
            !ow_rule_has_part(p, it) || (it->drug.ingredient == NULL && !sedative))
            continue;
        if (it->role == OW_ROLE_NOT_OPIOID && it->next != NULL)
            continue; /* a sedative that another order goes on with */
        text = ow_say(j->arena, OW_WORD_STALE, it->drug.name,
                      ow_say_date(j->arena, it->span.until, j->q->zone));
        ow_rule_evidence(
            p, ow_rule_finding(p, OW_TIER_INFO, text, text, it->order->reference), it);
    }
}

/* ---- 6. supply-mismatch: directions and supply tell different doses ---- */

void ow_rule_mismatch(struct ow_pending *p)
{
    struct ow_judge *j = p->j;

    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *it = &j->items[i];
        const char *text;

        if ((it->flags & OW_FLAG_SUPPLY_MISMATCH) == 0 || !ow_rule_has_part(p, it))
            continue;
        text = ow_say(j->arena, OW_WORD_MISMATCH, it->drug.name,
                      ow_say_ratio(j->arena, it->med),
                      ow_say_ratio(j->arena, it->med_supplied));
        ow_rule_evidence(
            p, ow_rule_finding(p, OW_TIER_INFO, text, text, it->order->reference), it);
    }
}
