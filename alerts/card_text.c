/*
 * Text of a card made safe: Markdown escapes and a cut that splits no character that a
 * person sees as one. Grapheme clusters after UAX 29, reduced to what drug and person
 * names hold: combining marks, variation selectors, joined emoji, flags, Hangul
 * syllables.
 */
#include <string.h>

#include "alerts/card.h"
#include "base/text.h"

/* ---- Markdown ---- */

static bool is_markup(char c)
{
    return strchr("\\`*_[]<>|~&#!@", c) != NULL;
}

/* Neither markup, nor a control character, nor what may start a link. */
static bool is_plain(char c)
{
    static const bool special[256] = {
        [0 ... 0x1f] = true, [0x7f] = true, ['.'] = true, [':'] = true, ['\\'] = true,
        ['`'] = true,        ['*'] = true,  ['_'] = true, ['['] = true, [']'] = true,
        ['<'] = true,        ['>'] = true,  ['|'] = true, ['~'] = true, ['&'] = true,
        ['#'] = true,        ['!'] = true,  ['@'] = true,
    };

    return !special[(unsigned char)c];
}

/* "www." and "://" would become links by themselves. */
static bool starts_link(const char *s, const char *at)
{
    if (*at == ':')
        return at[1] == '/';
    return *at == '.' && at - s >= 3 && (at[-1] | 32) == 'w' && (at[-2] | 32) == 'w' &&
           (at[-3] | 32) == 'w';
}

const char *ow_card_escape(struct ow_arena *arena, const char *s)
{
    size_t n = strlen(s);
    char *ret = ow_arena_alloc(arena, 2 * n + 1), *out = ret;

    for (const char *at = s; *at != '\0'; at++) {
        unsigned char c = (unsigned char)*at;

        if (is_plain(*at)) {
            *out++ = *at;
            continue;
        }
        if (c < 0x20 || c == 0x7f) {
            *out++ = ' ';
            continue;
        }
        if (is_markup(*at) || starts_link(s, at))
            *out++ = '\\';
        *out++ = *at;
    }
    *out = '\0';
    return ret;
}

/* ---- graphemes ---- */

static uint32_t decode(const char *s, size_t len)
{
    const unsigned char *b = (const unsigned char *)s;

    switch (len) {
    case 2:
        return (uint32_t)(b[0] & 0x1f) << 6 | (b[1] & 0x3f);
    case 3:
        return (uint32_t)(b[0] & 0x0f) << 12 | (uint32_t)(b[1] & 0x3f) << 6 |
               (b[2] & 0x3f);
    case 4:
        return (uint32_t)(b[0] & 0x07) << 18 | (uint32_t)(b[1] & 0x3f) << 12 |
               (uint32_t)(b[2] & 0x3f) << 6 | (b[3] & 0x3f);
    default:
        return b[0];
    }
}

struct range {
    uint32_t from, to;
};

static bool in_ranges(const struct range *r, size_t n, uint32_t c)
{
    for (size_t i = 0; i < n; i++)
        if (c >= r[i].from && c <= r[i].to)
            return true;
    return false;
}

/* Goes with the character before it. */
static bool extends(uint32_t c)
{
    static const struct range marks[] = {
        {0x0300,   0x036f },
        { 0x0483,  0x0489 },
        { 0x0591,  0x05bd },
        { 0x0610,  0x061a },
        { 0x064b,  0x065f },
        { 0x0900,  0x0903 },
        { 0x093a,  0x094f },
        { 0x0e31,  0x0e3a },
        { 0x0e47,  0x0e4e },
        { 0x1160,  0x11ff },
        { 0x1ab0,  0x1aff },
        { 0x1dc0,  0x1dff },
        { 0x200c,  0x200d },
        { 0x20d0,  0x20ff },
        { 0x302a,  0x302f },
        { 0x3099,  0x309a },
        { 0xfe00,  0xfe0f },
        { 0xfe20,  0xfe2f },
        { 0x1f3fb, 0x1f3ff},
        { 0xe0020, 0xe007f},
        { 0xe0100, 0xe01ef},
    };

    return c >= 0x300 && in_ranges(marks, OW_LEN(marks), c);
}

static bool is_flag_letter(uint32_t c)
{
    return c >= 0x1f1e6 && c <= 0x1f1ff;
}

const char *ow_card_cut(struct ow_arena *arena, const char *s, size_t units)
{
    size_t n = strlen(s), used = 0, safe = 0, at = 0;
    uint32_t before = 0;
    unsigned flags = 0; /* flag letters in a row */

    while (at < n) {
        size_t len = ow_utf8_len(s + at, n - at);
        uint32_t c = len == 0 ? 0xfffd : decode(s + at, len);
        bool joined = extends(c) || before == 0x200d ||
                      (is_flag_letter(c) && flags % 2 == 1);

        if (!joined && used + 1 <= units) /* room for the ellipsis behind it */
            safe = at;
        used += c >= 0x10000 ? 2 : 1;
        flags = is_flag_letter(c) ? flags + 1 : 0;
        before = c;
        at += len == 0 ? 1 : len;
        if (used > units)
            break;
    }
    if (used <= units)
        return s;
    while (safe > 0 && s[safe - 1] == ' ')
        safe--;
    return ow_arena_printf(arena, "%.*s\xe2\x80\xa6", (int)safe, s);
}
