/*
 * Every operation is written as one fraction of 128-bit integers, reduced, and checked
 * to fit. That is always exact: the product of two 64-bit numbers needs 127 bits, and
 * the sum in ow_ratio_add stays within them, so the only overflow there is is a reduced
 * result that does not fit.
 *
 * Doses are small numbers, so the usual case is kept short: equal denominators add
 * without a product, whole numbers need no divisor, and the greatest common divisor is
 * found in 64 bits as soon as both sides fit.
 */
#include "base/ratio.h"

#include <string.h>

__extension__ typedef __int128 wide;
__extension__ typedef unsigned __int128 uwide;

enum { EXPONENT_MOST = 30, PLACES_JSON = 12 };

static uint64_t gcd64(uint64_t a, uint64_t b)
{
    int twos;

    if (a == 0 || b == 0)
        return a | b;
    twos = __builtin_ctzll(a | b);
    a >>= __builtin_ctzll(a);
    while (b != 0) {
        uint64_t t;

        b >>= __builtin_ctzll(b);
        t = a < b ? a : b;
        b = a < b ? b - a : a - b;
        a = t;
    }
    return a << twos;
}

static uwide gcd(uwide a, uwide b)
{
    while (b > UINT64_MAX || (b != 0 && a > UINT64_MAX)) {
        uwide t = a % b;

        a = b;
        b = t;
    }
    return b == 0 ? a : gcd64((uint64_t)a, (uint64_t)b);
}

static uint64_t magnitude(int64_t v)
{
    return v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
}

/* Reduce num / den (den above zero) and store it when it fits. */
static bool narrow(wide num, uwide den, struct ow_ratio *ret)
{
    bool neg = num < 0;
    uwide n = neg ? 0 - (uwide)num : (uwide)num;

    if (den != 1) {
        uwide g = gcd(n, den);

        if (g != 1 && n <= UINT64_MAX && den <= UINT64_MAX) {
            n = (uint64_t)n / (uint64_t)g;
            den = (uint64_t)den / (uint64_t)g;
        } else if (g != 1) {
            n /= g;
            den /= g;
        }
    }
    if (n > (uwide)INT64_MAX + neg || den > INT64_MAX)
        return false;
    ret->num = neg ? (int64_t)(0 - (uint64_t)n) : (int64_t)n;
    ret->den = (int64_t)den;
    return true;
}

bool ow_ratio_make(int64_t num, int64_t den, struct ow_ratio *ret)
{
    if (den == 0)
        return false;
    return narrow(den < 0 ? -(wide)num : (wide)num, magnitude(den), ret);
}

static bool add(struct ow_ratio a, wide b_num, int64_t b_den, struct ow_ratio *ret)
{
    int64_t g;

    ow_assert(a.den > 0 && b_den > 0);
    if (a.den == b_den)
        return narrow(a.num + b_num, (uwide)a.den, ret);
    g = (int64_t)gcd64((uint64_t)a.den, (uint64_t)b_den);
    return narrow((wide)a.num * (b_den / g) + b_num * (a.den / g),
                  (uwide)(a.den / g) * (uwide)b_den, ret);
}

bool ow_ratio_add(struct ow_ratio a, struct ow_ratio b, struct ow_ratio *ret)
{
    return add(a, b.num, b.den, ret);
}

bool ow_ratio_sub(struct ow_ratio a, struct ow_ratio b, struct ow_ratio *ret)
{
    return add(a, -(wide)b.num, b.den, ret);
}

bool ow_ratio_mul(struct ow_ratio a, struct ow_ratio b, struct ow_ratio *ret)
{
    ow_assert(a.den > 0 && b.den > 0);
    return narrow((wide)a.num * b.num, (uwide)a.den * (uwide)b.den, ret);
}

bool ow_ratio_div(struct ow_ratio a, struct ow_ratio b, struct ow_ratio *ret)
{
    wide num = (wide)a.num * b.den;

    ow_assert(a.den > 0 && b.den > 0);
    if (b.num == 0)
        return false;
    return narrow(b.num < 0 ? -num : num, (uwide)a.den * magnitude(b.num), ret);
}

int ow_ratio_cmp(struct ow_ratio a, struct ow_ratio b)
{
    wide left, right;

    ow_assert(a.den > 0 && b.den > 0);
    left = (wide)a.num * b.den;
    right = (wide)b.num * a.den;
    return (left > right) - (left < right);
}

bool ow_ratio_positive(struct ow_ratio a)
{
    return a.num > 0;
}

/* A decimal as it is written: digits * 10^scale. */
struct decimal {
    bool neg;
    uwide digits; /* the significant ones; zeros at the end are in `scale` */
    int64_t scale;
    int64_t zeros; /* zeros read and not yet known to be inside the number */
};

/* Take one digit; false when there are more significant ones than 128 bits hold. */
static bool decimal_digit(struct decimal *d, unsigned digit)
{
    const uwide most = ~(uwide)0 / 10 - 1;

    if (digit == 0) {
        d->zeros++;
        return true;
    }
    if (d->digits != 0)
        for (; d->zeros > 0; d->zeros--) {
            if (d->digits > most)
                return false;
            d->digits *= 10;
        }
    d->zeros = 0;
    if (d->digits > most)
        return false;
    d->digits = d->digits * 10 + digit;
    return true;
}

static bool is_digit(const char *s, const char *end)
{
    return s < end && *s >= '0' && *s <= '9';
}

static bool decimal_digits(struct decimal *d, const char **s, const char *end,
                           bool fraction)
{
    const char *from = *s;

    for (; is_digit(*s, end); ++*s) {
        if (!decimal_digit(d, (unsigned)(**s - '0')))
            return false;
        d->scale -= fraction;
    }
    return *s > from;
}

static bool decimal_exponent(struct decimal *d, const char **s, const char *end)
{
    bool neg = *s < end && **s == '-';
    int64_t e = 0;

    if (neg || (*s < end && **s == '+'))
        ++*s;
    if (!is_digit(*s, end))
        return false;
    for (; is_digit(*s, end); ++*s)
        if (e <= EXPONENT_MOST)
            e = e * 10 + (**s - '0');
    d->scale += neg ? -e : e;
    return e <= EXPONENT_MOST;
}

/* JSON's grammar: no plus sign, no leading zeros, digits on both sides of a point. */
static bool decimal_read(const char *s, size_t n, struct decimal *d)
{
    const char *end = s + n;

    if (s < end && *s == '-') {
        d->neg = true;
        s++;
    }
    if (s < end && *s == '0' && is_digit(s + 1, end))
        return false;
    if (!decimal_digits(d, &s, end, false))
        return false;
    if (s < end && *s == '.') {
        s++;
        if (!decimal_digits(d, &s, end, true))
            return false;
    }
    if (s < end && (*s == 'e' || *s == 'E')) {
        s++;
        if (!decimal_exponent(d, &s, end))
            return false;
    }
    d->scale += d->zeros;
    return s == end;
}

bool ow_ratio_parse(const char *s, size_t n, struct ow_ratio *ret)
{
    struct decimal d = { 0 };
    uwide den = 1;

    if (!s || !decimal_read(s, n, &d))
        return false;
    if (d.digits == 0) {
        *ret = OW_ZERO;
        return true;
    }
    for (; d.scale > 0; d.scale--) {
        if (d.digits > INT64_MAX)
            return false;
        d.digits *= 10;
    }
    for (; d.scale < 0; d.scale++) { /* tenth by tenth, so that it stays reduced */
        if (d.digits % 2 == 0)
            d.digits /= 2;
        else
            den *= 2;
        if (d.digits % 5 == 0)
            d.digits /= 5;
        else
            den *= 5;
        if (den > INT64_MAX)
            return false;
    }
    if (d.digits > (uwide)INT64_MAX + d.neg)
        return false;
    ret->num = d.neg ? (int64_t)(0 - (uint64_t)d.digits) : (int64_t)d.digits;
    ret->den = (int64_t)den;
    return true;
}

/* |a| * 10^places, rounded half up. */
static uwide scaled(struct ow_ratio a, int places)
{
    uwide v = magnitude(a.num), den;

    ow_assert(a.den > 0 && places >= 0 && places <= PLACES_JSON);
    den = (uwide)a.den;
    while (places-- > 0)
        v *= 10;
    if (den == 1)
        return v;
    if (v <= UINT64_MAX / 4 && den <= UINT64_MAX / 4)
        return ((uint64_t)v * 2 + (uint64_t)den) / ((uint64_t)den * 2);
    return (v * 2 + den) / (den * 2);
}

/* The last digit of v, taken off: in 64 bits where that is enough. */
static int digit_off(uwide *v)
{
    int digit;

    if (*v <= UINT64_MAX) {
        digit = (int)((uint64_t)*v % 10);
        *v = (uint64_t)*v / 10;
    } else {
        digit = (int)(*v % 10);
        *v /= 10;
    }
    return digit;
}

/* Write v / 10^places with its sign, zeros behind the point cut. */
static void decimal_write(bool neg, uwide v, int places, char *ret)
{
    char back[OW_RATIO_TEXT], *at = ret;
    int n = 0, digit = digit_off(&v);

    for (; places > 0 && digit == 0; places--)
        digit = digit_off(&v);
    back[n++] = (char)('0' + digit);
    for (int i = 1; v > 0 || i <= places; i++) {
        if (i == places)
            back[n++] = '.';
        back[n++] = (char)('0' + digit_off(&v));
    }
    if (neg)
        *at++ = '-';
    while (n > 0)
        *at++ = back[--n];
    *at = '\0';
}

char *ow_ratio_format(struct ow_ratio a, int places, char ret[OW_RATIO_TEXT])
{
    uwide v = scaled(a, places);

    ow_assert(places <= 6);
    if (v > 0 || a.num == 0) {
        decimal_write(a.num < 0, v, places, ret);
        return ret;
    }
    /* Not zero, and must not look like it: the smallest step, and on which side. */
    ret[0] = a.num < 0 ? '>' : '<';
    decimal_write(a.num < 0, 1, places, ret + 1);
    return ret;
}

char *ow_ratio_json(struct ow_ratio a, int places, char ret[OW_RATIO_TEXT])
{
    uwide v = scaled(a, places);

    while (v == 0 && a.num != 0 && places < PLACES_JSON)
        v = scaled(a, ++places);
    if (v == 0 && a.num != 0)
        v = 1; /* smaller than any place we print, but never zero */
    while (v > INT64_MAX && places > 0) /* digits that ow_ratio_parse reads back */
        v = scaled(a, --places);
    decimal_write(a.num < 0, v, places, ret);
    return ret;
}

char *ow_ratio_decimal(struct ow_ratio a, char ret[OW_RATIO_TEXT])
{
    enum { MOST = 6 };
    struct ow_ratio back;

    for (int places = 0; places < MOST; places++) {
        ow_ratio_format(a, places, ret);
        if (ow_ratio_parse(ret, strlen(ret), &back) && ow_ratio_cmp(back, a) == 0)
            return ret;
    }
    return ow_ratio_format(a, MOST, ret);
}

int64_t ow_ratio_floor(struct ow_ratio a)
{
    ow_assert(a.den > 0);
    return a.num / a.den - (a.num % a.den < 0);
}

int64_t ow_ratio_ceil(struct ow_ratio a)
{
    ow_assert(a.den > 0);
    return a.num / a.den + (a.num % a.den > 0);
}
