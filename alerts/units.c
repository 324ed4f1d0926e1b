#include "alerts/units.h"

#include <string.h>

#include "alerts/dosage.h"
#include "base/text.h"

enum { UNIT_MOST = 48 };

#define F(form)     (1u << OW_FORM_##form)
#define F_TABLET    (F(ORAL_SOLID) | F(BUCCAL_TABLET) | F(SUBLINGUAL_TABLET))
#define F_CAPSULE   F_TABLET
#define F_FILM      (F(BUCCAL_FILM) | F(SUBLINGUAL_FILM))
#define F_LOZENGE   (F(ORAL_LOZENGE) | F(BUCCAL_TABLET))
#define F_SPRAY     (F(MUCOSAL_SPRAY) | F(NASAL) | F(PACK) | F(OTHER))
#define F_INJECTION F(INJECTABLE)

struct name {
    const char *text;
    const char *word; /* of a count */
    enum ow_unit_kind kind;
    int64_t num, den;
    unsigned forms;
};

#define MASS(text, num, den)                                                             \
    {                                                                                    \
        text, NULL, OW_UNIT_MASS, num, den, 0                                            \
    }
#define VOLUME(text, num, den)                                                           \
    {                                                                                    \
        text, NULL, OW_UNIT_VOLUME, num, den, 0                                          \
    }
#define COUNT(text, word, forms)                                                         \
    {                                                                                    \
        text, word, OW_UNIT_COUNT, 1, 1, forms                                           \
    }

/* Folded to small letters; a plural ending is taken off before looking. The short forms
 * of tablet, capsule, patch and suppository are codes of v3-orderableDrugForm. */
static const struct name names[] = {
    MASS("g", 1000, 1),
    MASS("gm", 1000, 1),
    MASS("gram", 1000, 1),
    MASS("mg", 1, 1),
    MASS("milligram", 1, 1),
    MASS("milligramme", 1, 1),
    MASS("ug", 1, 1000),
    MASS("mcg", 1, 1000),
    MASS("microgram", 1, 1000),
    MASS("microgramme", 1, 1000),
    MASS("ng", 1, 1000000),
    MASS("nanogram", 1, 1000000),
    VOLUME("ml", 1, 1),
    VOLUME("milliliter", 1, 1),
    VOLUME("millilitre", 1, 1),
    VOLUME("cc", 1, 1),
    VOLUME("cm3", 1, 1),
    VOLUME("l", 1000, 1),
    VOLUME("liter", 1000, 1),
    VOLUME("litre", 1000, 1),
    VOLUME("dl", 100, 1),
    VOLUME("cl", 10, 1),
    VOLUME("ul", 1, 1000),
    VOLUME("microliter", 1, 1000),
    VOLUME("tsp", 5, 1),
    VOLUME("teaspoon", 5, 1),
    VOLUME("teaspoonful", 5, 1),
    VOLUME("[tsp_us]", 5, 1),
    VOLUME("[tsp_m]", 5, 1),
    VOLUME("tbsp", 15, 1),
    VOLUME("tablespoon", 15, 1),
    VOLUME("tablespoonful", 15, 1),
    VOLUME("[tbs_us]", 15, 1),
    VOLUME("[tbs_m]", 15, 1),
    COUNT("1", NULL, 0),
    COUNT("each", NULL, 0),
    COUNT("ea", NULL, 0),
    COUNT("tablet", "tablet", F_TABLET),
    COUNT("tab", "tablet", F_TABLET),
    COUNT("tbl", "tablet", F_TABLET),
    COUNT("pill", "tablet", F_TABLET),
    COUNT("caplet", "caplet", F_TABLET),
    COUNT("oral tablet", "tablet", F_TABLET),
    COUNT("chewtab", "tablet", F_TABLET),
    COUNT("ertab", "tablet", F_TABLET),
    COUNT("buctab", "tablet", F_TABLET),
    COUNT("sltab", "tablet", F_TABLET),
    COUNT("capsule", "capsule", F_CAPSULE),
    COUNT("cap", "capsule", F_CAPSULE),
    COUNT("oral capsule", "capsule", F_CAPSULE),
    COUNT("orcap", "capsule", F_CAPSULE),
    COUNT("ercap", "capsule", F_CAPSULE),
    COUNT("entcap", "capsule", F_CAPSULE),
    COUNT("softgel", "capsule", F_CAPSULE),
    COUNT("patch", "patch", F(TRANSDERMAL)),
    COUNT("ptch", "patch", F(TRANSDERMAL)),
    COUNT("tpatch", "patch", F(TRANSDERMAL)),
    COUNT("transdermal patch", "patch", F(TRANSDERMAL)),
    COUNT("transdermal system", "patch", F(TRANSDERMAL)),
    COUNT("film", "film", F_FILM),
    COUNT("strip", "film", F_FILM),
    COUNT("buccal film", "film", F_FILM),
    COUNT("sublingual film", "film", F_FILM),
    COUNT("lozenge", "lozenge", F_LOZENGE),
    COUNT("loz", "lozenge", F_LOZENGE),
    COUNT("troche", "lozenge", F_LOZENGE),
    COUNT("lollipop", "lozenge", F_LOZENGE),
    COUNT("suppository", "suppository", F(RECTAL)),
    COUNT("suppositorie", "suppository", F(RECTAL)),
    COUNT("supp", "suppository", F(RECTAL)),
    COUNT("recsupp", "suppository", F(RECTAL)),
    COUNT("spray", "spray", F_SPRAY),
    COUNT("actuation", "spray", F_SPRAY),
    COUNT("actuat", "spray", F_SPRAY),
    COUNT("puff", "spray", F_SPRAY),
    COUNT("nasspry", "spray", F_SPRAY),
    COUNT("pack", "pack", F(PACK)),
    COUNT("package", "pack", F(PACK)),
    COUNT("kit", "pack", F(PACK)),
    COUNT("syringe", "syringe", F_INJECTION),
    COUNT("vial", "vial", F_INJECTION),
    COUNT("ampule", "ampule", F_INJECTION),
    COUNT("ampoule", "ampule", F_INJECTION),
    COUNT("cartridge", "cartridge", F_INJECTION),
};

static const struct {
    const char *text;
    int64_t ms;
} times[] = {
    {"s",       OW_SECOND           },
    { "sec",    OW_SECOND           },
    { "second", OW_SECOND           },
    { "min",    OW_MINUTE           },
    { "minute", OW_MINUTE           },
    { "h",      OW_HOUR             },
    { "hr",     OW_HOUR             },
    { "hour",   OW_HOUR             },
    { "d",      24LL * OW_HOUR      },
    { "day",    24LL * OW_HOUR      },
    { "wk",     7 * 24LL * OW_HOUR  },
    { "week",   7 * 24LL * OW_HOUR  },
    { "mo",     30 * 24LL * OW_HOUR },
    { "month",  30 * 24LL * OW_HOUR },
    { "a",      365 * 24LL * OW_HOUR},
    { "y",      365 * 24LL * OW_HOUR},
    { "yr",     365 * 24LL * OW_HOUR},
    { "year",   365 * 24LL * OW_HOUR},
};

/*
 * Fold `s`: blanks off both ends, small letters, both micro signs to u, the braces of an
 * annotation off, or the annotation behind a unit ("mg{base}"), and "(s)" off the end.
 * False when it is longer than any unit.
 */
static bool unit_fold(const char *s, char ret[UNIT_MOST])
{
    size_t n = 0;
    char *brace;

    while (*s == ' ')
        s++;
    for (; *s != '\0'; s++) {
        char c = *s;

        if (n + 1 >= UNIT_MOST)
            return false;
        if ((c == '\xC2' && s[1] == '\xB5') || (c == '\xCE' && s[1] == '\xBC')) {
            c = 'u';
            s++;
        }
        ret[n++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    while (n > 0 && (ret[n - 1] == ' ' || ret[n - 1] == '.'))
        n--;
    ret[n] = '\0';
    if (n > 2 && ret[0] == '{' && strchr(ret, '}') == ret + n - 1) {
        memmove(ret, ret + 1, n);
        n -= 2;
        ret[n] = '\0';
    } else if (n > 0 && ret[n - 1] == '}' && (brace = strchr(ret, '{')) != NULL) {
        n = (size_t)(brace - ret);
        ret[n] = '\0';
    }
    if (n > 0 && ret[n - 1] == ')' &&
        (ow_ends_with(ret, "(s)") || ow_ends_with(ret, "(es)")))
        *strrchr(ret, '(') = '\0';
    return true;
}

static bool same_word(const char *word, const char *s, size_t n)
{
    return word[0] == s[0] && strncmp(word, s, n) == 0 && word[n] == '\0';
}

static const struct name *name_exact(const char *s, size_t n)
{
    size_t i;

    for (i = 0; n > 0 && i < OW_LEN(names); i++) {
        if (same_word(names[i].text, s, n))
            return &names[i];
    }
    return NULL;
}

/* With the plural endings taken off: tablets, patches, mgs. */
static const struct name *name_find(const char *s, size_t n)
{
    const struct name *found = name_exact(s, n);

    if (found == NULL && n > 2 && s[n - 1] == 's') {
        found = name_exact(s, n - 1);
        if (found == NULL && n > 3 && s[n - 2] == 'e')
            found = name_exact(s, n - 2);
    }
    return found;
}

/* Words that a form is described with and that change nothing of how it is counted. */
static bool is_descriptor(const char *s, size_t n)
{
    static const char *const words[] = {
        "oral",        "extended",  "release",    "er",         "xr",
        "sr",          "la",        "ir",         "immediate",  "delayed",
        "dr",          "film",      "coated",     "chewable",   "disintegrating",
        "abuse",       "deterrent", "sublingual", "buccal",     "rectal",
        "transdermal", "nasal",     "mucosal",    "metered",    "dose",
        "12",          "24",        "72",         "168",        "hr",
        "hour",        "h",         "for",        "suspension", "effervescent",
    };
    size_t i;

    for (i = 0; i < OW_LEN(words); i++) {
        if (same_word(words[i], s, n))
            return true;
    }
    return false;
}

/* "tablet, extended release", "12 HR Extended Release Oral Tablet": one word that counts
 * among words that describe it. */
static const struct name *described_find(const char *s)
{
    const struct name *found = NULL;

    while (*s != '\0') {
        size_t n = strcspn(s, " ,-");
        const char *word = s;
        const struct name *f;

        s += n + (s[n] != '\0');
        if (n == 0 || is_descriptor(word, n))
            continue;
        f = name_find(word, n);
        if (f == NULL || f->kind != OW_UNIT_COUNT || f->word == NULL || found != NULL)
            return NULL;
        found = f;
    }
    return found;
}

bool ow_unit_time(const char *unit, int64_t *ret)
{
    char s[UNIT_MOST];
    size_t i, n;

    if (unit == NULL || !unit_fold(unit, s))
        return false;
    n = strlen(s);
    if (n > 2 && s[n - 1] == 's')
        n--;
    for (i = 0; n > 0 && i < OW_LEN(times); i++) {
        if (same_word(times[i].text, s, n)) {
            *ret = times[i].ms;
            return true;
        }
    }
    return false;
}

/* The time under a rate, in hours: "h", "24h", "(24.h)". */
static bool per_hours(const char *s, struct ow_ratio *ret)
{
    char unit[UNIT_MOST];
    size_t digits, n;
    struct ow_ratio count = OW_RATIO(1, 1);
    int64_t ms;

    s += *s == '(';
    digits = strspn(s, "0123456789");
    if (digits > 0 && !ow_ratio_parse(s, digits, &count))
        return false;
    s += digits;
    s += *s == '.' || *s == ' ';
    n = strcspn(s, ")");
    ow_assert(n < sizeof unit); /* `s` has been folded */
    memcpy(unit, s, n);
    unit[n] = '\0';
    return ow_unit_time(unit, &ms) && ow_ratio_mul(count, OW_RATIO(ms, OW_HOUR), ret) &&
           ow_ratio_positive(*ret);
}

/* What follows the word for a drop in a folded unit; NULL when it is none. */
static const char *drop_tail(const char *s)
{
    static const char *const words[] = { "drops", "drop", "gtts", "gtt", "[drp]" };

    for (size_t i = 0; i < OW_LEN(words); i++)
        if (ow_starts_with(s, words[i]))
            return s + strlen(words[i]);
    return NULL;
}

/* "drop (0.05 mL)", "drops of 0.05 mL", "drop = 0.05 mL": mL in one. */
static bool drop_stated(const char *s, struct ow_ratio *ml)
{
    static const char *const signs[] = { " (", "(", " of ", " = ", "=" };
    const char *at = drop_tail(s);
    size_t i, n;

    for (i = 0; at != NULL && i < OW_LEN(signs); i++)
        if (ow_starts_with(at, signs[i]))
            break;
    if (at == NULL || i == OW_LEN(signs))
        return false;
    at += strlen(signs[i]);
    n = strspn(at, "0123456789.");
    if (n == 0 || !ow_ratio_parse(at, n, ml) || !ow_ratio_positive(*ml))
        return false;
    at += n;
    at += *at == ' ';
    return ow_streq(at, i < 2 ? "ml)" : "ml");
}

static bool unit_of_text(const char *text, struct ow_unit *ret)
{
    char s[UNIT_MOST], *slash;
    const struct name *found;
    struct ow_ratio hours, ml;

    if (!unit_fold(text, s))
        return false;
    if (drop_stated(s, &ml)) {
        *ret = (struct ow_unit){ .kind = OW_UNIT_VOLUME, .scale = ml };
        return true;
    }
    slash = strchr(s, '/');
    if (slash != NULL)
        *slash = '\0';
    found = name_find(s, strlen(s));
    if (found == NULL && slash == NULL)
        found = described_find(s);
    if (found == NULL)
        return false;
    *ret = (struct ow_unit){ .kind = found->kind,
                             .scale = OW_RATIO(found->num, found->den),
                             .word = found->word,
                             .forms = found->forms };
    if (slash == NULL)
        return true;
    if (found->kind == OW_UNIT_COUNT || !per_hours(slash + 1, &hours) ||
        !ow_ratio_div(ret->scale, hours, &ret->scale))
        return false;
    ret->kind = found->kind == OW_UNIT_MASS ? OW_UNIT_MASS_RATE : OW_UNIT_VOLUME_RATE;
    return true;
}

/* Do a code and a text speak of different things? */
static bool units_differ(const struct ow_unit *a, const struct ow_unit *b)
{
    if (a->kind != b->kind || ow_ratio_cmp(a->scale, b->scale) != 0)
        return true;
    return a->forms != 0 && b->forms != 0 && (a->forms & b->forms) == 0;
}

/* Why a unit that is not known cannot be one. */
static enum ow_code unit_refuse(const char *text, struct ow_err *err)
{
    char s[UNIT_MOST];

    if (!unit_fold(text, s))
        return ow_err_set(err, OW_MISSING, "the unit is not a known one");
    if (drop_tail(s) != NULL)
        return ow_err_set(err, OW_MISSING, "drops tell no volume");
    if (ow_contains_folded(s, "kg") || ow_contains_folded(s, "m2"))
        return ow_err_set(err, OW_MISSING, "a dose by body weight or surface");
    return ow_err_set(err, OW_MISSING, "the unit \"%s\" is not a known one", s);
}

/* May the text speak for a code that is not understood? Not for a UCUM unit, which means
 * something; for an annotation, a code of another system, or a drop whose text states its
 * volume. */
static bool code_is_label(const struct ow_quantity *q)
{
    char code[UNIT_MOST], text[UNIT_MOST];
    struct ow_ratio ml;

    if (q->unit != NULL && unit_fold(q->code, code) && drop_tail(code) != NULL)
        return unit_fold(q->unit, text) && drop_stated(text, &ml);
    return q->code[0] == '{' ||
           (q->system != NULL && !ow_streq(q->system, OW_SYSTEM_UCUM));
}

enum ow_code ow_unit_read(const struct ow_quantity *q, struct ow_unit *ret,
                          struct ow_err *err)
{
    struct ow_unit code = { .kind = OW_UNIT_COUNT, .scale = OW_RATIO(1, 1) }, text = code;
    bool has_code = q->code != NULL && q->code[0] != '\0';
    bool has_text = q->unit != NULL && q->unit[0] != '\0';
    bool knows_code = has_code && unit_of_text(q->code, &code);
    bool knows_text = has_text && unit_of_text(q->unit, &text);
    bool says_nothing;

    if (has_code && !knows_code && (!code_is_label(q) || !knows_text))
        return unit_refuse(q->code, err);
    /* A text that is not understood may stand beside a code that says it all. */
    says_nothing = !knows_code || (code.kind == OW_UNIT_COUNT && code.word == NULL);
    if (has_text && !knows_text && (says_nothing || strchr(q->unit, '/') != NULL))
        return unit_refuse(q->unit, err);
    if (knows_code && knows_text && units_differ(&code, &text))
        return ow_err_set(err, OW_MISSING, "the unit's text and its code differ");
    *ret = says_nothing ? text : code;
    return OW_OK;
}

bool ow_duration_exact(const struct ow_quantity *q, struct ow_ratio *ret_ms)
{
    int64_t code = 0, text = 0, ms;
    bool has_code = q->code != NULL && q->code[0] != '\0';
    bool knows_code = has_code && ow_unit_time(q->code, &code);
    bool knows_text = ow_unit_time(q->unit, &text);

    if (!q->has_value || q->comparator != NULL || !ow_ratio_positive(q->value))
        return false;
    if ((has_code && !knows_code) || (!has_code && !knows_text) ||
        (knows_code && knows_text && code != text))
        return false;
    ms = knows_code ? code : text;
    return ow_ratio_mul(q->value, OW_RATIO(ms, 1), ret_ms);
}

bool ow_duration_ms(const struct ow_quantity *q, int64_t *ret)
{
    struct ow_ratio ms;

    if (!ow_duration_exact(q, &ms))
        return false;
    *ret = ow_ratio_ceil(ms);
    return true;
}
