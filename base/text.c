#include "base/text.h"

#include <string.h>

bool ow_streq(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static unsigned char fold(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

bool ow_strcaseeq(const char *a, const char *b)
{
    if (!a || !b)
        return a == b;
    while (*a && fold(*a) == fold(*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

bool ow_starts_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool ow_ends_with(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);

    return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

static bool starts_folded(const char *s, const char *prefix)
{
    while (*prefix && fold(*s) == fold(*prefix)) {
        s++;
        prefix++;
    }
    return *prefix == '\0';
}

bool ow_contains_folded(const char *text, const char *word)
{
    do {
        if (starts_folded(text, word))
            return true;
    } while (*text++);
    return false;
}

size_t ow_copy(char *dst, size_t size, const char *src)
{
    size_t left = strlen(src), at = 0;

    ow_assert(size > 0);
    if (left < size)
        at = left;
    else
        for (;;) {
            size_t n = ow_utf8_len(src + at, left - at);

            n = n ? n : 1;
            if (at + n >= size)
                break;
            at += n;
        }
    memcpy(dst, src, at);
    dst[at] = '\0';
    return at;
}

bool ow_parse_u64(const char *s, uint64_t *ret)
{
    uint64_t v = 0;

    if (!s || !*s)
        return false;
    for (; *s; s++) {
        uint64_t digit = (uint64_t)(*s - '0');

        if (*s < '0' || *s > '9' || v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *ret = v;
    return true;
}

bool ow_parse_i64(const char *s, int64_t *ret)
{
    bool neg = s && *s == '-';
    uint64_t v;

    if (!ow_parse_u64(neg ? s + 1 : s, &v) || v > (uint64_t)INT64_MAX + neg)
        return false;
    *ret = neg ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

static bool tail(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* The well-formed sequences of the Unicode Standard, table 3-7. */
size_t ow_utf8_len(const char *s, size_t n)
{
    const unsigned char *u = (const unsigned char *)s;

    if (n == 0)
        return 0;
    if (u[0] < 0x80)
        return 1;
    if (u[0] < 0xc2 || u[0] > 0xf4 || n < 2 || !tail(u[1]))
        return 0;
    if (u[0] < 0xe0)
        return 2;
    if (n < 3 || !tail(u[2]))
        return 0;
    if (u[0] < 0xf0)
        return (u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f) ? 0 : 3;
    if (n < 4 || !tail(u[3]))
        return 0;
    return (u[0] == 0xf0 && u[1] < 0x90) || (u[0] == 0xf4 && u[1] > 0x8f) ? 0 : 4;
}

bool ow_utf8_valid(const char *s, size_t n)
{
    while (n > 0) {
        size_t len = ow_utf8_len(s, n);

        if (len == 0)
            return false;
        s += len;
        n -= len;
    }
    return true;
}

void ow_hex(const void *data, size_t n, char *ret)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = data;

    for (size_t i = 0; i < n; i++) {
        ret[2 * i] = digits[p[i] >> 4];
        ret[2 * i + 1] = digits[p[i] & 15];
    }
    ret[2 * n] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)fold(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool ow_unhex(const char *hex, size_t n, void *ret)
{
    unsigned char *p = ret;

    for (size_t i = 0; i < 2 * n; i++)
        if (hex_digit(hex[i]) < 0) /* stops at a NUL, too */
            return false;
    for (size_t i = 0; i < n; i++)
        p[i] = (unsigned char)(hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
    return true;
}

/*
 * SipHash-2-4, after Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012):
 * two rounds a word, four at the end. Words are little-endian on every machine.
 */
struct sip {
    uint64_t v[4];
};

static uint64_t rotl(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static uint64_t load_le(const uint8_t *p, size_t n)
{
    uint64_t w = 0;

    for (size_t i = 0; i < n; i++)
        w |= (uint64_t)p[i] << (8 * i);
    return w;
}

static void sip_rounds(struct sip *s, int rounds)
{
    uint64_t *v = s->v;

    while (rounds-- > 0) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotl(v[1], 13) ^ v[0];
        v[3] = rotl(v[3], 16) ^ v[2];
        v[0] = rotl(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotl(v[1], 17) ^ v[2];
        v[3] = rotl(v[3], 21) ^ v[0];
        v[2] = rotl(v[2], 32);
    }
}

static void sip_word(struct sip *s, uint64_t word)
{
    s->v[3] ^= word;
    sip_rounds(s, 2);
    s->v[0] ^= word;
}

uint64_t ow_siphash(const uint8_t key[16], const void *data, size_t n)
{
    uint64_t k0 = load_le(key, 8), k1 = load_le(key + 8, 8);
    struct sip s = {
        {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
         k1 ^ 0x7465646279746573}
    };
    const uint8_t *p = data;
    size_t left = n;

    for (; left >= 8; left -= 8, p += 8)
        sip_word(&s, load_le(p, 8));
    sip_word(&s, (uint64_t)n << 56 | load_le(p, left));
    s.v[2] ^= 0xff;
    sip_rounds(&s, 4);
    return s.v[0] ^ s.v[1] ^ s.v[2] ^ s.v[3];
}
