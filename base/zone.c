/*
 * Zones: TZif files (RFC 8536, and version 4 of RFC 9636) and the rule in their footer
 *
 * A file holds a list of transitions. Before the first one its first type holds, after
 * the last one the footer does: a POSIX TZ string, "EST5EDT,M3.2.0,M11.1.0", that says
 * by rule what the list says by enumeration. A version 1 file has no footer, and its last
 * type holds forever.
 *
 * What can go wrong: a short or overlong file, counts that do not add up, times that do
 * not ascend, types that are not there, offsets beyond a day, a footer that is no rule,
 * and "right/" zones, whose seconds are not those of POSIX. Each is refused with a
 * sentence; none is guessed.
 */
#include "base/time.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER = 44, TYPE = 6, MAX_FILE = 1 << 20, DAY_S = 86400 };
enum { OFFSET_LOW = -89999, OFFSET_HIGH = 93599 }; /* RFC 8536, 3.2 */

/* The calendar's ends, 0001-01-01 and 10000-01-01, in seconds since 1970. */
#define YEAR_1_S     INT64_C(-62135596800)
#define YEAR_10000_S INT64_C(253402300800)

enum rule_kind { RULE_JULIAN, RULE_DAY, RULE_MONTH }; /* Jn, n, Mm.w.d */

struct rule {
    enum rule_kind kind;
    int day;         /* Jn: 1 to 365, no leap day; n: 0 to 365; M: 0 is Sunday */
    int month, week; /* M: week 5 is the last */
    int32_t time_s;  /* local, in the offset that ends here */
};

struct ow_zone {
    char *name;
    size_t n;
    int64_t *at_s;     /* transitions, ascending */
    int32_t *offset_s; /* in force from each transition on */
    int32_t before_s;  /* in force before the first */
    bool has_rule, has_dst;
    int32_t std_s, dst_s; /* the footer's offsets, east of UTC */
    struct rule start, end;
};

/* The blocks of a file: counts in the order of the header. */
struct block {
    uint32_t isut, isstd, leap, time, type, chars;
    size_t time_size;
    const uint8_t *data;
};

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t be_time(const uint8_t *p, size_t size)
{
    if (size == 4)
        return (int32_t)be32(p);
    return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

/* Read a header and step over its data; false when the bytes do not reach. */
static bool block_read(const uint8_t **p, size_t *left, size_t time_size,
                       struct block *ret)
{
    const uint8_t *h = *p;
    uint64_t size;

    if (*left < HEADER || memcmp(h, "TZif", 4) != 0)
        return false;
    *ret = (struct block){
        .isut = be32(h + 20),
        .isstd = be32(h + 24),
        .leap = be32(h + 28),
        .time = be32(h + 32),
        .type = be32(h + 36),
        .chars = be32(h + 40),
        .time_size = time_size,
        .data = h + HEADER,
    };
    size = (uint64_t)ret->time * (time_size + 1) + (uint64_t)ret->type * TYPE +
           ret->chars + (uint64_t)ret->leap * (time_size + 4) + ret->isstd + ret->isut;
    if (size > *left - HEADER)
        return false;
    *p += HEADER + size;
    *left -= HEADER + (size_t)size;
    return true;
}

static bool type_offset(const struct block *b, size_t i, int32_t *ret)
{
    const uint8_t *types = b->data + (size_t)b->time * (b->time_size + 1);

    if (i >= b->type)
        return false;
    *ret = (int32_t)be32(types + i * TYPE);
    return *ret >= OFFSET_LOW && *ret <= OFFSET_HIGH;
}

/* What is wrong with the block, or NULL. */
static const char *block_store(const struct block *b, struct ow_zone *z)
{
    const uint8_t *indices = b->data + (size_t)b->time * b->time_size;

    if (b->leap != 0)
        return "it counts leap seconds; take the zone without right/ in its path";
    if (!type_offset(b, 0, &z->before_s))
        return "its first type is missing or its offset is beyond a day";
    z->n = b->time;
    z->at_s = ow_alloc(z->n * sizeof *z->at_s);
    z->offset_s = ow_alloc(z->n * sizeof *z->offset_s);
    for (size_t i = 0; i < z->n; i++) {
        z->at_s[i] = be_time(b->data + i * b->time_size, b->time_size);
        if (i > 0 && z->at_s[i] <= z->at_s[i - 1])
            return "its transitions do not ascend";
        if (!type_offset(b, indices[i], &z->offset_s[i]))
            return "a transition's type is missing or its offset is beyond a day";
    }
    return NULL;
}

/* The footer, read left to right; every function moves `*s` on success. */

static bool footer_char(const char **s, char c)
{
    if (**s != c)
        return false;
    ++*s;
    return true;
}

static bool footer_number(const char **s, int low, int high, int *ret)
{
    const char *p = *s;
    int v = 0;

    for (; *p >= '0' && *p <= '9' && v < 1000; p++)
        v = v * 10 + (*p - '0');
    if (p == *s || v < low || v > high)
        return false;
    *s = p;
    *ret = v;
    return true;
}

static bool footer_name(const char **s)
{
    const char *from = *s;
    bool quoted = footer_char(s, '<');
    size_t n;

    if (quoted)
        from++;
    while ((**s >= 'A' && **s <= 'Z') || (**s >= 'a' && **s <= 'z') ||
           (quoted && (**s == '+' || **s == '-' || (**s >= '0' && **s <= '9'))))
        ++*s;
    n = (size_t)(*s - from);
    return n >= 3 && (!quoted || footer_char(s, '>'));
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool footer_time(const char **s, int most_hours, int32_t *ret)
{
    int hours, minutes = 0, seconds = 0, sign = **s == '-' ? -1 : 1;

    if (**s == '-' || **s == '+')
        ++*s;
    if (!footer_number(s, 0, most_hours, &hours))
        return false;
    if (footer_char(s, ':') && !footer_number(s, 0, 59, &minutes))
        return false;
    if (minutes >= 0 && footer_char(s, ':') && !footer_number(s, 0, 59, &seconds))
        return false;
    *ret = sign * (hours * 3600 + minutes * 60 + seconds);
    return true;
}

static bool footer_rule(const char **s, struct rule *r)
{
    r->time_s = 2 * 3600;
    if (footer_char(s, 'M')) {
        r->kind = RULE_MONTH;
        if (!footer_number(s, 1, 12, &r->month) || !footer_char(s, '.') ||
            !footer_number(s, 1, 5, &r->week) || !footer_char(s, '.') ||
            !footer_number(s, 0, 6, &r->day))
            return false;
    } else if (footer_char(s, 'J')) {
        r->kind = RULE_JULIAN;
        if (!footer_number(s, 1, 365, &r->day))
            return false;
    } else {
        r->kind = RULE_DAY;
        if (!footer_number(s, 0, 365, &r->day))
            return false;
    }
    return !footer_char(s, '/') || footer_time(s, 167, &r->time_s);
}

/* In a TZ string west is positive; here, as everywhere else, east is. */
static bool footer_parse(const char *s, struct ow_zone *z)
{
    int32_t west;

    if (!footer_name(&s) || !footer_time(&s, 24, &west))
        return false;
    z->std_s = -west;
    if (*s == '\0')
        return true;
    if (!footer_name(&s))
        return false;
    z->dst_s = z->std_s + 3600;
    if (*s != ',') {
        if (!footer_time(&s, 24, &west))
            return false;
        z->dst_s = -west;
    }
    z->has_dst = true;
    return footer_char(&s, ',') && footer_rule(&s, &z->start) && footer_char(&s, ',') &&
           footer_rule(&s, &z->end) && *s == '\0';
}

static const char *footer_store(const uint8_t *p, size_t left, struct ow_zone *z)
{
    char text[128];
    size_t n;

    if (left < 2 || p[0] != '\n' || p[left - 1] != '\n')
        return "its footer is not one line";
    n = left - 2;
    if (n == 0)
        return NULL; /* no rule: the last type holds */
    if (n >= sizeof text || memchr(p + 1, '\0', n))
        return "its footer is too long";
    memcpy(text, p + 1, n);
    text[n] = '\0';
    if (!footer_parse(text, z))
        return "its footer is not a TZ rule";
    z->has_rule = true;
    return NULL;
}

static const char *zone_read(const uint8_t *p, size_t left, struct ow_zone *z)
{
    const char *wrong = NULL;
    struct block b;
    uint8_t version;

    if (left > MAX_FILE)
        return "it is larger than 1 MB";
    if (left < HEADER || memcmp(p, "TZif", 4) != 0)
        return "it does not begin as a TZif file";
    version = p[4];
    if (version != 0 && (version < '2' || version > '4'))
        return "its version is not 1 to 4";
    if (!block_read(&p, &left, 4, &b) || (version != 0 && !block_read(&p, &left, 8, &b)))
        return "it is cut short";
    wrong = block_store(&b, z);
    if (!wrong && version != 0)
        wrong = footer_store(p, left, z);
    return wrong;
}

enum ow_code ow_zone_parse(const char *name, const void *data, size_t n,
                           struct ow_zone **ret, struct ow_err *err)
{
    struct ow_zone *z = ow_alloc_zero(sizeof *z);
    const char *wrong = zone_read(data, n, z);

    if (wrong) {
        ow_zone_free(z);
        return ow_err_set(err, OW_CONFIG, "zone %s: %s", name, wrong);
    }
    z->name = ow_strdup(name);
    *ret = z;
    return OW_OK;
}

void ow_zone_free(struct ow_zone *z)
{
    if (!z)
        return;
    free(z->name);
    free(z->at_s);
    free(z->offset_s);
    free(z);
}

const char *ow_zone_name(const struct ow_zone *z)
{
    return z ? z->name : "UTC";
}

/* Local seconds since 1970 at which a rule strikes in `year`. */
static int64_t rule_local_s(const struct rule *r, int year)
{
    struct ow_civil c = { .year = year, .month = 1, .day = 1 };
    int64_t day;
    int weekday;

    switch (r->kind) {
    case RULE_JULIAN: /* day 60 is always the first of March */
        day = ow_civil_to_utc(&c) / OW_DAY + r->day - 1;
        day += r->day >= 60 && ow_date_valid(year, 2, 29);
        break;
    case RULE_DAY:
        day = ow_civil_to_utc(&c) / OW_DAY + r->day;
        break;
    default:
        c.month = r->month;
        weekday = (ow_weekday(ow_civil_to_utc(&c)) + 1) % 7; /* 0 is Sunday */
        c.day = 1 + (r->day - weekday + 7) % 7 + (r->week - 1) * 7;
        while (!ow_date_valid(year, c.month, c.day))
            c.day -= 7;
        day = ow_civil_to_utc(&c) / OW_DAY;
    }
    return day * DAY_S + r->time_s;
}

static int32_t rule_offset(const struct ow_zone *z, int64_t s)
{
    int64_t start, end;
    bool dst;
    int year;

    if (!z->has_dst)
        return z->std_s;
    if (s < YEAR_1_S || s >= YEAR_10000_S)
        return z->std_s; /* beyond the calendar: only open ends come here */
    year = ow_civil_from_utc((s + z->std_s) * OW_SECOND).year;
    start = rule_local_s(&z->start, year) - z->std_s;
    end = rule_local_s(&z->end, year) - z->dst_s;
    dst = start < end ? s >= start && s < end : s >= start || s < end;
    return dst ? z->dst_s : z->std_s;
}

int32_t ow_zone_offset(const struct ow_zone *z, ow_time t)
{
    int64_t s = t / OW_SECOND - (t % OW_SECOND < 0);
    size_t low = 0, high;

    if (!z)
        return 0;
    high = z->n;
    if (z->has_rule && (high == 0 || s >= z->at_s[high - 1]))
        return rule_offset(z, s);
    while (low < high) { /* the number of transitions at or before `s` */
        size_t middle = low + (high - low) / 2;

        if (z->at_s[middle] <= s)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? z->before_s : z->offset_s[low - 1];
}

static ow_time shift(ow_time t, int32_t offset_s)
{
    return ow_time_add(t, (int64_t)offset_s * OW_SECOND);
}

/*
 * A day to either side lie the offsets before and after any change near this time. An
 * offset is right when it holds at the instant it leads to: one is, or both are (the time
 * occurs twice), or neither is (the clocks skipped it).
 */
ow_time ow_zone_to_utc(const struct ow_zone *z, const struct ow_civil *local)
{
    ow_time t = ow_civil_to_utc(local), early, late;
    int32_t before = ow_zone_offset(z, ow_time_add(t, -2 * OW_DAY));
    int32_t after = ow_zone_offset(z, ow_time_add(t, 2 * OW_DAY));

    early = shift(t, -before);
    late = shift(t, -after);
    if (before == after || ow_zone_offset(z, late) != after)
        return early;
    if (ow_zone_offset(z, early) != before)
        return late;
    return early < late ? early : late;
}

struct ow_civil ow_zone_local(const struct ow_zone *z, ow_time t)
{
    return ow_civil_from_utc(shift(t, ow_zone_offset(z, t)));
}

ow_time ow_zone_day_start(const struct ow_zone *z, ow_time t)
{
    struct ow_civil c;

    if (t == OW_TIME_MIN || t == OW_TIME_MAX)
        return t;
    c = ow_zone_local(z, t);
    c.hour = c.minute = c.second = c.ms = 0;
    return ow_zone_to_utc(z, &c);
}

/* ---- local days ---- */

int64_t ow_zone_day(const struct ow_zone *z, ow_time t)
{
    int64_t local = ow_time_add(t, ow_zone_offset(z, t) * INT64_C(1000));

    return local / OW_DAY - (local % OW_DAY < 0);
}

ow_time ow_zone_day_at(const struct ow_zone *z, int64_t day)
{
    struct ow_civil c = ow_civil_from_utc(day * OW_DAY);

    return ow_zone_to_utc(z, &c);
}
