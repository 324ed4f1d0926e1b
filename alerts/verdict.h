/*
 * Verdict: the way out of the judgement
 *
 * What was decided about one chart, with every number exact and every decision with its
 * reason. Lives in the arena of ow_evaluate and borrows from the chart and the knowledge.
 */
#pragma once

#include "alerts/chart.h"

enum ow_role {
    OW_ROLE_COUNTED,
    OW_ROLE_UNREADABLE, /* an opioid whose dose, strength or factor cannot be had */
    OW_ROLE_EXCLUDED,   /* an opioid that by policy carries no MME */
    OW_ROLE_REPLACED,
    OW_ROLE_INACTIVE,
    OW_ROLE_NOT_OPIOID,
    OW_ROLE_UNKNOWN, /* no table knows the code */
};

enum { /* flags of a line, a set; names by ow_flag_name */
       OW_FLAG_PRN = 1 << 0,
       OW_FLAG_RANGE = 1 << 1,
       OW_FLAG_STALE_ACTIVE = 1 << 2,
       OW_FLAG_OLDER_FACTOR = 1 << 3,
       OW_FLAG_OPEN_ENDED = 1 << 4,
       OW_FLAG_RECTAL = 1 << 5,
       OW_FLAG_FROM_SUPPLY = 1 << 6, /* no readable dosage: quantity over days' supply */
       OW_FLAG_SUPPLY_MISMATCH = 1 << 7,
       OW_FLAG_DRAFT = 1 << 8,
       OW_FLAG_CAPPED = 1 << 9, /* maxDosePerPeriod set the dose */
       OW_FLAG_SUPPLY_ENDED = 1 << 10,
       OW_FLAG_FROM_TEXT = 1 << 11,    /* dose or frequency read from free text */
       OW_FLAG_TEXT_DIFFERS = 1 << 12, /* structure and text give different amounts */
       OW_FLAG_N = 13,
};

/* One step from an order's words to its figure; see trace.h. NULL: does not apply. */
struct ow_trace {
    const char *step, *in, *out;
    const char *rule;                 /* in words */
    const char *table, *row, *source; /* of the knowledge */
};

/* One order as judged. */
struct ow_line {
    const struct ow_order *order;
    enum ow_role role;
    const char *drug;  /* name for people: table's, else the order's own; never NULL */
    const char *rxcui; /* NULL when not coded in RxNorm */
    const char *ingredient; /* NULL when no opioid */
    bool has_dose;
    struct ow_ratio daily_dose; /* highest allowed */
    const char *dose_unit;      /* mg, ug, ug/h */
    bool has_med;
    struct ow_ratio factor;
    struct ow_ratio med;     /* MME/d, highest allowed */
    struct ow_ratio med_low; /* MME/d, lowest allowed */
    bool has_supplied;
    struct ow_ratio med_supplied; /* MME/d from quantity and days' supply */
    struct ow_span span;          /* when it is taken */
    /* Steps of a taper: the dose over time, when it is not the same all along. */
    const struct ow_step *steps;
    size_t n_steps;
    const char *table;            /* factor table of this line */
    const char *row;              /* its row */
    const struct ow_trace *trace; /* when the question asked for it */
    size_t n_trace;
    unsigned flags;
    const char *derivation; /* one line of arithmetic; NULL unless counted */
    const char *reason;     /* why this role; NULL for a plain counted one */
    bool sedative;          /* also, or only, a sedative: see the verdict's sedatives */
};

struct ow_step {
    struct ow_span span;
    struct ow_ratio med; /* MME/d */
};

enum ow_tier {
    OW_TIER_INFO,
    OW_TIER_WARNING,
    OW_TIER_CRITICAL,
};

struct ow_sedation {
    const struct ow_line *line;
    const char *cls; /* benzodiazepine, ... */
    int tier;        /* of the table: 1, 2 or 3 */
    const char *drug;
    int64_t overlap_days; /* with any opioid, from the asked instant on or before; see
                             evaluate.h */
};

struct ow_finding {
    const char *rule;   /* med-threshold */
    unsigned id;        /* enum ow_rule */
    bool shadow;        /* its rule is in shadow: recorded, and nobody is told */
    const char *held;   /* why it does not interrupt again: repeat, ...; NULL; memory.h */
    const char *silent; /* why nobody is told it: "shadow", "inhibited:..."; NULL */
    enum ow_tier tier;
    const char *reason;         /* 120 MME/d reaches 90 */
    const char *summary;        /* the same as the first line of a card */
    const char *const *sources; /* CDC-2022-R4 */
    size_t n_sources;
    const char *const *evidence; /* references */
    size_t n_evidence;
    /* What makes it the same alert tomorrow: the daemon opens one episode for a patient,
     * rule and cause, and closes it when the finding is gone. "" for the whole patient.
     */
    const char *cause;
};

struct ow_suppression {
    const char *rule;
    const char *by;       /* exclusion:hospice, rank, snooze */
    const char *resource; /* what did it; NULL for rank */
};

struct ow_fact {
    const char *name;
    int value; /* 0, 1, or -1 for undecided */
    const char *const *evidence;
    size_t n_evidence;
};

enum ow_action_type {
    OW_ACTION_CREATE,
    OW_ACTION_UPDATE,
    OW_ACTION_DELETE,
};

/* A resource to be created, all but what fhir/ adds (status, subject, requester, day). */
struct ow_proposal {
    const char *type;       /* MedicationRequest, ServiceRequest, Task */
    struct ow_coding code;  /* of the drug or the service; none for a Task */
    const char *text;       /* what is to be done */
    const char *reason;     /* why */
    const char *focus;      /* what it is about, Type/id; NULL */
    const char *directions; /* of a MedicationRequest */
    int64_t quantity;       /* dosage units of a MedicationRequest */
};

struct ow_action { /* of a suggestion */
    enum ow_action_type type;
    const char *description;
    const char *resource_id;            /* delete: MedicationRequest/draft-1 */
    const struct ow_order *order;       /* update: this draft as it came, but for */
    int64_t days, quantity;             /* its days of supply and dosage units */
    const struct ow_proposal *proposal; /* create */
};

struct ow_suggestion {
    const char *label;
    const struct ow_action *actions;
    size_t n_actions;
    bool recommended;
};

struct ow_link {
    const char *label, *url;
};

struct ow_card {
    const char *key;     /* stable for the same alert episode; uuids are made from it */
    const char *summary; /* at most 139 UTF-16 units */
    const char *detail;  /* GitHub-flavoured Markdown, drug names escaped */
    enum ow_tier indicator;
    const char *source_label, *source_url;
    struct ow_coding topic; /* system, rule name, display */
    const struct ow_suggestion *suggestions;
    size_t n_suggestions;
    bool any; /* several suggestions may be taken together */
    const struct ow_coding *override_reasons;
    size_t n_override_reasons;
    const struct ow_link *links;
    size_t n_links;
    const char *const *related; /* orders it speaks of */
    size_t n_related;
    const char *rule;     /* strongest finding */
    const char *med_text; /* "120" or "at least 120"; NULL */
};

struct ow_total {
    bool has_now, has_peak;
    struct ow_ratio now, peak; /* MME/d */
};

/* What was supplied in the days before, by one denominator; see averages.h. */
struct ow_average {
    const char *name; /* per-supply-day, per-opioid-day, per-window-day, highest-day */
    bool has_value;   /* false: no opioid in the window */
    struct ow_ratio value; /* MME/d */
    int64_t days;          /* the denominator */
    const char *derivation;
};

enum { OW_AVERAGES = 4 };

struct ow_averages {
    struct ow_span window; /* whole local days, the last one that of the question */
    int64_t days;
    const char *basis; /* "dispenses", or "orders": then an estimate; NULL: none */
    bool at_least;
    struct ow_average list[OW_AVERAGES];
};

struct ow_verdict {
    const char *patient;
    ow_time at;
    const struct ow_zone *zone; /* of the question, for dates in reports; NULL: UTC */
    enum ow_hook hook;
    const char *prescriber; /* who asks, Practitioner/x; NULL */
    const char *encounter;  /* NULL */
    const char *table;      /* factor table asked for */
    const char *policy, *policy_version;
    const char *policy_sha256;     /* NULL: not computed */
    const char *policy_clinic;     /* whose own policy it is, Organization/x; NULL */
    const char *texts;             /* whose texts speak, "es"; NULL: English */
    const char *products, *sha256; /* knowledge version and hash */
    struct ow_total written, supplied;
    struct ow_total total; /* what the rules use: as written, supply as fallback */
    bool has_peak_at;
    ow_time peak_at;
    const char *sum_now, *sum_peak; /* "120 + 45 = 165 MME/d" */
    bool at_least;
    struct ow_averages averages;
    const struct ow_line *lines;
    size_t n_lines;
    const struct ow_fact *facts;
    size_t n_facts;
    const struct ow_sedation *sedatives;
    size_t n_sedatives;
    const struct ow_finding *findings;
    size_t n_findings;
    const struct ow_suppression *suppressed;
    size_t n_suppressed;
    const struct ow_card *cards;
    size_t n_cards;
    const char *const *notes; /* of the chart and of the judgement, for the trace */
    size_t n_notes;
    /* Sorted, joined by blanks: of the sedatives that alert, and who prescribed the
     * opioids. Memory compares them the next time. */
    const char *classes, *prescribers;
};

const char *ow_role_name(enum ow_role r); /* counted, not-opioid, ... */
const char *ow_tier_name(enum ow_tier t); /* info, warning, critical */
const char *ow_flag_name(unsigned flag);  /* prn, stale-active, ... */
const char *ow_hook_name(enum ow_hook h); /* order-sign; NULL for none */
