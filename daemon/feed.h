/*
 * Feed: our Subscription on the FHIR server, watched and healed
 *
 * Finds or creates it, waits until it is active, looks at it again and again, revives it.
 * Servers forget notifications, so changes are also searched for: at start, on a hint,
 * after every revival and on a schedule, from a watermark on the server's clock with an
 * overlap. What a search finds goes through the same inbox as a notification and is a
 * duplicate there when the notification came.
 */
#pragma once

#include "daemon/core.h"

struct ow_feed;

struct ow_feed_hooks {
    void (*stored)(void *arg);                                   /* events were stored */
    void (*hints_done)(void *arg, const int64_t *ids, size_t n); /* were answered */
    void *arg;
};

struct ow_feed *ow_feed_new(struct ow_core *core, const struct ow_feed_hooks *hooks);
/* Begin: the listener must be there already. */
void ow_feed_start(struct ow_feed *f);
/* Search for changes now; `event_id` 0, or the hint that asked. */
void ow_feed_catch_up(struct ow_feed *f, int64_t event_id);
void ow_feed_stop(struct ow_feed *f);
void ow_feed_free(struct ow_feed *f);
bool ow_feed_idle(const struct ow_feed *f);
/* For `status`: a sentence. */
const char *ow_feed_state(const struct ow_feed *f);
