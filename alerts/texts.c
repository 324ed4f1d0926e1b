#include "alerts/texts.h"

#include <stdio.h>
#include <string.h>

#include "alerts/tsv.h"
#include "base/near.h"
#include "base/text.h"

enum { C_KEY, C_TEXT, C_N };

static const char *const columns[C_N] = { "key", "text" };

/* Parts and words in the order of words.def; a part has no name. */
static const struct entry {
    const char *where, *name, *note;
    enum ow_word word;
} entries[] = {
#define PART(text)          { .where = text, .word = OW_WORD_N },
#define WORD(id, text, ...) { .name = #id, .note = "" __VA_ARGS__, .word = OW_WORD_##id },
#include "alerts/words.def"
#undef WORD
#undef PART
};

static char key_char(char c)
{
    return c == '_' ? '-' : c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static char *key_of(struct ow_arena *arena, const char *name)
{
    char *key = ow_arena_strdup(arena, name);

    for (char *c = key; *c != '\0'; c++)
        *c = key_char(*c);
    return key;
}

const char *ow_text_key(struct ow_arena *arena, enum ow_word w)
{
    size_t i = 0;

    while (i < OW_LEN(entries) && (entries[i].name == NULL || entries[i].word != w))
        i++;
    ow_assert(i < OW_LEN(entries));
    return key_of(arena, entries[i].name);
}

/* ---- what a text has to keep ---- */

struct reading {
    struct ow_tsv tsv;
    struct ow_arena *arena;
    struct ow_words *into;
    const char *keys[OW_WORD_N];
    unsigned lines[OW_WORD_N]; /* where each was given; 0: not yet */
};

/* UTF-16 units of `s` beside its placeholders, and how many of these. */
static size_t units_of(const char *s, size_t *n_args)
{
    size_t units = 0;

    for (*n_args = 0; *s != '\0'; s++) {
        if (ow_word_placeholder(s) > 0) {
            ++*n_args;
            s += 2;
        } else if (((unsigned char)*s & 0xC0) != 0x80) {
            units += (unsigned char)*s >= 0xF0 ? 2 : 1;
        }
    }
    return units;
}

/* The length that fits where a text is shown, by its key. */
static size_t units_most(const char *key, size_t n_args)
{
    static const char *const headlines[] = { "summary-", "pub16-r", "pub22-r" };
    static const char *const labels[] = { "topic-", "override-", "link-" };

    for (size_t i = 0; i < OW_LEN(headlines); i++)
        if (ow_starts_with(key, headlines[i]))
            return OW_TEXT_HEADLINE - n_args * OW_TEXT_HEADLINE_ARG;
    for (size_t i = 0; i < OW_LEN(labels); i++)
        if (ow_starts_with(key, labels[i]))
            return OW_TEXT_LABEL;
    if (ow_starts_with(key, "suggest-") && !ow_ends_with(key, "-text"))
        return OW_TEXT_LABEL;
    return OW_TEXT_MOST;
}

static bool fits(struct reading *d, enum ow_word w, const char *text)
{
    size_t n_args, units = units_of(text, &n_args), most = units_most(d->keys[w], n_args);

    if (units <= most)
        return true;
    ow_tsv_fault(&d->tsv, C_TEXT, "%zu characters beside placeholders; at most %zu fit",
                 units, most);
    return false;
}

/* Placeholders as a set of bits; NULL, or what is wrong with them. None stands twice: a
 * list that is built by saying the same text again and again would double each time. */
static const char *placeholders(const char *s, unsigned *ret)
{
    for (*ret = 0; *s != '\0'; s++) {
        unsigned n = ow_word_placeholder(s);

        if (n > 0 && *ret >> n & 1u)
            return "a placeholder stands there twice";
        if (n == 0 && (*s == '{' || *s == '}'))
            return "a brace that belongs to none of {1} to {9}";
        *ret |= n > 0 ? 1u << n : 0;
        s += n > 0 ? 2 : 0;
    }
    return NULL;
}

static bool keeps_placeholders(struct reading *d, const char *english, const char *text)
{
    const char *wrong;
    unsigned want, have;
    bool good = true;

    ow_assert(placeholders(english, &want) == NULL);
    wrong = placeholders(text, &have);
    if (wrong != NULL) {
        ow_tsv_fault(&d->tsv, C_TEXT, "%s", wrong);
        return false;
    }
    for (unsigned n = 1; n <= 9; n++) {
        if ((want & ~have) >> n & 1u)
            ow_tsv_fault(&d->tsv, C_TEXT, "{%u} is missing; in English: %.120s", n,
                         english);
        if ((have & ~want) >> n & 1u)
            ow_tsv_fault(&d->tsv, C_TEXT, "the English text has no {%u}: %.120s", n,
                         english);
        good = good && !((want ^ have) >> n & 1u);
    }
    return good;
}

/* What one line means to Markdown: bars of a table, marks of bold, the dash of a list. */
struct frame {
    size_t bars, bold;
    bool item, row, rule;
};

static struct frame frame_of(const char *s, size_t n)
{
    struct frame f = { .item = n >= 2 && s[0] == '-' && s[1] == ' ',
                       .row = n >= 2 && s[0] == '|' && s[n - 1] == '|',
                       .rule = n > 0 && strspn(s, "|-:") >= n };

    for (size_t i = 0; i < n; i++) {
        f.bars += s[i] == '|';
        f.bold += s[i] == '*' && i + 1 < n && s[i + 1] == '*';
    }
    return f;
}

static const char *frame_lost(const struct frame *want, const struct frame *have)
{
    if (want->bars != have->bars || want->row != have->row || want->rule != have->rule)
        return "a bar of the table is missing, or one too many";
    if (want->bold != have->bold)
        return "the marks of bold type (**) are not those of the English text";
    if (want->item != have->item)
        return "it begins with \"- \" where the English text does, and nowhere else";
    return NULL;
}

static bool keeps_frame(struct reading *d, const char *english, const char *text)
{
    for (;;) {
        size_t n = strcspn(english, "\n"), m = strcspn(text, "\n");
        struct frame want = frame_of(english, n), have = frame_of(text, m);
        const char *lost = frame_lost(&want, &have);

        if (lost == NULL && want.rule && (n != m || memcmp(english, text, n) != 0))
            lost = "the line |---| below a heading stays as it is";
        if (lost == NULL && ((n == 0) != (m == 0) || english[n] != text[m]))
            lost = "line breaks (\\n) are not those of the English text";
        if (lost != NULL) {
            ow_tsv_fault(&d->tsv, C_TEXT, "%s", lost);
            return false;
        }
        if (english[n] == '\0')
            return true;
        english += n + 1;
        text += m + 1;
    }
}

/* Code point at `s`, which is valid UTF-8, and its length. */
static uint32_t point_at(const char *s, size_t *len)
{
    unsigned char c = (unsigned char)s[0];
    uint32_t ret;

    *len = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    ret = *len == 1 ? c : (uint32_t)c & (0x7Fu >> *len);
    for (size_t i = 1; i < *len; i++)
        ret = ret << 6 | ((unsigned char)s[i] & 0x3Fu);
    return ret;
}

/* No control characters, nothing that changes the direction in which figures are read,
 * and nothing that a browser would take for an element. */
static bool is_plain(struct reading *d, const char *text)
{
    size_t len;

    for (const char *s = text; *s != '\0'; s += len) {
        uint32_t c = point_at(s, &len);

        if ((c < 0x20 && c != '\n') || (c >= 0x7F && c < 0xA0) ||
            (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF) {
            ow_tsv_fault(&d->tsv, C_TEXT, "control character U+%04X", (unsigned)c);
            return false;
        }
        if (c == '<' && (s[1] == '/' || s[1] == '!' || s[1] == '?' ||
                         (s[1] >= 'a' && s[1] <= 'z') || (s[1] >= 'A' && s[1] <= 'Z'))) {
            ow_tsv_fault(&d->tsv, C_TEXT, "%.8s: that begins an element of HTML", s);
            return false;
        }
    }
    return true;
}

/* ---- reading ---- */

/* The field with its escapes undone, or NULL (reported). */
static const char *text_read(struct reading *d)
{
    const char *s = ow_tsv_field(&d->tsv, C_TEXT);
    char *ret = ow_arena_strdup(d->arena, s), *at = ret;

    for (; *s != '\0'; s++) {
        if (*s != '\\') {
            *at++ = *s;
            continue;
        }
        s++;
        if (*s != 'n' && *s != '\\') {
            ow_tsv_fault(&d->tsv, C_TEXT, "behind a backslash stands n or a backslash");
            return NULL;
        }
        *at++ = *s == 'n' ? '\n' : '\\';
    }
    *at = '\0';
    if (ret[0] == '\0') {
        ow_tsv_fault(&d->tsv, C_TEXT, "empty; without its line a text stays in English");
        return NULL;
    }
    return ret;
}

static bool key_read(struct reading *d, enum ow_word *ret)
{
    const char *key = ow_tsv_field(&d->tsv, C_KEY), *near;
    size_t i = 0;

    while (i < OW_WORD_N && !ow_streq(d->keys[i], key))
        i++;
    *ret = (enum ow_word)i;
    if (i == OW_WORD_N) {
        near = ow_nearest(key, d->keys, OW_WORD_N);
        ow_tsv_fault(&d->tsv, C_KEY, "no key '%.60s'%s%s%s", key,
                     near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
                     near != NULL ? "'?" : "");
        return false;
    }
    if (d->lines[i] != 0) {
        ow_tsv_fault(&d->tsv, C_KEY, "'%s' stands in line %u already", key, d->lines[i]);
        return false;
    }
    d->lines[i] = d->tsv.line;
    return true;
}

static void row_read(struct reading *d)
{
    const char *text, *english;
    enum ow_word w;

    if (!key_read(d, &w))
        return;
    text = text_read(d);
    english = ow_word_english(w);
    if (text != NULL && is_plain(d, text) && keeps_placeholders(d, english, text) &&
        keeps_frame(d, english, text) && fits(d, w, text))
        d->into->text[w] = text;
}

bool ow_texts_parse(struct ow_arena *arena, const struct ow_knowledge_file *file,
                    ow_knowledge_report_fn *report, void *arg, struct ow_words *into)
{
    struct ow_tsv_log log = { .report = report, .arg = arg };
    struct reading *d = OW_NEW(arena, struct reading);

    d->arena = arena;
    d->into = into;
    for (size_t i = 0; i < OW_LEN(entries); i++)
        if (entries[i].name != NULL)
            d->keys[entries[i].word] = key_of(arena, entries[i].name);
    if (ow_tsv_open(&d->tsv, file, columns, C_N, &log, arena))
        while (ow_tsv_next(&d->tsv))
            row_read(d);
    return log.errors == 0;
}

size_t ow_texts_lacking(const struct ow_words *w)
{
    size_t n = 0;

    for (size_t i = 0; i < OW_WORD_N; i++)
        n += w->text[i] == NULL;
    return n;
}

/* ---- printing ---- */

static void print_text(const char *text, struct ow_buf *out)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n' || *text == '\\')
            ow_buf_char(out, '\\');
        ow_buf_char(out, *text == '\n' ? 'n' : *text);
    }
}

void ow_texts_print(const struct ow_words *w, struct ow_buf *out)
{
    const char *where = "";

    ow_buf_str(out, "key\ttext\tnote\n");
    for (size_t i = 0; i < OW_LEN(entries); i++) {
        const struct entry *e = &entries[i];

        if (e->name == NULL) {
            where = e->where;
            continue;
        }
        for (const char *c = e->name; *c != '\0'; c++)
            ow_buf_char(out, key_char(*c));
        ow_buf_char(out, '\t');
        print_text(w != NULL && w->text[e->word] != NULL ? w->text[e->word]
                                                         : ow_word_english(e->word),
                   out);
        ow_buf_printf(out, "\t%s%s%s\n", where, e->note[0] != '\0' ? ". " : "", e->note);
    }
}
