/*
 * Core: what the parts of the shell share, owned by app
 *
 * Everything here outlives every job, delivery and timer.
 */
#pragma once

#include "alerts/evaluate.h"
#include "daemon/config.h"
#include "daemon/kinds.h"
#include "daemon/store.h"
#include "daemon/world.h"

struct ow_core {
    struct ow_world *world;
    struct ow_store *store;
    const struct ow_config *config;
    const struct ow_knowledge *knowledge;
    struct ow_zone *zone;      /* NULL: UTC */
    const char *authorization; /* Authorization header for the FHIR server, or NULL */
    struct ow_kinds kinds;     /* what that server answers */
    const char *webhook_authorization;
    const char *public_url; /* of the main listener, no slash at the end */
    const char *endpoint;   /* our /notify/{channel} as the server reaches it */
    const char *channel;    /* its secret segment */
    ow_time started;
    bool stopping;
    uint64_t
        progress; /* goes up with each turn that got something done: the watchdog looks */
};
