/*
 * Cases: what a rule pack is expected to find, beside it
 *
 * NAME.cases/cases.tsv beside NAME.tsv, with the columns chart, at, hook, subject,
 * expected, note. `chart` is a file of FHIR or CDS Hooks data, relative to the table;
 * `subject` a rule, or med.now or med.peak; `expected` none, info, warning, critical,
 * shadow, excluded, or an amount in MME/d. A rule that finds several things counts by its
 * strongest.
 */
#pragma once

#include "alerts/knowledge.h"
#include "daemon/packs.h"

/* Run the cases of one pack that is loaded, by the pack alone and in UTC. What disagrees
 * is reported with the place of its line. A pack without cases has none. Gives how many
 * were run. */
size_t ow_cases_run(const struct ow_pack_chain *chain, const struct ow_knowledge *kb,
                    ow_config_report_fn *report, void *arg);
