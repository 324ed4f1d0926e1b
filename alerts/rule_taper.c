#include "alerts/rule.h"

void ow_rule_abrupt_stop(struct ow_pending *p)
{
    (void)p;
}

void ow_rule_fast_taper(struct ow_pending *p)
{
    (void)p;
}
