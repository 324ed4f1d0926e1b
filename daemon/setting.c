#include "daemon/setting.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/near.h"
#include "base/text.h"
#include "daemon/files.h"

/* `min` of config.def is a number, for WORD the words. */
#define BOUND_STRING(min)   .lo = (min)
#define BOUND_INT(min)      .lo = (min)
#define BOUND_BOOL(min)     .lo = (min)
#define BOUND_DURATION(min) .lo = (min)
#define BOUND_SIZE(min)     .lo = (min)
#define BOUND_FILE(min)     .lo = (min)
#define BOUND_FOLDER(min)   .lo = (min)
#define BOUND_URL(min)      .lo = (min)
#define BOUND_WORD(min)     .words = (min)

const struct ow_setting ow_settings[OW_SETTING_N] = {
#define KEY(sec, nam, typ, def, min, max, reload, hlp)                                   \
    { .section = #sec,                                                                   \
      .name = #nam,                                                                      \
      .type = OW_SETTING_##typ,                                                          \
      .dflt = (def),                                                                     \
      BOUND_##typ(min),                                                                  \
      .hi = (max),                                                                       \
      .reloadable = (reload),                                                            \
      .help = (hlp),                                                                     \
      .offset = offsetof(struct ow_config, sec##_##nam) },
#include "daemon/config.def"
#undef KEY
};

/* --- units --- */

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit durations[] = {
    {"d",    86400000},
    { "h",   3600000 },
    { "min", 60000   },
    { "s",   1000    },
    { "ms",  1       },
};

static const struct unit sizes[] = {
    {"GiB",  1 << 30},
    { "MiB", 1 << 20},
    { "KiB", 1 << 10},
    { "B",   1      },
};

static bool unit_parse(const char *text, const struct unit *units, size_t n, int64_t *ret)
{
    size_t digits = strspn(text, "0123456789");
    char number[24];
    int64_t v;

    if (digits == 0 || digits >= sizeof number || (digits > 1 && *text == '0'))
        return false;
    snprintf(number, sizeof number, "%.*s", (int)digits, text);
    if (!ow_parse_i64(number, &v))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (ow_streq(text + digits, units[i].name))
            return !__builtin_mul_overflow(v, units[i].factor, ret);
    }
    return false;
}

/* In the largest unit that divides it. Days are read, but written as hours: a day on the
 * clock may have 23. */
static void unit_format(struct ow_buf *out, int64_t v, const struct unit *units, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (ow_streq(units[i].name, "d"))
            continue;
        if (i == n - 1 || (v != 0 && v % units[i].factor == 0) ||
            (v == 0 && ow_streq(units[i].name, "s"))) {
            ow_buf_printf(out, "%" PRId64 "%s", v / units[i].factor, units[i].name);
            return;
        }
    }
}

/* --- words --- */

static bool word_in(const char *words, const char *text)
{
    size_t n = strlen(text);

    while (n > 0) {
        size_t len = strcspn(words, "|");

        if (len == n && memcmp(words, text, n) == 0)
            return true;
        if (words[len] == '\0')
            return false;
        words += len + 1;
    }
    return false;
}

static void words_list(const struct ow_setting *s, struct ow_buf *out)
{
    for (const char *w = s->words; *w; w++) {
        if (*w == '|')
            ow_buf_str(out, ", ");
        else
            ow_buf_char(out, *w);
    }
}

/* --- what is expected --- */

static void bounds_list(struct ow_buf *out, const struct ow_setting *s,
                        const struct unit *units, size_t n)
{
    ow_buf_str(out, " from ");
    unit_format(out, s->lo, units, n);
    ow_buf_str(out, " to ");
    unit_format(out, s->hi, units, n);
}

static void expects_length(struct ow_buf *out, const char *what,
                           const struct ow_setting *s)
{
    if (s->lo > 0)
        ow_buf_printf(out, "%s of %" PRId64 " to %" PRId64 " bytes", what, s->lo, s->hi);
    else
        ow_buf_printf(out, "empty, or %s of at most %" PRId64 " bytes", what, s->hi);
}

void ow_setting_expects(const struct ow_setting *s, struct ow_buf *out)
{
    if (ow_streq(s->dflt, "preset") && s->type != OW_SETTING_WORD)
        ow_buf_str(out, "'preset', or ");
    switch (s->type) {
    case OW_SETTING_STRING:
        expects_length(out, "text", s);
        break;
    case OW_SETTING_FILE:
        expects_length(out, "the path of a file", s);
        break;
    case OW_SETTING_FOLDER:
        expects_length(out, "the path of a folder", s);
        break;
    case OW_SETTING_URL:
        expects_length(out, "an http or https URL", s);
        break;
    case OW_SETTING_INT:
        ow_buf_printf(out, "a whole number from %" PRId64 " to %" PRId64, s->lo, s->hi);
        break;
    case OW_SETTING_BOOL:
        ow_buf_str(out, "true or false");
        break;
    case OW_SETTING_DURATION:
        ow_buf_str(out, "a duration (ms, s, min, h, d)");
        bounds_list(out, s, durations, OW_LEN(durations));
        break;
    case OW_SETTING_SIZE:
        ow_buf_str(out, "a size (B, KiB, MiB, GiB)");
        bounds_list(out, s, sizes, OW_LEN(sizes));
        break;
    case OW_SETTING_WORD:
        ow_buf_str(out, "one of ");
        words_list(s, out);
        break;
    }
}

/* --- text to field --- */

static void *field(const struct ow_setting *s, struct ow_config *c)
{
    return (char *)c + s->offset;
}

static bool within(const struct ow_setting *s, int64_t v)
{
    return v >= s->lo && v <= s->hi;
}

static bool parse_number(const struct ow_setting *s, const char *text,
                         struct ow_config_number *ret)
{
    const char *digits = *text == '-' ? text + 1 : text;
    int64_t whole;

    if (ow_streq(s->dflt, "preset") && ow_streq(text, "preset")) {
        *ret = (struct ow_config_number){ .set = false, .value = OW_ZERO };
        return true;
    }
    if ((digits[0] == '0' && digits[1]) || !ow_parse_i64(text, &whole) ||
        !within(s, whole))
        return false; /* a leading zero means octal to some */
    *ret = (struct ow_config_number){ .set = true, .value = OW_RATIO(whole, 1) };
    return true;
}

static bool parse_scaled(const struct ow_setting *s, const char *text, int64_t *ret)
{
    bool duration = s->type == OW_SETTING_DURATION;
    int64_t v;

    if (!unit_parse(text, duration ? durations : sizes,
                    duration ? OW_LEN(durations) : OW_LEN(sizes), &v) ||
        !within(s, v))
        return false;
    *ret = v;
    return true;
}

/* A path, absolute from here on; a bare name may be a credential of systemd. */
static const char *parse_path(const struct ow_setting *s, const char *text,
                              const char *folder, struct ow_arena *arena)
{
    char path[8192];

    if (!within(s, (int64_t)strlen(text)))
        return NULL;
    if (*text == '\0')
        return "";
    if (!(s->type == OW_SETTING_FILE && ow_credential_path(text, path, sizeof path)) &&
        !ow_path_join(folder, text, path, sizeof path))
        return NULL;
    return within(s, (int64_t)strlen(path)) ? ow_arena_strdup(arena, path) : NULL;
}

static const char *parse_text(const struct ow_setting *s, const char *text,
                              const char *folder, struct ow_arena *arena,
                              struct ow_err *err)
{
    if (s->type == OW_SETTING_FILE || s->type == OW_SETTING_FOLDER)
        return parse_path(s, text, folder, arena);
    if (s->type == OW_SETTING_WORD ? !word_in(s->words, text)
                                   : !within(s, (int64_t)strlen(text)))
        return NULL;
    if (s->type == OW_SETTING_URL && *text && !ow_url_check(text, err))
        return NULL;
    return ow_arena_strdup(arena, text);
}

static bool parse_field(const struct ow_setting *s, const char *text, const char *folder,
                        struct ow_config *c, struct ow_arena *arena, struct ow_err *err)
{
    const char *string;

    switch (s->type) {
    case OW_SETTING_INT:
        return parse_number(s, text, field(s, c));
    case OW_SETTING_DURATION:
    case OW_SETTING_SIZE:
        return parse_scaled(s, text, field(s, c));
    case OW_SETTING_BOOL:
        if (!ow_streq(text, "true") && !ow_streq(text, "false"))
            return false;
        *(bool *)field(s, c) = *text == 't';
        return true;
    default:
        string = parse_text(s, text, folder, arena, err);
        if (!string)
            return false;
        *(const char **)field(s, c) = string;
        return true;
    }
}

bool ow_setting_parse(const struct ow_setting *s, const char *text, const char *folder,
                      struct ow_config *c, struct ow_arena *arena, struct ow_err *err)
{
    struct ow_err why = { "" };
    struct ow_buf expects;
    bool quoted;

    if (parse_field(s, text, folder, c, arena, &why))
        return true;
    ow_buf_init(&expects, 1024);
    ow_setting_expects(s, &expects);
    /* A URL with a user may hold a password, and is not repeated. */
    quoted = s->type != OW_SETTING_URL || !strchr(text, '@');
    ow_err_set(err, OW_CONFIG, "%s.%s: expected %s%s%.60s%s%s%s", s->section, s->name,
               ow_buf_cstr(&expects), quoted ? "; found '" : "", quoted ? text : "",
               quoted ? "'" : "", *why.text ? ": " : "", why.text);
    ow_buf_done(&expects);
    return false;
}

/* --- field to text --- */

static void number_format(struct ow_buf *out, struct ow_config_number n)
{
    char text[OW_RATIO_TEXT];

    if (n.set)
        ow_buf_str(out, ow_ratio_decimal(n.value, text));
    else
        ow_buf_str(out, "preset");
}

void ow_setting_format(const struct ow_setting *s, const struct ow_config *c,
                       struct ow_buf *out)
{
    const void *at = (const char *)c + s->offset;

    switch (s->type) {
    case OW_SETTING_INT:
        number_format(out, *(const struct ow_config_number *)at);
        break;
    case OW_SETTING_DURATION:
        unit_format(out, *(const int64_t *)at, durations, OW_LEN(durations));
        break;
    case OW_SETTING_SIZE:
        unit_format(out, *(const int64_t *)at, sizes, OW_LEN(sizes));
        break;
    case OW_SETTING_BOOL:
        ow_buf_str(out, *(const bool *)at ? "true" : "false");
        break;
    default:
        ow_buf_str(out, *(const char *const *)at);
        break;
    }
}

/* --- names --- */

const struct ow_setting *ow_setting_find(const char *section, const char *name)
{
    for (size_t i = 0; i < OW_SETTING_N; i++) {
        if (ow_streq(ow_settings[i].section, section) &&
            ow_streq(ow_settings[i].name, name))
            return &ow_settings[i];
    }
    return NULL;
}

bool ow_setting_section(const char *section)
{
    for (size_t i = 0; i < OW_SETTING_N; i++) {
        if (ow_streq(ow_settings[i].section, section))
            return true;
    }
    return false;
}

const struct ow_setting *ow_setting_suggest(const char *section, const char *name)
{
    const struct ow_setting *best = NULL;
    unsigned best_d = 2 * OW_NEAR_BYTES;

    for (size_t i = 0; i < OW_SETTING_N; i++) {
        const struct ow_setting *s = &ow_settings[i];
        bool own = !name || ow_streq(s->section, section);
        unsigned d = 2 * ow_near_distance(name ? name : section,
                                          name ? s->name : s->section) +
                     !own;

        if (d < best_d && ow_near(d / 2, name ? name : section)) {
            best = s;
            best_d = d;
        }
    }
    return best;
}
