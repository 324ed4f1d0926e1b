/*
 * Store kit: a store in a directory of its own, and calls that wait for their answer
 *
 * Each kit call makes one call of store.h, polls until its callback came, and returns the
 * code. Results are copied into the kit's arena and live until storekit_done.
 */
#pragma once

#include "base/arena.h"
#include "daemon/store.h"

struct storekit {
    char directory[256];
    bool threaded;
    const char *vfs;
    struct ow_store *store; /* NULL while closed */
    struct ow_arena arena;

    /* What the last call gave. */
    bool called;
    enum ow_code code;
    struct ow_err err;
    int64_t id;
    bool duplicate;
    const char *value;
    struct ow_event *events;
    struct ow_delivery *deliveries;
    struct ow_patient_state patient;
    struct ow_store_counts counts;
    const struct ow_feedback_joined *joined;
    const struct ow_told_row *told;
    size_t n;
    ow_time next_due;
};

void storekit_init(struct storekit *k, bool threaded); /* makes the directory */
void storekit_done(struct storekit *k);                /* closes, removes it */
enum ow_open_result storekit_open(struct storekit *k);
void storekit_close(struct storekit *k);
void storekit_reopen(struct storekit *k); /* must succeed */
void storekit_wait(struct storekit *k);   /* until the call made last was answered */
char *storekit_path(struct storekit *k, const char *name);
void storekit_remove(const char *directory);

/* MedicationRequest/`rid`; version and body may be NULL. */
struct ow_event storekit_event(enum ow_event_kind kind, const char *rid,
                               const char *version, const char *body);
struct ow_message storekit_message(const char *sink, const char *subject, int priority,
                                   const char *identity, const char *body);

enum ow_code storekit_get(struct storekit *k, const char *key);
enum ow_code storekit_put(struct storekit *k, const char *key, const char *value);
enum ow_code storekit_receive(struct storekit *k, const struct ow_event *ev);
enum ow_code storekit_waiting(struct storekit *k, int64_t after, size_t limit);
enum ow_code storekit_attempt(struct storekit *k, const int64_t *ids, size_t n);
enum ow_code storekit_park(struct storekit *k, const int64_t *ids, size_t n);
enum ow_code storekit_patient(struct storekit *k, const char *patient);
enum ow_code storekit_order(struct storekit *k, const char *source,
                            const char *reference);
enum ow_code storekit_verdict(struct storekit *k, const struct ow_record_of_verdict *rec);
enum ow_code storekit_due(struct storekit *k, const char *sink, ow_time now, size_t limit,
                          const int64_t *in_flight, size_t n);
enum ow_code storekit_list(struct storekit *k, enum ow_delivery_state state);
enum ow_code storekit_outcome(struct storekit *k, int64_t id,
                              enum ow_delivery_state state, ow_time due,
                              const char *error);
enum ow_code storekit_distrust(struct storekit *k);
enum ow_code storekit_retry(struct storekit *k, int64_t id, ow_time due);
enum ow_code storekit_feedback(struct storekit *k, const struct ow_feedback *f, size_t n);
enum ow_code storekit_tell(struct storekit *k, const struct ow_telling *t);
enum ow_code storekit_told(struct storekit *k, const char *patient);
enum ow_code storekit_count(struct storekit *k);
