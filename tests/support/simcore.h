/*
 * Simulated core: the daemon without its process, in a simulated world
 *
 * The real intake, jobs, outbox, feed, routes and store, put together and started in the
 * order of the real app, on the simulated clock and network. The store is the real SQLite
 * one, worked inline, on the fault disk: a few milliseconds of virtual time after each
 * call its turn comes.
 *
 * A crash is a loss of power. In one instant the disk stops (what was not synced is taken
 * back afterwards, so only commits that reached the disk survive), the network lets
 * nothing of the daemon out any more, and notifications in flight lose their answer. Then
 * the dead objects are freed through the ordinary way of stopping, which may write and
 * send what it likes, for nothing of it arrives. The start that follows sees the files.
 */
#pragma once

#include "daemon/feed.h"
#include "daemon/intake.h"
#include "daemon/outbox.h"
#include "daemon/routes.h"
#include "tests/support/simehr.h"

#define SIM_BASE    "http://ehr.example.org/fhir"
#define SIM_HOOK    "http://desk.example.org/cards"
#define SIM_MORNING ((ow_time)1772438400000) /* 2026-03-02T08:00:00Z */

struct simcore {
    struct simworld *w;
    struct simehr *ehr;
    const struct ow_config *defaults;
    struct ow_config config; /* change it before simcore_start */
    struct ow_knowledge *knowledge;
    char directory[64];
    size_t queue_max; /* of the store; 0: its default */

    bool up;        /* listening */
    bool running;   /* the objects below exist */
    bool store_due; /* its turn is on the queue */
    bool crashed;   /* in this turn */
    struct ow_core core;
    struct ow_intake *intake;
    struct ow_outbox *outbox;
    struct ow_feed *feed;
    struct ow_hook_calls *calls;
    struct ow_routes *routes;
    struct ow_exchange *exchanges;

    unsigned starts;
    uint64_t n_verdicts;
    int64_t jobs_most;             /* patients judged at once, at most */
    size_t webhook_posts;          /* arrived */
    struct ow_store_counts counts; /* of the last simcore_count */
};

struct simcore *simcore_new(uint64_t seed);
void simcore_free(struct simcore *s);

void simcore_start(struct simcore *s);
void simcore_stop(struct simcore *s);
/* At once, from anywhere. The next turn of simcore_run starts it again after `down_ms`.
 */
void simcore_crash(struct simcore *s);
/* ... after so many more calls of the core into the world. */
void simcore_crash_at_op(struct simcore *s, int64_t ops);
/* ... in the middle of the disk's work, after so many more calls to it. */
void simcore_crash_at_disk(struct simcore *s, unsigned calls);
/* No crash that has been asked for and has not come will come any more. */
void simcore_no_crash(struct simcore *s);

/* The program that uses this defines ow_exchange_reply and calls this from it: there is
 * no server here, and in this library the symbol would stand in the way of the real one.
 */
void simcore_reply(struct ow_exchange *x, const struct ow_response *resp);

void simcore_run(struct simcore *s, int64_t ms);
/* Until nothing waits in inbox, outbox and network; false after `ms`. */
bool simcore_settle(struct simcore *s, int64_t ms);
const struct ow_store_counts *simcore_count(struct simcore *s);

/*
 * The independent judgement: for every patient the chart as the EHR has it is judged
 * afresh, and must be what the witness sees: each finding open as exactly one issue of
 * its tier, nothing else open. A difference is printed; the number of them is returned.
 */
size_t simcore_differences(struct simcore *s);
