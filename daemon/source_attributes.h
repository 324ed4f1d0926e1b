/*
 * Source attributes: what stands behind each rule, for machines
 *
 * One JSON object a rule, in the order of the table of rules: the attributes of an
 * evidence-based decision support intervention. [45 CFR 170.315(b)(11)(iv)(A)] Out of the
 * table of rules, the packs in force and the list of sources; what nobody declared is
 * null.
 */
#pragma once

#include "alerts/pack.h"

void ow_source_attributes(const struct ow_policy *p, const struct ow_pack_chain *chain,
                          struct ow_buf *out);
