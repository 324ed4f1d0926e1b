/*
 * Routes: which request goes where
 *
 * The main listener: notifications and CDS Hooks. The operations listener: health and
 * metrics. Every refusal carries an OperationOutcome without patient data.
 */
#pragma once

#include "daemon/callers.h"
#include "daemon/core.h"
#include "daemon/hook_call.h"
#include "daemon/server.h"

struct ow_routes;

struct ow_routes_hooks {
    void (*stored)(void *arg); /* events were stored */
    bool (*ready)(void *arg, const char **why);
    void *arg;
    struct ow_callers *callers; /* NULL: CDS Hooks needs no token */
};

struct ow_routes *ow_routes_new(struct ow_core *core, struct ow_hook_calls *calls,
                                const struct ow_routes_hooks *hooks);
void ow_routes_free(struct ow_routes *r);

/* Handlers for ow_server_open, with the ow_routes as `arg`. */
void ow_routes_main(struct ow_exchange *x, const struct ow_request *req, void *arg);
void ow_routes_operations(struct ow_exchange *x, const struct ow_request *req, void *arg);
