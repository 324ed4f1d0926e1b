#include "alerts/rule.h"

void ow_rule_naloxone(struct ow_pending *p)
{
    (void)p;
}

void ow_rule_nonopioid(struct ow_pending *p)
{
    (void)p;
}

void ow_rule_goals(struct ow_pending *p)
{
    (void)p;
}

void ow_rule_risk(struct ow_pending *p)
{
    (void)p;
}

void ow_rule_reassess(struct ow_pending *p)
{
    (void)p;
}

void ow_rule_pdmp(struct ow_pending *p)
{
    (void)p;
}

void ow_rule_agreement(struct ow_pending *p)
{
    (void)p;
}
