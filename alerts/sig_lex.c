/*
 * Text to tokens: letters and digits part ("q4h", "x5d", "10mg" are several), accents and
 * typographic signs become plain ones, dots of abbreviations go, words take the spelling
 * of the list.
 */
#include <string.h>

#include "alerts/sig_parts.h"
#include "base/text.h"

enum { WORD_MOST = 32 };

struct lexer {
    const char *s;
    size_t at, len;
    struct sig_text *out;
    struct ow_err *err;
};

/* Signs beyond ASCII. A fraction is a number, a slash and a number. */
static const struct {
    const char *utf8, *plain;
} signs[] = {
    {"\xC2\xA0",      " "  }, /* no-break space */
    { "\xC2\xB5",     "u"  }, /* micro sign */
    { "\xCE\xBC",     "u"  }, /* mu */
    { "\xC2\xBC",     "1/4"},
    { "\xC2\xBD",     "1/2"},
    { "\xC2\xBE",     "3/4"},
    { "\xE2\x85\x93", "1/3"},
    { "\xE2\x85\x94", "2/3"},
    { "\xC3\x97",     "x"  }, /* times */
    { "\xE2\x80\x90", "-"  },
    { "\xE2\x80\x91", "-"  },
    { "\xE2\x80\x92", "-"  },
    { "\xE2\x80\x93", "-"  },
    { "\xE2\x80\x94", "-"  },
    { "\xE2\x88\x92", "-"  },
    { "\xE2\x80\x98", "'"  },
    { "\xE2\x80\x99", "'"  },
    { "\xE2\x80\x9C", "\"" },
    { "\xE2\x80\x9D", "\"" },
    { "\xE2\x81\x84", "/"  }, /* fraction slash */
    { "\xC3\xA1",     "a"  },
    { "\xC3\xA9",     "e"  },
    { "\xC3\xAD",     "i"  },
    { "\xC3\xB3",     "o"  },
    { "\xC3\xBA",     "u"  },
    { "\xC3\xBC",     "u"  },
    { "\xC3\xB1",     "n"  },
    { "\xC3\x81",     "a"  },
    { "\xC3\x89",     "e"  },
    { "\xC3\x8D",     "i"  },
    { "\xC3\x93",     "o"  },
    { "\xC3\x9A",     "u"  },
    { "\xC3\x91",     "n"  },
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Of a letter. */
static char lower(char c)
{
    return (char)(c | 32);
}

/* The sign at `s` and its length; NULL when it is on no list. */
static const char *sign_at(const char *s, size_t *len)
{
    for (size_t i = 0; i < OW_LEN(signs); i++)
        if (ow_starts_with(s, signs[i].utf8)) {
            *len = strlen(signs[i].utf8);
            return signs[i].plain;
        }
    *len = 1;
    return NULL;
}

static struct sig_token *push(struct lexer *l, size_t from, size_t until)
{
    struct sig_token *t = &l->out->t[l->out->n++];

    ow_assert(l->out->n < l->out->cap);
    *t = (struct sig_token){ .num = OW_ZERO,
                             .from = (uint16_t)from,
                             .until = (uint16_t)until };
    return t;
}

static struct sig_token *last(const struct lexer *l)
{
    return l->out->n > 0 ? &l->out->t[l->out->n - 1] : NULL;
}

static void push_word(struct lexer *l, size_t from, size_t until, const char *raw)
{
    const struct sig_word *w = ow_sig_word(raw);
    struct sig_token *t = push(l, from, until);

    t->known = w != NULL;
    if (w == NULL) {
        t->word = ow_arena_strdup(l->out->arena, raw);
        return;
    }
    t->word = w->word;
    t->num = OW_RATIO(w->num, 1);
    if (w->word != NULL && w->num > 0) { /* once, twice: "1 time", "2 time" */
        t->word = NULL;
        t = push(l, from, until);
        t->word = w->word;
        t->known = true;
    }
}

static void push_mark(struct lexer *l, size_t from, size_t until, const char *mark)
{
    struct sig_token *t = push(l, from, until);

    t->word = mark;
    t->known = true;
}

/* Letters at `at`, folded, apostrophes left out; what follows them in *end. */
static bool letters(const struct lexer *l, size_t at, char raw[WORD_MOST], size_t *end)
{
    size_t n = 0, len;

    while (at < l->len) {
        const char *plain = &l->s[at];

        len = 1;
        if (!is_letter(*plain) && *plain != '\'') {
            plain = (unsigned char)*plain < 0x80 ? NULL : sign_at(plain, &len);
            if (plain == NULL || (!is_letter(*plain) && *plain != '\''))
                break;
        }
        if (n + 1 >= WORD_MOST)
            return false;
        if (*plain != '\'')
            raw[n++] = lower(*plain);
        at += len;
    }
    raw[n] = '\0';
    *end = at;
    return true;
}

/* "p.o.", "q.i.d.": single letters with dots; gives where they end, or `at`. */
static size_t dotted(const struct lexer *l, size_t at, char raw[WORD_MOST])
{
    const char *s = l->s;
    size_t n = 0, end = at;

    while (end + 1 < l->len && is_letter(s[end]) && s[end + 1] == '.' && n + 1 < 8) {
        raw[n++] = lower(s[end]);
        end += 2;
    }
    if (n > 0 && end < l->len && is_letter(s[end]) &&
        !(end + 1 < l->len && is_letter(s[end + 1])) && n + 1 < 8) {
        raw[n++] = lower(s[end]);
        end++;
    }
    raw[n] = '\0';
    return n >= 2 ? end : at;
}

/* Abbreviations that are written with a dot, which then ends no sentence. */
static bool is_abbreviated(const char *raw)
{
    static const char *const words[] = {
        "tab", "tabs", "cap", "caps", "hr",   "hrs",  "ml", "mg",  "mcg",
        "tsp", "tbsp", "prn", "po",   "max",  "disp", "no", "qty", "wk",
        "q",   "h",    "d",   "supp", "supl", "cada", "pt", "loz",
    };

    for (size_t i = 0; i < OW_LEN(words); i++)
        if (strcmp(words[i], raw) == 0)
            return true;
    return false;
}

/* "q.6h", "disp.30": what they count has no decimal point. */
static bool counts(const char *raw)
{
    return ow_streq(raw, "q") || ow_streq(raw, "disp") || ow_streq(raw, "qty") ||
           ow_streq(raw, "no");
}

/* "in the morning.2 tablets", ",5 mL": the end of a sentence, a comma, or a tenth? */
static enum ow_code point_refuse(const struct lexer *l)
{
    return ow_err_set(l->err, OW_MISSING, "a point that may be a decimal one");
}

static bool is_decimal_doubt(const struct lexer *l)
{
    const char *s = &l->s[l->at];
    char before = l->at > 0 ? s[-1] : ' ';
    bool close = is_letter(before) || is_digit(before) || before == ')' ||
                 before == '.' || (unsigned char)before >= 0x80;

    return is_digit(s[1]) && ((*s == '.' && close) || (*s == ',' && !close));
}

/* Is it a known word and the x of a length, glued together? */
static bool ends_in_times(const char *raw, char next)
{
    char word[WORD_MOST];
    size_t n = strlen(raw);

    if (n < 2 || raw[n - 1] != 'x' || !is_digit(next) || ow_sig_word(raw) != NULL)
        return false;
    memcpy(word, raw, n - 1);
    word[n - 1] = '\0';
    return ow_sig_word(word) != NULL;
}

static enum ow_code lex_word(struct lexer *l)
{
    char raw[WORD_MOST];
    size_t from = l->at, end = dotted(l, from, raw);

    if (end == from && !letters(l, from, raw, &end))
        return ow_err_set(l->err, OW_MISSING, "a word is too long");
    l->at = end;
    if (strcmp(raw, "w") == 0 && l->s[end] == '/') {
        l->at++;
        push_word(l, from, l->at, "with");
        return OW_OK;
    }
    if (strcmp(raw, "d") == 0 && l->s[end] == '/' && (l->s[end + 1] | 32) == 'c' &&
        !is_letter(l->s[end + 2])) {
        l->at += 2;
        push_word(l, from, l->at, "discontinue");
        return OW_OK;
    }
    if (raw[0] == '\0')
        return OW_OK;
    if (ends_in_times(raw, l->s[end])) { /* "bidx10 days" */
        raw[strlen(raw) - 1] = '\0';
        l->at = --end;
    }
    push_word(l, from, end, raw);
    if (l->s[l->at] == '.' && (is_abbreviated(raw) || is_letter(l->s[l->at + 1])))
        l->at++;
    if (l->s[l->at - 1] == '.' && is_digit(l->s[l->at]) && !counts(raw))
        return point_refuse(l);
    for (size_t i = 0; i < 3; i++) { /* tablet(s) */
        static const char *const plurals[] = { "(s)", "(es)", "(S)" };

        if (ow_starts_with(&l->s[l->at], plurals[i]))
            l->at += strlen(plurals[i]);
    }
    return OW_OK;
}

/* 10, 1.5, .5, 4,000 */
static enum ow_code lex_number(struct lexer *l)
{
    char digits[24];
    size_t from = l->at, n = 0, i = from, places = 0;
    const char *s = l->s;
    struct sig_token *t;
    bool point = false;

    if (s[i] == '.')
        digits[n++] = '0';
    for (; i < l->len && n + 1 < sizeof digits; i++) {
        if (s[i] == '.' && !point && is_digit(s[i + 1]))
            point = true;
        else if (s[i] == ',' && !point && i - from <= 3 && is_digit(s[i + 1]) &&
                 is_digit(s[i + 2]) && is_digit(s[i + 3]) && !is_digit(s[i + 4]))
            continue;
        else if (!is_digit(s[i]))
            break;
        else if (point)
            places++;
        digits[n++] = s[i];
    }
    t = push(l, from, i);
    t->known = true;
    l->at = i;
    /* A comma that touches digits on both sides may be a decimal point. Nobody writes a
     * dose to five places or of a million: such a number is something else. */
    if (n > 9 || places > 4 || n - places - point > 6 ||
        (s[i] == ',' && is_digit(s[i + 1])) || !ow_ratio_parse(digits, n, &t->num))
        return ow_err_set(l->err, OW_MISSING, "a number that cannot be read");
    if (s[i] == '.' && is_letter(s[i + 1]))
        l->at++;
    return OW_OK;
}

static const char *mark_of(char c)
{
    static const struct {
        char c;
        const char *word;
    } marks[] = {
        {',',  ","   },
        { ';', ";"   },
        { '.', "."   },
        { '!', "."   },
        { ':', ":"   },
        { '(', "("   },
        { ')', ")"   },
        { '[', "("   },
        { ']', ")"   },
        { '/', "/"   },
        { '-', "-"   },
        { '=', "="   },
        { '+', "and" },
        { '&', "and" },
        { '#', "hash"},
        { '@', "at"  },
    };

    for (size_t i = 0; i < OW_LEN(marks); i++)
        if (marks[i].c == c)
            return marks[i].word;
    return NULL;
}

static enum ow_code lex_sign(struct lexer *l)
{
    size_t len, from = l->at;
    const char *plain = sign_at(&l->s[from], &len), *mark;

    if (plain == NULL)
        return ow_err_set(l->err, OW_MISSING, "a sign that is not known");
    if (is_letter(*plain) || *plain == '\'')
        return lex_word(l);
    l->at += len;
    if (is_digit(*plain)) {
        push(l, from, l->at)->num = OW_RATIO(plain[0] - '0', 1);
        push_mark(l, from, l->at, "/");
        push(l, from, l->at)->num = OW_RATIO(plain[2] - '0', 1);
        return OW_OK;
    }
    mark = mark_of(*plain);
    if (mark != NULL)
        push_mark(l, from, l->at, mark);
    return OW_OK;
}

static enum ow_code lex_one(struct lexer *l)
{
    const char *s = &l->s[l->at], *mark;
    struct sig_token *t;

    if (*s == ' ' || *s == '\t' || *s == '\n' || *s == '\r' || *s == '"') {
        l->at++;
        return OW_OK;
    }
    if (is_letter(*s) || *s == '\'')
        return lex_word(l);
    if (is_decimal_doubt(l))
        return point_refuse(l);
    if (is_digit(*s) || (*s == '.' && is_digit(s[1])))
        return lex_number(l);
    if ((unsigned char)*s >= 0x80)
        return lex_sign(l);
    mark = mark_of(*s);
    t = last(l);
    if (mark == NULL) {
        push(l, l->at, l->at + 1)->word = ow_arena_strndup(l->out->arena, s, 1);
    } else if (!(ow_streq(mark, ".") && t != NULL && ow_sig_is(t, "."))) {
        push_mark(l, l->at, l->at + 1, mark);
    }
    l->at++;
    return OW_OK;
}

static bool is_weekday(const struct sig_token *t)
{
    return t->word != NULL && t->known && ow_ends_with(t->word, "day") &&
           t->word[0] != 'd';
}

/* A hyphen before a word is a blank ("5-day", "am-pm"), but for days: "mon-fri" are five.
 */
static void hyphens_drop(struct sig_text *x)
{
    size_t n = 0;

    for (size_t i = 0; i < x->n; i++) {
        bool drop = i > 0 && i + 1 < x->n && ow_sig_is(&x->t[i], "-") &&
                    x->t[i + 1].word != NULL && !is_weekday(&x->t[i - 1]) &&
                    !is_weekday(&x->t[i + 1]);

        if (drop)
            continue;
        x->t[n++] = x->t[i];
    }
    x->n = n;
}

static enum ow_code lex_all(struct lexer *l)
{
    while (l->at < l->len) {
        enum ow_code code = lex_one(l);

        if (code != OW_OK)
            return code;
        if (l->out->n >= SIG_TOKENS)
            return ow_err_set(l->err, OW_MISSING, "the text has too many words");
    }
    return OW_OK;
}

enum ow_code ow_sig_lex(const char *text, struct ow_arena *arena, struct sig_text *ret,
                        struct ow_err *err)
{
    struct sig_token tokens[SIG_TOKENS + 4]; /* what is read last gives three at most */
    struct sig_text x = { .text = text, .arena = arena, .t = tokens };
    struct lexer l = { .s = text, .len = strlen(text), .out = &x, .err = err };
    enum ow_code code;

    if (l.len > OW_SIG_MOST)
        return ow_err_set(err, OW_MISSING, "the text is too long");
    if (!ow_utf8_valid(text, l.len))
        return ow_err_set(err, OW_MISSING, "the text is not valid UTF-8");
    x.cap = OW_LEN(tokens);
    code = lex_all(&l);
    if (code != OW_OK)
        return code;
    hyphens_drop(&x);
    x.cap = x.n + 2;
    x.t = OW_NEW_N(arena, struct sig_token, x.cap);
    memcpy(x.t, tokens, x.n * sizeof *tokens);
    x.t[x.n] = (struct sig_token){ .word = "",
                                   .from = (uint16_t)l.len,
                                   .until = (uint16_t)l.len };
    *ret = x;
    return OW_OK;
}
