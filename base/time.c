/*
 * Civil dates are counted in days by the usual trick of starting the year in March, so
 * that the leap day comes last: an era of 400 years has 146097 days, and the months of a
 * shifted year follow a straight line.
 */
#include "base/time.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

__extension__ typedef __int128 wide;

enum { ERA_YEARS = 400, ERA_DAYS = 146097, DAYS_TO_1970 = 719468 };

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static ow_time clamp(wide t)
{
    if (t >= OW_TIME_MAX)
        return OW_TIME_MAX;
    return t <= OW_TIME_MIN ? OW_TIME_MIN : (ow_time)t;
}

/* Days since 1970-01-01. */
static int64_t days_from_civil(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = floor_div(y, ERA_YEARS), yoe = y - era * ERA_YEARS;
    int64_t doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return era * ERA_DAYS + yoe * 365 + yoe / 4 - yoe / 100 + doy - DAYS_TO_1970;
}

ow_time ow_civil_to_utc(const struct ow_civil *c)
{
    int64_t days = days_from_civil(c->year, c->month, c->day);

    return clamp((wide)days * OW_DAY + (wide)c->hour * OW_HOUR +
                 (wide)c->minute * OW_MINUTE + (wide)c->second * OW_SECOND + c->ms);
}

struct ow_civil ow_civil_from_utc(ow_time t)
{
    int64_t days = floor_div(t, OW_DAY), ms = t % OW_DAY + (t % OW_DAY < 0 ? OW_DAY : 0);
    int64_t z = days + DAYS_TO_1970, era = floor_div(z, ERA_DAYS);
    int64_t doe = z - era * ERA_DAYS;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / (ERA_DAYS - 1)) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    int month = (int)(mp < 10 ? mp + 3 : mp - 9);

    return (struct ow_civil){
        .year = (int)(yoe + era * ERA_YEARS + (month <= 2)),
        .month = month,
        .day = (int)(doy - (153 * mp + 2) / 5 + 1),
        .hour = (int)(ms / OW_HOUR),
        .minute = (int)(ms / OW_MINUTE % 60),
        .second = (int)(ms / OW_SECOND % 60),
        .ms = (int)(ms % OW_SECOND),
    };
}

bool ow_date_valid(int year, int month, int day)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1)
        return false;
    return day <= days[month - 1] + (month == 2 && leap);
}

int ow_weekday(ow_time t)
{
    int64_t days = floor_div(t, OW_DAY) + 3; /* 1970-01-01 was a Thursday */

    return (int)(days - floor_div(days, 7) * 7);
}

ow_time ow_time_add(ow_time t, int64_t ms)
{
    if (t == OW_TIME_MIN || t == OW_TIME_MAX)
        return t;
    return clamp((wide)t + ms);
}

char *ow_time_format(ow_time t, char ret[OW_TIME_TEXT])
{
    struct ow_civil c = ow_civil_from_utc(t);
    char text[96];
    int n = snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d", c.year, c.month,
                     c.day, c.hour, c.minute, c.second);

    ow_assert(n > 0 && (size_t)n < sizeof text - 8);
    if (c.ms != 0)
        n += snprintf(text + n, sizeof text - (size_t)n, ".%03d", c.ms);
    text[n++] = 'Z';
    text[n] = '\0';
    ow_copy(ret, OW_TIME_TEXT, text);
    return ret;
}

char *ow_time_format_date(ow_time t, const struct ow_zone *zone, char ret[OW_TIME_TEXT])
{
    struct ow_civil c = ow_zone_local(zone, t);
    char text[64];

    snprintf(text, sizeof text, "%04d-%02d-%02d", c.year, c.month, c.day);
    ow_copy(ret, OW_TIME_TEXT, text);
    return ret;
}

/*
 * Reading. The value is not repeated in an error, since a date can be a birth date: the
 * sentence says where it goes wrong and what belongs there.
 */
struct reader {
    const char *start, *at;
    struct ow_err *err;
};

static enum ow_code expected(const struct reader *r, const char *what)
{
    return ow_err_set(r->err, OW_INPUT, "date or time, character %d: expected %s",
                      (int)(r->at - r->start) + 1, what);
}

static bool take(struct reader *r, char c)
{
    if (*r->at != c)
        return false;
    r->at++;
    return true;
}

/* Exactly `n` digits. */
static bool number(struct reader *r, int n, int *ret)
{
    int v = 0;

    for (int i = 0; i < n; i++) {
        if (r->at[i] < '0' || r->at[i] > '9')
            return false;
        v = v * 10 + (r->at[i] - '0');
    }
    r->at += n;
    *ret = v;
    return true;
}

/* The same, within bounds; the position stays at the number when it is outside. */
static bool bounded(struct reader *r, int n, int low, int high, int *ret)
{
    const char *from = r->at;

    if (number(r, n, ret) && *ret >= low && *ret <= high)
        return true;
    r->at = from;
    return false;
}

/* Local midnights enclose it; a day that the zone skipped is the 24 hours after. */
static enum ow_code partial(const struct ow_zone *zone, struct ow_civil from,
                            struct ow_civil until, struct ow_span *ret)
{
    struct ow_span span = { ow_zone_to_utc(zone, &from), ow_zone_to_utc(zone, &until) };

    if (span.until <= span.from)
        span.until = span.from + OW_DAY;
    *ret = span;
    return OW_OK;
}

static enum ow_code read_clock(struct reader *r, struct ow_civil *c)
{
    const char *hour = r->at;
    int digit, n = 0;

    if (!bounded(r, 2, 0, 24, &c->hour))
        return expected(r, "an hour (00 to 23)");
    if (!take(r, ':') || !bounded(r, 2, 0, 59, &c->minute))
        return expected(r, "minutes (:00 to :59)");
    if (!take(r, ':') || !bounded(r, 2, 0, 60, &c->second))
        return expected(r, "seconds (:00 to :60)");
    if (take(r, '.')) {
        for (; n < 9 && number(r, 1, &digit); n++)
            if (n < 3)
                c->ms = c->ms * 10 + digit;
        if (n == 0)
            return expected(r, "1 to 9 digits of a second");
        for (; n < 3; n++)
            c->ms *= 10;
    }
    if (c->hour == 24 && (c->minute || c->second || c->ms)) {
        r->at = hour;
        return expected(r, "an hour below 24, or 24:00:00");
    }
    return OW_OK;
}

/* Z or +hh:mm, up to 14 hours. */
static enum ow_code read_offset(struct reader *r, int *ret)
{
    int sign, hours, minutes;

    *ret = 0;
    if (take(r, 'Z'))
        return OW_OK;
    sign = *r->at == '-' ? -1 : 1;
    if (!take(r, '+') && !take(r, '-'))
        return expected(r, "a zone (Z, +hh:mm or -hh:mm)");
    if (!bounded(r, 2, 0, 14, &hours) || !take(r, ':') ||
        !bounded(r, 2, 0, hours == 14 ? 0 : 59, &minutes))
        return expected(r, "a zone from -14:00 to +14:00");
    *ret = sign * (hours * OW_HOUR + minutes * OW_MINUTE);
    return OW_OK;
}

static enum ow_code read_full(struct reader *r, const struct ow_zone *zone,
                              struct ow_civil c, struct ow_span *ret)
{
    int offset_ms;
    enum ow_code code = read_clock(r, &c);
    ow_time t;

    if (code)
        return code;
    if (*r->at == '\0') {
        t = ow_zone_to_utc(zone, &c);
    } else {
        code = read_offset(r, &offset_ms);
        if (code)
            return code;
        if (*r->at != '\0')
            return expected(r, "the end");
        t = ow_civil_to_utc(&c) - offset_ms;
    }
    *ret = (struct ow_span){ t, t + 1 };
    return OW_OK;
}

enum ow_code ow_time_parse(const char *s, const struct ow_zone *zone, struct ow_span *ret,
                           struct ow_err *err)
{
    struct reader r = { s, s, err };
    struct ow_civil c = { .month = 1, .day = 1 }, next;

    if (!s)
        return ow_err_set(err, OW_INPUT, "date or time: expected text");
    if (!bounded(&r, 4, 1, 9999, &c.year))
        return expected(&r, "a year of four digits");
    next = c;
    next.year++;
    if (*r.at == '\0')
        return partial(zone, c, next, ret);
    if (!take(&r, '-') || !bounded(&r, 2, 1, 12, &c.month))
        return expected(&r, "a month (-01 to -12)");
    next = c;
    if (++next.month > 12) {
        next.month = 1;
        next.year++;
    }
    if (*r.at == '\0')
        return partial(zone, c, next, ret);
    if (!take(&r, '-') || !bounded(&r, 2, 1, 31, &c.day))
        return expected(&r, "a day (-01 to -31)");
    if (!ow_date_valid(c.year, c.month, c.day)) {
        r.at -= 2;
        return expected(&r, "a day that this month has");
    }
    next = c;
    next.day++; /* the day count does not mind a 32nd */
    if (*r.at == '\0')
        return partial(zone, c, next, ret);
    if (!take(&r, 'T'))
        return expected(&r, "T and a time, or the end");
    return read_full(&r, zone, c, ret);
}
