/*
 * Errors: a code named for what the caller does next, and one sentence
 *
 * The sentence gains a prefix on the way up ("order mr-7: ..."), never holds
 * patient data, and is logged once, in daemon/. `err` may be NULL wherever it is
 * a parameter.
 */
#pragma once

#include "base/base.h"

enum ow_code {
    OW_OK = 0,
    OW_AGAIN,    /* peer or disk failed: keep the job, try later */
    OW_DENIED,   /* credentials refused: refresh once, then as OW_AGAIN */
    OW_INPUT,    /* their data breaks the format or a ceiling: park it, tell ops */
    OW_CONFIG,   /* our own files are wrong: refuse to start, or keep the old */
    OW_MISSING,  /* what was asked for is not there, and that is an answer */
    OW_CANCELED, /* we are closing: unwind without a word */
};

enum { OW_ERR_SIZE = 320 };

struct ow_err {
    char text[OW_ERR_SIZE]; /* one sentence, no newline, cut on a UTF-8 boundary */
};

/* Write the sentence and return `code`, so that `return ow_err_set(...)` reads well. */
enum ow_code ow_err_set(struct ow_err *err, enum ow_code code, const char *fmt, ...)
    OW_PRINTF(3, 4);

/* Put "prefix: " in front of the sentence and return `code`. */
enum ow_code ow_err_prefix(struct ow_err *err, enum ow_code code, const char *fmt, ...)
    OW_PRINTF(3, 4);

const char *ow_code_name(enum ow_code code);
