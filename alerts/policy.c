#include "alerts/policy.h"

#include <string.h>

#include "base/text.h"

/* The preset cdc-2022 where the table of rules does not speak of it. 14 days, 25 % and
 * 10 MME/d: what is called stale, and a mismatch. [CLINICAL decision: current, supply] */
static const struct ow_policy base = {
    .name = "cdc-2022",
    .version = "1",
    .table = OW_TABLE_CDC_2022,
    .edition = OW_EDITION_OURS,
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

static const struct ow_rule_use attributes[] = {
#define ATTRIBUTE(id, sources, intended, uses)                                           \
    [OW_RULE_##id] = { sources, intended, uses },
#include "alerts/attributes.def"
#undef ATTRIBUTE
};
enum {
    ATTRIBUTES = 0
#define ATTRIBUTE(...) +1
#include "alerts/attributes.def"
#undef ATTRIBUTE
};
_Static_assert((int)ATTRIBUTES == (int)OW_RULE_N,
               "attributes.def has a line for each rule");

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

const struct ow_rule_use *ow_rule_use(enum ow_rule rule)
{
    ow_assert((size_t)rule < OW_LEN(attributes));
    return &attributes[rule];
}

enum ow_param ow_param_of(enum ow_rule rule, const char *key)
{
    for (size_t i = 0; i < OW_LEN(params); i++)
        if (params[i].rule == rule && ow_streq(params[i].key, key))
            return (enum ow_param)i;
    return OW_PARAM_N;
}

/* ---- words to values ---- */

static const char *const modes[] = {
    [OW_MODE_OFF] = "off", [OW_MODE_SHADOW] = "shadow", [OW_MODE_ON] = "on"
};

const char *ow_mode_name(enum ow_mode mode)
{
    ow_assert((size_t)mode < OW_LEN(modes));
    return modes[mode];
}

bool ow_mode_parse(const char *text, enum ow_mode *ret)
{
    for (size_t i = 0; i < OW_LEN(modes); i++) {
        if (!ow_streq(text, modes[i]))
            continue;
        *ret = (enum ow_mode)i;
        return true;
    }
    return false;
}

static unsigned exclusion_of(const char *text, size_t n)
{
    for (unsigned i = 0; i < OW_EXCLUDE_N; i++) {
        const char *name = ow_exclusion_name(1u << i);

        if (strlen(name) == n && memcmp(name, text, n) == 0)
            return 1u << i;
    }
    return 0;
}

bool ow_exclusions_parse(const char *text, unsigned *ret)
{
    unsigned all = 0;

    if (ow_streq(text, "none")) {
        *ret = 0;
        return true;
    }
    text += strspn(text, ", ");
    while (*text != '\0') {
        size_t n = strcspn(text, ", ");
        unsigned one = exclusion_of(text, n);

        if (one == 0)
            return false;
        all |= one;
        text += n;
        text += strspn(text, ", ");
    }
    if (all == 0)
        return false; /* nothing is no answer: it says "none" */
    *ret = all;
    return true;
}

bool ow_param_parse(enum ow_param param, const char *text, struct ow_ratio *ret)
{
    enum { PLACES_DEN = 1000000 };
    const struct ow_param_info *info = ow_param_info(param);
    struct ow_ratio v;

    if (!ow_ratio_parse(text, strlen(text), &v) || PLACES_DEN % v.den != 0 ||
        ow_ratio_cmp(v, info->least) < 0 || ow_ratio_cmp(v, info->most) > 0)
        return false;
    *ret = v;
    return true;
}

void ow_policy_default(struct ow_policy *ret)
{
    *ret = base;
    for (size_t i = 0; i < OW_LEN(rules); i++)
        ret->rules[i] = rules[i].policy;
    for (size_t i = 0; i < OW_LEN(params); i++)
        ret->params[i] = params[i].value;
}
