/*
 * Write-back: an alert as FHIR, and what the server's reply means
 *
 * DetectedIssue and Task in one transaction. Identifiers are deterministic, so that a
 * repeat is harmless: the first revision is a conditional create (ifNoneExist); a later
 * one is written as an update by identifier and, before it is sent, aimed at the id
 * that a look-up found. The same alert and revision give the same bytes.
 */
#pragma once

#include "alerts/verdict.h"
#include "base/arena.h"
#include "base/buf.h"
#include "fhir/wire.h"

struct ow_writeback {
    const char *identifier_system; /* site setting, a URI */
    const char *key;               /* of the alert, hex */
    int64_t revision;
    bool resolved;
    const char *patient;
    const char *rule;
    enum ow_tier tier;
    const char *summary, *detail; /* of the card, or of the finding */
    const char *const *implicated;
    size_t n_implicated;
    ow_time identified;
    const char *owner; /* reference for Task.owner, or NULL */
    const struct ow_coding *topic;
    const char *policy, *policy_version, *knowledge_sha256;
};

/* Key of an alert: hex of the first 16 bytes of SHA-256 over the parts. */
void ow_alert_key(const char *site, const char *patient, const char *rule,
                  const char *cause, int64_t episode, char ret[33]);
/* UUID version 5 in our own namespace; lower case, bare. */
void ow_uuid_of(const char *name, char ret[37]);
/* SHA-256 as hex. */
void ow_sha256_hex(const void *data, size_t n, char ret[65]);

void ow_writeback_bundle(const struct ow_writeback *w, struct ow_buf *out);

enum ow_reply {
    OW_REPLY_DONE,
    OW_REPLY_RETRY,   /* 429, 5xx, 408, 409, 412 on an update: later */
    OW_REPLY_DENIED,  /* 401, 403 */
    OW_REPLY_REFUSED, /* 400, 404, 410, 422, ...: dead letter */
};

/* What a reply to a transaction means; `text` gets a sentence without patient data. */
enum ow_reply ow_writeback_reply(struct ow_arena *a, const struct ow_response *resp,
                                 const char **text);
/* Search that tells, after an unknown outcome, whether the alert is already there. */
void ow_writeback_probe(struct ow_arena *a, const char *base_url,
                        const char *identifier_system, const char *key,
                        const char *authorization, struct ow_request *ret);

/*
 * Two updates by identifier at once may both create (seen on a real server), and after an
 * unknown outcome the earlier one may still be at work. So a later revision first looks
 * up what it is about, and then names it: an update of DetectedIssue/17 never creates a
 * second one. It names the version as well (ifMatch): a try that was given up and still
 * arrives, after a later revision, is refused by the server instead of undoing it.
 */
struct ow_writeback_found {
    const char *issue, *task; /* ids; NULL: not there, or the server does not tell */
    /* versionId of them; NULL: the server does not tell */
    const char *issue_version, *task_version;
    unsigned n_issues;   /* more than one: somebody made a twin */
    bool task_untouched; /* the Task still waits for somebody to take it up */
};

/* The same search, and with the DetectedIssue the Task about it. */
void ow_writeback_lookup(struct ow_arena *a, const char *base_url,
                         const char *identifier_system, const char *key,
                         const char *authorization, struct ow_request *ret);
/* What such a search found; only what carries our identifier counts, since a server may
 * answer with more than was asked for. Of twins the one with the lowest number is meant.
 * Errors as ow_search_feed. */
OW_MUST_USE enum ow_code
ow_writeback_lookup_answer(struct ow_arena *a, const struct ow_response *resp,
                           const char *identifier_system, const char *key,
                           struct ow_writeback_found *ret, struct ow_err *err);
/* A Bundle of ow_writeback_bundle, its updates by identifier turned into updates of what
 * was found. The Task is cancelled only where it is known to be untouched: what a person
 * has accepted or completed is theirs, and the entry is left out. */
void ow_writeback_aim(const char *body, size_t len,
                      const struct ow_writeback_found *found, struct ow_buf *out);
