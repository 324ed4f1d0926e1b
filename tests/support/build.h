/*
 * Build: charts in a line or two, judged with the shipped tables
 *
 * Everything lives in the arena of the builder. All patients are invented.
 */
#pragma once

#include "alerts/evaluate.h"

enum { BUILD_ORDERS = 256 };

struct build {
    struct ow_arena arena;
    struct ow_chart chart;
    struct ow_order *orders; /* room for BUILD_ORDERS */
    struct ow_policy policy;
    struct ow_question q;
};

/* Some drugs of the tables, by RxNorm number. */
#define RX_OXYCODONE_5     "1049621" /* oxycodone hydrochloride 5 MG Oral Tablet */
#define RX_OXYCODONE_10    "1049683"
#define RX_OXYCODONE_20    "1049686"
#define RX_MORPHINE_15     "892582"
#define RX_MORPHINE_ER_15  "891881"
#define RX_MORPHINE_INJ    "892531" /* 10 MG/ML Injectable Solution */
#define RX_METHADONE_10    "864706"
#define RX_FENTANYL_25     "245134" /* 72 HR fentanyl 0.025 MG/HR Transdermal System */
#define RX_BUPRENORPHINE_8 "351265"
#define RX_CODEINE_SOMA    "994226" /* aspirin / carisoprodol / codeine 16 MG */
#define RX_OXYCODONE       "7804"   /* the ingredient alone */
#define RX_LEVORPHANOL_2   "197873" /* a factor in the 2016 table only */
#define RX_LORAZEPAM_1     "197901"
#define RX_GABAPENTIN_300  "310431"
#define RX_CARISOPRODOL    "197446"
#define RX_HYDROXYZINE_10  "995218" /* tier 3 */
#define RX_PHENTERMINE     "803348" /* tier 9 */
#define RX_LISINOPRIL      "314076" /* in no table */

/* The shipped tables, loaded once for the process; never freed. */
const struct ow_knowledge *build_knowledge(void);

void build_init(struct build *b); /* preset cdc-2022, at 2026-03-02T08:00:00Z, UTC */
void build_done(struct build *b);
/* These rules and no others. build_init turns on those of dose and doubt; build_preset
 * turns on what the preset does. */
void build_rules(struct build *b, const char *const *names, size_t n);
void build_preset(struct build *b, const char *name);
/* The rules of dose and doubt alone, of any policy. */
void build_policy_core(struct ow_policy *policy);
void build_at(struct build *b, const char *instant);
struct ow_span build_time(const char *text);

/* An active order of that RxNorm number, authored 2026-03-01, id and reference "id". */
struct ow_order *build_order(struct build *b, const char *id, const char *rxcui);
/* "1", "tablet", 4: one dosage line more */
struct ow_dosage *build_dose(struct build *b, struct ow_order *o, const char *value,
                             const char *unit, int per_day);
/* quantity and days of supply */
void build_supply(struct ow_order *o, const char *quantity, int days);
void build_draft(struct build *b, struct ow_order *o); /* a selected draft of the hook */
struct ow_ratio build_ratio(const char *text);
struct ow_concept build_concept(struct build *b, const char *system, const char *code,
                                const char *display);

const struct ow_verdict *build_judge(struct build *b);
const struct ow_line *build_line(const struct ow_verdict *v, const char *id);
const struct ow_finding *build_finding(const struct ow_verdict *v, const char *rule);
