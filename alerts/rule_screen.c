/*
 * Drug screens: when the next is due, and what the last ones say beside the orders.
 *
 * A result counts as positive or negative by its coded value or interpretation, else by
 * the first words of its text; a bare amount says neither, since cut-offs differ. What is
 * said both ways says nothing. The text speaks of a result to be talked about, never of a
 * fault of the patient.
 */
#include "alerts/scope.h"
#include "base/text.h"

enum { RESULTS_TOLD = 5 };

/* Subacute or chronic, and no screen in the window. [CDC-2022-R10; CDC-2016-R10] */
void ow_rule_uds_due(struct ow_pending *p)
{
    struct ow_scope s = ow_scope_read(p);
    struct ow_finding *f;

    if (s.lasting == NULL ||
        ow_scope_due(p, OW_RULE_UDS_DUE, OW_EVENT_SCREEN, OW_PARAM_UDS_DUE_DAYS) != 1)
        return;
    f = ow_scope_finding(
        p, OW_TIER_INFO,
        ow_say(p->j->arena, OW_WORD_UDS_DUE_REASON,
               ow_say_ratio(p->j->arena, ow_param(p, OW_PARAM_UDS_DUE_DAYS))),
        ow_word(p->j->arena, OW_WORD_SUMMARY_UDS_DUE), "", "CDC-2022-R10",
        "CDC-2016-R10");
    ow_scope_evidence(p, f, s.lasting, p->j->latest[OW_EVENT_SCREEN].by);
}

/* ---- substances ---- */

/* Tests, and the drugs that explain a positive result; none: nothing ordered does.
 * [CDC opioid CDS, recommendation 10; cannabinoids are left out there too] */
static const struct substance {
    enum ow_word name;
    enum ow_set tests, more_tests;
    bool orderable;
    enum ow_set drugs;
} substances[] = {
    {OW_WORD_SUBSTANCE_AMPHETAMINE,     OW_SET_AMPHETAMINE_URINE_DRUG_SCREENING_TESTS,
     OW_SET_AMPHETAMINE_URINE_DRUG_SCREENING_TESTS,     true,
     OW_SET_AMPHETAMINES_CLASS_MEDICATIONS                                                 },
    { OW_WORD_SUBSTANCE_BARBITURATE,    OW_SET_BARBITURATE_URINE_DRUG_SCREENING_TESTS,
     OW_SET_BARBITURATE_URINE_DRUG_SCREENING_TESTS,     true,
     OW_SET_BARBITURATE_MEDICATIONS                                                        },
    { OW_WORD_SUBSTANCE_BENZODIAZEPINE, OW_SET_BENZODIAZEPINE_URINE_DRUG_SCREENING_TESTS,
     OW_SET_BENZODIAZEPINE_URINE_DRUG_SCREENING_TESTS,  true,
     OW_SET_BENZODIAZEPINE_MEDICATIONS                                                     },
    { OW_WORD_SUBSTANCE_BUPRENORPHINE,  OW_SET_BUPRENORPHINE_URINE_DRUG_SCREENING_TESTS,
     OW_SET_BUPRENORPHINE_URINE_DRUG_SCREENING_TESTS,   true,
     OW_SET_BUPRENORPHINE_MEDICATIONS                                                      },
    { OW_WORD_SUBSTANCE_COCAINE,        OW_SET_COCAINE_URINE_DRUG_SCREENING_TESTS,
     OW_SET_COCAINE_URINE_DRUG_SCREENING_TESTS,         false, OW_SET_N                    },
    { OW_WORD_SUBSTANCE_FENTANYL,       OW_SET_FENTANYL_TYPE_URINE_DRUG_SCREENING_TESTS,
     OW_SET_FENTANYL_TYPE_URINE_DRUG_SCREENING_TESTS,   true,
     OW_SET_FENTANYL_TYPE_MEDICATIONS                                                      },
    { OW_WORD_SUBSTANCE_HEROIN,         OW_SET_HEROIN_URINE_DRUG_SCREENING_TESTS,
     OW_SET_HEROIN_URINE_DRUG_SCREENING_TESTS,          false, OW_SET_N                    },
    { OW_WORD_SUBSTANCE_METHADONE,      OW_SET_METHADONE_URINE_DRUG_SCREENING_TESTS,
     OW_SET_METHADONE_URINE_DRUG_SCREENING_TESTS,       true,  OW_SET_METHADONE_MEDICATIONS},
    { OW_WORD_SUBSTANCE_OPIATE,         OW_SET_GENERAL_OPIATE_URINE_DRUG_SCREENING_TESTS,
     OW_SET_OPIATE_SPECIFIC_URINE_DRUG_SCREENING_TESTS, true,
     OW_SET_NON_SYNTHETIC_OPIOID_MEDICATIONS                                               },
    { OW_WORD_SUBSTANCE_OXYCODONE,      OW_SET_OXYCODONE_URINE_DRUG_SCREENING_TESTS,
     OW_SET_OXYCODONE_URINE_DRUG_SCREENING_TESTS,       true,  OW_SET_OXYCODONE_MEDICATIONS},
    { OW_WORD_SUBSTANCE_PHENCYCLIDINE,  OW_SET_PHENCYCLIDINE_URINE_DRUG_SCREENING_TESTS,
     OW_SET_PHENCYCLIDINE_URINE_DRUG_SCREENING_TESTS,   false, OW_SET_N                    },
};

/* ---- results ---- */

enum result {
    RESULT_NONE = 0,
    RESULT_POSITIVE = 1,
    RESULT_NEGATIVE = 2,
    RESULT_BOTH = 3,
};

static unsigned result_of_codes(const struct ow_judge *j, const struct ow_concept *c)
{
    struct ow_sets s = ow_concept_sets(j, c);

    return (ow_sets_has(&s, OW_SET_TEST_RESULT_POSITIVE) ? RESULT_POSITIVE : 0u) |
           (ow_sets_has(&s, OW_SET_TEST_RESULT_NEGATIVE) ? RESULT_NEGATIVE : 0u);
}

static bool begins(const char *text, const char *word)
{
    for (; *word != '\0'; text++, word++)
        if (*text == '\0' || (*text | 0x20) != *word)
            return false;
    return true;
}

static unsigned result_of_text(const char *text)
{
    if (text == NULL)
        return RESULT_NONE;
    while (*text == ' ')
        text++;
    if (begins(text, "pos") || begins(text, "detected"))
        return RESULT_POSITIVE;
    return begins(text, "neg") || begins(text, "not detected") ||
                   begins(text, "none detected")
               ? RESULT_NEGATIVE
               : RESULT_NONE;
}

static unsigned result_of(const struct ow_judge *j, const struct ow_record *r)
{
    unsigned ret = result_of_codes(j, &r->value);

    for (size_t i = 0; i < r->n_more; i++)
        ret |= result_of_codes(j, &r->more[i]);
    return ret != RESULT_NONE ? ret : result_of_text(r->value.text);
}

/* ---- orders beside a sample ---- */

static bool explains_code(const struct ow_judge *j, const struct substance *s,
                          const struct ow_item *it, bool negative)
{
    const struct ow_concept *c = &it->order->medication.code;
    struct ow_sets sets = { { 0 } };

    if ((s->drugs == OW_SET_BUPRENORPHINE_MEDICATIONS && it->drug.buprenorphine) ||
        (s->drugs == OW_SET_METHADONE_MEDICATIONS && it->drug.methadone))
        return true;
    for (size_t i = 0; i < c->n_codings; i++) {
        const char *rxcui = ow_coding_rxcui(&c->codings[i], j->kb, NULL);

        if (rxcui != NULL)
            ow_sets_join(&sets, ow_knowledge_sets(j->kb, OW_SYSTEM_RXNORM, rxcui));
    }
    /* tests for opiates may show oxycodone, which is not on the list of opiates, and
     * often miss it: it explains one and does not promise one */
    if (s->drugs == OW_SET_NON_SYNTHETIC_OPIOID_MEDICATIONS && !negative &&
        ow_sets_has(&sets, OW_SET_OXYCODONE_MEDICATIONS))
        return true;
    return ow_sets_has(&sets, s->drugs);
}

/* Written or handed over 31 to 1 days before the sample, or supplied until then. */
static bool reaches_sample(const struct ow_judge *j, const struct ow_order *o,
                           ow_time sample, bool negative)
{
    int64_t day = ow_zone_day(j->q->zone, sample), written;
    bool refilled = o->has_refills && o->refills > 0 && o->refills < 1000;
    struct ow_ratio days;

    if (o->is_draft || o->do_not_perform || !o->has_authored ||
        o->authored.from == OW_TIME_MIN)
        return false;
    if (o->status != OW_STATUS_ACTIVE && o->status != OW_STATUS_COMPLETED &&
        (negative || o->status != OW_STATUS_STOPPED))
        return false;
    written = ow_zone_day(j->q->zone, o->authored.from);
    if (written >= day)
        return false;
    if (written >= day - 31)
        return true;
    return ow_supply_days(o, &days) &&
           ow_ratio_cmp(OW_RATIO(day - written, refilled ? 1 + o->refills : 1), days) <=
               0;
}

static const struct ow_order *explained(const struct ow_judge *j,
                                        const struct substance *s, ow_time sample,
                                        bool negative)
{
    for (size_t i = 0; s->orderable && i < j->n_all; i++) {
        const struct ow_item *it = &j->all[i];

        if (reaches_sample(j, it->order, sample, negative) &&
            explains_code(j, s, it, negative))
            return it->order;
    }
    return NULL;
}

/* ---- uds-unexpected ---- */

struct unexpected {
    const struct ow_record *r;
    unsigned result;
    const struct ow_order *order; /* that a negative result goes against */
};

static bool is_final(const struct ow_record *r)
{
    return r->status == NULL || ow_streq(r->status, "final") ||
           ow_streq(r->status, "amended") || ow_streq(r->status, "corrected");
}

/* The latest result against the orders, of one substance. */
static void look(const struct ow_judge *j, const struct ow_record *r,
                 const struct substance *s, struct unexpected *u)
{
    unsigned result = result_of(j, r);
    const struct ow_order *o;

    if (result != RESULT_POSITIVE && result != RESULT_NEGATIVE)
        return;
    o = explained(j, s, r->when.from, result == RESULT_NEGATIVE);
    if ((result == RESULT_POSITIVE) == (o != NULL))
        return;
    if (u->r == NULL || r->when.from > u->r->when.from)
        *u = (struct unexpected){ r, result, o };
}

static size_t results_read(struct ow_pending *p, struct unexpected *list)
{
    const struct ow_judge *j = p->j;
    struct ow_span within =
        ow_days_ago(j, ow_param_whole(p, OW_PARAM_UDS_UNEXPECTED_DAYS), 0);
    size_t n = 0;

    for (size_t i = 0; i < j->chart->n_records; i++) {
        const struct ow_record *r = &j->chart->records[i];
        struct ow_sets sets;

        if (!ow_streq(r->type, "Observation") || !is_final(r) || !r->has_when ||
            r->when.from < within.from || r->when.from > j->q->at)
            continue;
        sets = ow_concept_sets(j, &r->code);
        for (size_t k = 0; k < OW_LEN(substances); k++)
            if (ow_sets_has(&sets, substances[k].tests) ||
                ow_sets_has(&sets, substances[k].more_tests))
                look(j, r, &substances[k], &list[k]);
    }
    for (size_t k = 0; k < OW_LEN(substances); k++)
        n += list[k].r != NULL;
    return n;
}

static const char *result_text(struct ow_judge *j, const struct substance *s,
                               const struct unexpected *u)
{
    return ow_say(
        j->arena,
        u->result == RESULT_POSITIVE ? OW_WORD_UDS_POSITIVE : OW_WORD_UDS_NEGATIVE,
        ow_word(j->arena, s->name), ow_say_date(j->arena, u->r->when.from, j->q->zone));
}

static void screen_evidence(struct ow_pending *p, struct ow_finding *f,
                            const struct unexpected *list)
{
    const char **by = ow_rule_references(p->j, 2 * OW_LEN(substances));

    f->evidence = by;
    for (size_t k = 0; k < OW_LEN(substances); k++) {
        if (list[k].r != NULL && list[k].r->reference != NULL)
            by[f->n_evidence++] = list[k].r->reference;
        if (list[k].order != NULL && list[k].order->reference != NULL)
            by[f->n_evidence++] = list[k].order->reference;
    }
}

/*
 * Subacute or chronic, and a screen of the window goes against the orders: a substance
 * that nothing ordered explains, or none of one that was ordered.
 * [CDC-2022-R10; CDC-2016-R10]
 */
void ow_rule_uds_unexpected(struct ow_pending *p)
{
    struct ow_judge *j = p->j;
    struct unexpected list[OW_LEN(substances)] = { { 0 } };
    struct ow_scope s = ow_scope_read(p);
    const char *all = NULL, *lead = NULL;
    struct ow_finding *f;
    size_t n = 0;

    if (s.lasting == NULL || results_read(p, list) == 0)
        return;
    for (size_t k = 0; k < OW_LEN(substances) && n < RESULTS_TOLD; k++) {
        const char *one;

        if (list[k].r == NULL)
            continue;
        one = result_text(j, &substances[k], &list[k]);
        all = n == 0 ? one : ow_say(j->arena, OW_WORD_LIST, all, one);
        if (n++ == 0)
            lead = one;
    }
    f = ow_scope_finding(p, OW_TIER_WARNING,
                         ow_say(j->arena, OW_WORD_UDS_UNEXPECTED_REASON, all),
                         ow_say(j->arena, OW_WORD_SUMMARY_UDS_UNEXPECTED, lead), "",
                         "CDC-2022-R10", "CDC-2016-R10");
    screen_evidence(p, f, list);
}
