#include "alerts/card.h"

#include <string.h>

#include "alerts/facts.h"
#include "alerts/ranking.h"
#include "alerts/rules.h"
#include "alerts/suggest.h"
#include "base/text.h"

/* ---- a text that grows by pieces ---- */

struct text {
    struct ow_arena *arena;
    const char **pieces;
    size_t n, cap, len;
};

static void text_add(struct text *t, const char *piece)
{
    OW_ARENA_GROW(t->arena, t->pieces, t->n, t->cap);
    t->pieces[t->n++] = piece;
    t->len += strlen(piece);
}

static const char *text_join(const struct text *t)
{
    char *ret = ow_arena_alloc(t->arena, t->len + 1), *at = ret;

    for (size_t i = 0; i < t->n; i++) {
        size_t n = strlen(t->pieces[i]);

        memcpy(at, t->pieces[i], n);
        at += n;
    }
    *at = '\0';
    return ret;
}

/* Heading before the first row of a list only. */
static void text_row(struct text *t, bool *headed, enum ow_word head, const char *row)
{
    if (!*headed)
        text_add(t, ow_word(t->arena, head));
    *headed = true;
    text_add(t, row);
}

/* ---- summary ---- */

static const char *strongest_sedative(const struct ow_judge *j)
{
    const struct ow_sedation *best = NULL;
    bool fired = false;

    for (size_t i = 0; i < j->v->n_findings; i++)
        fired |= ow_streq(j->v->findings[i].rule, "sedative-coprescribing");
    for (size_t i = 0; fired && i < j->v->n_sedatives; i++) {
        const struct ow_sedation *s = &j->v->sedatives[i];

        if (s->tier <= 2 && s->overlap_days > 0 &&
            (best == NULL || s->overlap_days > best->overlap_days))
            best = s;
    }
    return best != NULL ? best->drug : NULL;
}

const char *ow_card_plain(struct ow_arena *arena, const char *s)
{
    char *ret = ow_arena_strdup(arena, s);

    for (char *c = ret; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    return ret;
}

/* A headline that begins with "at least" begins with a capital, in any language. */
static const char *capital(struct ow_arena *arena, const char *s)
{
    const char *least = ow_word(arena, OW_WORD_AT_LEAST);
    size_t n = strcspn(least, "{");
    char *ret;

    if (n == 0 || strncmp(s, least, n) != 0 || s[0] < 'a' || s[0] > 'z')
        return s;
    ret = ow_arena_strdup(arena, s);
    ret[0] = (char)(ret[0] - 'a' + 'A');
    return ret;
}

static const char *summary_of(struct ow_judge *j, const struct ow_finding *lead)
{
    const char *ret = lead->summary;
    const char *sedative = strongest_sedative(j);

    if (sedative != NULL && ow_streq(lead->rule, "med-threshold"))
        ret = ow_say(j->arena, OW_WORD_SUMMARY_ALSO, ret, sedative);
    ret = capital(j->arena, ret);
    return ow_card_cut(j->arena, ow_card_plain(j->arena, ret), OW_CARD_SUMMARY);
}

/* ---- detail ---- */

static const char *at_least(struct ow_judge *j, struct ow_ratio med)
{
    const char *text = ow_say_ratio(j->arena, med);

    return j->v->at_least ? ow_say(j->arena, OW_WORD_AT_LEAST, text) : text;
}

/* "name (Type/id; this draft; as needed ...)" */
static const char *order_cell(struct ow_judge *j, const struct ow_item *it)
{
    static const struct {
        unsigned flag;
        enum ow_word word;
    } tags[] = {
        {OW_FLAG_DRAFT,         OW_WORD_TAG_DRAFT },
        { OW_FLAG_PRN,          OW_WORD_TAG_PRN   },
        { OW_FLAG_RANGE,        OW_WORD_TAG_RANGE },
        { OW_FLAG_FROM_SUPPLY,  OW_WORD_TAG_SUPPLY},
        { OW_FLAG_CAPPED,       OW_WORD_TAG_CAPPED},
        { OW_FLAG_STALE_ACTIVE, OW_WORD_TAG_STALE },
        { OW_FLAG_RECTAL,       OW_WORD_TAG_RECTAL},
    };
    struct text t = { .arena = j->arena };

    text_add(&t, ow_card_escape(j->arena, it->drug.name));
    text_add(&t, " (");
    text_add(&t, it->order->reference != NULL
                     ? ow_card_escape(j->arena, it->order->reference)
                     : "?");
    for (size_t i = 0; i < OW_LEN(tags); i++)
        if ((it->flags & tags[i].flag) != 0) {
            text_add(&t, "; ");
            text_add(&t, ow_word(j->arena, tags[i].word));
        }
    if ((it->flags & OW_FLAG_OLDER_FACTOR) != 0) {
        text_add(&t, "; ");
        text_add(&t, ow_say(j->arena, OW_WORD_TAG_OLDER, it->line->table));
    }
    if (it->line->reason != NULL) {
        text_add(&t, "; ");
        text_add(&t, ow_card_escape(j->arena, it->line->reason));
    }
    text_add(&t, ")");
    return text_join(&t);
}

static const char *order_cell_short(struct ow_judge *j, const struct ow_item *it)
{
    const char *reference = it->order->reference != NULL ? it->order->reference : "?";

    return ow_arena_printf(j->arena, "%s (%s)", ow_card_escape(j->arena, it->drug.name),
                           ow_card_escape(j->arena, reference));
}

/* "cdc-2022: Oxycodone, oral": where the factor stands. */
static const char *factor_words(struct ow_judge *j, const struct ow_item *it)
{
    return ow_arena_printf(j->arena, "%s: %s", it->line->table,
                           ow_card_escape(j->arena, it->line->row));
}

static void detail_table(struct ow_judge *j, struct text *t)
{
    const struct ow_total *total = &j->v->total;
    bool any = false;

    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *it = &j->items[i];
        const char *med;

        if (it->role != OW_ROLE_COUNTED)
            continue;
        med = ow_say_ratio(j->arena, it->med);
        text_row(t, &any, OW_WORD_TABLE_HEAD,
                 ow_say(j->arena, OW_WORD_TABLE_ROW, order_cell(j, it),
                        ow_card_escape(j->arena, it->line->derivation), med,
                        factor_words(j, it)));
    }
    if (total->has_now)
        text_add(t, ow_say(j->arena, OW_WORD_TABLE_TOTAL, j->v->sum_now,
                           at_least(j, total->now)));
    if (total->has_peak &&
        (!total->has_now || ow_ratio_cmp(total->peak, total->now) != 0))
        text_add(t, ow_say(j->arena, OW_WORD_TABLE_PEAK,
                           ow_say_date(j->arena, j->v->peak_at, j->q->zone),
                           at_least(j, total->peak), j->v->sum_peak));
}

static void detail_sedatives(struct ow_judge *j, struct text *t)
{
    bool any = false;

    for (size_t i = 0; i < j->v->n_sedatives; i++) {
        const struct ow_sedation *s = &j->v->sedatives[i];
        const char *days = s->overlap_days == 0 ? ow_word(j->arena, OW_WORD_NOT_TOGETHER)
                           : s->overlap_days == 1
                               ? ow_word(j->arena, OW_WORD_DAY_TOGETHER)
                               : ow_say(j->arena, OW_WORD_DAYS_TOGETHER,
                                        ow_say_int(j->arena, s->overlap_days));

        text_row(t, &any, OW_WORD_HEAD_SEDATIVES,
                 ow_say(j->arena, OW_WORD_ROW_SEDATIVE, ow_card_escape(j->arena, s->drug),
                        ow_rule_class_words(j->arena, s->cls), days));
    }
}

/* Opioids that are over or replaced, which a long history is full of: so many are named.
 */
enum { OVER_NAMED = 5 };

static bool is_doubtful(const struct ow_item *it)
{
    return it->role == OW_ROLE_UNKNOWN && (it->drug.like != NULL || it->drug.nameless);
}

/* Every opioid, and what might be one, that is not in the sum. */
static void detail_not_counted(struct ow_judge *j, struct text *t)
{
    bool any = false;
    int64_t over = 0;

    for (size_t i = 0; i < j->n_items; i++) {
        const struct ow_item *it = &j->items[i];
        bool opioid = it->drug.kind == OW_DRUG_OPIOID || it->drug.kind == OW_DRUG_BARE;

        if (it->role == OW_ROLE_COUNTED || (!opioid && !is_doubtful(it)))
            continue;
        if (it->role == OW_ROLE_INACTIVE || it->role == OW_ROLE_REPLACED)
            over++;
        if ((it->role == OW_ROLE_INACTIVE || it->role == OW_ROLE_REPLACED) &&
            over > OVER_NAMED)
            continue;
        text_row(t, &any, OW_WORD_HEAD_NOT_COUNTED,
                 ow_say(j->arena, OW_WORD_ROW_NOT_COUNTED, order_cell_short(j, it),
                        ow_card_escape(j->arena, it->reason)));
    }
    if (over > OVER_NAMED)
        text_add(t, ow_say(j->arena, OW_WORD_ROW_MORE_OVER,
                           ow_say_int(j->arena, over - OVER_NAMED)));
}

static void detail_missing(struct ow_judge *j, struct text *t)
{
    bool any = false;

    for (size_t i = 0; i < j->chart->n_missing; i++)
        text_row(t, &any, OW_WORD_HEAD_MISSING,
                 ow_say(j->arena, OW_WORD_ROW_PLAIN,
                        ow_card_escape(j->arena, j->chart->missing[i])));
}

static void detail_also(struct ow_judge *j, struct text *t, const struct ow_finding *lead)
{
    bool any = false;

    for (size_t i = 0; i < j->v->n_findings; i++)
        if (&j->v->findings[i] != lead && j->v->findings[i].silent == NULL)
            text_row(t, &any, OW_WORD_HEAD_ALSO,
                     ow_say(j->arena, OW_WORD_ROW_PLAIN,
                            ow_card_escape(j->arena, j->v->findings[i].reason)));
}

/* What to weigh, by the rule that leads. None of it orders a dose. */
static const struct {
    enum ow_rule rule;
    enum ow_word word;
} reviews[] = {
    {OW_RULE_MED_THRESHOLD,   OW_WORD_REVIEW_MED     },
    { OW_RULE_ESCALATION,     OW_WORD_REVIEW_MED     },
    { OW_RULE_SEDATIVE,       OW_WORD_REVIEW_SEDATIVE},
    { OW_RULE_TRIPLE,         OW_WORD_REVIEW_SEDATIVE},
    { OW_RULE_ABRUPT_STOP,    OW_WORD_REVIEW_STOP    },
    { OW_RULE_FAST_TAPER,     OW_WORD_REVIEW_STOP    },
    { OW_RULE_ER_LA_NAIVE,    OW_WORD_REVIEW_START   },
    { OW_RULE_ACUTE_DURATION, OW_WORD_REVIEW_ACUTE   },
    { OW_RULE_NALOXONE,       OW_WORD_REVIEW_NALOXONE},
    { OW_RULE_OUD,            OW_WORD_REVIEW_TREAT   },
    { OW_RULE_OUD_CONFLICT,   OW_WORD_REVIEW_CONFLICT},
    { OW_RULE_UDS_UNEXPECTED, OW_WORD_REVIEW_SCREEN  },
};

/* In treatment for opioid use disorder, or diagnosed with it: words of treatment. */
static bool speaks_of_treatment(const struct ow_judge *j)
{
    if (ow_fact(j, OW_FACT_OUD) == 1 || ow_fact(j, OW_FACT_OUD_TREATMENT) == 1)
        return true;
    for (size_t i = 0; i < j->n_items; i++)
        if (j->items[i].role == OW_ROLE_EXCLUDED && ow_item_treats_oud(j, &j->items[i]))
            return true;
    return false;
}

static void detail_review(struct ow_judge *j, struct text *t,
                          const struct ow_finding *lead)
{
    for (size_t i = 0; i < OW_LEN(reviews); i++)
        if (reviews[i].rule == (enum ow_rule)lead->id)
            text_add(t, ow_word(j->arena, reviews[i].word));
    if (speaks_of_treatment(j))
        text_add(t, ow_word(j->arena, OW_WORD_REVIEW_OUD));
}

static const char *detail_of(struct ow_judge *j, const struct ow_finding *lead)
{
    struct text t = { .arena = j->arena };

    text_add(&t, "**");
    text_add(&t, capital(j->arena, ow_card_escape(j->arena, lead->reason)));
    text_add(&t, "**\n\n");
    detail_table(j, &t);
    detail_sedatives(j, &t);
    detail_not_counted(j, &t);
    detail_missing(j, &t);
    detail_also(j, &t, lead);
    detail_review(j, &t, lead);
    text_add(&t, ow_say(j->arena, OW_WORD_FOOTER, j->v->table,
                        j->v->products != NULL ? j->v->products : "?",
                        ow_card_escape(j->arena, j->v->policy),
                        ow_card_escape(j->arena, j->v->policy_version)));
    return text_join(&t);
}

/* ---- the parts that machines read ---- */

enum { /* what a card is about, a set */
       ABOUT_DOSE = 1 << 0,
       ABOUT_SEDATION = 1 << 1,
       ABOUT_SUPPLY = 1 << 2, /* quantity, length, refills */
       ABOUT_NALOXONE = 1 << 3,
       ABOUT_DUE = 1 << 4, /* reviews, screens, agreements, referrals */
       ABOUT_OUD = 1 << 5,
       ABOUT_DATA = 1 << 6, /* what cannot be read */
       ABOUT_PATIENT = 1 << 7,
       ABOUT_ALL = (1 << 8) - 1,
};

static unsigned about(enum ow_rule rule)
{
    switch (rule) {
    case OW_RULE_MED_THRESHOLD:
    case OW_RULE_ESCALATION:
    case OW_RULE_MAX_DOSE:
    case OW_RULE_ACETAMINOPHEN:
    case OW_RULE_ER_LA_NAIVE:
    case OW_RULE_PPACT:
    case OW_RULE_ABRUPT_STOP:
    case OW_RULE_FAST_TAPER:
        return ABOUT_DOSE;
    case OW_RULE_SEDATIVE:
    case OW_RULE_TRIPLE:
        return ABOUT_SEDATION;
    case OW_RULE_DUPLICATE:
    case OW_RULE_PRESCRIBERS:
    case OW_RULE_QUANTITY:
    case OW_RULE_EARLY_REFILL:
    case OW_RULE_ACUTE_DURATION:
    case OW_RULE_PREFERRED:
        return ABOUT_SUPPLY;
    case OW_RULE_NALOXONE:
        return ABOUT_NALOXONE;
    case OW_RULE_OUD:
    case OW_RULE_OUD_CONFLICT:
        return ABOUT_OUD;
    case OW_RULE_UNREADABLE:
    case OW_RULE_UNKNOWN:
    case OW_RULE_MISMATCH:
    case OW_RULE_STALE:
        return ABOUT_DATA;
    case OW_RULE_PREGNANCY:
    case OW_RULE_PAEDIATRIC:
        return ABOUT_PATIENT;
    default:
        return ABOUT_DUE;
    }
}

/* Coded answers, the specific before the general. Codes never change: what was answered
 * in the past is counted by them. */
static const struct {
    const char *code;
    enum ow_word word;
    unsigned about;
} overrides[] = {
    {"naloxone-at-hand",        OW_WORD_OVERRIDE_HAS_NALOXONE, ABOUT_NALOXONE                        },
    { "treated-elsewhere",      OW_WORD_OVERRIDE_TREATED,      ABOUT_OUD                             },
    { "done-elsewhere",         OW_WORD_OVERRIDE_DONE,         ABOUT_DUE                             },
    { "declined",               OW_WORD_OVERRIDE_DECLINED,     ABOUT_NALOXONE | ABOUT_OUD | ABOUT_DUE},
    { "clarified",              OW_WORD_OVERRIDE_CLARIFIED,    ABOUT_DATA                            },
    { "benefit-outweighs-risk", OW_WORD_OVERRIDE_BENEFIT,
     ABOUT_DOSE | ABOUT_SEDATION | ABOUT_SUPPLY | ABOUT_PATIENT                                      },
    { "short-course",           OW_WORD_OVERRIDE_SHORT,
     ABOUT_DOSE | ABOUT_SEDATION | ABOUT_DUE | ABOUT_NALOXONE                                        },
    { "gradual-change",         OW_WORD_OVERRIDE_TAPER,        ABOUT_DOSE | ABOUT_SEDATION           },
    { "active-cancer",          OW_WORD_OVERRIDE_CANCER,       ABOUT_ALL & ~(unsigned)ABOUT_DATA     },
    { "palliative",             OW_WORD_OVERRIDE_PALLIATIVE,   ABOUT_ALL & ~(unsigned)ABOUT_DATA     },
    { "specialist",             OW_WORD_OVERRIDE_SPECIALIST,   ABOUT_ALL & ~(unsigned)ABOUT_DATA     },
    { "not-taken",              OW_WORD_OVERRIDE_NOT_TAKEN,    ABOUT_ALL                             },
    { "inaccurate",             OW_WORD_OVERRIDE_INACCURATE,   ABOUT_ALL                             },
    { "snooze-1-month",         OW_WORD_OVERRIDE_SNOOZE_1,     ABOUT_ALL & ~(unsigned)ABOUT_DATA     },
    { "snooze-3-months",        OW_WORD_OVERRIDE_SNOOZE_3,     ABOUT_ALL & ~(unsigned)ABOUT_DATA     },
};

static void card_overrides(struct ow_judge *j, struct ow_card *c,
                           const struct ow_finding *lead)
{
    struct ow_coding *list = OW_NEW_N(j->arena, struct ow_coding, OW_LEN(overrides));

    for (size_t i = 0; i < OW_LEN(overrides); i++)
        if ((overrides[i].about & about((enum ow_rule)lead->id)) != 0)
            list[c->n_override_reasons++] =
                (struct ow_coding){ j->policy->override_system, overrides[i].code,
                                    ow_word(j->arena, overrides[i].word) };
    c->override_reasons = list;
}

/* Where the guidelines stand, by the beginning of a source's key. */
static const struct {
    const char *key, *url;
    enum ow_word label;
} guidelines[] = {
    {"CDC-2022-",  "https://www.cdc.gov/mmwr/volumes/71/rr/rr7103a1.htm",
     OW_WORD_LINK_CDC_2022},
    { "CDC-2016-", "https://www.cdc.gov/mmwr/volumes/65/rr/rr6501e1.htm",
     OW_WORD_LINK_CDC_2016},
};

static bool cites(const struct ow_judge *j, const char *key)
{
    for (size_t i = 0; i < j->v->n_findings; i++) {
        const struct ow_finding *f = &j->v->findings[i];

        for (size_t k = 0; f->silent == NULL && k < f->n_sources; k++)
            if (ow_starts_with(f->sources[k], key))
                return true;
    }
    return false;
}

static void card_links(struct ow_judge *j, struct ow_card *c)
{
    struct ow_link *list = OW_NEW_N(j->arena, struct ow_link, OW_LEN(guidelines));

    for (size_t i = 0; i < OW_LEN(guidelines); i++)
        if (cites(j, guidelines[i].key))
            list[c->n_links++] = (struct ow_link){ ow_word(j->arena, guidelines[i].label),
                                                   guidelines[i].url };
    c->links = list;
}

/* Orders that a finding named; the pointers are the orders' own. */
static bool is_evidence(const struct ow_verdict *v, const char *reference)
{
    for (size_t i = 0; i < v->n_findings; i++) {
        const struct ow_finding *f = &v->findings[i];

        for (size_t k = 0;
             f->tier > OW_TIER_INFO && f->silent == NULL && k < f->n_evidence; k++)
            if (f->evidence[k] == reference)
                return true;
    }
    return false;
}

static void card_related(struct ow_judge *j, struct ow_card *c)
{
    const char **list = OW_NEW_N(j->arena, const char *, j->n_items);

    for (size_t i = 0; i < j->n_items; i++) {
        const char *reference = j->items[i].order->reference;

        if (reference != NULL && is_evidence(j->v, reference))
            list[c->n_related++] = reference;
    }
    c->related = list;
}

static void card_of(struct ow_judge *j, struct ow_card *c, const struct ow_finding *lead)
{
    const struct ow_total *total = &j->v->total;

    c->key = ow_arena_printf(j->arena, "%s|%s|%s",
                             j->v->patient != NULL ? j->v->patient : "", lead->rule,
                             lead->cause);
    if (j->q->prescriber != NULL) /* an answer is of one person */
        c->key = OW_JOIN(j->arena, c->key, "|", j->q->prescriber);
    c->summary = summary_of(j, lead);
    c->detail = detail_of(j, lead);
    c->indicator = lead->held != NULL ? OW_TIER_INFO : lead->tier;
    c->source_label = j->policy->source_label;
    c->source_url = j->policy->source_url;
    c->topic = (struct ow_coding){ j->policy->topic_system, lead->rule,
                                   ow_rule_topic(j->arena, (enum ow_rule)lead->id) };
    c->rule = lead->rule;
    if (total->has_peak)
        c->med_text = at_least(j, total->has_now ? total->now : total->peak);
    ow_suggest(j, c);
    card_overrides(j, c, lead);
    card_links(j, c);
    card_related(j, c);
}

/* A prescriber who can do nothing about it is not interrupted: an info without a
 * suggestion stays on the desk. */
static bool has_use(const struct ow_card *c)
{
    return c->indicator > OW_TIER_INFO || c->n_suggestions > 0;
}

/* The published services answer with one card for each rule that holds: each is written
 * as if its finding were the only one. */
static void cards_of_each(struct ow_judge *j)
{
    struct ow_verdict *v = j->v;
    const struct ow_finding *all = v->findings;
    size_t n = v->n_findings;
    struct ow_card *cards = OW_NEW_N(j->arena, struct ow_card, n);

    v->n_findings = 1;
    for (size_t i = 0; i < n; i++) {
        v->findings = &all[i];
        if (all[i].silent == NULL && all[i].held == NULL)
            card_of(j, &cards[v->n_cards++], &all[i]);
    }
    v->findings = all;
    v->n_findings = n;
    v->cards = cards;
}

void ow_cards_build(struct ow_judge *j)
{
    const struct ow_finding *lead;
    struct ow_card *c;
    bool use;

    ow_ranking_hold(j);
    if (j->policy->edition != OW_EDITION_OURS) {
        cards_of_each(j);
        return;
    }
    lead = ow_ranking_lead(j);
    c = OW_NEW(j->arena, struct ow_card);
    if (lead != NULL)
        card_of(j, c, lead);
    use = lead != NULL && has_use(c);
    for (size_t i = 0; i < j->v->n_findings; i++) {
        const struct ow_finding *f = &j->v->findings[i];

        if (f->silent == NULL && f->held == NULL && (f != lead || !use))
            ow_judge_suppress(j, f->rule, f == lead ? "nothing-to-do" : "rank", NULL);
    }
    if (!use)
        return;
    j->v->cards = c;
    j->v->n_cards = 1;
}
