/*
 * The name is cut into tokens (words, numbers, signs), the tokens into parts at each "/"
 * that does not begin a volume. Brackets and blanks separate and say nothing themselves.
 */
#include "alerts/named.h"

#include <string.h>

#include "base/text.h"

enum { TOKENS_MOST = 80, WORD_MOST = 24, NAME_MOST = 400 };

struct token {
    char text[WORD_MOST]; /* folded; of a longer word its beginning */
    bool number;
};

struct name {
    struct token tokens[TOKENS_MOST];
    size_t n;
};

struct part { /* tokens from `from` to before `until` */
    size_t from, until;
};

struct mass {
    struct ow_ratio mg;
    bool per_ml;
    size_t at; /* of its number */
    size_t end;
};

static const char *const substance[] = { "acetaminophen", "paracetamol", "apap",
                                         "tylenol" };
/* What may stand before the mass without naming another drug. */
static const char *const plain[] = {
    "acetaminophen", "paracetamol", "apap",     "tylenol",     "hr",      "hour",
    "extra",         "regular",     "strength", "maximum",     "oral",    "tablet",
    "tablets",       "tab",         "tabs",     "caplet",      "caplets", "capsule",
    "capsules",      "cap",         "caps",     "suppository", "rectal",  "supp",
    "suppositories", "solution",    "liquid",   "suspension",  "elixir",  "syrup",
    "chewable",      "rapid",       "release",  "extended",    "er",      "xr",
    "arthritis",     "pain",        "children", "childrens",   "s",       "infant",
    "infants",       "junior",      "adult",
};
static const char *const solids[] = { "tablet",   "tablets", "tab",  "tabs", "caplet",
                                      "caplets",  "capsule", "caps", "cap",  "capsules",
                                      "chewable", "gelcap",  "pill" };
static const char *const rectals[] = { "suppository", "suppositories", "supp", "rectal" };
static const char *const liquids[] = { "solution",  "suspension", "elixir",
                                       "syrup",     "liquid",     "drops",
                                       "injection", "infusion",   "injectable",
                                       "iv",        "intravenous" };
static const char *const injected[] = { "injection", "infusion", "injectable", "iv",
                                        "intravenous" };

static bool listed(const char *word, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (ow_streq(word, list[i]))
            return true;
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

static bool is_silent(char c)
{
    return c == ' ' || c == '\t' || c == '(' || c == ')' || c == '[' || c == ']' ||
           c == '\'';
}

/* The token at `s`; gives how many bytes it is long. */
static size_t token_read(const char *s, struct token *ret)
{
    size_t n = 1, k = 0;

    ret->number = is_digit(*s);
    if (ret->number)
        while (is_digit(s[n]) || ((s[n] == '.' || s[n] == ',') && is_digit(s[n + 1])))
            n++;
    else if (is_letter(*s))
        while (is_letter(s[n]))
            n++;
    for (; k < n && k + 1 < sizeof ret->text; k++)
        ret->text[k] = (char)(s[k] >= 'A' && s[k] <= 'Z' ? s[k] + 32 : s[k]);
    ret->text[k] = '\0';
    return n;
}

/* False for a name that is longer than any. */
static bool name_read(const char *s, struct name *ret)
{
    ret->n = 0;
    if (strlen(s) > NAME_MOST)
        return false;
    while (*s != '\0') {
        if (is_silent(*s)) {
            s++;
            continue;
        }
        if (ret->n == TOKENS_MOST)
            return false;
        s += token_read(s, &ret->tokens[ret->n++]);
    }
    return true;
}

static const char *word_at(const struct name *n, size_t i)
{
    return i < n->n ? n->tokens[i].text : "";
}

static bool number_at(const struct name *n, size_t i)
{
    return i < n->n && n->tokens[i].number;
}

/* mg in one unit of mass; 0 when the word is none. */
static struct ow_ratio mass_unit(const char *word)
{
    if (ow_streq(word, "mg"))
        return OW_RATIO(1, 1);
    if (ow_streq(word, "g") || ow_streq(word, "gm"))
        return OW_RATIO(1000, 1);
    if (ow_streq(word, "mcg") || ow_streq(word, "ug"))
        return OW_RATIO(1, 1000);
    return OW_ZERO;
}

/* "/ML", "/ 5 ML", "per 5 ml", "in 0.8 mL" at `i`: how many tokens, and how many mL. */
static size_t volume_at(const struct name *n, size_t i, struct ow_ratio *ml)
{
    const char *sign = word_at(n, i), *number = word_at(n, i + 1);

    if (!ow_streq(sign, "/") && !ow_streq(sign, "per") && !ow_streq(sign, "in"))
        return 0;
    *ml = OW_RATIO(1, 1);
    if (ow_streq(number, "ml"))
        return 2;
    if (!number_at(n, i + 1) || !ow_streq(word_at(n, i + 2), "ml") ||
        !ow_ratio_parse(number, strlen(number), ml) || !ow_ratio_positive(*ml))
        return 0;
    return 3;
}

/* The next part from `at` on; false behind the last one. */
static bool part_next(const struct name *n, size_t at, struct part *ret)
{
    struct ow_ratio ml;

    if (at >= n->n)
        return false;
    *ret = (struct part){ at, at };
    while (ret->until < n->n &&
           (!ow_streq(word_at(n, ret->until), "/") || volume_at(n, ret->until, &ml) > 0))
        ret->until++;
    return true;
}

static bool speaks(const struct name *n, struct part p)
{
    for (size_t i = p.from; i < p.until; i++)
        if (listed(word_at(n, i), substance, OW_LEN(substance)))
            return true;
    return false;
}

/* The one mass of a part; false when there is none, or more than one. */
static bool mass_read(const struct name *n, struct part p, struct mass *ret)
{
    size_t found = 0;

    for (size_t i = p.from; i + 1 < p.until; i++) {
        const char *number = word_at(n, i);
        struct ow_ratio unit = mass_unit(word_at(n, i + 1)), ml, value;
        size_t len;

        if (!number_at(n, i) || !ow_ratio_positive(unit))
            continue;
        if (found++ > 0 || !ow_ratio_parse(number, strlen(number), &value) ||
            !ow_ratio_mul(value, unit, &value) || !ow_ratio_positive(value))
            return false;
        len = volume_at(n, i + 2, &ml);
        if (len > 0 && !ow_ratio_div(value, ml, &value))
            return false;
        *ret = (struct mass){ value, len > 0, i, i + 2 + len };
    }
    return found == 1;
}

/* Nothing before the mass but words of the list and "8 HR"; nothing behind it that could
 * be a further amount. */
static bool alone(const struct name *n, struct part p, const struct mass *m)
{
    for (size_t i = p.from; i < m->at; i++)
        if (!listed(word_at(n, i), plain, OW_LEN(plain)) &&
            !(number_at(n, i) && ow_streq(word_at(n, i + 1), "hr")))
            return false;
    for (size_t i = m->end; i < p.until; i++)
        if (number_at(n, i) && !ow_streq(word_at(n, i + 1), "ml") &&
            !ow_streq(word_at(n, i + 1), "hr"))
            return false;
    return true;
}

static bool any_word(const struct name *n, const char *const *list, size_t len)
{
    for (size_t i = 0; i < n->n; i++)
        if (listed(word_at(n, i), list, len))
            return true;
    return false;
}

/* The form that the name tells; false when it contradicts the strength. */
static bool form_read(const struct name *n, bool per_ml, struct ow_product *ret)
{
    bool liquid = any_word(n, liquids, OW_LEN(liquids));

    if (per_ml) {
        ret->strength_unit = OW_STRENGTH_MG_ML;
        ret->form = any_word(n, injected, OW_LEN(injected)) ? OW_FORM_INJECTABLE
                                                            : OW_FORM_ORAL_LIQUID;
        ret->has_form = true;
        return true;
    }
    ret->strength_unit = OW_STRENGTH_MG;
    if (any_word(n, rectals, OW_LEN(rectals)))
        ret->form = OW_FORM_RECTAL;
    else if (any_word(n, solids, OW_LEN(solids)))
        ret->form = OW_FORM_ORAL_SOLID;
    else
        return !liquid;
    ret->has_form = true;
    return !liquid;
}

enum ow_named ow_named_acetaminophen(const char *name, struct ow_product *ret,
                                     bool *combined)
{
    struct ow_product p = { .strength = OW_ZERO };
    struct mass mine = { .end = 0 }, other;
    struct part part = { 0, 0 };
    struct name n;
    size_t parts = 0, spoken = 0;
    bool whole = true;

    if (name == NULL)
        return OW_NAMED_NOT;
    if (!name_read(name, &n))
        return ow_contains_folded(name, "acetaminophen") ? OW_NAMED_UNREADABLE
                                                         : OW_NAMED_NOT;
    for (size_t at = 0; part_next(&n, at, &part); at = part.until + 1) {
        parts++;
        if (speaks(&n, part)) {
            spoken++;
            whole = whole && mass_read(&n, part, &mine) && alone(&n, part, &mine);
        } else {
            whole = whole && mass_read(&n, part, &other);
        }
    }
    if (spoken == 0)
        return OW_NAMED_NOT;
    if (spoken > 1 || !whole || !form_read(&n, mine.per_ml, &p))
        return OW_NAMED_UNREADABLE;
    p.strength = mine.mg;
    *ret = p;
    *combined = parts > 1;
    return OW_NAMED_READ;
}
