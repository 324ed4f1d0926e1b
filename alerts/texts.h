/*
 * Texts: the sentences of the judgement as a table that people translate
 *
 * Tab-separated lines with the columns key, text and note. The key is the name of a word
 * in small letters, `summary-med`; in the text {1} to {9} stand for what the note says,
 * \n for a line break and \\ for a backslash. A key that is left out stays as it was.
 *
 * A text may be worded freely, but not lose what it is to show: it has the placeholders
 * of the English one, all of them and no other, its line breaks, its list and table marks
 * and its bold figures. Nothing in it can be taken for HTML or turn figures around.
 * Every fault is reported with line and column, and reading goes on behind it.
 */
#pragma once

#include "alerts/knowledge.h"
#include "alerts/words.h"
#include "base/buf.h"

enum {
    OW_TEXTS_BYTES = 1 << 20,
    OW_TEXT_HEADLINE = 139,    /* UTF-16 units, as CDS Hooks allows for a summary, ... */
    OW_TEXT_HEADLINE_ARG = 14, /* and so many are kept free for each placeholder */
    OW_TEXT_LABEL = 100,       /* units of a label, a topic, an answer */
    OW_TEXT_MOST = 600,        /* units of anything else */
};

/*
 * What the table says upon what `into` has; its texts live in the arena. False when
 * anything was reported.
 */
OW_MUST_USE bool ow_texts_parse(struct ow_arena *arena,
                                const struct ow_knowledge_file *file,
                                ow_knowledge_report_fn *report, void *arg,
                                struct ow_words *into);

/* How many words `w` leaves in English. */
size_t ow_texts_lacking(const struct ow_words *w);

/* The texts of `w` (NULL: English) as a table that reads back the same. */
void ow_texts_print(const struct ow_words *w, struct ow_buf *out);

/* Name of a word in a table. */
const char *ow_text_key(struct ow_arena *arena, enum ow_word w);
