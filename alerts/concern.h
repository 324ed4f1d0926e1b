/*
 * Concern: does the rest of a chart matter beside these orders?
 *
 * Who holds no opioid and no sedative costs the server no search more. Cheaper than a
 * judgement: drugs and standing only, no dose and no span.
 */
#pragma once

#include "alerts/evaluate.h"

/* Is there an opioid, what looks like one, or a sedative in force; or an opioid that
 * ended lately, whose end the rules of stopping look at? A chart of very many orders: yes
 * unlooked, since looking costs more than the searches it may save. */
bool ow_concern(const struct ow_chart *chart, const struct ow_question *q,
                struct ow_arena *arena);
