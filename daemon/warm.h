/*
 * Warm: what a search brought while an order was chosen, for the moment it is signed
 *
 * patient-view and order-select ask the FHIR server for what their prefetch lacks;
 * order-sign follows within seconds and lacks the same. Their answers are kept for
 * `hooks.warm`, under who asked (user and token) and what, so nobody is ever shown what
 * another was allowed to read. Signing changes the chart: it uses them once, and all of
 * the patient's are dropped. Bounded in number and bytes, the oldest go first.
 */
#pragma once

#include "daemon/core.h"

struct ow_warm;

enum { OW_WARM_MOST = 2560 }; /* answers: about ten a chart */
#define OW_WARM_BYTES ((size_t)16 << 20)

struct ow_warm *ow_warm_new(struct ow_core *core);
void ow_warm_free(struct ow_warm *w);

/* The answer's body, or NULL; valid until the next call. `user` and `authorization` may
 * be NULL. */
const char *ow_warm_find(struct ow_warm *w, const char *user, const char *authorization,
                         const char *url, size_t *len);
void ow_warm_keep(struct ow_warm *w, const char *patient, const char *user,
                  const char *authorization, const char *url, const char *body,
                  size_t len);
void ow_warm_drop(struct ow_warm *w, const char *patient);
