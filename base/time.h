/*
 * Time: instants, civil dates and zones, without a clock
 *
 * An instant is milliseconds since 1970-01-01T00:00:00Z. Spans are half-open,
 * [from, until). Nothing here asks what time it is.
 */
#pragma once

#include "base/base.h"
#include "base/err.h"

typedef int64_t ow_time; /* ms since 1970, UTC */

#define OW_TIME_MIN INT64_MIN /* open to the left */
#define OW_TIME_MAX INT64_MAX /* open to the right */

enum { OW_SECOND = 1000, OW_MINUTE = 60 * OW_SECOND, OW_HOUR = 60 * OW_MINUTE };
#define OW_DAY ((ow_time)24 * OW_HOUR)

struct ow_span {
    ow_time from, until; /* half-open; OW_TIME_MIN and OW_TIME_MAX mean open */
};

struct ow_civil {
    int year, month, day, hour, minute, second, ms; /* month and day from 1 */
};

/* Proleptic Gregorian calendar, years 1 to 9999. */
ow_time ow_civil_to_utc(const struct ow_civil *c); /* as if `c` were UTC */
struct ow_civil ow_civil_from_utc(ow_time t);
bool ow_date_valid(int year, int month, int day);
int ow_weekday(ow_time t); /* UTC; 0 is Monday */

/* Adding that never wraps: open ends stay open, overflow becomes open. */
ow_time ow_time_add(ow_time t, int64_t ms);

/* A zone's rules: the transitions of a TZif file, and what holds before and after. */
struct ow_zone;

/* Read TZif (RFC 8536) version 1 to 4 bytes, footer rule included. `name` is copied. The
 * caller frees with ow_zone_free. Bad bytes: OW_CONFIG with what was wrong. */
OW_MUST_USE enum ow_code ow_zone_parse(const char *name, const void *data, size_t n,
                                       struct ow_zone **ret, struct ow_err *err);
void ow_zone_free(struct ow_zone *z);
const char *ow_zone_name(const struct ow_zone *z); /* "UTC" for NULL */

/* Offset east of UTC in seconds at an instant. A NULL zone is UTC everywhere below. */
int32_t ow_zone_offset(const struct ow_zone *z, ow_time t);

/*
 * Local wall time to UTC. A time that a clock change skips is read with the offset in
 * force before the change; one that occurs twice is the first occurrence.
 */
ow_time ow_zone_to_utc(const struct ow_zone *z, const struct ow_civil *local);
/* Local days since 1970-01-01, and the first instant of one. */
int64_t ow_zone_day(const struct ow_zone *z, ow_time t);
ow_time ow_zone_day_at(const struct ow_zone *z, int64_t day);
struct ow_civil ow_zone_local(const struct ow_zone *z, ow_time t);
/* Start of the local day that holds `t`. */
ow_time ow_zone_day_start(const struct ow_zone *z, ow_time t);

enum { OW_TIME_TEXT = 40 };
/* 2026-03-02T08:00:00Z, milliseconds only when not 0 */
char *ow_time_format(ow_time t, char ret[OW_TIME_TEXT]);
/* 2026-03-02, the local date in `zone` */
char *ow_time_format_date(ow_time t, const struct ow_zone *zone, char ret[OW_TIME_TEXT]);

/*
 * Read a FHIR date, dateTime or instant: 2026, 2026-03, 2026-03-02, or a full one with
 * seconds, 0 to 9 fraction digits and a zone. A partial date is an interval in `zone`
 * (NULL: UTC); a full instant is a span of one millisecond. Accepts hour 24 with zero
 * minutes and second 60 (read as the next minute). A full time without a zone is read
 * in `zone`. Finer than a millisecond is cut.
 */
OW_MUST_USE enum ow_code ow_time_parse(const char *s, const struct ow_zone *zone,
                                       struct ow_span *ret, struct ow_err *err);
