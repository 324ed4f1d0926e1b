/*
 * The rooms of sig: tokens, words, phrases, the draft of a reading
 *
 * Only sig*.c include this. Text becomes tokens (sig_lex.c: words folded to one spelling
 * by the closed list of sig_words.c, numbers exact), tokens become phrases (sig_phrase.c
 * by the table of sig_words.c), phrases fill a draft (sig_grammar.c, sig_dose.c), and a
 * draft that holds together becomes dosages (sig.c).
 */
#pragma once

#include <string.h>

#include "alerts/sig.h"

enum { SIG_TOKENS = 400, SIG_LINES = 12 };

struct sig_token {
    const char *word;     /* spelling of the list, or the folded word; NULL: a number */
    struct ow_ratio num;  /* of a number */
    bool known;           /* a word of the list */
    uint16_t from, until; /* bytes of the text */
};

struct sig_text {
    const char *text;
    struct ow_arena *arena;
    struct sig_token *t; /* ends with a token whose word is "" */
    size_t n, cap;       /* without that */
};

/* OW_MISSING when it is too long or holds what is no text. */
OW_MUST_USE enum ow_code ow_sig_lex(const char *text, struct ow_arena *arena,
                                    struct sig_text *ret, struct ow_err *err);

static inline bool ow_sig_is(const struct sig_token *t, const char *word)
{
    return t->word != NULL && t->word[0] == word[0] && strcmp(t->word, word) == 0;
}

/* ---- numbers and phrases ---- */

struct sig_number {
    struct ow_ratio low, high;
    bool range;
};

/* Number or range at token `at`; tokens used, 0 when there is none. */
size_t ow_sig_number(const struct sig_token *t, struct sig_number *ret);

enum sig_kind {
    SIG_SKIP,
    SIG_VERB, /* a number without a unit may follow */
    SIG_ROUTE,
    SIG_EVERY,   /* every # (or a) units of b hours */
    SIG_TIMES,   /* # (or a) times in b hours */
    SIG_UP_TO,   /* at most # times in b hours */
    SIG_WHEN,    /* set a of enum sig_slot */
    SIG_CLOCK,   /* # o'clock; a: 0 am, 12 pm */
    SIG_MEALS,   /* with, before or after meals */
    SIG_WEEKDAY, /* set a of days, bit 0 Monday */
    SIG_PRN,
    SIG_FOR, /* a reason follows */
    SIG_REASON,
    SIG_LENGTH,  /* # times b hours */
    SIG_DOSES,   /* # doses in all */
    SIG_MAX,     /* a limit follows; a: it is of a day unless it says otherwise */
    SIG_AT_MOST, /* "up to": limit or dose */
    SIG_THEN,
    SIG_END, /* nothing but the end may follow */
    SIG_AND,
    SIG_SEP,
    SIG_DIRECTED, /* as directed: only beside a whole dose */
    SIG_STOP,     /* refused, whatever else is there */
};

enum sig_slot {
    SIG_MORNING = 1,
    SIG_NOON = 2,
    SIG_AFTERNOON = 4,
    SIG_EVENING = 8,
    SIG_BEDTIME = 16,
};

struct sig_phrase { /* words; | between alternatives, ? behind an optional, # a number */
    const char *words;
    enum sig_kind kind;
    int a, b;
};

struct sig_match {
    const struct sig_phrase *phrase;
    struct sig_number number; /* of its # */
    bool has_number;
    size_t used;
};

/* The longest phrase at token `t`; used 0 when none begins there. */
struct sig_match ow_sig_match(const struct sig_token *t);

/* ---- words ---- */

struct sig_word {
    const char *raw, *word; /* word NULL: a number */
    int num;
};

enum sig_measure { SIG_COUNT, SIG_MASS, SIG_VOLUME, SIG_RATE };

struct sig_unit {
    const char *word; /* of the list */
    const char *unit; /* for ow_quantity */
    enum sig_measure measure;
};

const struct sig_word *ow_sig_word(const char *raw);
const struct sig_unit *ow_sig_unit(const struct sig_token *t);
bool ow_sig_describes(const struct sig_token *t);  /* oral, extended, release, ... */
bool ow_sig_other_drug(const struct sig_token *t); /* acetaminophen, ... */
/* Of a word of no list: may it change the dose (number, unit, time, no), or be a slip of
 * the pen for a word of the list? */
bool ow_sig_is_loaded(const char *word);
const struct sig_phrase *ow_sig_phrases(size_t *n); /* sorted by their first word */
const struct sig_word *ow_sig_words(size_t *n);     /* sorted */

/* ---- draft ---- */

struct sig_amount {
    struct sig_number n;
    bool up_to;
    const struct sig_unit *unit; /* NULL: a bare number */
};

struct sig_rate {
    struct sig_number times, period;
    int hours; /* of the unit of the period */
    bool up_to;
};

struct sig_draft_line {
    bool has_dose, has_rate, has_cap, has_length, has_count, has_times_cap;
    bool prn, meals, lead; /* lead: when came before how much */
    bool meals_and;        /* meals and a time of day, each a dose */
    struct sig_amount dose;
    struct sig_amount also[2];
    size_t n_also;
    struct sig_rate rate;
    unsigned slots, weekdays;
    const char *clock[8]; /* hh:mm:ss */
    size_t n_clock;
    struct sig_amount cap; /* in cap_hours */
    int cap_hours;
    struct ow_ratio times_cap;
    int times_cap_hours;
    struct sig_number length;
    int length_hours;
    struct ow_ratio count;
    int step;
    bool joined; /* by "and" to the line before */
};

struct sig_draft {
    struct sig_text text;
    struct sig_draft_line lines[SIG_LINES];
    size_t n;
    size_t at; /* token being read */
    int step;
    bool ended;     /* "then stop" was read */
    bool verb;      /* a verb was just read */
    bool and_, sep; /* just read */
    bool then;      /* just read: the next words open a step */
    bool reasons;   /* a reason may go on */
    struct ow_err *err;
};

/* Refuse with the words of tokens [from, until). */
enum ow_code ow_sig_refuse(const struct sig_draft *d, size_t from, size_t until,
                           const char *why);
/* A dose at the token; *used 0 when none stands there. */
enum ow_code ow_sig_dose(struct sig_draft *d, bool up_to, size_t *used);
/* A limit behind its introduction. */
enum ow_code ow_sig_limit(struct sig_draft *d, bool daily, size_t *used);
/* The line that words of the kind add to. */
struct sig_draft_line *ow_sig_line(struct sig_draft *d);
struct sig_draft_line *ow_sig_line_add(struct sig_draft *d);
/* Text to draft; then the draft is whole, or refused. */
enum ow_code ow_sig_parse(struct sig_draft *d);
enum ow_code ow_sig_settle(struct sig_draft *d);
