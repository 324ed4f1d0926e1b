#include "alerts/published_screen.h"

#include "base/text.h"

/* A dateTime, known to the day, on these days; not withdrawn. */
static bool screened(const struct ow_pub *u, const struct ow_record *r, int64_t from,
                     int64_t to, int64_t *day)
{
    return r->has_when && ow_streq(r->when_of, "effectiveDateTime") &&
           ow_pub_day(u, r->when, day) && *day >= from && *day <= to &&
           !ow_streq(r->status, "unknown") && !ow_streq(r->status, "entered-in-error") &&
           !ow_streq(r->status, "cancelled");
}

static bool begins(const struct ow_record *r, const char *three)
{
    const char *s = r->value_string;

    for (size_t i = 0; i < 3; i++)
        if (s == NULL || (s[i] | 0x20) != three[i]) /* ASCII letters, small or not */
            return false;
    return true;
}

/* ---- 2022 ---- */

/* All of the urine screens: the union of the two large sets. */
static const struct ow_record *screen_next(const struct ow_pub *u,
                                           const struct ow_record *r, int64_t *day)
{
    while ((r = ow_record_next(u->j, r, "Observation", NULL)) != NULL) {
        struct ow_sets s = ow_pub_sets(u, &r->code);

        if (!r->component &&
            (ow_sets_has(&s, OW_SET_OPIOID_URINE_DRUG_SCREENING) ||
             ow_sets_has(&s, OW_SET_NON_OPIOID_URINE_DRUG_SCREENING)) &&
            screened(u, r, ow_pub_months_ago(u, 12) - 1, u->today, day))
            return r;
    }
    return NULL;
}

bool ow_pub22_holds_no_screen(struct ow_pub *u, struct ow_pub_case *c)
{
    int64_t day;

    if (!ow_pub_holds_chronic(u, c) || screen_next(u, NULL, &day) != NULL)
        return false;
    c->reason = ow_word(u->j->arena, OW_WORD_PUB_NO_SCREEN);
    return true;
}

/* What is compared with what; without `drugs` every positive is unexpected. Cannabinoids
 * are switched off. */
static const struct substance {
    enum ow_word name;
    enum ow_set tests, drugs; /* OW_SET_N: no order explains it */
} substances[] = {
    {OW_WORD_PUB_AMPHETAMINE,     OW_SET_AMPHETAMINE_URINE_DRUG_SCREENING_TESTS,
     OW_SET_AMPHETAMINES_CLASS_MEDICATIONS                                                  },
    { OW_WORD_PUB_BARBITURATE,    OW_SET_BARBITURATE_URINE_DRUG_SCREENING_TESTS,
     OW_SET_BARBITURATE_MEDICATIONS                                                         },
    { OW_WORD_PUB_BENZODIAZEPINE, OW_SET_BENZODIAZEPINE_URINE_DRUG_SCREENING_TESTS,
     OW_SET_BENZODIAZEPINE_MEDICATIONS                                                      },
    { OW_WORD_PUB_BUPRENORPHINE,  OW_SET_BUPRENORPHINE_URINE_DRUG_SCREENING_TESTS,
     OW_SET_BUPRENORPHINE_MEDICATIONS                                                       },
    { OW_WORD_PUB_COCAINE,        OW_SET_COCAINE_URINE_DRUG_SCREENING_TESTS,        OW_SET_N},
    { OW_WORD_PUB_FENTANYL,       OW_SET_FENTANYL_TYPE_URINE_DRUG_SCREENING_TESTS,
     OW_SET_FENTANYL_TYPE_MEDICATIONS                                                       },
    { OW_WORD_PUB_HEROIN,         OW_SET_HEROIN_URINE_DRUG_SCREENING_TESTS,         OW_SET_N},
    { OW_WORD_PUB_METHADONE,      OW_SET_METHADONE_URINE_DRUG_SCREENING_TESTS,
     OW_SET_METHADONE_MEDICATIONS                                                           },
    { OW_WORD_PUB_OPIATE,         OW_SET_GENERAL_OPIATE_URINE_DRUG_SCREENING_TESTS,
     OW_SET_NON_SYNTHETIC_OPIOID_MEDICATIONS                                                },
    { OW_WORD_PUB_OXYCODONE,      OW_SET_OXYCODONE_URINE_DRUG_SCREENING_TESTS,
     OW_SET_OXYCODONE_MEDICATIONS                                                           },
    { OW_WORD_PUB_PCP,            OW_SET_PHENCYCLIDINE_URINE_DRUG_SCREENING_TESTS,  OW_SET_N},
};

/* The day of an order: written, else the latest event or the latest start of bounds. */
static bool order_day(const struct ow_pub *u, const struct ow_pub_order *x, int64_t *ret)
{
    const struct ow_order *o = x->order;
    bool any = false;
    int64_t day;

    if (o->has_authored) {
        *ret = x->day;
        return x->dated;
    }
    for (size_t i = 0; i < o->n_dosages; i++) {
        const struct ow_timing *t = &o->dosages[i].timing;
        bool events = false;

        for (size_t k = 0; k < t->n_events; k++)
            if (ow_pub_day(u, t->events[k], &day)) {
                *ret = any && *ret > day ? *ret : day;
                any = events = true;
            }
        if (events || t->bounds != OW_BOUNDS_PERIOD ||
            t->bounds_period.from == OW_TIME_MIN)
            continue;
        day = ow_zone_day(u->j->q->zone, t->bounds_period.from);
        *ret = any && *ret > day ? *ret : day;
        any = true;
    }
    return any;
}

/* An order of the community that was or is in force, for the drug, of these days. */
static bool ordered(const struct ow_pub *u, enum ow_set drugs, int64_t from, int64_t to)
{
    for (size_t i = 0; drugs != OW_SET_N && i < u->n_orders; i++) {
        const struct ow_pub_order *x = &u->orders[i];
        const struct ow_order *o = x->order;
        int64_t day = 0;

        if (o->kind == OW_REQUEST && !o->is_draft && x->community &&
            o->intent == OW_INTENT_ORDER &&
            (o->status == OW_STATUS_ACTIVE || o->status == OW_STATUS_COMPLETED ||
             o->status == OW_STATUS_STOPPED) &&
            ow_sets_has(&x->drug, drugs) && order_day(u, x, &day) && day >= from &&
            day <= to && day >= ow_pub_months_ago(u, 12) - 31)
            return true;
    }
    return false;
}

static void say_result(struct ow_pub *u, struct ow_pub_case *c, bool *any,
                       const struct ow_record *r, enum ow_word how, enum ow_word name)
{
    struct ow_arena *a = u->j->arena;
    const char *one = ow_say(a, how, ow_word(a, name),
                             ow_say_date(a, r->when.from, u->j->q->zone));

    c->reason = *any ? ow_say(a, OW_WORD_PUB_RESULTS_MORE, c->reason, one)
                     : ow_say(a, OW_WORD_PUB_RESULTS, one);
    *any = true;
    ow_pub_evidence(u, c, r->reference);
}

bool ow_pub22_holds_unexpected(struct ow_pub *u, struct ow_pub_case *c)
{
    const struct ow_record *r = NULL;
    bool any = false;
    int64_t day;

    if (ow_pub_chronic(u, NULL) == NULL)
        return false;
    while ((r = screen_next(u, r, &day)) != NULL)
        for (size_t i = 0; i < OW_LEN(substances); i++) {
            const struct substance *s = &substances[i];
            bool explained;

            if (!ow_pub_in(u, &r->code, s->tests))
                continue;
            explained = ordered(u, s->drugs, day - 31, day - 1);
            if (begins(r, "pos") && !explained)
                say_result(u, c, &any, r, OW_WORD_PUB_POSITIVE, s->name);
            if (begins(r, "neg") && explained)
                say_result(u, c, &any, r, OW_WORD_PUB_NEGATIVE, s->name);
        }
    return any;
}

/* ---- 2016 ---- */

static bool screened_2016(const struct ow_pub *u, const struct ow_record *r)
{
    int64_t day;

    return !r->component &&
           ow_pub_category(u, r, OW_SET_OBSERVATION_CATEGORY_LABORATORY) &&
           screened(u, r, ow_pub_months_ago(u, 12) - 1, u->today - 1, &day);
}

bool ow_pub16_holds_no_screen(struct ow_pub *u, struct ow_pub_case *c)
{
    static const enum ow_set sets[] = { OW_SET_NON_OPIOID_URINE_DRUG_SCREENING,
                                        OW_SET_OPIOID_URINE_DRUG_SCREENING,
                                        OW_SET_COCAINE_URINE_DRUG_SCREENING_TESTS,
                                        OW_SET_PHENCYCLIDINE_URINE_DRUG_SCREENING_TESTS };

    if (!ow_pub_holds_chronic(u, c))
        return false;
    for (size_t i = 0; i < OW_LEN(sets); i++) {
        const struct ow_record *r = NULL;

        while ((r = ow_pub_record(u, r, "Observation", sets[i])) != NULL)
            if (screened_2016(u, r))
                return false;
    }
    c->reason = ow_word(u->j->arena, OW_WORD_PUB_NO_SCREEN);
    return true;
}

/* An ordered opioid would silence the opiate; as it is written it never does. */
bool ow_pub16_holds_unexpected(struct ow_pub *u, struct ow_pub_case *c)
{
    static const struct {
        enum ow_word name;
        enum ow_set tests;
    } looked_at[] = {
        {OW_WORD_PUB_COCAINE, OW_SET_COCAINE_URINE_DRUG_SCREENING_TESTS      },
        { OW_WORD_PUB_PCP,    OW_SET_PHENCYCLIDINE_URINE_DRUG_SCREENING_TESTS},
        { OW_WORD_PUB_OPIATE, OW_SET_OPIOID_URINE_DRUG_SCREENING             },
    };
    bool any = false;

    for (size_t i = 0; i < OW_LEN(looked_at); i++) {
        const struct ow_record *r = NULL;

        while ((r = ow_pub_record(u, r, "Observation", looked_at[i].tests)) != NULL)
            if (screened_2016(u, r) && begins(r, "pos"))
                say_result(u, c, &any, r, OW_WORD_PUB_POSITIVE, looked_at[i].name);
    }
    return any;
}
