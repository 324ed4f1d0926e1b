/*
 * Names: the words by which an opioid or a sedative that no table knows gives itself away
 *
 * Ingredient names come from the product table, brands from the square brackets in its
 * names ("... [MS Contin]"), and a short list adds international names of ingredients
 * that the table has under their American one or not at all. A name is compared as
 * whole words, ASCII case folded and punctuation taken as a space, so that "apomorphine"
 * is no morphine.
 */
#include <string.h>

#include "alerts/kb.h"
#include "base/text.h"

enum { PHRASE_MOST = 64, TEXT_MOST = 4096 };

/* International nonproprietary names and their common spellings. */
static const char *const more_names[] = {
    "pethidine",     "diamorphine", "dextropropoxyphene", "dextromoramide",
    "piritramide",   "tilidine",    "ketobemidone",       "nicomorphine",
    "ethylmorphine", "carfentanil", "levomethadone",      "bezitramide",
    "phenazocine",
};

static bool is_word(char c)
{
    unsigned char u = (unsigned char)c;

    return (u >= '0' && u <= '9') || (u >= 'A' && u <= 'Z') || (u >= 'a' && u <= 'z') ||
           u >= 0x80;
}

/* `n` bytes as folded words with single spaces; 0 when it does not fit. */
static size_t fold(const char *s, size_t n, char *ret, size_t size)
{
    size_t i, out = 0;

    for (i = 0; i < n; i++) {
        char c = s[i];

        if (!is_word(c)) {
            if (out > 0 && ret[out - 1] != ' ' && out + 1 < size)
                ret[out++] = ' ';
            continue;
        }
        if (out + 1 >= size)
            return 0;
        ret[out++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    if (out > 0 && ret[out - 1] == ' ')
        out--;
    ret[out] = '\0';
    return out;
}

static size_t first_word(const char *s, size_t n)
{
    const char *space = memchr(s, ' ', n);

    return space != NULL ? (size_t)(space - s) : n;
}

static uint64_t word_hash(const char *s, size_t n)
{
    return kb_hash(KB_HASH, s, n);
}

/* Does phrase `p` stand at `at`, where `left` bytes remain, ending with a word? */
static bool phrase_at(const struct kb_phrase *p, const char *at, size_t left)
{
    return p->len <= left && memcmp(p->text, at, p->len) == 0 &&
           (p->len == left || at[p->len] == ' ');
}

static const struct kb_phrase *phrase_find(const struct ow_knowledge *kb, const char *at,
                                           size_t left, bool sedative)
{
    uint64_t h = word_hash(at, first_word(at, left));
    uint32_t step = 0;
    size_t row;

    while ((row = kb_index_next(&kb->phrase_index, h, &step)) != SIZE_MAX) {
        const struct kb_phrase *p = &kb->phrases[row];

        if ((p->sedative != NULL) == sedative && phrase_at(p, at, left))
            return p;
    }
    return NULL;
}

static void phrase_add(struct ow_knowledge *kb, const char *s, size_t n,
                       const struct ow_sedative *sedative)
{
    char folded[PHRASE_MOST];
    size_t len = fold(s, n, folded, sizeof folded), row;
    uint64_t h;
    uint32_t at = 0;
    struct kb_phrase *p;

    if (len < 3)
        return;
    h = word_hash(folded, first_word(folded, len));
    while ((row = kb_index_next(&kb->phrase_index, h, &at)) != SIZE_MAX) {
        if ((kb->phrases[row].sedative != NULL) == (sedative != NULL) &&
            strcmp(kb->phrases[row].text, folded) == 0)
            return;
    }
    p = &kb->phrases[kb->n_phrases];
    p->text = ow_arena_strndup(&kb->arena, folded, len);
    p->len = len;
    p->sedative = sedative;
    kb_index_put(&kb->phrase_index, h, kb->n_phrases++);
}

/* The brand in square brackets at the end of a name, without the words that RxNorm puts
 * behind a changed one. */
static void brand_add(struct ow_knowledge *kb, const char *name,
                      const struct ow_sedative *sedative)
{
    const char *open = strrchr(name, '['), *close, *tail;

    if (open == NULL || (close = strchr(open, ']')) == NULL)
        return;
    open++;
    tail = strstr(open, " Reformulated ");
    if (tail != NULL && tail < close)
        close = tail;
    phrase_add(kb, open, (size_t)(close - open), sedative);
}

/* Sedatives that alert (tiers 1 and 2): the rows of an ingredient and the brands. A brand
 * that is an opioid's too counts for both. Packs ("{7 (...) } Pack [...]") give none:
 * their brand names say for whom they are, among them other drugs. */
static void sedative_names_add(struct ow_knowledge *kb)
{
    for (size_t i = 0; i < kb->n_sedatives; i++) {
        const struct ow_sedative *s = &kb->sedatives[i];

        if (s->tier > 2 || s->name[0] == '{')
            continue;
        if (ow_streq(s->name, s->ingredients))
            phrase_add(kb, s->name, strlen(s->name), s);
        else
            brand_add(kb, s->name, s);
    }
}

void kb_phrases_build(struct ow_knowledge *kb)
{
    size_t most = kb->n_products * 2 + OW_LEN(more_names) + kb->n_sedatives, i;

    kb_index_init(&kb->phrase_index, most, &kb->arena);
    kb->phrases = OW_NEW_N(&kb->arena, struct kb_phrase, most);
    for (i = 0; i < OW_LEN(more_names); i++)
        phrase_add(kb, more_names[i], strlen(more_names[i]), NULL);
    for (i = 0; i < kb->n_products; i++)
        phrase_add(kb, kb->products[i].ingredient, strlen(kb->products[i].ingredient),
                   NULL);
    for (i = 0; i < kb->n_products; i++)
        brand_add(kb, kb->products[i].name, NULL);
    sedative_names_add(kb);
}

static const struct kb_phrase *text_find(const struct ow_knowledge *kb, const char *text,
                                         bool sedative)
{
    char folded[TEXT_MOST];
    size_t len, i;

    if (text == NULL)
        return NULL;
    len = strlen(text);
    len = fold(text, len < sizeof folded - 1 ? len : sizeof folded - 1, folded,
               sizeof folded);
    for (i = 0; i < len; i += first_word(folded + i, len - i) + 1) {
        const struct kb_phrase *found = phrase_find(kb, folded + i, len - i, sedative);

        if (found != NULL)
            return found;
    }
    return NULL;
}

static const struct kb_phrase *concept_find(const struct ow_knowledge *kb,
                                            const struct ow_concept *c, bool sedative)
{
    const struct kb_phrase *found = text_find(kb, c->text, sedative);

    for (size_t i = 0; found == NULL && i < c->n_codings; i++)
        found = text_find(kb, c->codings[i].display, sedative);
    return found;
}

/* Opioids, drugs used in opioid dependence, opium alkaloids against cough. */
static bool atc_opioid(const struct ow_coding *c)
{
    return (ow_streq(c->system, OW_SYSTEM_ATC) ||
            ow_streq(c->system, "urn:oid:2.16.840.1.113883.6.73")) &&
           c->code != NULL &&
           (ow_starts_with(c->code, "N02A") || ow_starts_with(c->code, "N07BC") ||
            ow_starts_with(c->code, "R05DA"));
}

const char *ow_knowledge_opioid_like(const struct ow_knowledge *kb,
                                     const struct ow_concept *c)
{
    const struct kb_phrase *found = concept_find(kb, c, false);

    if (found != NULL)
        return found->text;
    for (size_t i = 0; i < c->n_codings; i++)
        if (atc_opioid(&c->codings[i]))
            return c->codings[i].code;
    return NULL;
}

const struct ow_sedative *ow_knowledge_sedative_like(const struct ow_knowledge *kb,
                                                     const struct ow_concept *c)
{
    const struct kb_phrase *found = concept_find(kb, c, true);

    return found != NULL ? found->sedative : NULL;
}
