/*
 * Matrix: every rule fires, is silent one step below its edge, is silenced by each of its
 * exclusions and by no other, is snoozed, runs in shadow and is off
 *
 * The rows are made from the table of rules: a rule without a case fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/text.h"
#include "tests/support/build.h"

#define RX_CODEINE_30    "997287"
#define RX_TRAMADOL_50   "835603"
#define RX_HYDROCODONE_5 "857002" /* with acetaminophen 325 mg */

/* Asked at 2026-03-02T08:00:00Z. */
#define TODAY "2026-03-02"

/* ---- pieces of charts ---- */

static struct ow_record *record(struct build *b, const char *type, const char *status,
                                const char *system, const char *code, const char *day)
{
    struct ow_record *all = OW_NEW_N(&b->arena, struct ow_record, b->chart.n_records + 1);
    struct ow_record *r = &all[b->chart.n_records];

    if (b->chart.n_records > 0)
        memcpy(all, b->chart.records, b->chart.n_records * sizeof *all);
    *r = (struct ow_record){ .type = type, .status = status };
    r->reference = ow_arena_printf(&b->arena, "%s/r%zu", type, b->chart.n_records);
    r->code = build_concept(b, system, code, NULL);
    if (ow_streq(type, "Condition")) {
        struct ow_concept *c = OW_NEW(&b->arena, struct ow_concept);

        *c = build_concept(b, "http://terminology.hl7.org/CodeSystem/condition-category",
                           "problem-list-item", NULL);
        r->categories = c;
        r->n_categories = 1;
    }
    r->has_when = r->has_recorded = true;
    r->when = r->recorded = build_time(day);
    b->chart.records = all;
    b->chart.n_records++;
    return r;
}

/* `tablets` of the drug `per_day` times a day. */
static struct ow_order *takes(struct build *b, const char *rxcui, const char *tablets,
                              int per_day)
{
    char id[16];
    struct ow_order *o;

    snprintf(id, sizeof id, "o%zu", b->chart.n_orders);
    o = build_order(b, id, rxcui);
    o->categories = OW_CATEGORY_COMMUNITY;
    o->prescriber = "Practitioner/d1";
    build_dose(b, o, tablets, "tablet", per_day);
    return o;
}

/* From `start`, for so many days. */
static struct ow_order *lasts(struct ow_order *o, const char *start, int days)
{
    struct ow_dosage *d = (struct ow_dosage *)o->dosages;
    ow_time from = build_time(start).from;

    o->authored = build_time(start);
    d->timing.bounds = OW_BOUNDS_PERIOD;
    d->timing.bounds_period = (struct ow_span){ from, ow_time_add(from, days * OW_DAY) };
    return o;
}

static struct ow_order *supplied(struct ow_order *o, const char *start, int days)
{
    int64_t per_day = ow_ratio_floor(o->dosages[0].timing.frequency.value);

    o->authored = build_time(start);
    build_supply(o, "1", days);
    o->supply_quantity.value = OW_RATIO(days * per_day, 1);
    return o;
}

/* Monthly supplies of the past, `years` of them. */
static void took(struct build *b, const char *rxcui, const char *tablets, int per_day,
                 int days_ago)
{
    ow_time today = build_time(TODAY).from;

    for (int d = days_ago; d > 0; d -= 30) {
        struct ow_order *o = takes(b, rxcui, tablets, per_day);
        ow_time from = ow_time_add(today, -d * OW_DAY);
        struct ow_dosage *x = (struct ow_dosage *)o->dosages;

        o->authored = (struct ow_span){ from, from + 1 };
        o->status = OW_STATUS_COMPLETED;
        x->timing.bounds = OW_BOUNDS_PERIOD;
        x->timing.bounds_period =
            (struct ow_span){ from, ow_time_add(from, (d < 30 ? d : 30) * OW_DAY) };
    }
}

/* ---- the cases: `edge` true fires, false is one step below ---- */

static void oud_conflict(struct build *b, bool edge)
{
    takes(b, RX_OXYCODONE_5, "1", 4);
    lasts(takes(b, RX_BUPRENORPHINE_8, "1", 1), "2026-02-01", edge ? 30 : 29);
}

static void paediatric(struct build *b, bool edge)
{
    b->chart.patient.birth = build_time(edge ? "2014-03-03" : "2014-03-02");
    takes(b, RX_CODEINE_30, "1", 2);
}

static void triple(struct build *b, bool edge)
{
    lasts(takes(b, RX_OXYCODONE_5, "1", 2), "2026-03-01", 10);
    takes(b, RX_LORAZEPAM_1, "1", 1);
    takes(b, RX_CARISOPRODOL, "1", 1)->authored = build_time(edge ? "2026-03-10"
                                                                  : "2026-03-11");
}

static void abrupt_stop(struct build *b, bool edge)
{
    struct ow_order *o;

    took(b, RX_MORPHINE_15, edge ? "0.83334" : "0.83333", 4, 120); /* 50 MME/d */
    o = lasts(takes(b, RX_MORPHINE_15, edge ? "0.83334" : "0.83333", 4), "2026-02-25",
              30);
    o->status = OW_STATUS_STOPPED;
}

static void med_threshold(struct build *b, bool edge)
{
    lasts(takes(b, RX_MORPHINE_15, edge ? "0.83334" : "0.83333", 4), "2026-03-01", 30);
}

static void sedative(struct build *b, bool edge)
{
    lasts(takes(b, RX_OXYCODONE_5, "1", 2), "2026-03-01", 10);
    takes(b, RX_LORAZEPAM_1, "1", 1)->authored = build_time(edge ? "2026-03-10"
                                                                 : "2026-03-11");
}

static void er_la_naive(struct build *b, bool edge)
{
    struct ow_order *o = lasts(takes(b, RX_OXYCODONE_5, "1", 2),
                               edge ? "2025-11-20" : "2025-12-02", 3);

    o->status = OW_STATUS_COMPLETED; /* within 90 days of a new order, or before */
    takes(b, RX_MORPHINE_ER_15, "1", 2)->authored = build_time(TODAY);
}

static void fast_taper(struct build *b, bool edge)
{
    took(b, RX_OXYCODONE_20, "1", 4, 360);
    lasts(takes(b, RX_OXYCODONE_20, edge ? "0.89" : "0.9", 4), TODAY, 90);
}

static void unreadable(struct build *b, bool edge)
{
    struct ow_order *o = takes(b, RX_OXYCODONE_5, "1", 2);

    o->n_dosages = edge ? 0 : o->n_dosages;
}

static void escalation(struct build *b, bool edge)
{
    took(b, RX_MORPHINE_15, "1", 4, 120);
    lasts(takes(b, RX_MORPHINE_15, edge ? "1.5" : "1.49", 4), TODAY, 30);
}

static void max_dose(struct build *b, bool edge)
{
    takes(b, RX_TRAMADOL_50, "1", edge ? 9 : 8);
}

static void acetaminophen(struct build *b, bool edge)
{
    takes(b, RX_HYDROCODONE_5, "1", edge ? 10 : 9);
}

static void oud(struct build *b, bool edge)
{
    takes(b, RX_OXYCODONE_5, "1", 2);
    record(b, "Condition", "active", OW_SYSTEM_ICD10, "F11.20",
           edge ? "2025-12-02" : "2025-12-01");
}

static void pregnancy(struct build *b, bool edge)
{
    takes(b, RX_OXYCODONE_5, "1", 2);
    record(b, "Condition", "active", OW_SYSTEM_ICD10, "O00.111",
           edge ? "2025-05-12" : "2025-05-11");
}

static void uds_unexpected(struct build *b, bool edge)
{
    struct ow_record *r;

    lasts(takes(b, RX_OXYCODONE_5, "1", 2), "2026-02-01", 90);
    r = record(b, "Observation", "final", OW_SYSTEM_LOINC, "3397-7", "2026-02-20");
    r->value.text = edge ? "positive" : "negative";
}

static void duplicate(struct build *b, bool edge)
{
    lasts(takes(b, RX_OXYCODONE_5, "1", 1), "2026-03-01", 10);
    lasts(takes(b, RX_OXYCODONE_10, "1", 1), edge ? "2026-03-04" : "2026-03-05", 30);
}

static void prescribers(struct build *b, bool edge)
{
    static const char *const who[] = { "Practitioner/a", "Practitioner/b",
                                       "Practitioner/c", "Practitioner/d" };

    for (size_t i = 0; i < OW_LEN(who); i++) {
        struct ow_order *o = lasts(takes(b, RX_OXYCODONE_5, "1", 1), "2026-02-01", 2);

        o->prescriber = who[edge ? i : i / 2];
        o->status = OW_STATUS_COMPLETED;
    }
    takes(b, RX_OXYCODONE_10, "1", 1)->prescriber = "Practitioner/a";
}

static void quantity(struct build *b, bool edge)
{
    struct ow_order *o = supplied(takes(b, RX_OXYCODONE_5, "1", 2), TODAY, 100);

    o->supply_quantity.value = OW_RATIO(edge ? 201 : 200, 1);
}

static void early_refill(struct build *b, bool edge)
{
    struct ow_order *o = supplied(takes(b, RX_OXYCODONE_5, "1", 4),
                                  edge ? "2026-02-05" : "2026-02-04", 30);

    o->id = "old";
    supplied(takes(b, RX_OXYCODONE_5, "1", 4), TODAY, 30);
}

static void acute_duration(struct build *b, bool edge)
{
    supplied(takes(b, RX_OXYCODONE_5, "1", 2), TODAY, edge ? 8 : 7);
}

static void unknown(struct build *b, bool edge)
{
    takes(b, edge ? RX_LISINOPRIL : RX_LORAZEPAM_1, "1", 1);
    takes(b, RX_OXYCODONE_5, "1", 2);
}

static void nonopioid(struct build *b, bool edge)
{
    supplied(takes(b, edge ? RX_OXYCODONE_5 : RX_LORAZEPAM_1, "1", 2), TODAY, 5);
}

/* What is due: on long-term therapy, with the thing done just outside the window, or just
 * inside it. */
static void due(struct build *b, const char *type, const char *system, const char *code,
                const char *day, bool naive)
{
    if (!naive)
        took(b, RX_OXYCODONE_5, "1", 2, 120);
    supplied(takes(b, RX_OXYCODONE_5, "1", 2), TODAY, 30);
    record(b, type, ow_streq(type, "Observation") ? "final" : "completed", system, code,
           day);
}

static void goals(struct build *b, bool edge)
{
    due(b, "Procedure", OW_SYSTEM_SNOMED, "408957008", edge ? "2025-12-01" : "2025-12-02",
        true);
}

static void risk(struct build *b, bool edge)
{
    due(b, "Procedure", OW_SYSTEM_SNOMED, "XX-COUNSELING", TODAY, false);
    if (!edge)
        b->chart.records = NULL, b->chart.n_records = 0,
        b->chart.not_asked = OW_KIND_PROCEDURE | OW_KIND_SERVICE_REQUEST;
}

static void reassess(struct build *b, bool edge)
{
    due(b, "Procedure", OW_SYSTEM_SNOMED, "454281000124100",
        edge ? "2025-12-01" : "2025-12-02", false);
}

static void pdmp(struct build *b, bool edge)
{
    due(b, "Procedure", OW_SYSTEM_SNOMED, "461621000124108",
        edge ? "2025-12-01" : "2025-12-02", false);
}

static void uds_due(struct build *b, bool edge)
{
    due(b, "Observation", OW_SYSTEM_LOINC, "3397-7", edge ? "2025-03-01" : "2025-03-02",
        false);
}

static void agreement(struct build *b, bool edge)
{
    due(b, "Procedure", OW_SYSTEM_SNOMED, "none", TODAY, false);
    if (!edge) /* nobody looked: undecided is not due */
        b->chart.not_asked = OW_KIND_CONSENT;
}

static void ppact(struct build *b, bool edge)
{
    took(b, RX_MORPHINE_15, "1", 8, 120);
    supplied(takes(b, RX_MORPHINE_15, edge ? "1" : "0.99", 8), TODAY, 30);
}

static void mismatch(struct build *b, bool edge)
{
    struct ow_order *o = supplied(takes(b, RX_OXYCODONE_20, "1", 4), TODAY, 30);

    o->supply_quantity.value = OW_RATIO(edge ? 89 : 90, 1);
}

static void stale(struct build *b, bool edge)
{
    supplied(takes(b, RX_OXYCODONE_5, "1", 4), edge ? "2026-01-01" : "2026-01-25", 30);
}

static void preferred(struct build *b, bool edge)
{
    (void)b;
    (void)edge;
}

static const struct {
    const char *rule;
    void (*chart)(struct build *b, bool edge);
    bool no_rows; /* its table is the site's and ships empty: see its own test */
} cases[] = {
    {"oud-treatment-conflict",      oud_conflict,   false},
    { "paediatric-contraindicated", paediatric,     false},
    { "triple-combination",         triple,         false},
    { "abrupt-stop",                abrupt_stop,    false},
    { "fast-taper",                 fast_taper,     false},
    { "med-threshold",              med_threshold,  false},
    { "sedative-coprescribing",     sedative,       false},
    { "er-la-opioid-naive",         er_la_naive,    false},
    { "unreadable-dose",            unreadable,     false},
    { "dose-escalation",            escalation,     false},
    { "max-dose",                   max_dose,       false},
    { "acetaminophen-total",        acetaminophen,  false},
    { "opioid-use-disorder",        oud,            false},
    { "naloxone-offer",             med_threshold,  false},
    { "pregnancy",                  pregnancy,      false},
    { "uds-unexpected",             uds_unexpected, false},
    { "duplicate-opioid",           duplicate,      false},
    { "multiple-prescribers",       prescribers,    false},
    { "quantity-limit",             quantity,       false},
    { "early-refill",               early_refill,   false},
    { "acute-duration",             acute_duration, false},
    { "unknown-drug",               unknown,        false},
    { "preferred-drug",             preferred,      true },
    { "nonopioid-first",            nonopioid,      false},
    { "treatment-goals",            goals,          false},
    { "risk-discussion",            risk,           false},
    { "reassess",                   reassess,       false},
    { "pdmp-due",                   pdmp,           false},
    { "uds-due",                    uds_due,        false},
    { "agreement-due",              agreement,      false},
    { "ppact-priority",             ppact,          false},
    { "supply-mismatch",            mismatch,       false},
    { "stale-order",                stale,          false},
};

/* ---- running them ---- */

static struct build *scene(size_t i, bool edge)
{
    static struct build b;
    static bool used;

    if (used)
        build_done(&b);
    used = true;
    build_init(&b);
    build_rules(&b, &cases[i].rule, 1);
    b.chart.patient.has_birth = true;
    b.chart.patient.birth = build_time("1971-05-05");
    cases[i].chart(&b, edge);
    return &b;
}

static const char *held_by(const struct ow_verdict *v, const char *rule)
{
    for (size_t i = 0; i < v->n_suppressed; i++)
        if (ow_streq(v->suppressed[i].rule, rule))
            return v->suppressed[i].by;
    return "";
}

static const struct ow_suppression *suppression(const struct ow_verdict *v,
                                                const char *by)
{
    for (size_t i = 0; i < v->n_suppressed; i++)
        if (ow_starts_with(v->suppressed[i].by, by))
            return &v->suppressed[i];
    return NULL;
}

#define EXPECT(what)                                                                     \
    do {                                                                                 \
        if (!(what)) {                                                                   \
            print_error("%s: %s\n", cases[i].rule, #what);                               \
            failures++;                                                                  \
        }                                                                                \
    } while (0)

static void every_rule_has_its_case(void **state)
{
    (void)state;
    assert_int_equal(OW_LEN(cases), OW_RULE_N);
    for (unsigned i = 0; i < OW_RULE_N; i++)
        assert_string_equal(cases[i].rule, ow_rule_name((enum ow_rule)i));
}

static void every_rule_fires_at_its_edge_and_not_below(void **state)
{
    unsigned failures = 0;

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        const struct ow_finding *f;

        if (cases[i].no_rows)
            continue;
        f = build_finding(build_judge(scene(i, true)), cases[i].rule);
        EXPECT(f != NULL);
        EXPECT(f == NULL || (f->reason != NULL && *f->reason != '\0'));
        EXPECT(f == NULL || (f->summary != NULL && *f->summary != '\0'));
        EXPECT(f == NULL || f->n_evidence > 0);
        EXPECT(f == NULL || f->evidence[0] != NULL);
        EXPECT(build_finding(build_judge(scene(i, false)), cases[i].rule) == NULL);
    }
    assert_int_equal(failures, 0);
}

/* What makes an exclusion hold. */
static void exclude(struct build *b, unsigned exclusion)
{
    switch (exclusion) {
    case OW_EXCLUDE_CANCER:
        record(b, "Condition", "active", OW_SYSTEM_ICD10, "C50.911", "2026-01-10");
        break;
    case OW_EXCLUDE_END_OF_LIFE:
        record(b, "Condition", "active", OW_SYSTEM_SNOMED, "300936002", "2026-01-10");
        break;
    case OW_EXCLUDE_PALLIATIVE:
        record(b, "ServiceRequest", "active", OW_SYSTEM_SNOMED, "103735009", "2026-01-10")
            ->intent = "order";
        break;
    case OW_EXCLUDE_SICKLE_CELL:
        record(b, "Condition", "active", OW_SYSTEM_ICD10, "D57.1", "2026-01-10");
        break;
    default:
        b->chart.patient.birth = build_time("2012-03-03");
    }
}

static void every_exclusion_silences_its_rules_and_no_others(void **state)
{
    unsigned failures = 0;

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++)
        for (unsigned k = 0; k < OW_EXCLUDE_N && !cases[i].no_rows; k++) {
            struct build *b = scene(i, true);
            unsigned bit = 1u << k;
            bool silenced = (b->policy.rules[i].silenced_by & bit) != 0;
            const struct ow_verdict *v;
            const struct ow_suppression *s;

            if (bit == OW_EXCLUDE_MINOR && i == OW_RULE_PAEDIATRIC)
                continue; /* it is about minors */
            exclude(b, bit);
            v = build_judge(b);
            s = suppression(v, "exclusion:");
            EXPECT((build_finding(v, cases[i].rule) != NULL) == !silenced);
            EXPECT((s != NULL) == silenced);
            EXPECT(s == NULL ||
                   ow_streq(s->by + strlen("exclusion:"), ow_exclusion_name(bit)));
            EXPECT(s == NULL || s->resource != NULL);
        }
    assert_int_equal(failures, 0);
}

static void an_exclusion_can_be_switched_for_each_rule(void **state)
{
    unsigned failures = 0;

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct build *b = scene(i, true);

        if (cases[i].no_rows)
            continue;
        exclude(b, OW_EXCLUDE_CANCER);
        b->policy.rules[i].silenced_by ^= OW_EXCLUDE_CANCER;
        EXPECT((build_finding(build_judge(b), cases[i].rule) != NULL) ==
               ((b->policy.rules[i].silenced_by & OW_EXCLUDE_CANCER) == 0));
    }
    assert_int_equal(failures, 0);
}

static void every_rule_can_be_snoozed_until_its_dose_rises(void **state)
{
    unsigned failures = 0;

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct build *b = scene(i, true);
        const struct ow_verdict *v = build_judge(b);
        const struct ow_finding *f = build_finding(v, cases[i].rule);
        struct ow_told told;

        if (f == NULL)
            continue;
        told = (struct ow_told){ .rule = f->rule,
                                 .cause = f->cause,
                                 .tier = f->tier,
                                 .at = b->q.at - OW_DAY,
                                 .has_med = v->total.has_peak,
                                 .med = v->total.peak,
                                 .prescriber = "Practitioner/d1",
                                 .prescribers = v->prescribers,
                                 .classes = v->classes,
                                 .answer = OW_ANSWER_OVERRIDDEN,
                                 .answer_code = "snooze-1-month",
                                 .has_until = true,
                                 .until = b->q.at + 30 * OW_DAY,
                                 .card = "c" };
        b->q.prescriber = "Practitioner/d1";
        b->q.told = &told;
        b->q.n_told = 1;
        v = build_judge(b);
        EXPECT(build_finding(v, cases[i].rule) == NULL);
        EXPECT(ow_starts_with(held_by(v, cases[i].rule), "snooze:2026-04-01"));
        told.until = b->q.at;
        EXPECT(build_finding(build_judge(b), cases[i].rule) != NULL);
        told.until = b->q.at + 30 * OW_DAY;
        if (!told.has_med || !ow_ratio_div(told.med, OW_RATIO(2, 1), &told.med))
            continue;
        EXPECT(build_finding(build_judge(b), cases[i].rule) != NULL);
    }
    assert_int_equal(failures, 0);
}

static void every_rule_runs_in_shadow_and_can_be_off(void **state)
{
    unsigned failures = 0;

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct build *b = scene(i, true);
        const struct ow_verdict *v;

        if (cases[i].no_rows)
            continue;
        b->policy.rules[i].mode = OW_MODE_SHADOW;
        v = build_judge(b);
        EXPECT(build_finding(v, cases[i].rule) != NULL);
        EXPECT(ow_streq(held_by(v, cases[i].rule), "shadow"));
        EXPECT(v->n_cards == 0);
        b->policy.rules[i].mode = OW_MODE_OFF;
        v = build_judge(b);
        EXPECT(v->n_findings == 0 && v->n_suppressed == 0 && v->n_cards == 0);
    }
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_has_its_case),
        cmocka_unit_test(every_rule_fires_at_its_edge_and_not_below),
        cmocka_unit_test(every_exclusion_silences_its_rules_and_no_others),
        cmocka_unit_test(an_exclusion_can_be_switched_for_each_rule),
        cmocka_unit_test(every_rule_can_be_snoozed_until_its_dose_rises),
        cmocka_unit_test(every_rule_runs_in_shadow_and_can_be_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
