/*
 * Policy: what a site decided, as numbers
 *
 * Its defaults stand in rules.def and are those of the preset cdc-2022. daemon/ puts the
 * rule packs (pack.h) and the configuration upon them; the judgement takes the outcome
 * as an argument.
 */
#pragma once

#include "alerts/knowledge.h"

enum { /* what silences rules, a set; names by ow_exclusion_name */
       OW_EXCLUDE_CANCER = 1 << 0,
       OW_EXCLUDE_END_OF_LIFE = 1 << 1, /* hospice too */
       OW_EXCLUDE_PALLIATIVE = 1 << 2,
       OW_EXCLUDE_SICKLE_CELL = 1 << 3,
       OW_EXCLUDE_MINOR = 1 << 4,
       OW_EXCLUDE_N = 5,
       OW_EXCLUDE_ILLNESS = OW_EXCLUDE_CANCER | OW_EXCLUDE_END_OF_LIFE |
                            OW_EXCLUDE_PALLIATIVE | OW_EXCLUDE_SICKLE_CELL,
       OW_EXCLUDE_CDC = OW_EXCLUDE_ILLNESS | OW_EXCLUDE_MINOR,
};

enum ow_rule { /* in the order in which they lead; OW_RULE_N of them */
#define RULE(id, name, function, silenced_by, mode) OW_RULE_##id,
#define PARAM(...)
#include "alerts/rules.def"
#undef RULE
#undef PARAM
               OW_RULE_N
};

enum ow_param { /* numbers of the rules, such as OW_PARAM_MED_THRESHOLD_WARNING */
#define RULE(...)
#define PARAM(rule, key, ...) OW_PARAM_##rule##_##key,
#include "alerts/rules.def"
#undef RULE
#undef PARAM
                OW_PARAM_N
};

enum ow_mode {
    OW_MODE_OFF,
    OW_MODE_SHADOW, /* it is judged and recorded, and nobody is told */
    OW_MODE_ON,
};

/* Which services a policy reproduces. [CLINICAL decision: presets] */
enum ow_edition {
    OW_EDITION_OURS,
    OW_EDITION_PUBLISHED_2022,
    OW_EDITION_PUBLISHED_2016,
};

struct ow_rule_policy {
    enum ow_mode mode;
    unsigned silenced_by; /* exclusions */
};

struct ow_words; /* alerts/words.h */

struct ow_policy {
    const char *name;    /* of its rule pack, "cdc-2022" */
    const char *version; /* of the policy, printed on cards */
    const char *sha256;  /* of all that it decides, hexadecimal; NULL: not computed */
    const char *clinic;  /* whose own it is, Organization/x; NULL: everybody's */
    enum ow_table table;
    enum ow_edition edition;
    bool
        older_factor; /* a form the table lacks takes the older factor, else unreadable */

    struct ow_rule_policy rules[OW_RULE_N];
    struct ow_ratio params[OW_PARAM_N];

    int64_t stale_days;   /* an order active this long after its supply ended: 14 */
    bool count_stale;     /* true: it still counts, flagged */
    int64_t horizon_days; /* the peak is looked for this far ahead: 90 */
    int64_t average_days; /* window of the averages: 90, at most 366 */
    struct ow_ratio mismatch_share; /* supply-mismatch: 0.25 and */
    struct ow_ratio mismatch_med;   /* 10 MME/d */

    /* What was told before does not interrupt again for so many days; with a coded reason
     * against it for memory_override_days (critical: memory_days); unless the dose rose
     * by more than that share. */
    int64_t memory_days, memory_critical_days, memory_override_days;
    struct ow_ratio memory_rise;

    const char *source_label, *source_url; /* card.source of the site */
    const char *topic_system;              /* card.source.topic.system */
    const char *override_system;           /* overrideReasons system */
    const struct ow_words *words;          /* the site's texts; NULL: English */
};

/* A rule or a parameter as the table of rules describes it. */
struct ow_param_info {
    enum ow_rule rule;
    const char *key; /* "warning" */
    struct ow_ratio value, least, most;
    const char *source, *words;
};
const struct ow_param_info *ow_param_info(enum ow_param param);
const char *ow_rule_name(enum ow_rule rule);
/* OW_RULE_N when there is none of that name. */
enum ow_rule ow_rule_of(const char *name);
/* "active-cancer-treatment"; `exclusion` is one bit. */
const char *ow_exclusion_name(unsigned exclusion);

enum { /* what of a person a rule reads, besides orders and dispenses; a set */
       OW_USES_BIRTH = 1 << 0,
       OW_USES_CONDITIONS = 1 << 1,  /* conditions, procedures, encounters, plans */
       OW_USES_RESULTS = 1 << 2,     /* observations */
       OW_USES_ASSESSMENTS = 1 << 3, /* health status, such as pregnancy */
};

struct ow_rule_use {
    const char *sources; /* keys, separated by commas */
    const char *intended;
    unsigned uses;
};
const struct ow_rule_use *ow_rule_use(enum ow_rule rule);

/* The numbers of a rule by their keys; OW_PARAM_N when it has none of that name. */
enum ow_param ow_param_of(enum ow_rule rule, const char *key);

/* Text to value, as packs and configurations write it. False leaves `ret`. */
OW_MUST_USE bool ow_mode_parse(const char *text, enum ow_mode *ret);
const char *ow_mode_name(enum ow_mode mode);
/* Names separated by commas and blanks, or "none". */
OW_MUST_USE bool ow_exclusions_parse(const char *text, unsigned *ret);
/* A decimal of at most six places within the bounds of the parameter. */
OW_MUST_USE bool ow_param_parse(enum ow_param param, const char *text,
                                struct ow_ratio *ret);

/* The defaults of the table of rules, which are those of cdc-2022. */
void ow_policy_default(struct ow_policy *ret);
