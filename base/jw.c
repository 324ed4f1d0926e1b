#include "base/jw.h"

#include <string.h>

#include "base/text.h"

void ow_jw_init(struct ow_jw *w, struct ow_buf *out)
{
    *w = (struct ow_jw){ .out = out };
}

/* A value begins here: its comma, or a check that a key came before it. */
static void value_begin(struct ow_jw *w)
{
    if (w->after_key) {
        w->after_key = false;
        return;
    }
    ow_assert(w->depth == 0 ? !w->comma : w->stack[w->depth - 1] == '[');
    if (w->comma)
        ow_buf_char(w->out, ',');
}

static void open_bracket(struct ow_jw *w, char bracket)
{
    value_begin(w);
    ow_assert(w->depth < OW_JW_DEPTH);
    w->stack[w->depth++] = bracket;
    w->comma = false;
    ow_buf_char(w->out, bracket);
}

void ow_jw_object(struct ow_jw *w)
{
    open_bracket(w, '{');
}

void ow_jw_array(struct ow_jw *w)
{
    open_bracket(w, '[');
}

void ow_jw_end(struct ow_jw *w)
{
    ow_assert(w->depth > 0 && !w->after_key);
    ow_buf_char(w->out, w->stack[--w->depth] == '{' ? '}' : ']');
    w->comma = true;
}

static bool is_plain(unsigned char c)
{
    static const bool plain[256] = {
        [0x20 ... 0x21] = true, /* not the quotation mark */
        [0x23 ... 0x5b] = true, /* not the backslash */
        [0x5d ... 0x7f] = true,
    };

    return plain[c];
}

static void escape(struct ow_buf *out, unsigned char c)
{
    static const char from[] = "\"\\\n\r\t\b\f", to[] = "\"\\nrtbf";
    const char *at = c ? strchr(from, c) : NULL;

    if (at) {
        char pair[2] = { '\\', to[at - from] };

        ow_buf_add(out, pair, sizeof pair);
    } else {
        char hex[3];

        ow_hex(&c, 1, hex);
        ow_buf_add(out, "\\u00", 4);
        ow_buf_add(out, hex, 2);
    }
}

static void quoted(struct ow_buf *out, const char *s, size_t n)
{
    size_t from = 0, i = 0;

    ow_buf_char(out, '"');
    while (i < n) {
        unsigned char c = (unsigned char)s[i];
        size_t len;

        if (is_plain(c)) {
            i++;
            continue;
        }
        len = c < 0x80 ? 0 : ow_utf8_len(s + i, n - i);
        i += len;
        if (len > 0)
            continue;
        ow_buf_add(out, s + from, i - from);
        if (c < 0x80)
            escape(out, c);
        else
            ow_buf_add(out, "\xef\xbf\xbd", 3); /* U+FFFD */
        from = ++i;
    }
    ow_buf_add(out, s + from, n - from);
    ow_buf_char(out, '"');
}

void ow_jw_key(struct ow_jw *w, const char *key)
{
    ow_assert(w->depth > 0 && w->stack[w->depth - 1] == '{' && !w->after_key);
    if (w->comma)
        ow_buf_char(w->out, ',');
    quoted(w->out, key, strlen(key));
    ow_buf_char(w->out, ':');
    w->after_key = true;
}

void ow_jw_raw(struct ow_jw *w, const char *json, size_t n)
{
    value_begin(w);
    ow_buf_add(w->out, json, n);
    w->comma = true;
}

static void word(struct ow_jw *w, const char *text)
{
    ow_jw_raw(w, text, strlen(text));
}

void ow_jw_string(struct ow_jw *w, const char *s)
{
    if (s)
        ow_jw_string_n(w, s, strlen(s));
    else
        ow_jw_null(w);
}

void ow_jw_string_n(struct ow_jw *w, const char *s, size_t n)
{
    value_begin(w);
    quoted(w->out, s, n);
    w->comma = true;
}

void ow_jw_int(struct ow_jw *w, int64_t v)
{
    char text[24], *at = text + sizeof text;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

    do
        *--at = (char)('0' + (int)(u % 10));
    while (u /= 10);
    if (v < 0)
        *--at = '-';
    ow_jw_raw(w, at, (size_t)(text + sizeof text - at));
}

void ow_jw_bool(struct ow_jw *w, bool v)
{
    word(w, v ? "true" : "false");
}

void ow_jw_null(struct ow_jw *w)
{
    word(w, "null");
}

void ow_jw_ratio(struct ow_jw *w, struct ow_ratio v, int places)
{
    char text[OW_RATIO_TEXT];

    word(w, ow_ratio_json(v, places, text));
}

void ow_jw_kstring(struct ow_jw *w, const char *key, const char *s)
{
    ow_jw_key(w, key);
    ow_jw_string(w, s);
}

void ow_jw_kstring_opt(struct ow_jw *w, const char *key, const char *s)
{
    if (s && *s)
        ow_jw_kstring(w, key, s);
}

void ow_jw_kint(struct ow_jw *w, const char *key, int64_t v)
{
    ow_jw_key(w, key);
    ow_jw_int(w, v);
}

void ow_jw_kbool(struct ow_jw *w, const char *key, bool v)
{
    ow_jw_key(w, key);
    ow_jw_bool(w, v);
}

void ow_jw_kratio(struct ow_jw *w, const char *key, struct ow_ratio v, int places)
{
    ow_jw_key(w, key);
    ow_jw_ratio(w, v, places);
}

void ow_jw_kobject(struct ow_jw *w, const char *key)
{
    ow_jw_key(w, key);
    ow_jw_object(w);
}

void ow_jw_karray(struct ow_jw *w, const char *key)
{
    ow_jw_key(w, key);
    ow_jw_array(w);
}
