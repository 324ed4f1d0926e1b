/*
 * Simulated EHR: a FHIR R4 server as a model in memory
 *
 * Patients and MedicationRequests with versions and lastUpdated on the server's own
 * clock, searches by patient and by _lastUpdated with _include, sort and paging over a
 * snapshot, Subscriptions, transactions with ifNoneExist and conditional update, 404 and
 * 410. It writes its own JSON and reads with cJSON: nothing of the program under test.
 *
 * It is also the witness: every DetectedIssue and Task is kept, and duplicates are
 * counted, by identifier, as a person at the server would see them.
 *
 * Notifications go out after each change while a Subscription is active, with faults:
 * dropped, doubled, delayed past later ones; what is not answered 200 is sent again after
 * a minute.
 */
#pragma once

#include "tests/support/simworld.h"

enum sim_form {
    SIM_FORM_PUT,   /* PUT {endpoint}/Type/id with the resource */
    SIM_FORM_POST,  /* POST {endpoint} with the resource */
    SIM_FORM_ID,    /* PUT {endpoint}/Type/id without a body */
    SIM_FORM_EMPTY, /* POST {endpoint} without a body */
};

struct sim_order {
    const char *id, *patient;  /* bare ids */
    const char *rxcui, *drug;  /* RxNorm code and name */
    unsigned tablets, per_day; /* a dose, doses a day */
    bool active;               /* else stopped */
    bool unreadable;           /* a text nobody can compute, no structured dose */
    bool by_reference;         /* medicationReference instead of a CodeableConcept */
    ow_time authored;
};

struct sim_issue { /* a DetectedIssue as it stands */
    char system[120], key[64], patient[40], rule[40], severity[12];
    bool open;
    unsigned versions;
};

struct sim_delivery;
/* Hand a notification to the daemon; false: connection refused. The answer comes by
 * simehr_answered, at once or later. */
typedef bool sim_deliver_fn(void *arg, const struct ow_request *req,
                            struct sim_delivery *d);

struct simehr;

struct simehr_options {
    const char *base_url;
    int64_t skew_ms;         /* its clock against ours */
    bool ignores_conditions; /* creates whatever ifNoneExist says */
    enum sim_form form;
    size_t page_most;           /* entries of a page, whatever _count says */
    unsigned drop, twice, late; /* per mille of notifications; deletions never drop */
    int64_t retry_ms;           /* of notifications not answered 200; default 60 s */
    sim_deliver_fn *deliver;
    void *deliver_arg;
};

struct simehr *simehr_new(struct simworld *w, const struct simehr_options *opt);
void simehr_free(struct simehr *e);
struct simehr_options *simehr_settings(struct simehr *e);

void simehr_patient(struct simehr *e, const char *id, const char *birth);
void simehr_order(struct simehr *e, const struct sim_order *o); /* create or update */
void simehr_delete(struct simehr *e, const char *id);
void simehr_answered(struct simehr *e, struct sim_delivery *d, int status);

/* Its side of the network. */
void simehr_serve(struct simehr *e, const struct ow_request *req,
                  struct sim_response *ret);
/* Refuse transactions that mention `text` with `status`; NULL: none. */
void simehr_refuse(struct simehr *e, const char *text, int status);
void simehr_subscription_status(struct simehr *e, const char *status);
void simehr_subscription_remove(struct simehr *e);
size_t simehr_n_subscriptions(const struct simehr *e);

/* The witness. */
size_t simehr_n_patients(const struct simehr *e);
const char *simehr_patient_id(const struct simehr *e, size_t i);
/* All of a patient's chart as a Bundle, for an independent judgement. */
void simehr_chart(struct simehr *e, size_t patient, struct ow_buf *out);
size_t simehr_n_issues(const struct simehr *e);
const struct sim_issue *simehr_issue(const struct simehr *e, size_t i);
size_t simehr_duplicates(const struct simehr *e);   /* of DetectedIssues and Tasks */
size_t simehr_bad_requests(const struct simehr *e); /* that the model does not know */
size_t simehr_open_deliveries(const struct simehr *e);
