#include "alerts/rule.h"

void ow_rule_er_la_naive(struct ow_pending *p)
{
    (void)p;
}

void ow_rule_acetaminophen(struct ow_pending *p)
{
    (void)p;
}

void ow_rule_preferred(struct ow_pending *p)
{
    (void)p;
}
