/*
 * Intake: stored events to verdicts, one job a patient
 *
 * The inbox in the store is the queue: at most `intake.jobs_max` patients are judged at
 * once, the rest wait on disk, so memory stays bounded whatever arrives. Events of one
 * patient are folded into one job; an event that comes while a job reads is answered by
 * the next round, so that no verdict rests on a state older than its events.
 */
#pragma once

#include "daemon/core.h"

struct ow_intake;

struct ow_intake_hooks {
    void (*verdict)(void *arg); /* deliveries may be due */
    /* Catch up, then ow_intake_hints_done. */
    void (*hint)(void *arg, int64_t event_id);
    void *arg;
    /* A verdict was recorded, for the log a person reads. May be NULL. */
    void (*told)(void *arg, const struct ow_verdict *v);
};

struct ow_intake *ow_intake_new(struct ow_core *core,
                                const struct ow_intake_hooks *hooks);
/* Events were stored: take them when there is room. */
void ow_intake_wake(struct ow_intake *in);
void ow_intake_hints_done(struct ow_intake *in, const int64_t *ids, size_t n);
/* No new work; what runs is cancelled. Callbacks of the store may still come: free later.
 */
void ow_intake_stop(struct ow_intake *in);
void ow_intake_free(struct ow_intake *in);
bool ow_intake_idle(const struct ow_intake *in);
