/*
 * Words: every sentence of the judgement, in one table
 *
 * The texts stand in words.def. A text is a template: {1} to {9} are replaced by the
 * arguments, which are strings; a missing argument is "". What comes out lives in the
 * arena.
 *
 * A site may say them in its own language or its own way (alerts/texts). Its texts belong
 * to an evaluation and travel with its arena, in `arena->texts`: every sentence is made
 * with an arena at hand, and so no judgement can mix two languages. What they lack is
 * said in English.
 */
#pragma once

#include "base/arena.h"
#include "base/ratio.h"
#include "base/time.h"

enum ow_word {
#define PART(where)
#define WORD(name, ...) OW_WORD_##name,
#include "alerts/words.def"
#undef WORD
#undef PART
    OW_WORD_N,
};

/* Texts in place of the English ones, kept by whoever attached them. */
struct ow_words {
    const char *name;            /* "es" */
    const char *text[OW_WORD_N]; /* NULL: the English one */
};

/* The text in force, as a template. */
const char *ow_word(const struct ow_arena *arena, enum ow_word w);
const char *ow_word_english(enum ow_word w);

/* ow_say(arena, OW_WORD_REACHES, "120", "90") is "120 MME/d reaches 90". */
#define ow_say(arena, word, ...)                                                         \
    ow_say_args((arena), (word), (const char *const[]){ NULL, ##__VA_ARGS__, NULL })
const char *ow_say_args(struct ow_arena *arena, enum ow_word w, const char *const *args);

/* Number of the placeholder at `s`, or 0. */
unsigned ow_word_placeholder(const char *s);

/* At most two places, rounded half up. */
const char *ow_say_ratio(struct ow_arena *arena, struct ow_ratio v);
const char *ow_say_int(struct ow_arena *arena, int64_t v);
const char *ow_say_date(struct ow_arena *arena, ow_time t, const struct ow_zone *zone);
