#include "alerts/pack.h"

#include <string.h>

#include "alerts/tsv.h"
#include "base/near.h"
#include "base/text.h"

/* ---- settings ---- */

/* Settings of a pack as a whole, then those that every rule has. A word counts as its
 * place in `words`. */
enum {
    S_FACTORS,
    S_EDITION,
    S_OLDER_FACTOR,
    S_COUNT_STALE,
    S_STALE_DAYS,
    S_HORIZON_DAYS,
    S_AVERAGE_DAYS,
    S_MISMATCH_SHARE,
    S_MISMATCH_MED,
    S_PACK_N,
    S_NAME = S_PACK_N,
    S_VERSION,
    S_EXTENDS,
    S_MODE,
    S_EXCLUDED_BY,
    S_PARAM, /* and S_PARAM + x is the parameter x */
};

static const struct setting {
    const char *name, *words; /* words: separated by |; NULL: a number */
    int64_t least, most;
    bool whole;
    const char *source, *note;
} settings[S_PACK_N] = {
    [S_FACTORS] = {"factors",         "cdc-2022|cdc-2016",                  0, 1,     true,  "CDC-2022 MME table",
                   "factor table"                                                                                                                                             },
    [S_EDITION] = { "edition",        "ours|published-2022|published-2016", 0, 2,     true,
                   "site-policy",                                                                                  "whose logic: opiward's, or that of the published services"},
    [S_OLDER_FACTOR] = { "older-factor",   "unreadable|older-factor",            0, 1,     true,
                   "site-policy",                                                                                  "a dosage form that the factor table leaves out"           },
    [S_COUNT_STALE] = { "count-stale",    "no|yes",                             0, 1,     true,  "site-policy",
                   "whether an order still counts when it is stale"                                                                                                           },
    [S_STALE_DAYS] = { "stale-days",     NULL,                                 0, 3650,  true,  "site-policy",
                   "days after the end of its supply at which an active order is stale"                                                                                       },
    [S_HORIZON_DAYS] = { "horizon-days",   NULL,                                 1, 366,   true,  "site-policy",
                   "days ahead in which the peak is looked for"                                                                                                               },
    [S_AVERAGE_DAYS] = { "average-days",   NULL,                                 1, 366,   true,  "site-policy",
                   "days over which averages are taken"                                                                                                                       },
    [S_MISMATCH_SHARE] = { "mismatch-share", NULL,                                 0, 100,   false, "site-policy",
                   "share by which directions and supply may differ, with mismatch-med"                                                                                       },
    [S_MISMATCH_MED] = { "mismatch-med",   NULL,                                 0, 10000, false, "site-policy",
                   "MME/d by which they may differ"                                                                                                                           },
};

static int64_t word_index(const char *words, const char *text)
{
    size_t n = strlen(text);

    for (int64_t i = 0;; i++) {
        size_t len = strcspn(words, "|");

        if (len == n && memcmp(words, text, n) == 0)
            return i;
        if (words[len] == '\0')
            return -1;
        words += len + 1;
    }
}

static struct ow_ratio setting_get(const struct ow_policy *p, unsigned what)
{
    switch (what) {
    case S_FACTORS:
        return OW_RATIO(p->table == OW_TABLE_CDC_2016, 1);
    case S_EDITION:
        return OW_RATIO(p->edition, 1);
    case S_OLDER_FACTOR:
        return OW_RATIO(p->older_factor, 1);
    case S_COUNT_STALE:
        return OW_RATIO(p->count_stale, 1);
    case S_STALE_DAYS:
        return OW_RATIO(p->stale_days, 1);
    case S_HORIZON_DAYS:
        return OW_RATIO(p->horizon_days, 1);
    case S_AVERAGE_DAYS:
        return OW_RATIO(p->average_days, 1);
    case S_MISMATCH_SHARE:
        return p->mismatch_share;
    default:
        ow_assert(what == S_MISMATCH_MED);
        return p->mismatch_med;
    }
}

static void setting_set(struct ow_policy *p, unsigned what, struct ow_ratio v)
{
    switch (what) {
    case S_FACTORS:
        p->table = v.num == 1 ? OW_TABLE_CDC_2016 : OW_TABLE_CDC_2022;
        break;
    case S_EDITION:
        p->edition = (enum ow_edition)v.num;
        break;
    case S_OLDER_FACTOR:
        p->older_factor = v.num == 1;
        break;
    case S_COUNT_STALE:
        p->count_stale = v.num == 1;
        break;
    case S_STALE_DAYS:
        p->stale_days = v.num;
        break;
    case S_HORIZON_DAYS:
        p->horizon_days = v.num;
        break;
    case S_AVERAGE_DAYS:
        p->average_days = v.num;
        break;
    case S_MISMATCH_SHARE:
        p->mismatch_share = v;
        break;
    default:
        ow_assert(what == S_MISMATCH_MED);
        p->mismatch_med = v;
        break;
    }
}

static void row_apply(const struct ow_pack_row *r, struct ow_policy *p)
{
    if (r->what < S_PACK_N)
        setting_set(p, r->what, r->number);
    else if (r->what == S_MODE)
        p->rules[r->rule].mode = (enum ow_mode)r->number.num;
    else if (r->what == S_EXCLUDED_BY)
        p->rules[r->rule].silenced_by = (unsigned)r->number.num;
    else if (r->what >= S_PARAM)
        p->params[r->what - S_PARAM] = r->number;
}

void ow_pack_policy(const struct ow_pack_chain *chain, struct ow_policy *ret)
{
    ow_policy_default(ret);
    for (size_t i = 0; i < chain->n; i++) {
        const struct ow_pack *pack = chain->packs[i];

        ret->name = pack->name;
        ret->version = pack->version;
        for (size_t k = 0; k < pack->n_rows; k++)
            row_apply(&pack->rows[k], ret);
    }
}

/* ---- reading ---- */

enum { C_RULE, C_SETTING, C_VALUE, C_SOURCE, C_NOTE, C_N };

static const char *const columns[C_N] = { "rule", "setting", "value", "source", "note" };

struct reading {
    struct ow_tsv tsv;
    struct ow_arena *arena;
    struct ow_pack *pack;
};

bool ow_pack_name_valid(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
    size_t n = strlen(name);

    return n > 0 && n <= OW_PACK_NAME && name[0] >= 'a' && name[0] <= 'z' &&
           strspn(name, letters) == n;
}

static bool rule_read(struct reading *d, enum ow_rule *ret)
{
    const char *text = ow_tsv_field(&d->tsv, C_RULE), *names[OW_RULE_N + 1], *near;

    *ret = OW_RULE_N;
    if (ow_streq(text, "pack"))
        return true;
    *ret = ow_rule_of(text);
    if (*ret != OW_RULE_N)
        return true;
    for (size_t i = 0; i < OW_RULE_N; i++)
        names[i] = ow_rule_name((enum ow_rule)i);
    names[OW_RULE_N] = "pack";
    near = ow_nearest(text, names, OW_LEN(names));
    ow_tsv_fault(&d->tsv, C_RULE, "no rule '%.60s'%s%s%s", text,
                 near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
                 near != NULL ? "'?" : "");
    return false;
}

/* Every setting that `rule` has, and how many. */
static size_t settings_of(enum ow_rule rule, const char **names, unsigned *whats)
{
    size_t n = 0;

    if (rule != OW_RULE_N) {
        names[n] = "mode", whats[n++] = S_MODE;
        names[n] = "excluded-by", whats[n++] = S_EXCLUDED_BY;
        for (unsigned i = 0; i < OW_PARAM_N; i++)
            if (ow_param_info((enum ow_param)i)->rule == rule)
                names[n] = ow_param_info((enum ow_param)i)->key, whats[n++] = S_PARAM + i;
        return n;
    }
    names[n] = "name", whats[n++] = S_NAME;
    names[n] = "version", whats[n++] = S_VERSION;
    names[n] = "extends", whats[n++] = S_EXTENDS;
    for (unsigned i = 0; i < S_PACK_N; i++)
        names[n] = settings[i].name, whats[n++] = i;
    return n;
}

enum { SETTINGS_MOST = OW_PARAM_N + S_PARAM };

static bool setting_read(struct reading *d, enum ow_rule rule, unsigned *ret)
{
    const char *text = ow_tsv_field(&d->tsv, C_SETTING), *names[SETTINGS_MOST], *near;
    unsigned whats[SETTINGS_MOST];
    size_t n = settings_of(rule, names, whats);

    for (size_t i = 0; i < n; i++) {
        if (ow_streq(text, names[i])) {
            *ret = whats[i];
            return true;
        }
    }
    near = ow_nearest(text, names, n);
    ow_tsv_fault(&d->tsv, C_SETTING, "%s has no setting '%.60s'%s%s%s",
                 rule == OW_RULE_N ? "a pack" : ow_rule_name(rule), text,
                 near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
                 near != NULL ? "'?" : "");
    return false;
}

/* A setting of the pack as a whole that is a word or a number. */
static bool plain_value(struct reading *d, const struct setting *s, const char *text,
                        struct ow_ratio *ret)
{
    enum { PLACES_DEN = 1000000 };
    struct ow_ratio v = OW_ZERO;

    if (s->words != NULL) {
        int64_t i = word_index(s->words, text);

        *ret = OW_RATIO(i, 1);
        if (i < 0)
            ow_tsv_fault(&d->tsv, C_VALUE, "expected one of %s; found '%.60s'", s->words,
                         text);
        return i >= 0;
    }
    if (!ow_ratio_parse(text, strlen(text), &v) || PLACES_DEN % v.den != 0 ||
        (s->whole && v.den != 1) || ow_ratio_cmp(v, OW_RATIO(s->least, 1)) < 0 ||
        ow_ratio_cmp(v, OW_RATIO(s->most, 1)) > 0) {
        ow_tsv_fault(&d->tsv, C_VALUE, "expected a %s from %lld to %lld; found '%.60s'",
                     s->whole ? "whole number" : "decimal number", (long long)s->least,
                     (long long)s->most, text);
        return false;
    }
    *ret = v;
    return true;
}

static bool param_value(struct reading *d, enum ow_param param, const char *text,
                        struct ow_ratio *ret)
{
    const struct ow_param_info *info = ow_param_info(param);
    char least[OW_RATIO_TEXT], most[OW_RATIO_TEXT];

    if (ow_param_parse(param, text, ret))
        return true;
    ow_tsv_fault(
        &d->tsv, C_VALUE, "expected a decimal number from %s to %s; found '%.60s'",
        ow_ratio_decimal(info->least, least), ow_ratio_decimal(info->most, most), text);
    return false;
}

static bool exclusions_value(struct reading *d, const char *text, struct ow_ratio *ret)
{
    unsigned set = 0;
    struct ow_buf names;

    if (ow_exclusions_parse(text, &set)) {
        *ret = OW_RATIO(set, 1);
        return true;
    }
    ow_buf_init(&names, 1024);
    for (unsigned i = 0; i < OW_EXCLUDE_N; i++)
        ow_buf_printf(&names, "%s, ", ow_exclusion_name(1u << i));
    ow_tsv_fault(&d->tsv, C_VALUE, "expected names out of %sor none; found '%.60s'",
                 ow_buf_cstr(&names), text);
    ow_buf_done(&names);
    return false;
}

/* The pack's own name, version and what it extends. */
static bool naming_value(struct reading *d, unsigned what, const char *text)
{
    struct ow_pack *p = d->pack;
    size_t n = strlen(text);
    bool version = n > 0 && n <= OW_PACK_NAME && strpbrk(text, " \t") == NULL;

    if (what == S_VERSION ? !version : !ow_pack_name_valid(text)) {
        ow_tsv_fault(&d->tsv, C_VALUE, "expected %s of at most %d bytes; found '%.60s'",
                     what == S_VERSION ? "a word"
                                       : "a name of small letters, digits, - and dots",
                     OW_PACK_NAME, text);
        return false;
    }
    if (what == S_NAME)
        p->name = text;
    else if (what == S_VERSION)
        p->version = text;
    else
        p->extends = text;
    return true;
}

static bool value_read(struct reading *d, unsigned what, struct ow_ratio *ret)
{
    const char *text = ow_tsv_field(&d->tsv, C_VALUE);
    enum ow_mode mode;

    if (what < S_PACK_N)
        return plain_value(d, &settings[what], text, ret);
    if (what >= S_PARAM)
        return param_value(d, (enum ow_param)(what - S_PARAM), text, ret);
    if (what == S_EXCLUDED_BY)
        return exclusions_value(d, text, ret);
    if (what != S_MODE)
        return naming_value(d, what, text);
    if (ow_mode_parse(text, &mode)) {
        *ret = OW_RATIO(mode, 1);
        return true;
    }
    ow_tsv_fault(&d->tsv, C_VALUE, "expected on, shadow or off; found '%.60s'", text);
    return false;
}

const struct ow_pack_row *ow_pack_row(const struct ow_pack *p, enum ow_rule rule,
                                      const char *setting)
{
    for (size_t i = 0; i < p->n_rows; i++)
        if (p->rows[i].rule == rule && ow_streq(p->rows[i].setting, setting))
            return &p->rows[i];
    return NULL;
}

static void row_read(struct reading *d)
{
    struct ow_pack_row r = { .source = ow_tsv_field(&d->tsv, C_SOURCE),
                             .note = ow_tsv_field(&d->tsv, C_NOTE),
                             .setting = ow_tsv_field(&d->tsv, C_SETTING),
                             .number = OW_ZERO,
                             .line = d->tsv.line,
                             .column = d->tsv.columns[d->tsv.map[C_VALUE]] };
    struct ow_pack *p = d->pack;
    const struct ow_pack_row *before;
    bool good;

    if (!rule_read(d, &r.rule) || !setting_read(d, r.rule, &r.what))
        return;
    before = ow_pack_row(p, r.rule, r.setting);
    if (before != NULL)
        ow_tsv_fault(&d->tsv, C_SETTING, "given twice, first in line %u", before->line);
    good = value_read(d, r.what, &r.number);
    if (r.source[0] == '\0')
        ow_tsv_fault(&d->tsv, C_SOURCE, "empty; a key of SOURCES.md, or site-policy");
    if (!good || before != NULL)
        return;
    OW_ARENA_GROW(d->arena, p->rows, p->n_rows, p->cap_rows);
    p->rows[p->n_rows++] = r;
}

bool ow_pack_parse(struct ow_arena *arena, const struct ow_knowledge_file *file,
                   ow_knowledge_report_fn *report, void *arg, struct ow_pack *ret)
{
    struct ow_tsv_log log = { .report = report, .arg = arg };
    struct reading d = { .arena = arena, .pack = ret };

    *ret = (struct ow_pack){ .file = file->name };
    if (!ow_tsv_open(&d.tsv, file, columns, C_N, &log, arena))
        return false;
    while (ow_tsv_next(&d.tsv)) {
        if (d.tsv.line > OW_PACK_ROWS) {
            ow_tsv_fault(&d.tsv, C_RULE, "more than %d lines", OW_PACK_ROWS);
            break;
        }
        row_read(&d);
    }
    if (log.errors == 0 && (ret->name == NULL || ret->version == NULL)) {
        d.tsv.line = 1;
        d.tsv.columns[d.tsv.map[C_RULE]] = 1;
        ow_tsv_fault(&d.tsv, C_RULE, "the pack has no line 'pack' with its %s",
                     ret->name == NULL ? "name" : "version");
    }
    return log.errors == 0;
}

/* ---- printing ---- */

static const struct ow_pack_row *chain_find(const struct ow_pack_chain *chain,
                                            enum ow_rule rule, const char *setting)
{
    for (size_t i = chain != NULL ? chain->n : 0; i > 0; i--) {
        const struct ow_pack_row *r = ow_pack_row(chain->packs[i - 1], rule, setting);

        if (r != NULL)
            return r;
    }
    return NULL;
}

/* What the table of rules gives as source of a setting. */
static const char *table_source(enum ow_rule rule, const char *setting)
{
    enum ow_param param;

    if (ow_streq(setting, "mode"))
        return ow_rule_use(rule)->sources;
    if (ow_streq(setting, "excluded-by"))
        return "site-policy";
    param = ow_param_of(rule, setting);
    return param != OW_PARAM_N ? ow_param_info(param)->source : "site-policy";
}

const char *ow_pack_source(const struct ow_pack_chain *chain, enum ow_rule rule,
                           const char *setting)
{
    const struct ow_pack_row *r = chain_find(chain, rule, setting);

    return r != NULL ? r->source : table_source(rule, setting);
}

static void print_row(struct ow_buf *out, const char *rule, const char *setting,
                      const char *value, const char *source, const char *note)
{
    ow_buf_printf(out, "%s\t%s\t%s\t%s\t%s\n", rule, setting, value, source, note);
}

static void print_pack_settings(const struct ow_policy *p,
                                const struct ow_policy *decided,
                                const struct ow_pack_chain *chain, struct ow_buf *out)
{
    for (unsigned i = 0; i < S_PACK_N; i++) {
        const struct setting *s = &settings[i];
        const struct ow_pack_row *r = chain_find(chain, OW_RULE_N, s->name);
        struct ow_ratio v = setting_get(p, i);
        bool same = ow_ratio_cmp(v, setting_get(decided, i)) == 0;
        char text[OW_RATIO_TEXT];
        const char *word = s->words;

        ow_ratio_decimal(v, text);
        if (word != NULL) {
            for (int64_t k = v.num; k > 0; k--)
                word += strcspn(word, "|") + 1;
            ow_assert(strcspn(word, "|") < sizeof text);
            memcpy(text, word, strcspn(word, "|"));
            text[strcspn(word, "|")] = '\0';
        }
        print_row(out, "pack", s->name, text,
                  !same       ? "site-policy"
                  : r != NULL ? r->source
                              : s->source,
                  s->note);
    }
}

static void print_exclusions(struct ow_buf *out, unsigned set)
{
    const char *between = "";

    if (set == 0)
        ow_buf_str(out, "none");
    for (unsigned i = 0; i < OW_EXCLUDE_N; i++) {
        if ((set & 1u << i) == 0)
            continue;
        ow_buf_printf(out, "%s%s", between, ow_exclusion_name(1u << i));
        between = ", ";
    }
}

static void print_rule(const struct ow_policy *p, const struct ow_policy *decided,
                       const struct ow_pack_chain *chain, enum ow_rule rule,
                       struct ow_buf *out)
{
    const struct ow_rule_policy *is = &p->rules[rule], *was = &decided->rules[rule];
    const char *name = ow_rule_name(rule);
    struct ow_buf set;

    print_row(out, name, "mode", ow_mode_name(is->mode),
              is->mode == was->mode ? ow_pack_source(chain, rule, "mode") : "site-policy",
              ow_rule_use(rule)->intended);
    ow_buf_init(&set, 1024);
    print_exclusions(&set, is->silenced_by);
    print_row(out, name, "excluded-by", ow_buf_cstr(&set),
              is->silenced_by == was->silenced_by
                  ? ow_pack_source(chain, rule, "excluded-by")
                  : "site-policy",
              "patients for whom it is silent");
    ow_buf_done(&set);
    for (unsigned i = 0; i < OW_PARAM_N; i++) {
        const struct ow_param_info *info = ow_param_info((enum ow_param)i);
        char text[OW_RATIO_TEXT];

        if (info->rule != rule)
            continue;
        print_row(out, name, info->key, ow_ratio_decimal(p->params[i], text),
                  ow_ratio_cmp(p->params[i], decided->params[i]) == 0
                      ? ow_pack_source(chain, rule, info->key)
                      : "site-policy",
                  info->words);
    }
}

void ow_pack_print(const struct ow_policy *p, const struct ow_pack_chain *chain,
                   struct ow_buf *out)
{
    static const struct ow_pack_chain none = { .n = 0 };
    struct ow_policy decided;

    ow_pack_policy(chain != NULL ? chain : &none, &decided);
    for (size_t i = 0; i < C_N; i++)
        ow_buf_printf(out, "%s%c", columns[i], i + 1 < C_N ? '\t' : '\n');
    print_row(out, "pack", "name", p->name, "site-policy", "");
    print_row(out, "pack", "version", p->version, "site-policy", "printed on cards");
    print_pack_settings(p, &decided, chain, out);
    for (size_t i = 0; i < OW_RULE_N; i++)
        print_rule(p, &decided, chain, (enum ow_rule)i, out);
}
