/*
 * Callers: is this CDS Hooks call from a client we know?
 *
 * The order of the checks is that of fhir/jwt.h; behind them stands that no token is
 * taken twice, also across a restart: a good token goes to the store while the call is
 * worked on, and the answer waits for it. When the store cannot write, the answer is
 * given even so, since a card held back harms more; the token stays refused as long as
 * this process lives, and the log tells. Refusals are logged with their reason and
 * counted; of a token nothing is ever logged.
 */
#pragma once

#include "daemon/clients.h"
#include "daemon/core.h"
#include "fhir/jwt.h"

struct ow_callers;

/* Once, maybe inside ow_callers_check. NULL: refused, and told in log and metrics. */
typedef void ow_caller_fn(void *arg, const struct ow_hooks_client *client);
/* Once behind a good answer, later: the answer may go out. */
typedef void ow_caller_kept_fn(void *arg);

struct ow_callers_hooks {
    ow_caller_fn *checked;
    ow_caller_kept_fn *kept;
    void *arg;
};

struct ow_callers *ow_callers_new(struct ow_core *core);
/* Read what was used before and begin to fetch keys; `fn` when calls may come. */
void ow_callers_start(struct ow_callers *c, ow_store_fn *fn, void *arg);
void ow_callers_stop(struct ow_callers *c); /* who waits for keys is refused */
void ow_callers_free(struct ow_callers *c);

/* `authorization`: the header, or NULL. Texts need not outlive the call. */
void ow_callers_check(struct ow_callers *c, const char *authorization,
                      const char *const *audiences, size_t n,
                      const struct ow_callers_hooks *hooks);
