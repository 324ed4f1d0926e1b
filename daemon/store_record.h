/*
 * Store record: the last verdict about a patient, an alert or a card, read beside a
 * running daemon
 *
 * Opens the database for reading only; the daemon goes on meanwhile. Nothing is changed
 * and nothing is migrated: a file of another version is refused.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"

struct ow_stored {
    const char *patient, *source; /* source: name of the server, or hook:order-sign */
    ow_time at;
    const char *rule;    /* what an alert or card is about; NULL for a patient */
    const char *state;   /* of the alert: open, resolved; NULL */
    const char *outcome; /* of the card: accepted, overridden; NULL: no answer */
    const char *answer_code;
    const char *body; /* the verdict as evaluate prints it */
    size_t len;
};

/*
 * `what` is Patient/x, an alert's key (32 hexadecimal digits) or a card's uuid.
 * OW_MISSING: nothing is recorded of it; OW_INPUT: none of the three; OW_AGAIN: the
 * database cannot be read; OW_CONFIG: there is none, or it is of another version.
 */
OW_MUST_USE enum ow_code ow_store_record(const char *directory, const char *what,
                                         struct ow_arena *arena, struct ow_stored *ret,
                                         struct ow_err *err);
