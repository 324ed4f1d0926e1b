#include "alerts/suggest.h"

#include "alerts/card.h"
#include "alerts/dosage.h"
#include "alerts/policy.h"
#include "alerts/rules.h"
#include "alerts/sig.h"
#include "base/text.h"

/* ---- what may be created ---- */

enum propose {
    PROPOSE_NALOXONE,
    PROPOSE_SCREEN,
    PROPOSE_ASSESSMENT,
    PROPOSE_PHYSICAL,
    PROPOSE_COUNSELLING,
    PROPOSE_PHARMACY,
    PROPOSE_N,
};

static const struct {
    const char *type, *system, *code, *display;
    enum ow_word label, text;
} proposals[PROPOSE_N] = {
    [PROPOSE_NALOXONE] = {"MedicationRequest", OW_SYSTEM_RXNORM, "1725059",
                          "naloxone hydrochloride 40 MG/ML Nasal Spray",                  OW_WORD_SUGGEST_NALOXONE, OW_WORD_SUGGEST_NALOXONE_TEXT},
    [PROPOSE_SCREEN] = { "ServiceRequest",   OW_SYSTEM_SNOMED, "310627008",
                          "Urine drug screening (procedure)",                             OW_WORD_SUGGEST_SCREEN,
                          OW_WORD_SUGGEST_SCREEN_TEXT                                                                                            },
    [PROPOSE_ASSESSMENT] = { "ServiceRequest",   OW_SYSTEM_SNOMED, "454281000124100",
                          "Assessment of risk for opioid abuse (procedure)",              OW_WORD_SUGGEST_ASSESS,   OW_WORD_SUGGEST_ASSESS_TEXT  },
    [PROPOSE_PHYSICAL] = { "ServiceRequest",   OW_SYSTEM_SNOMED, "91251008",
                          "Physical therapy procedure",                                   OW_WORD_SUGGEST_PHYSICAL,
                          OW_WORD_SUGGEST_PHYSICAL_TEXT                                                                                          },
    [PROPOSE_COUNSELLING] = { "ServiceRequest",   OW_SYSTEM_SNOMED, "306227000",
                          "Referral for mental health counseling (procedure)",            OW_WORD_SUGGEST_COUNSEL,  OW_WORD_SUGGEST_COUNSEL_TEXT },
    [PROPOSE_PHARMACY] = { "Task",             NULL,             NULL,              NULL, OW_WORD_SUGGEST_PHARMACY,
                          OW_WORD_SUGGEST_PHARMACY_TEXT                                                                                          },
};

/* Which findings ask for it; whether that comes before taking a draft back, on a card
 * that such a finding leads. */
static const struct {
    enum ow_rule rule;
    enum propose what;
    bool first;
} asks[] = {
    {OW_RULE_NALOXONE,       PROPOSE_NALOXONE,    true },
    { OW_RULE_UDS_DUE,       PROPOSE_SCREEN,      true },
    { OW_RULE_REASSESS,      PROPOSE_ASSESSMENT,  true },
    { OW_RULE_NONOPIOID,     PROPOSE_PHYSICAL,    true },
    { OW_RULE_MED_THRESHOLD, PROPOSE_PHYSICAL,    false},
    { OW_RULE_ESCALATION,    PROPOSE_PHYSICAL,    false},
    { OW_RULE_OUD,           PROPOSE_COUNSELLING, true },
    { OW_RULE_RISK,          PROPOSE_COUNSELLING, true },
    { OW_RULE_GOALS,         PROPOSE_COUNSELLING, true },
    { OW_RULE_UNREADABLE,    PROPOSE_PHARMACY,    true },
    { OW_RULE_UNKNOWN,       PROPOSE_PHARMACY,    true },
    { OW_RULE_MISMATCH,      PROPOSE_PHARMACY,    true },
    { OW_RULE_STALE,         PROPOSE_PHARMACY,    true },
    { OW_RULE_DUPLICATE,     PROPOSE_PHARMACY,    false},
    { OW_RULE_ABRUPT_STOP,   PROPOSE_PHARMACY,    true },
    { OW_RULE_OUD_CONFLICT,  PROPOSE_PHARMACY,    false},
};

struct list {
    struct ow_judge *j;
    struct ow_suggestion *items;
    size_t n;
    bool done[PROPOSE_N];
};

static struct ow_action *add(struct list *l, const char *label, bool recommended)
{
    struct ow_action *a = OW_NEW(l->j->arena, struct ow_action);

    if (l->n == OW_SUGGESTIONS)
        return NULL;
    l->items[l->n++] = (struct ow_suggestion){
        .label = label, .actions = a, .n_actions = 1, .recommended = recommended
    };
    return a;
}

/* The first finding that is told and asks for it. */
static const struct ow_finding *asking(const struct ow_judge *j, enum propose what)
{
    for (size_t i = 0; i < j->v->n_findings; i++) {
        const struct ow_finding *f = &j->v->findings[i];

        for (size_t k = 0; f->silent == NULL && k < OW_LEN(asks); k++)
            if (asks[k].what == what && f->id == asks[k].rule &&
                (f->id != OW_RULE_UNKNOWN || f->tier > OW_TIER_INFO))
                return f;
    }
    return NULL;
}

static void propose(struct list *l, enum propose what)
{
    struct ow_judge *j = l->j;
    const struct ow_finding *f = asking(j, what);
    struct ow_proposal *p;
    struct ow_action *a;

    if (f == NULL || l->done[what])
        return;
    l->done[what] = true;
    a = add(l, ow_word(j->arena, proposals[what].label), what == PROPOSE_NALOXONE);
    if (a == NULL)
        return;
    p = OW_NEW(j->arena, struct ow_proposal);
    *p = (struct ow_proposal){
        .type = proposals[what].type,
        .code = {proposals[what].system, proposals[what].code, proposals[what].display},
        .text = ow_word(j->arena, proposals[what].text),
        .reason = ow_rule_topic(j->arena, (enum ow_rule)f->id),
        .focus = f->n_evidence > 0 ? f->evidence[0] : NULL,
    };
    if (what == PROPOSE_NALOXONE) {
        p->directions = ow_word(j->arena, OW_WORD_NALOXONE_DIRECTIONS);
        p->quantity = 2;
    }
    a->type = OW_ACTION_CREATE;
    a->description = ow_word(j->arena, proposals[what].text);
    a->proposal = p;
}

/* ---- drafts ---- */

/* A draft that may be taken back: selected, and part of what the card speaks of. */
static bool may_remove(const struct ow_item *it)
{
    return it->order->is_draft && it->order->selected && it->order->reference != NULL &&
           (ow_item_opioid(it) ||
            (ow_item_sedative(it) && it->drug.sedative->tier <= 2) ||
            (it->role == OW_ROLE_UNKNOWN && it->drug.like != NULL));
}

static void remove_drafts(struct list *l)
{
    struct ow_judge *j = l->j;
    size_t n = 0;

    for (size_t i = 0; i < j->n_items; i++)
        n += may_remove(&j->items[i]);
    for (size_t i = 0; i < j->n_items; i++) {
        const char *name;
        struct ow_action *a;

        if (!may_remove(&j->items[i]))
            continue;
        name = ow_card_plain(j->arena, j->items[i].drug.name);
        a = add(l,
                n == 1 ? ow_word(j->arena, OW_WORD_SUGGEST_REMOVE)
                       : ow_say(j->arena, OW_WORD_SUGGEST_REMOVE_ONE, name),
                false);
        if (a == NULL)
            return;
        a->type = OW_ACTION_DELETE;
        a->description = ow_say(j->arena, OW_WORD_SUGGEST_REMOVE_TEXT, name);
        a->resource_id = j->items[i].order->reference;
    }
}

static bool told(const struct ow_judge *j, enum ow_rule rule, const char *reference)
{
    for (size_t i = 0; i < j->v->n_findings; i++) {
        const struct ow_finding *f = &j->v->findings[i];

        for (size_t k = 0; f->id == rule && f->silent == NULL && k < f->n_evidence; k++)
            if (ow_streq(f->evidence[k], reference))
                return true;
    }
    return false;
}

static bool sets_length(const struct ow_dosage *d)
{
    return d->timing.bounds != OW_BOUNDS_NONE || d->timing.count.has_value ||
           d->has_sequence;
}

/* Words that say how long, or that nobody understands. */
static bool words_set_length(struct ow_arena *arena, const char *text)
{
    struct ow_err ignored;
    struct ow_sig sig;

    if (text == NULL)
        return false;
    if (ow_sig_read(text, arena, &sig, &ignored) != OW_OK)
        return ow_sig_speaks(text, arena);
    for (size_t i = 0; i < sig.n; i++)
        if (sets_length(&sig.lines[i].dosage))
            return true;
    return false;
}

/* Days and quantity of the draft can be shortened together, and nothing else in it would
 * contradict them. */
static bool may_shorten(struct ow_arena *arena, const struct ow_order *o,
                        struct ow_ratio *days)
{
    if (!o->is_draft || !o->selected || o->raw == NULL || !o->supply_quantity.has_value ||
        o->supply_quantity.comparator != NULL || !ow_supply_days(o, days) ||
        (o->has_refills && o->refills > 0))
        return false;
    for (size_t i = 0; i < o->n_dosages; i++)
        if (sets_length(&o->dosages[i]) || words_set_length(arena, o->dosages[i].text) ||
            words_set_length(arena, o->dosages[i].patient_instruction))
            return false;
    return ow_ratio_positive(o->supply_quantity.value);
}

static void shorten_drafts(struct list *l)
{
    struct ow_judge *j = l->j;
    int64_t limit = ow_ratio_floor(j->policy->params[OW_PARAM_ACUTE_DURATION_OVER]);

    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_order *o = j->items[i].order;
        struct ow_ratio days, share, quantity;
        struct ow_action *a;
        const char *count, *amount;

        if (limit < 1 || !told(j, OW_RULE_ACUTE_DURATION, o->reference) ||
            !may_shorten(j->arena, o, &days) ||
            ow_ratio_cmp(days, OW_RATIO(limit, 1)) <= 0 ||
            !ow_ratio_div(OW_RATIO(limit, 1), days, &share) ||
            !ow_ratio_mul(o->supply_quantity.value, share, &quantity))
            continue;
        quantity = OW_RATIO(ow_ratio_ceil(quantity), 1); /* no part of a unit */
        count = ow_say_int(j->arena, limit);
        amount = ow_say_ratio(j->arena, quantity);
        a = add(l, ow_say(j->arena, OW_WORD_SUGGEST_SHORTEN, count), false);
        if (a == NULL)
            return;
        a->type = OW_ACTION_UPDATE;
        a->description = ow_say(j->arena, OW_WORD_SUGGEST_SHORTEN_TEXT,
                                ow_card_plain(j->arena, j->items[i].drug.name), amount,
                                count);
        a->order = o;
        a->days = limit;
        a->quantity = ow_ratio_floor(quantity);
    }
}

static void propose_first(struct list *l, const char *rule)
{
    for (size_t k = 0; k < OW_LEN(asks); k++)
        if (asks[k].first && ow_streq(ow_rule_name(asks[k].rule), rule))
            propose(l, asks[k].what);
}

void ow_suggest(struct ow_judge *j, struct ow_card *c)
{
    struct list l = { .j = j };

    if (j->chart->hook == OW_HOOK_NONE)
        return;
    l.items = OW_NEW_N(j->arena, struct ow_suggestion, OW_SUGGESTIONS);
    propose(&l, PROPOSE_NALOXONE);
    shorten_drafts(&l);
    propose_first(&l, c->rule);
    remove_drafts(&l);
    for (unsigned i = PROPOSE_SCREEN; i < PROPOSE_N; i++)
        propose(&l, (enum propose)i);
    c->suggestions = l.items;
    c->n_suggestions = l.n;
    for (size_t i = 0; l.n > 1 && i < l.n; i++)
        c->any |= l.items[i].actions->type == OW_ACTION_CREATE;
}
