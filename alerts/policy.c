/*
 * Presets. All of them start from cdc-2022; each names only what it changes.
 *
 * 50 MME/d: CDC 2022 recommendations 4 and 5; 50 and 90: CDC 2016 recommendation 5. 90
 * under cdc-2022 is a choice of the site. 120: the priority of the PPACT trial; wa-120
 * alerts from there on only. kaiser-like has the thresholds of cdc-2022 so far. The two
 * as-published presets take the factor table of their edition; their other differences
 * (published contents of value sets, rules tied to one hook and to orders of 28 days)
 * are not in yet.
 */
#include "alerts/policy.h"

#include "base/text.h"

static const struct preset {
    const char *name;
    enum ow_table table;
    int64_t warning, critical; /* MME/d */
} presets[] = {
    {"cdc-2022",               OW_TABLE_CDC_2022, 50,  90 },
    { "cdc-2016",              OW_TABLE_CDC_2016, 50,  90 },
    { "wa-120",                OW_TABLE_CDC_2022, 120, 120},
    { "ppact",                 OW_TABLE_CDC_2022, 50,  120},
    { "kaiser-like",           OW_TABLE_CDC_2022, 50,  90 },
    { "cdc-2022-as-published", OW_TABLE_CDC_2022, 50,  90 },
    { "cdc-2016-as-published", OW_TABLE_CDC_2016, 50,  90 },
};

static const struct ow_policy base = {
    .version = "1",
    .med_threshold_on = true,
    .sedative_on = true,
    .unreadable_on = true,
    .unknown_on = true,
    .stale_on = true,
    .acute_days = 7,
    .sedative_age = 65,
    .sedative_med = {50,  1},
    .stale_days = 14,
    .count_stale = true,
    .horizon_days = 90,
    .average_days = 90,
    .mismatch_share = { 1,  4},
    .mismatch_med = { 10, 1},
    .source_label = "opiward",
    .topic_system = "urn:opiward:rule",
    .override_system = "urn:opiward:override",
};

bool ow_policy_preset(const char *name, struct ow_policy *ret)
{
    for (size_t i = 0; i < OW_LEN(presets); i++) {
        if (!ow_streq(name, presets[i].name))
            continue;
        *ret = base;
        ret->name = presets[i].name;
        ret->table = presets[i].table;
        ret->med_warning = OW_RATIO(presets[i].warning, 1);
        ret->med_critical = OW_RATIO(presets[i].critical, 1);
        return true;
    }
    return false;
}

const char *ow_policy_preset_name(size_t i)
{
    return i < OW_LEN(presets) ? presets[i].name : NULL;
}
