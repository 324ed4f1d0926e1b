/*
 * Store: what the daemon asks of its durable memory
 *
 * Inbox, patient state, alerts and outbox live in one database, so that a state change
 * and the messages it causes are one transaction. No SQL leaves daemon/store*; another
 * backend implements the same calls.
 *
 * Every call below ow_store_open is asynchronous: it copies its arguments, returns at
 * once, and its callback runs later, in call order, from ow_store_poll's thread (the
 * loop), never inside the call. OW_OK means durable: committed and synced. Calls that
 * queue up while a commit runs share the next one (group commit). A call sees the effects
 * of all earlier ones.
 *
 * After a failed sync nothing is acknowledged until the database was closed, reopened and
 * checked: pages that failed to sync may look clean. Calls meanwhile end with OW_AGAIN.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"

struct ow_store;

struct ow_store_options {
    const char *directory; /* created with mode 0700 when missing */
    bool threaded;         /* own writer thread; false: work happens in ow_store_poll */
    size_t queue_max;      /* calls waiting; beyond it they end with OW_AGAIN. 0: 4096 */
    /* Called from any thread when callbacks wait for ow_store_poll. */
    void (*wake)(void *arg);
    void *wake_arg;
    const char *vfs; /* NULL; a test names the disk that it makes fail */
};

enum ow_open_result {
    OW_STORE_OPENED,
    OW_STORE_BUSY,   /* another daemon has this directory */
    OW_STORE_NEWER,  /* written by a newer opiward: exit 78 */
    OW_STORE_FAILED, /* cannot be created, opened or repaired */
};

/* Opens, locks, checks and migrates; takes as long as that takes. */
OW_MUST_USE enum ow_open_result ow_store_open(const struct ow_store_options *opt,
                                              struct ow_store **ret, struct ow_err *err);
/* Finish what is queued, run its callbacks, close. */
void ow_store_close(struct ow_store *s);
/* Run waiting callbacks (and, without a thread, the waiting work). */
void ow_store_poll(struct ow_store *s);
unsigned ow_store_schema(void); /* schema version this program writes */

typedef void ow_store_fn(void *arg, enum ow_code code, const struct ow_err *err);

/* --- small settings that must outlive a restart (subscription id, channel secret, keys)
 * --- */

/* `value` is NULL when there is none; valid during the callback. */
typedef void ow_store_value_fn(void *arg, enum ow_code code, const char *value,
                               const struct ow_err *err);
void ow_store_get(struct ow_store *s, const char *key, ow_store_value_fn *fn, void *arg);
void ow_store_put(struct ow_store *s, const char *key, const char *value, ow_store_fn *fn,
                  void *arg);

/* --- inbox --- */

enum ow_event_kind {
    OW_EVENT_CHANGED, /* created or updated: servers do not tell which */
    OW_EVENT_DELETED,
    OW_EVENT_HINT, /* something changed, nobody says what: catch up by searching */
};

enum ow_event_state {
    OW_EVENT_WAITING, /* stored, not judged */
    OW_EVENT_JUDGED,
    OW_EVENT_PARKED, /* met two crashes or data nobody can read: kept for a person */
};

struct ow_event {
    int64_t id;         /* given by the store, rising */
    const char *source; /* name of the FHIR server */
    enum ow_event_kind kind;
    const char *type, *rid; /* MedicationRequest, rx9; NULL for a hint */
    const char *version;    /* versionId; NULL: sha256 of the body stands in, "h:..." */
    const char *patient;    /* Patient/p1 when the event told, else NULL */
    const char *body;       /* as received, until judged; NULL when there was none */
    size_t body_len;
    ow_time received;
    unsigned attempts; /* judgements begun and not finished: counts crashes too */
};

/* `duplicate`: (source, type, rid, version) was stored before; `id` is then the old one.
 */
typedef void ow_store_receive_fn(void *arg, enum ow_code code, int64_t id, bool duplicate,
                                 const struct ow_err *err);
void ow_store_receive(struct ow_store *s, const struct ow_event *ev,
                      ow_store_receive_fn *fn, void *arg);

/* Waiting events in order of id, beyond `after`, at most `limit`. Valid during the call.
 */
typedef void ow_store_events_fn(void *arg, enum ow_code code,
                                const struct ow_event *events, size_t n,
                                const struct ow_err *err);
void ow_store_waiting(struct ow_store *s, int64_t after, size_t limit,
                      ow_store_events_fn *fn, void *arg);
/* Count one more attempt at these events (durable: an event that met two crashes is
 * parked). */
void ow_store_attempt(struct ow_store *s, const int64_t *ids, size_t n, ow_store_fn *fn,
                      void *arg);
void ow_store_park(struct ow_store *s, const int64_t *ids, size_t n, const char *reason,
                   ow_time at, ow_store_fn *fn, void *arg);

/* --- what is known of a patient --- */

enum ow_alert_state {
    OW_ALERT_OPEN,
    OW_ALERT_RESOLVED, /* its cause is gone */
};

struct ow_alert {
    const char *key; /* hex, deterministic: site, patient, rule, cause, episode */
    const char *rule, *cause;
    int64_t episode;  /* 1, 2, ...: a cause that comes back opens the next one */
    int tier;         /* enum ow_tier */
    int64_t revision; /* 0 at opening, up by one with each change that is sent */
    enum ow_alert_state state;
    ow_time opened, changed;
    const char *reason; /* of the finding, as last sent */
};

struct ow_patient_state {
    const char *patient;
    const struct ow_alert
        *alerts; /* open ones, and the last episode of each resolved one */
    size_t n_alerts;
    const char *med_text; /* "120" MME/d of the last verdict; NULL */
    ow_time judged;       /* 0: never */
};

typedef void ow_store_patient_fn(void *arg, enum ow_code code,
                                 const struct ow_patient_state *state,
                                 const struct ow_err *err);
void ow_store_patient(struct ow_store *s, const char *patient, ow_store_patient_fn *fn,
                      void *arg);
/* Which patient had this order at the last verdict? `value` is Patient/x or NULL. */
void ow_store_order_patient(struct ow_store *s, const char *source, const char *reference,
                            ow_store_value_fn *fn, void *arg);

/* --- verdict: one transaction --- */

struct ow_message {        /* a delivery that is intended */
    const char *sink;      /* fhir, webhook */
    const char *subject;   /* deliveries of one subject leave in order: the alert key */
    const char *alert_key; /* NULL for a message about no single alert */
    int priority;          /* enum ow_tier: higher leaves first */
    const char *body;      /* what is sent, exact bytes */
    size_t body_len;
    const char
        *identity; /* Idempotency-Key, and what is searched after an unknown outcome */
};

struct ow_record_of_verdict {
    const int64_t *events; /* the events this verdict answers; they become judged */
    size_t n_events;
    const char *source;
    const char
        *patient; /* NULL: the events concern nobody; they become judged, no more */
    const char *const *orders; /* Type/id of every order in the chart */
    size_t n_orders;
    const char *verdict_json; /* the whole verdict, kept as audit record */
    size_t verdict_len;
    const char *med_text; /* NULL: nothing counted */
    ow_time at;
    const struct ow_alert *alerts; /* opened or changed: replace by key */
    size_t n_alerts;
    const struct ow_message *messages;
    size_t n_messages;
};

/* An order that another patient had at its last verdict leaves an event behind that asks
 * to judge that patient again: look at the inbox after a verdict. */
void ow_store_verdict(struct ow_store *s, const struct ow_record_of_verdict *rec,
                      ow_store_fn *fn, void *arg);

/* --- outbox --- */

enum ow_delivery_state {
    OW_DELIVERY_DUE,  /* waits for its time */
    OW_DELIVERY_SENT, /* done */
    OW_DELIVERY_DEAD, /* given up or refused: dead letter */
};

struct ow_delivery {
    int64_t id;
    struct ow_message message;
    enum ow_delivery_state state;
    unsigned attempts;
    ow_time created, due; /* wall clock */
    bool unknown;         /* an earlier try may have reached the peer */
    const char *last_error;
};

/*
 * Deliveries of a sink that are due at `now`, highest priority first, then oldest; only
 * the oldest of each subject; at most `limit`; those with ids in `not` are left out (in
 * flight).
 */
typedef void ow_store_deliveries_fn(void *arg, enum ow_code code,
                                    const struct ow_delivery *d, size_t n,
                                    ow_time next_due, const struct ow_err *err);
void ow_store_due(struct ow_store *s, const char *sink, ow_time now, size_t limit,
                  const int64_t * not, size_t n_not, ow_store_deliveries_fn *fn,
                  void *arg);

/* Outcome of a try. `due` is the next time for OW_DELIVERY_DUE. Text without patient
 * data. */
void ow_store_delivery(struct ow_store *s, int64_t id, enum ow_delivery_state state,
                       ow_time due, bool unknown, const char *error, ow_time at,
                       ow_store_fn *fn, void *arg);
/* After a start: every due delivery may have been sent by the process that died. */
void ow_store_distrust(struct ow_store *s, ow_store_fn *fn, void *arg);
/* List deliveries of a state, oldest first; for dead letters and the outbox command. */
void ow_store_list(struct ow_store *s, enum ow_delivery_state state, int64_t after,
                   size_t limit, ow_store_deliveries_fn *fn, void *arg);
/* A dead letter back to due, at `due`. OW_MISSING when there is none of that id. */
void ow_store_retry(struct ow_store *s, int64_t id, ow_time due, ow_store_fn *fn,
                    void *arg);

/* --- CDS Hooks feedback --- */

struct ow_feedback {
    const char *card, *outcome; /* uuid; accepted or overridden */
    const char *reason_code, *reason_system;
    const char *suggestions; /* accepted ones, joined by spaces */
    ow_time at, received;
};

struct ow_feedback_joined { /* one of them, and the card it answers */
    bool fresh;             /* not a repeat */
    const char *patient;    /* NULL: no card of ours that anybody was told */
    const char *rule;       /* that the card is about */
};
typedef void ow_store_feedback_fn(void *arg, enum ow_code code,
                                  const struct ow_feedback_joined *joined, size_t n,
                                  const struct ow_err *err);
/* The same (card, outcome, at) twice is one. One without a card is not kept. */
void ow_store_feedback(struct ow_store *s, const struct ow_feedback *f, size_t n,
                       ow_store_feedback_fn *fn, void *arg);

/* --- what was told, to whom, and what they answered --- */

enum {
    OW_TOLD_MOST = 200,     /* rows kept of one patient */
    OW_TOLD_DAYS = 2 * 366, /* longer than the longest snooze */
};

struct ow_telling_line { /* one finding on a card */
    const char *rule, *cause, *card;
    int tier;
    bool lead; /* the card is about it: answers to the card are answers to it */
};

struct ow_telling {     /* an answer with cards */
    const char *source; /* of its record: hook:order-sign */
    const char *patient;
    ow_time at;
    int hook; /* enum ow_hook */
    const char *prescriber, *encounter, *instance;
    const char *prescribers, *classes;
    const char *med;      /* MME/d, exact: "241/2"; NULL */
    const char *med_text; /* for people */
    const char *verdict_json;
    size_t verdict_len;
    const struct ow_telling_line *lines;
    size_t n_lines;
};
void ow_store_tell(struct ow_store *s, const struct ow_telling *t, ow_store_fn *fn,
                   void *arg);

struct ow_told_row {
    const char *rule, *cause, *card;
    int tier, hook;
    ow_time at;
    const char *med, *prescriber, *encounter, *instance, *prescribers, *classes;
    const char *outcome, *reason_code; /* of the latest answer since; NULL: none */
    ow_time answered;
};
/* Of one patient, latest first. */
typedef void ow_store_told_fn(void *arg, enum ow_code code,
                              const struct ow_told_row *rows, size_t n,
                              const struct ow_err *err);
void ow_store_told(struct ow_store *s, const char *patient, ow_store_told_fn *fn,
                   void *arg);

/* Patients that have rows, in order, those after `after` (""); at most
 * OW_TOLD_PATIENTS_PAGE of them, so fewer are the last. */
enum { OW_TOLD_PATIENTS_PAGE = 2048 };
typedef void ow_store_told_patients_fn(void *arg, enum ow_code code,
                                       const char *const *patients, size_t n,
                                       const struct ow_err *err);
void ow_store_told_patients(struct ow_store *s, const char *after,
                            ow_store_told_patients_fn *fn, void *arg);

/* --- tokens that were used --- */

enum { OW_TOKEN_BYTES = 16 };

struct ow_token {
    uint8_t digest[OW_TOKEN_BYTES]; /* of issuer and jti */
    const char *issuer;
    ow_time until; /* refused up to then, and of no interest afterwards */
};
/* Durable when `fn` is called with OW_OK. Drops some that are of no interest at `now`. */
void ow_store_token(struct ow_store *s, const struct ow_token *t, ow_time now,
                    ow_store_fn *fn, void *arg);

typedef void ow_store_tokens_fn(void *arg, enum ow_code code, const struct ow_token *t,
                                size_t n, const struct ow_err *err);
/* All that are of interest at `now`. */
void ow_store_tokens(struct ow_store *s, ow_time now, ow_store_tokens_fn *fn, void *arg);

/* --- figures --- */

struct ow_store_counts {
    int64_t waiting, parked, judged, due, dead, sent, open_alerts, patients, feedback;
    ow_time oldest_due;        /* creation of the oldest due delivery; 0: none */
    uint64_t commits, batched; /* since start */
    int64_t last_sync_us;
};
typedef void ow_store_counts_fn(void *arg, enum ow_code code,
                                const struct ow_store_counts *c,
                                const struct ow_err *err);
void ow_store_count(struct ow_store *s, ow_store_counts_fn *fn, void *arg);
