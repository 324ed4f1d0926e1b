#include "alerts/verdict.h"

static const char *const roles[] = {
    [OW_ROLE_COUNTED] = "counted",   [OW_ROLE_UNREADABLE] = "unreadable",
    [OW_ROLE_EXCLUDED] = "excluded", [OW_ROLE_REPLACED] = "replaced",
    [OW_ROLE_INACTIVE] = "inactive", [OW_ROLE_NOT_OPIOID] = "not-opioid",
    [OW_ROLE_UNKNOWN] = "unknown",
};

static const char *const tiers[] = {
    [OW_TIER_INFO] = "info",
    [OW_TIER_WARNING] = "warning",
    [OW_TIER_CRITICAL] = "critical",
};

static const char *const hooks[] = {
    [OW_HOOK_NONE] = NULL,
    [OW_HOOK_PATIENT_VIEW] = "patient-view",
    [OW_HOOK_ORDER_SELECT] = "order-select",
    [OW_HOOK_ORDER_SIGN] = "order-sign",
};

static const char *const flags[OW_FLAG_N] = {
    "prn",          "range",       "stale-active",    "older-factor", "open-ended",
    "rectal",       "from-supply", "supply-mismatch", "draft",        "capped",
    "supply-ended", "from-text",   "text-differs",
};

const char *ow_role_name(enum ow_role r)
{
    ow_assert((size_t)r < OW_LEN(roles));
    return roles[r];
}

const char *ow_tier_name(enum ow_tier t)
{
    ow_assert((size_t)t < OW_LEN(tiers));
    return tiers[t];
}

const char *ow_flag_name(unsigned flag)
{
    unsigned i = 0;

    while (i < OW_FLAG_N && flag != 1U << i)
        i++;
    ow_assert(i < OW_FLAG_N);
    return flags[i];
}

const char *ow_hook_name(enum ow_hook h)
{
    ow_assert((size_t)h < OW_LEN(hooks));
    return hooks[h];
}
