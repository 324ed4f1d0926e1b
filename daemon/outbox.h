/*
 * Outbox: the deliveries that are due or waited for
 *
 * One dispatcher a sink. A delivery is written before it is sent and marked after the
 * answer; whatever dies in between is sent again, and cannot show twice: a create whose
 * outcome is unknown is looked up on the server first, and carries a condition besides.
 * Retries back off with jitter and keep Retry-After; failures in a row open a circuit
 * breaker, which lets one probe through after its pause; what a peer refuses for good, or
 * what grows too old, becomes a dead letter and the rest flows on.
 */
#pragma once

#include "daemon/core.h"

struct ow_outbox;

struct ow_outbox *ow_outbox_new(struct ow_core *core);
/* Something may be due. */
void ow_outbox_wake(struct ow_outbox *o);
void ow_outbox_stop(struct ow_outbox *o);
void ow_outbox_free(struct ow_outbox *o);
bool ow_outbox_idle(const struct ow_outbox *o);

#define OW_SINK_FHIR    "fhir"
#define OW_SINK_WEBHOOK "webhook"
