/*
 * Subscription: R4 criteria-based rest-hook, its life and its notifications
 */
#pragma once

#include "base/time.h"
#include "fhir/json.h"
#include "fhir/wire.h"

struct ow_subscription_options {
    const char *base_url;      /* of the FHIR server */
    const char *endpoint;      /* our /notify/{channel}, as the server reaches it */
    const char *criteria;      /* "MedicationRequest?" */
    const char *authorization; /* for our calls; or NULL */
    const char *header;        /* channel.header to be sent to us, or NULL */
};

enum ow_subscription_status {
    OW_SUBSCRIPTION_NONE,
    OW_SUBSCRIPTION_REQUESTED,
    OW_SUBSCRIPTION_ACTIVE,
    OW_SUBSCRIPTION_ERROR,
    OW_SUBSCRIPTION_OFF,
};

struct ow_subscription {
    enum ow_subscription_status status;
    const char *id, *version;
    const char *error; /* the server's own text */
};

/* Requests, built in `arena`. Find by url and criteria; create; read; revive; delete. */
void ow_subscription_find(struct ow_arena *a, const struct ow_subscription_options *o,
                          struct ow_request *ret);
void ow_subscription_create(struct ow_arena *a, const struct ow_subscription_options *o,
                            struct ow_request *ret);
void ow_subscription_read(struct ow_arena *a, const struct ow_subscription_options *o,
                          const char *id, struct ow_request *ret);
void ow_subscription_revive(struct ow_arena *a, const struct ow_subscription_options *o,
                            const struct ow_subscription *s, struct ow_request *ret);
void ow_subscription_delete(struct ow_arena *a, const struct ow_subscription_options *o,
                            const char *id, struct ow_request *ret);

/* The answer to find (the one of ours, if any: same endpoint and criteria), create, read.
 */
OW_MUST_USE enum ow_code ow_subscription_answer(struct ow_arena *a,
                                                const struct ow_subscription_options *o,
                                                const struct ow_response *resp,
                                                struct ow_subscription *ret,
                                                struct ow_err *err);

/* One thing a notification says. A hint names nothing. */
struct ow_notice {
    bool deleted, hint, ignored; /* ignored: a resource type that is not ours */
    const char *type, *id, *version;
    const char *patient; /* Patient/x when the body told */
};

struct ow_notification {
    const struct ow_notice *notices;
    size_t n;
    bool bundle; /* the body was a Bundle, and wants one as answer */
};

/*
 * Read a delivery: PUT {..}/Type/id with a resource, POST empty, POST resource, POST
 * Bundle (transaction, history, collection), DELETE {..}/Type/id, POST {} with a delete
 * header. `rest` is the path behind the channel, "" or "/Type/id". OW_INPUT: 400, with
 * the reason; path id and body id that differ are such a case.
 */
OW_MUST_USE enum ow_code
ow_notification_read(struct ow_arena *a, const struct ow_request *req, const char *rest,
                     struct ow_notification *ret, struct ow_err *err);

/* Body for the answer to a Bundle: some servers take anything but FHIR as a failure. */
extern const char ow_notification_reply[];

/* Catch-up: orders changed since `since`, oldest first, paged. */
void ow_catchup_request(struct ow_arena *a, const struct ow_subscription_options *o,
                        ow_time since, unsigned page_size, struct ow_request *ret);
/* A page of it: notices, the newest lastUpdated seen, and the next link (same origin) or
 * NULL. */
OW_MUST_USE enum ow_code
ow_catchup_answer(struct ow_arena *a, const struct ow_subscription_options *o,
                  const struct ow_response *resp, const struct ow_notice **ret, size_t *n,
                  ow_time *newest, const char **next, struct ow_err *err);
