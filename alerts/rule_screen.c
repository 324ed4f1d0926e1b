#include "alerts/rule.h"

void ow_rule_uds_due(struct ow_pending *p)
{
    (void)p;
}

void ow_rule_uds_unexpected(struct ow_pending *p)
{
    (void)p;
}
