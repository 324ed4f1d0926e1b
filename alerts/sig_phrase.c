/*
 * Numbers and phrases over tokens
 *
 * A number is exact: 10, 1.5, 1/2, 1 1/2, 1-1/2, "one and a half", "twenty four", and the
 * same said again in brackets ("6 (six)"). A slash makes a fraction only where people
 * write one, so that "5/325" stays two strengths. A range ascends, or it is none.
 */
#include <string.h>

#include "alerts/sig_parts.h"
#include "base/text.h"

static bool is_number(const struct sig_token *t)
{
    return t->word == NULL;
}

static bool is_int(const struct sig_token *t, int64_t low, int64_t high)
{
    return is_number(t) && t->num.den == 1 && t->num.num >= low && t->num.num <= high;
}

/* 1/2, 1/3, 2/3, 1/4, 3/4 */
static bool is_fraction(const struct sig_token *t)
{
    return is_int(&t[0], 1, 3) && ow_sig_is(&t[1], "/") && is_int(&t[2], 2, 4) &&
           t[0].num.num < t[2].num.num && !(t[0].num.num == 2 && t[2].num.num == 4);
}

/* "half", "a half", "half of a": the tokens and the part. */
static size_t part(const struct sig_token *t, struct ow_ratio *ret)
{
    size_t n = ow_sig_is(&t[0], "a") ? 1 : 0;

    if (is_int(&t[0], 1, 3) && ow_sig_is(&t[1], "-"))
        n = 2;
    else if (is_int(&t[0], 1, 3))
        n = 1;
    if (ow_sig_is(&t[n], "half") && !(n > 0 && is_int(&t[0], 2, 3)))
        *ret = OW_RATIO(1, 2);
    else if (ow_sig_is(&t[n], "quarter"))
        *ret = OW_RATIO(n > 0 && is_number(&t[0]) ? t[0].num.num : 1, 4);
    else
        return 0;
    if (ret->num == 2) /* two quarters are written by nobody */
        return 0;
    n++;
    if (ow_sig_is(&t[n], "of") && ow_sig_is(&t[n + 1], "a"))
        return n + 2;
    return n + (ow_sig_is(&t[n], "of") || ow_sig_is(&t[n], "a") ? 1 : 0);
}

/* What adds to a whole number: "1/2", "-1/2", "and a half", "and 1/2" */
static size_t fraction_after(const struct sig_token *t, struct ow_ratio *ret)
{
    size_t skip = ow_sig_is(&t[0], "-") || ow_sig_is(&t[0], "and") ? 1 : 0, used;

    if (is_fraction(&t[skip])) {
        *ret = OW_RATIO(t[skip].num.num, t[skip + 2].num.num);
        return skip + 3;
    }
    used = skip == 1 && ow_sig_is(&t[0], "and") ? part(&t[1], ret) : 0;
    return used > 0 ? used + 1 : 0;
}

static size_t single_bare(const struct sig_token *t, struct ow_ratio *ret)
{
    struct ow_ratio add;
    size_t used = part(t, ret);

    if (used > 0)
        return used;
    if (!is_number(t))
        return 0;
    if (is_fraction(t)) {
        *ret = OW_RATIO(t[0].num.num, t[2].num.num);
        return 3;
    }
    *ret = t->num;
    /* twenty four, twenty-four */
    if (t->num.den == 1 && t->num.num >= 20 && t->num.num <= 90 && t->num.num % 10 == 0 &&
        t->until > t->from + 4) {
        size_t k = ow_sig_is(&t[1], "-") ? 2 : 1;

        if (is_int(&t[k], 1, 9) && t[k].until >= t[k].from + 3) {
            ret->num += t[k].num.num;
            return k + 1;
        }
    }
    used = t->num.den == 1 && t->num.num > 0 ? fraction_after(&t[1], &add) : 0;
    if (used > 0 && ow_ratio_add(*ret, add, ret))
        return used + 1;
    return 1;
}

static bool is_spelt(const struct sig_token *t)
{
    return is_int(t, 1, 99) && t->until >= t->from + 3;
}

/* With the same number again in brackets, or beside it when the brackets got lost: "2 two
 * times daily". */
static size_t single(const struct sig_token *t, struct ow_ratio *ret)
{
    size_t used = single_bare(t, ret), again;
    struct ow_ratio other;

    if (used == 1 && is_int(t, 1, 99) && is_number(&t[1]) &&
        is_spelt(t) != is_spelt(&t[1]) && ow_ratio_cmp(t[0].num, t[1].num) == 0 &&
        single_bare(&t[1], &other) == 1)
        return 2;
    if (used == 0 || !ow_sig_is(&t[used], "("))
        return used;
    again = single_bare(&t[used + 1], &other);
    if (again > 0 && ow_sig_is(&t[used + 1 + again], ")") &&
        ow_ratio_cmp(other, *ret) == 0)
        return used + again + 2;
    return used;
}

static size_t range_bare(const struct sig_token *t, struct sig_number *ret)
{
    struct ow_ratio high;
    size_t used = single(t, &ret->low), more;

    ret->high = ret->low;
    ret->range = false;
    if (used == 0 || !(ow_sig_is(&t[used], "-") || ow_sig_is(&t[used], "to") ||
                       ow_sig_is(&t[used], "or") || ow_sig_is(&t[used], "a")))
        return used;
    /* "one a half" is no range */
    if (!is_number(&t[used + 1]) && !ow_sig_is(&t[used + 1], "half"))
        return used;
    more = single(&t[used + 1], &high);
    if (ow_ratio_cmp(high, ret->low) <= 0)
        return used;
    ret->high = high;
    ret->range = true;
    return used + 1 + more;
}

size_t ow_sig_number(const struct sig_token *t, struct sig_number *ret)
{
    struct sig_number again;
    size_t used = range_bare(t, ret), more;

    if (used == 0 || !ret->range || !ow_sig_is(&t[used], "("))
        return used;
    more = range_bare(&t[used + 1], &again);
    if (more > 0 && ow_sig_is(&t[used + 1 + more], ")") &&
        ow_ratio_cmp(again.low, ret->low) == 0 &&
        ow_ratio_cmp(again.high, ret->high) == 0)
        return used + more + 2;
    return used;
}

/* ---- phrases ---- */

/* Numbers behind the first tokens, each read once for all phrases. */
enum { NUMBERS = 6 };
struct numbers {
    bool read[NUMBERS];
    size_t used[NUMBERS];
    struct sig_number n[NUMBERS];
};

static size_t number_at(struct numbers *known, const struct sig_token *t, size_t at,
                        struct sig_number *ret)
{
    ow_assert(at < NUMBERS);
    if (!known->read[at]) {
        known->read[at] = true;
        known->used[at] = ow_sig_number(&t[at], &known->n[at]);
    }
    *ret = known->n[at];
    return known->used[at];
}

/* Is the token the number s[0..n), which @ stands before? */
static bool says_number(const struct sig_token *t, const char *s, size_t n)
{
    int64_t v = 0;

    for (size_t i = 1; i < n; i++)
        v = v * 10 + (s[i] - '0');
    return is_int(t, v, v);
}

/* Does one of the alternatives s[0..n) say the token? */
static bool says(const struct sig_token *t, const char *s, size_t n)
{
    const char *end = s + n;

    while (s < end) {
        const char *from = s, *word = t->word;

        if (word != NULL)
            for (; s < end && *s == *word; s++)
                word++;
        if (word != NULL && *word == '\0' && (s == end || *s == '|'))
            return true;
        while (s < end && *s != '|')
            s++;
        if (*from == '@' && says_number(t, from, (size_t)(s - from)))
            return true;
        s++;
    }
    return false;
}

static size_t word_length(const char *words)
{
    size_t n = 0;

    while (words[n] != ' ' && words[n] != '\0')
        n++;
    return n;
}

/* How many tokens `words`, the rest of a phrase, take where `used` are taken; 0 when they
 * do not stand there. */
static size_t phrase_at(const char *words, size_t used, const struct sig_token *t,
                        struct numbers *known, struct sig_match *m)
{
    while (*words != '\0') {
        size_t n = word_length(words);
        bool optional = words[n - 1] == '?';

        if (words[0] == '#') {
            size_t k = number_at(known, t, used, &m->number);

            if (k == 0)
                return 0;
            m->has_number = true;
            used += k;
        } else if (says(&t[used], words, n - optional)) {
            used++;
        } else if (!optional) {
            return 0;
        }
        words += n + (words[n] == ' ');
    }
    return used;
}

/* First word of a phrase against `word`. */
static int first_cmp(const char *words, const char *word)
{
    unsigned char a;

    while (*words == *word && *word != '\0') {
        words++;
        word++;
    }
    a = *words == ' ' ? '\0' : (unsigned char)*words;
    return (int)a - (int)(unsigned char)*word;
}

/* Where the phrases begin whose first word is `word`, or one behind it. */
static size_t first_at(const struct sig_phrase *p, size_t n, const char *word, int least)
{
    size_t low = 0;

    while (low < n) {
        size_t mid = (low + n) / 2;

        if (first_cmp(p[mid].words, word) < least)
            low = mid + 1;
        else
            n = mid;
    }
    return low;
}

struct sig_match ow_sig_match(const struct sig_token *t)
{
    struct sig_match best = { .used = 0 }, m = { .used = 0 };
    const char *first = t->word != NULL ? t->word : "#";
    size_t n, skip = strlen(first), used = 1;
    const struct sig_phrase *p = ow_sig_phrases(&n);
    struct numbers known = { .read = { false } };
    size_t i = first_at(p, n, first, 0), end = i + first_at(&p[i], n - i, first, 1);

    if (t->word == NULL) {
        used = number_at(&known, t, 0, &m.number);
        m.has_number = true;
    }
    for (; i < end; i++) {
        struct sig_match it = m;
        const char *rest = p[i].words + skip;

        it.used = phrase_at(rest + (*rest == ' '), used, t, &known, &it);
        it.phrase = &p[i];
        if (it.used > best.used)
            best = it;
    }
    return best;
}
