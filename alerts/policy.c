/*
 * Presets. All of them start from cdc-2022; each names only what it changes.
 *
 * 50 MME/d: CDC 2022 recommendations 4 and 5; 50 and 90: CDC 2016 recommendation 5. 90
 * under cdc-2022 is a choice of the site. 120: the priority of the PPACT trial; wa-120
 * alerts from there on only. kaiser-like has the thresholds of cdc-2022 so far.
 */
#include "alerts/policy.h"

#include "base/text.h"

static const struct preset {
    const char *name;
    enum ow_table table;
    int64_t warning, critical; /* MME/d */
    enum ow_edition edition;
} presets[] = {
    {"cdc-2022",               OW_TABLE_CDC_2022, 50,  90,  OW_EDITION_OURS          },
    { "cdc-2016",              OW_TABLE_CDC_2016, 50,  90,  OW_EDITION_OURS          },
    { "wa-120",                OW_TABLE_CDC_2022, 120, 120, OW_EDITION_OURS          },
    { "ppact",                 OW_TABLE_CDC_2022, 50,  120, OW_EDITION_OURS          },
    { "kaiser-like",           OW_TABLE_CDC_2022, 50,  90,  OW_EDITION_OURS          },
    { "cdc-2022-as-published", OW_TABLE_CDC_2022, 50,  90,  OW_EDITION_PUBLISHED_2022},
    { "cdc-2016-as-published", OW_TABLE_CDC_2016, 50,  90,  OW_EDITION_PUBLISHED_2016},
};

static const struct ow_policy base = {
    .version = "1",
    .stale_days = 14,
    .count_stale = true,
    .horizon_days = 90,
    .average_days = 90,
    .mismatch_share = {1,   4 },
    .mismatch_med = { 10, 1 },
    .memory_days = 365,
    .memory_critical_days = 365,
    .memory_override_days = 365,
    .memory_rise = { 1,  10},
    .source_label = "opiward",
    .topic_system = "urn:opiward:rule",
    .override_system = "urn:opiward:override",
};

/* ---- what the table of rules says ---- */

static const struct ow_param_info params[] = {
#define RULE(...)
/* clang-format off */
#define PARAM(rule, key, text, num, den, least, most, source, words)                     \
    { OW_RULE_##rule, text, { num, den }, { least, 1 }, { most, 1 }, source, words },
/* clang-format on */
#include "alerts/rules.def"
#undef RULE
#undef PARAM
};

static const struct rule_info {
    const char *name;
    struct ow_rule_policy policy;
} rules[] = {
/* clang-format off */
#define RULE(id, name, function, silenced_by, mode)                                      \
    { name, { OW_MODE_##mode, silenced_by } },
/* clang-format on */
#define PARAM(...)
#include "alerts/rules.def"
#undef RULE
#undef PARAM
};

const struct ow_param_info *ow_param_info(enum ow_param param)
{
    ow_assert((size_t)param < OW_LEN(params));
    return &params[param];
}

const char *ow_rule_name(enum ow_rule rule)
{
    ow_assert((size_t)rule < OW_LEN(rules));
    return rules[rule].name;
}

enum ow_rule ow_rule_of(const char *name)
{
    size_t i = 0;

    while (i < OW_LEN(rules) && !ow_streq(rules[i].name, name))
        i++;
    return (enum ow_rule)i;
}

const char *ow_exclusion_name(unsigned exclusion)
{
    static const char *const names[] = { "active-cancer-treatment", "end-of-life",
                                         "palliative-care", "sickle-cell",
                                         "age-under-18" };

    for (size_t i = 0; i < OW_LEN(names); i++)
        if (exclusion == 1u << i)
            return names[i];
    return NULL;
}

static void take_defaults(struct ow_policy *ret)
{
    for (size_t i = 0; i < OW_LEN(rules); i++)
        ret->rules[i] = rules[i].policy;
    for (size_t i = 0; i < OW_LEN(params); i++)
        ret->params[i] = params[i].value;
}

bool ow_policy_preset(const char *name, struct ow_policy *ret)
{
    for (size_t i = 0; i < OW_LEN(presets); i++) {
        if (!ow_streq(name, presets[i].name))
            continue;
        *ret = base;
        ret->name = presets[i].name;
        ret->table = presets[i].table;
        ret->edition = presets[i].edition;
        take_defaults(ret);
        ret->params[OW_PARAM_MED_THRESHOLD_WARNING] = OW_RATIO(presets[i].warning, 1);
        ret->params[OW_PARAM_MED_THRESHOLD_CRITICAL] = OW_RATIO(presets[i].critical, 1);
        return true;
    }
    return false;
}

const char *ow_policy_preset_name(size_t i)
{
    return i < OW_LEN(presets) ? presets[i].name : NULL;
}
