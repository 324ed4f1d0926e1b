/*
 * Metrics: figures about the process, declared in metrics.def
 *
 * Counted on the loop's thread only. No patient, prescriber or encounter, ever.
 */
#pragma once

#include "base/buf.h"
#include "fhir/jws.h"

enum ow_metric {
#define METRIC(name, kind, help) OW_M_##name,
#include "daemon/metrics.def"
#undef METRIC
    OW_METRIC_N,
};

void ow_metric_add(enum ow_metric m, int64_t n);
void ow_metric_set(enum ow_metric m, int64_t v);
int64_t ow_metric_get(enum ow_metric m);
/* One answer to a card, by the rule the card was about (NULL: unknown), what was answered
 * and the coded reason (NULL: none). Codes come from outside: what is no plain word, and
 * what is beyond 500 combinations, counts as other. */
void ow_metric_answer(const char *rule, const char *outcome, const char *reason);
/* One CDS Hooks call that was refused for its token. */
void ow_metric_denied(enum ow_jwt_fault fault);
/* Prometheus text exposition, prefix opiward_. */
void ow_metrics_print(struct ow_buf *out);
