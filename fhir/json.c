/*
 * One pass, ours: grammar, UTF-8, escapes, duplicate keys, depth and count are checked
 * while the tree grows. The nodes are cJSON's struct, so that readers walk them with its
 * macros; its parser is not asked, since it would take what we refuse, go over the text a
 * second time and pass decimals through a double on their way to a dose. Instead every
 * number node gets its own text.
 *
 * Nodes and strings are cut from pieces of the arena. What a refusal leaves behind goes
 * with the arena.
 *
 * Duplicate keys: few members are compared with each other; the keys of a large object
 * are sorted at its end. Sorting needs no secret seed and has no bad case.
 *
 * Failure modes: every refusal is OW_INPUT with line, column and path. Member names in a
 * path are printed only when they look like FHIR element names, since anything else in
 * the text might be patient data.
 */
#include "fhir/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

enum {
    BYTES_DEFAULT = 16 * 1024 * 1024,
    DEPTH_DEFAULT = 64,
    DEPTH_MOST = 256,
    NODES_DEFAULT = 400 * 1000,
    FEW_KEYS = 16,      /* compared one with another; more are sorted */
    KEYS_FIRST = 96,    /* on the stack, before the heap is asked */
    NODES_PIECE = 16,   /* taken from the arena at once */
    CHARS_PIECE = 1024, /* likewise */
    PATH_SIZE = 160,
    NAME_MOST = 40,
};

/* --- the scan --- */

struct key {
    const char *s; /* decoded */
    size_t len;
    uint64_t head; /* its first eight bytes */
};

struct frame {
    bool object;
    size_t first_key;   /* object: its part of the key stack */
    size_t index;       /* array: of the item in hand */
    cJSON *node, *last; /* the container, and its newest member or item */
};

struct scan {
    const char *start, *at, *end;
    struct ow_json_limits lim;
    struct ow_arena *arena;
    struct ow_err *err;
    size_t nodes;
    unsigned depth;
    cJSON *root;
    char *name;                  /* of the member whose value comes next */
    cJSON *nodes_at, *nodes_end; /* pieces of the arena, not used up */
    char *chars_at, *chars_end;
    struct key *keys; /* stack of the open objects' keys */
    size_t n_keys, cap_keys;
    struct key first_keys[KEYS_FIRST];
    struct frame frames[DEPTH_MOST];
};

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

/* _birthDate, valueBase64Binary; no capital in front, as names of people have. */
static bool name_is_plain(const struct key *k)
{
    if (k->len == 0 || k->len > NAME_MOST || !(k->s[0] == '_' || is_lower(k->s[0])))
        return false;
    for (size_t i = 1; i < k->len; i++) {
        char c = k->s[i];

        if (!(is_lower(c) || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
            return false;
    }
    return true;
}

/* entry[3].resource.status of the place in hand; a long one loses its front */
static void path_write(const struct scan *s, struct ow_buf *out)
{
    for (unsigned i = 0; i < s->depth; i++) {
        const struct frame *f = &s->frames[i];
        size_t last = i + 1 < s->depth ? s->frames[i + 1].first_key : s->n_keys;

        if (!f->object) {
            ow_buf_printf(out, "[%zu]", f->index);
            continue;
        }
        if (last == f->first_key)
            continue; /* before its first key */
        if (out->len > 0)
            ow_buf_char(out, '.');
        if (name_is_plain(&s->keys[last - 1]))
            ow_buf_add(out, s->keys[last - 1].s, s->keys[last - 1].len);
        else
            ow_buf_char(out, '?');
    }
}

/* Refuse, with the place: line and column count from 1, columns in characters. */
static bool refuse(const struct scan *s, const char *at, const char *what)
{
    size_t line = 1, column = 1, skip;
    struct ow_buf path;

    for (const char *p = s->start; p < at; p++) {
        if (*p == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)*p & 0xc0) != 0x80) {
            column++;
        }
    }
    ow_buf_init(&path, (size_t)DEPTH_MOST * (NAME_MOST + 24));
    path_write(s, &path);
    skip = path.len > PATH_SIZE ? path.len - PATH_SIZE : 0;
    ow_err_set(s->err, OW_INPUT, "line %zu, column %zu%s%s%s: %s", line, column,
               path.len > 0 ? ", at " : "", skip > 0 ? "..." : "",
               ow_buf_cstr(&path) + skip, what);
    ow_buf_done(&path);
    return false;
}

/* Double a vector that began on the stack. */
static void *vector_grow(void *items, const void *first, size_t n, size_t *cap,
                         size_t size)
{
    void *grown;

    *cap *= 2;
    if (items != first)
        return ow_realloc(items, *cap * size);
    grown = ow_alloc(*cap * size);
    memcpy(grown, items, n * size);
    return grown;
}

static inline void skip_space(struct scan *s)
{
    const char *p = s->at;

    while (p < s->end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
        p++;
    s->at = p;
}

/* --- the tree --- */

static bool refuse_full(const struct scan *s)
{
    ow_err_set(s->err, OW_INPUT, "the JSON needs more memory than the limit");
    return false;
}

/* A zeroed node hung in behind its elder siblings; NULL when the arena is full. */
static cJSON *node_add(struct scan *s, int type)
{
    cJSON *n;

    if (s->nodes_at == s->nodes_end) {
        if (ow_arena_full(s->arena))
            return NULL;
        s->nodes_at = OW_NEW_N(s->arena, cJSON, NODES_PIECE);
        s->nodes_end = s->nodes_at + NODES_PIECE;
    }
    n = s->nodes_at++;
    n->type = type;
    n->string = s->name;
    s->name = NULL;
    if (s->depth == 0) {
        s->root = n;
        return n;
    }
    struct frame *f = &s->frames[s->depth - 1];
    if (f->last) {
        f->last->next = n;
        n->prev = f->last;
    } else {
        f->node->child = n;
    }
    f->node->child->prev = n; /* as cJSON has it: the first knows the last */
    f->last = n;
    return n;
}

static char *chars_take(struct scan *s, size_t n)
{
    char *p;

    if (n > (size_t)(s->chars_end - s->chars_at)) {
        size_t left = (size_t)(s->end - s->at) + n; /* no piece larger than the text */
        size_t piece = left < CHARS_PIECE ? left : CHARS_PIECE;

        if (n > CHARS_PIECE / 4) /* the piece in hand still serves the small ones */
            return ow_arena_alloc(s->arena, n);
        s->chars_at = ow_arena_alloc(s->arena, piece);
        s->chars_end = s->chars_at + piece;
    }
    p = s->chars_at;
    s->chars_at += n;
    return p;
}

static char *chars_copy(struct scan *s, const char *from, size_t n)
{
    char *to = chars_take(s, n + 1); /* zeroed: the arena's memory is */

    return memcpy(to, from, n);
}

/* --- the scan --- */

static int hex_value(const char *p, const char *end)
{
    int v = 0;

    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = p[i];

        if (c >= '0' && c <= '9')
            v = v * 16 + (c - '0');
        else if (c >= 'a' && c <= 'f')
            v = v * 16 + (c - 'a' + 10);
        else if (c >= 'A' && c <= 'F')
            v = v * 16 + (c - 'A' + 10);
        else
            return -1;
    }
    return v;
}

/* An escape at `p` (the backslash); the length it takes, or 0 after a refusal. */
static size_t scan_escape(const struct scan *s, const char *p)
{
    int v, low;

    if (s->end - p < 2)
        return refuse(s, s->end, "the text ends inside a string");
    if (p[1] != 'u') {
        if (p[1] != '\0' && strchr("\"\\/bfnrt", p[1]))
            return 2;
        return refuse(s, p, "unknown escape in a string");
    }
    v = hex_value(p + 2, s->end);
    if (v < 0)
        return refuse(s, p, "expected four hexadecimal digits behind \\u");
    if (v == 0 && !s->lim.grammar_only)
        return refuse(s, p, "\\u0000 in a string");
    if (v >= 0xdc00 && v <= 0xdfff)
        return refuse(s, p, "half of a surrogate pair");
    if (v < 0xd800 || v > 0xdfff)
        return 6;
    low = s->end - p >= 12 && p[6] == '\\' && p[7] == 'u' ? hex_value(p + 8, s->end) : -1;
    if (low < 0xdc00 || low > 0xdfff)
        return refuse(s, p, "half of a surrogate pair");
    return 12;
}

#define ONES UINT64_C(0x0101010101010101)

/* Does a word of eight bytes hold a control character, a quote, a backslash or anything
 * beyond ASCII? The lowest bit set (on a little-endian machine) is the first of them. */
static inline uint64_t special_bytes(uint64_t w)
{
    uint64_t quote = w ^ (ONES * '"'), backslash = w ^ (ONES * '\\');

    return ((w - ONES * 0x20) | (quote - ONES) | (backslash - ONES) | w) & (ONES << 7);
}

static inline const char *skip_plain(const char *p, const char *end)
{
    uint64_t w, special;

    while (end - p >= 8) {
        memcpy(&w, p, sizeof w);
        special = special_bytes(w);
        if (special != 0) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
            return p + (__builtin_ctzll(special) >> 3);
#else
            break;
#endif
        }
        p += 8;
    }
    while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 &&
           *p != '"' && *p != '\\')
        p++;
    return p;
}

/* A string whose quote is at s->at; `escaped` says whether it holds a backslash. */
static bool scan_string(struct scan *s, bool *escaped)
{
    const char *p = s->at + 1;

    *escaped = false;
    for (;;) {
        size_t n;

        p = skip_plain(p, s->end);
        if (p >= s->end)
            return refuse(s, s->end, "the text ends inside a string");
        if (*p == '"')
            break;
        if ((unsigned char)*p < 0x20)
            return refuse(s, p, "raw control character in a string");
        if (*p == '\\') {
            n = scan_escape(s, p);
            *escaped = true;
            if (n == 0)
                return false;
        } else {
            n = ow_utf8_len(p, (size_t)(s->end - p));
            if (n == 0)
                return refuse(s, p, "invalid UTF-8 in a string");
        }
        p += n;
    }
    s->at = p + 1;
    return true;
}

static bool is_digit(const char *p, const char *end)
{
    return p < end && *p >= '0' && *p <= '9';
}

static bool scan_number(struct scan *s)
{
    const char *p = s->at, *end = s->end;

    if (*p == '-')
        p++;
    if (!is_digit(p, end))
        return refuse(s, s->at, "expected a digit");
    if (*p == '0' && is_digit(p + 1, end))
        return refuse(s, s->at, "number with a leading zero");
    while (is_digit(p, end))
        p++;
    if (p < end && *p == '.') {
        if (!is_digit(++p, end))
            return refuse(s, s->at, "expected a digit behind the decimal point");
        while (is_digit(p, end))
            p++;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        if (!is_digit(p, end))
            return refuse(s, s->at, "expected a digit in the exponent");
        while (is_digit(p, end))
            p++;
    }
    s->at = p;
    return true;
}

static size_t utf8_write(int v, char *to)
{
    if (v < 0x80) {
        to[0] = (char)v;
        return 1;
    }
    if (v < 0x800) {
        to[0] = (char)(0xc0 | v >> 6);
        to[1] = (char)(0x80 | (v & 0x3f));
        return 2;
    }
    if (v < 0x10000) {
        to[0] = (char)(0xe0 | v >> 12);
        to[1] = (char)(0x80 | (v >> 6 & 0x3f));
        to[2] = (char)(0x80 | (v & 0x3f));
        return 3;
    }
    to[0] = (char)(0xf0 | v >> 18);
    to[1] = (char)(0x80 | (v >> 12 & 0x3f));
    to[2] = (char)(0x80 | (v >> 6 & 0x3f));
    to[3] = (char)(0x80 | (v & 0x3f));
    return 4;
}

/* What a string with escapes stands for. */
static char *decode(struct scan *s, const char *p, size_t n, size_t *ret_len)
{
    char *to = chars_take(s, n + 1);
    const char *end = p + n;
    size_t len = 0;

    while (p < end) {
        static const char from[] = "\"\\/bfnrt", as[] = "\"\\/\b\f\n\r\t";
        int v;

        if (*p != '\\') {
            to[len++] = *p++;
            continue;
        }
        if (p[1] != 'u') {
            to[len++] = as[strchr(from, p[1]) - from];
            p += 2;
            continue;
        }
        v = hex_value(p + 2, end);
        p += 6;
        if (v >= 0xd800 && v <= 0xdbff) {
            v = 0x10000 + ((v - 0xd800) << 10) + (hex_value(p + 2, end) - 0xdc00);
            p += 6;
        }
        len += utf8_write(v, to + len);
    }
    *ret_len = len;
    return to;
}

static inline uint64_t key_head(const char *p, size_t len, const char *end)
{
    uint64_t head = 0;

    if (end - p < 8) {
        memcpy(&head, p, len < 8 ? len : 8);
        return head;
    }
    memcpy(&head, p, sizeof head);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return len >= 8 ? head : head & ((UINT64_C(1) << (8 * len)) - 1);
#else
    return len >= 8 ? head : len == 0 ? 0 : head & ~(UINT64_MAX >> (8 * len));
#endif
}

static inline bool key_same(const struct key *a, const struct key *b)
{
    return a->head == b->head && a->len == b->len &&
           (a->len <= 8 || memcmp(a->s + 8, b->s + 8, a->len - 8) == 0);
}

static int key_order(const void *pa, const void *pb)
{
    const struct key *a = pa, *b = pb;

    if (a->head != b->head)
        return a->head < b->head ? -1 : 1;
    if (a->len != b->len)
        return a->len < b->len ? -1 : 1;
    return memcmp(a->s, b->s, a->len);
}

/* A key whose quote is at s->at, and the colon behind it. */
static bool scan_key(struct scan *s)
{
    const struct frame *f = &s->frames[s->depth - 1];
    const char *from = s->at;
    struct key k;
    bool escaped;

    if (s->at >= s->end || *s->at != '"')
        return refuse(s, s->at, "expected a member name in quotes");
    if (!scan_string(s, &escaped))
        return false;
    k = (struct key){ .s = from + 1, .len = (size_t)(s->at - from) - 2 };
    if (escaped) /* the same key however it is written */
        k.s = s->name = decode(s, k.s, k.len, &k.len);
    else
        s->name = chars_copy(s, k.s, k.len);
    k.head = key_head(k.s, k.len, escaped ? k.s + k.len : s->end);
    if (s->n_keys == s->cap_keys)
        s->keys = vector_grow(s->keys, s->first_keys, s->n_keys, &s->cap_keys,
                              sizeof *s->keys);
    s->keys[s->n_keys++] = k;
    if (s->n_keys - f->first_key <= FEW_KEYS && !s->lim.grammar_only) {
        for (size_t i = f->first_key; i + 1 < s->n_keys; i++) {
            if (key_same(&s->keys[i], &k))
                return refuse(s, from, "a member name occurs twice");
        }
    }
    skip_space(s);
    if (s->at >= s->end || *s->at != ':')
        return refuse(s, s->at, "expected ':'");
    s->at++;
    return true;
}

static bool object_end(struct scan *s)
{
    const struct frame *f = &s->frames[s->depth - 1];
    struct key *keys = s->keys + f->first_key;
    size_t n = s->n_keys - f->first_key;

    if (n > FEW_KEYS && !s->lim.grammar_only) {
        qsort(keys, n, sizeof *keys, key_order);
        for (size_t i = 1; i < n; i++) {
            if (key_same(&keys[i - 1], &keys[i])) {
                s->n_keys = f->first_key + i + 1; /* the path names it */
                return refuse(s, s->at, "a member name occurs twice");
            }
        }
    }
    s->n_keys = f->first_key;
    s->depth--;
    s->at++;
    return true;
}

static bool scan_open(struct scan *s)
{
    bool object = *s->at == '{';
    cJSON *n;

    if (s->depth >= s->lim.depth)
        return refuse(s, s->at, "nested too deeply");
    n = node_add(s, object ? cJSON_Object : cJSON_Array);
    if (!n)
        return refuse_full(s);
    s->frames[s->depth++] =
        (struct frame){ .object = object, .first_key = s->n_keys, .node = n };
    s->at++;
    return true;
}

static bool scan_word(struct scan *s, const char *word, int type)
{
    size_t n = strlen(word);

    if ((size_t)(s->end - s->at) < n || memcmp(s->at, word, n) != 0)
        return refuse(s, s->at, "expected a JSON value");
    s->at += n;
    return node_add(s, type) || refuse_full(s);
}

static bool scan_text(struct scan *s)
{
    const char *from = s->at + 1;
    bool escaped;
    size_t len;
    cJSON *n;

    if (!scan_string(s, &escaped))
        return false;
    n = node_add(s, cJSON_String);
    if (!n)
        return refuse_full(s);
    len = (size_t)(s->at - from) - 1;
    n->valuestring = escaped ? decode(s, from, len, &len) : chars_copy(s, from, len);
    return true;
}

static bool scan_amount(struct scan *s)
{
    const char *from = s->at;
    cJSON *n;

    if (!scan_number(s))
        return false;
    n = node_add(s, cJSON_Number);
    if (!n)
        return refuse_full(s);
    n->valuestring = chars_copy(s, from, (size_t)(s->at - from));
    return true;
}

enum want {
    WANT_VALUE,
    WANT_ITEM_OR_END, /* behind [ */
    WANT_KEY,         /* behind a comma */
    WANT_KEY_OR_END,  /* behind { */
    WANT_COMMA_OR_END,
};

/* The value at s->at: a scalar whole, of a container the bracket. */
static bool scan_begin(struct scan *s, enum want *want)
{
    if (s->at >= s->end)
        return refuse(s, s->at, "expected a JSON value, found the end of the text");
    if (++s->nodes > s->lim.nodes)
        return refuse(s, s->at, "more values than the limit allows");
    *want = WANT_COMMA_OR_END;
    switch (*s->at) {
    case '{':
        *want = WANT_KEY_OR_END;
        return scan_open(s);
    case '[':
        *want = WANT_ITEM_OR_END;
        return scan_open(s);
    case '"':
        return scan_text(s);
    case 't':
        return scan_word(s, "true", cJSON_True);
    case 'f':
        return scan_word(s, "false", cJSON_False);
    case 'n':
        return scan_word(s, "null", cJSON_NULL);
    default:
        if (*s->at == '-' || is_digit(s->at, s->end))
            return scan_amount(s);
        return refuse(s, s->at, "expected a JSON value");
    }
}

/* Behind a value inside a container. */
static bool scan_behind(struct scan *s, enum want *want)
{
    struct frame *f = &s->frames[s->depth - 1];
    char c = s->at < s->end ? *s->at : '\0';

    if (c == ',') {
        s->at++;
        f->index++;
        *want = f->object ? WANT_KEY : WANT_VALUE;
        return true;
    }
    if (f->object && c == '}')
        return object_end(s);
    if (!f->object && c == ']') {
        s->at++;
        s->depth--;
        return true;
    }
    return refuse(s, s->at, f->object ? "expected ',' or '}'" : "expected ',' or ']'");
}

static bool scan_value(struct scan *s)
{
    enum want want = WANT_VALUE;

    do {
        char c;

        skip_space(s);
        c = s->at < s->end ? *s->at : '\0';
        if ((want == WANT_ITEM_OR_END && c == ']') ||
            (want == WANT_KEY_OR_END && c == '}')) {
            s->depth--;
            s->at++;
            want = WANT_COMMA_OR_END;
        } else if (want == WANT_KEY || want == WANT_KEY_OR_END) {
            if (!scan_key(s))
                return false;
            want = WANT_VALUE;
        } else if (want == WANT_COMMA_OR_END) {
            if (!scan_behind(s, &want))
                return false;
        } else if (!scan_begin(s, &want)) {
            return false;
        }
    } while (s->depth > 0);
    return true;
}

/* --- the way in --- */

static enum ow_code parse(struct scan *s, bool alone, const cJSON **ret, size_t *used)
{
    if (s->end - s->at >= 3 && memcmp(s->at, "\xef\xbb\xbf", 3) == 0) {
        refuse(s, s->at, "a byte order mark, which JSON does not allow");
        return OW_INPUT;
    }
    skip_space(s);
    if (!scan_value(s))
        return OW_INPUT;
    skip_space(s);
    if (alone && s->at < s->end) {
        refuse(s, s->at, "surplus text behind the value");
        return OW_INPUT;
    }
    if (ow_arena_full(s->arena)) {
        refuse_full(s);
        return OW_INPUT;
    }
    *used = (size_t)(s->at - s->start);
    *ret = s->root;
    return OW_OK;
}

void ow_json_limits_default(struct ow_json_limits *ret)
{
    *ret = (struct ow_json_limits){ .bytes = BYTES_DEFAULT,
                                    .depth = DEPTH_DEFAULT,
                                    .nodes = NODES_DEFAULT };
}

static struct ow_json_limits limits_of(const struct ow_json_limits *given)
{
    struct ow_json_limits lim;

    ow_json_limits_default(&lim);
    if (!given)
        return lim;
    if (given->bytes > 0)
        lim.bytes = given->bytes;
    if (given->depth > 0)
        lim.depth = given->depth < DEPTH_MOST ? given->depth : DEPTH_MOST;
    if (given->nodes > 0)
        lim.nodes = given->nodes;
    lim.grammar_only = given->grammar_only;
    return lim;
}

static enum ow_code parse_with(const char *text, size_t len,
                               const struct ow_json_limits *limits, bool alone,
                               struct ow_arena *arena, const cJSON **ret, size_t *used,
                               struct ow_err *err)
{
    struct scan s; /* not cleared whole: it is large, and the rest is written first */
    enum ow_code code;

    s.start = s.at = text;
    s.end = text + len;
    s.lim = limits_of(limits);
    s.arena = arena;
    s.err = err;
    s.nodes = s.n_keys = 0;
    s.depth = 0;
    s.root = NULL;
    s.name = s.chars_at = s.chars_end = NULL;
    s.nodes_at = s.nodes_end = NULL;
    s.keys = s.first_keys;
    s.cap_keys = KEYS_FIRST;
    if (len > s.lim.bytes)
        return ow_err_set(err, OW_INPUT, "%zu bytes of JSON, more than the limit of %zu",
                          len, s.lim.bytes);
    code = parse(&s, alone, ret, used);
    if (s.keys != s.first_keys)
        free(s.keys);
    return code;
}

enum ow_code ow_json_parse(const char *text, size_t len,
                           const struct ow_json_limits *limits, struct ow_arena *arena,
                           const cJSON **ret, struct ow_err *err)
{
    size_t used;

    return parse_with(text, len, limits, true, arena, ret, &used, err);
}

enum ow_code ow_json_parse_next(const char *text, size_t len,
                                const struct ow_json_limits *limits,
                                struct ow_arena *arena, const cJSON **ret, size_t *used,
                                struct ow_err *err)
{
    return parse_with(text, len, limits, false, arena, ret, used, err);
}

/* --- reading the tree --- */

const cJSON *ow_json_get(const cJSON *object, const char *key)
{
    if (!object || object->type != cJSON_Object)
        return NULL;
    for (const cJSON *c = object->child; c; c = c->next) {
        if (c->string[0] == key[0] && strcmp(c->string, key) == 0)
            return c;
    }
    return NULL;
}

const cJSON *ow_json_object(const cJSON *object, const char *key)
{
    const cJSON *v = ow_json_get(object, key);

    return v && v->type == cJSON_Object ? v : NULL;
}

const cJSON *ow_json_array(const cJSON *object, const char *key)
{
    const cJSON *v = ow_json_get(object, key);

    return v && v->type == cJSON_Array ? v : NULL;
}

const char *ow_json_string(const cJSON *object, const char *key)
{
    const cJSON *v = ow_json_get(object, key);

    return v && v->type == cJSON_String ? v->valuestring : NULL;
}

bool ow_json_bool(const cJSON *object, const char *key, bool *ret)
{
    const cJSON *v = ow_json_get(object, key);

    if (!cJSON_IsBool(v))
        return false;
    *ret = cJSON_IsTrue(v);
    return true;
}

bool ow_json_value_ratio(const cJSON *node, struct ow_ratio *ret)
{
    return cJSON_IsNumber(node) && node->valuestring &&
           ow_ratio_parse(node->valuestring, strlen(node->valuestring), ret);
}

bool ow_json_ratio(const cJSON *object, const char *key, struct ow_ratio *ret)
{
    return ow_json_value_ratio(ow_json_get(object, key), ret);
}

bool ow_json_int(const cJSON *object, const char *key, int64_t *ret)
{
    struct ow_ratio r;

    if (!ow_json_ratio(object, key, &r) || r.den != 1)
        return false;
    *ret = r.num;
    return true;
}

static bool same_named(const cJSON *a, const cJSON *b)
{
    return ow_streq(a->string, b->string) && ow_json_same(a, b);
}

bool ow_json_same(const cJSON *a, const cJSON *b)
{
    const cJSON *x = a->child, *y = b->child;

    if (a->type != b->type || !ow_streq(a->valuestring, b->valuestring))
        return false;
    while (x && y && same_named(x, y)) {
        x = x->next;
        y = y->next;
    }
    return !x && !y;
}
