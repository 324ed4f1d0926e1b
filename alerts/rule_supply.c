#include "alerts/rule.h"

void ow_rule_duplicate(struct ow_pending *p)
{
    (void)p;
}

void ow_rule_prescribers(struct ow_pending *p)
{
    (void)p;
}

void ow_rule_quantity(struct ow_pending *p)
{
    (void)p;
}

void ow_rule_early_refill(struct ow_pending *p)
{
    (void)p;
}

void ow_rule_acute_duration(struct ow_pending *p)
{
    (void)p;
}
