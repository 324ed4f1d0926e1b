#include "alerts/rule.h"

void ow_rule_oud_conflict(struct ow_pending *p)
{
    (void)p;
}

void ow_rule_oud(struct ow_pending *p)
{
    (void)p;
}

void ow_rule_pregnancy(struct ow_pending *p)
{
    (void)p;
}

void ow_rule_ppact(struct ow_pending *p)
{
    (void)p;
}

void ow_rule_paediatric(struct ow_pending *p)
{
    (void)p;
}
