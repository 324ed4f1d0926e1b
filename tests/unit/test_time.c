/* Time: the calendar, zones from the system's tzdata, and FHIR's forms of a date. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/time.h"

static uint64_t seed = 1;

static uint64_t next_random(void)
{
    uint64_t z = seed += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static void *file_read(const char *name, size_t *n)
{
    static char data[1 << 16];
    char path[256];
    FILE *f;

    snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
    f = fopen(path, "rb");
    if (!f)
        fail_msg("%s: install tzdata", path);
    *n = fread(data, 1, sizeof data, f);
    fclose(f);
    return data;
}

static struct ow_zone *zone_load(const char *name)
{
    struct ow_zone *z = NULL;
    struct ow_err err;
    size_t n;
    void *data = file_read(name, &n);

    if (ow_zone_parse(name, data, n, &z, &err))
        fail_msg("%s", err.text);
    assert_string_equal(ow_zone_name(z), name);
    return z;
}

static ow_time at(int year, int month, int day, int hour, int minute)
{
    struct ow_civil c = { year, month, day, hour, minute, 0, 0 };

    return ow_civil_to_utc(&c);
}

static void civil_dates_meet_known_instants(void **state)
{
    static const struct {
        struct ow_civil c;
        int64_t s;
    } cases[] = {
        {{ 1970, 1, 1, 0, 0, 0, 0 },       0           },
        { { 1969, 12, 31, 23, 59, 59, 0 }, -1          },
        { { 2000, 2, 29, 0, 0, 0, 0 },     951782400   },
        { { 2000, 3, 1, 0, 0, 0, 0 },      951868800   },
        { { 2001, 9, 9, 1, 46, 40, 0 },    1000000000  },
        { { 2026, 3, 2, 8, 0, 0, 0 },      1772438400  },
        { { 2038, 1, 19, 3, 14, 8, 0 },    2147483648  },
        { { 1900, 3, 1, 0, 0, 0, 0 },      -2203891200 },
        { { 1, 1, 1, 0, 0, 0, 0 },         -62135596800},
        { { 9999, 12, 31, 23, 59, 59, 0 }, 253402300799},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_civil back = ow_civil_from_utc(cases[i].s * OW_SECOND);

        assert_true(ow_civil_to_utc(&cases[i].c) == cases[i].s * OW_SECOND);
        assert_memory_equal(&back, &cases[i].c, sizeof back);
    }
}

static void every_day_of_the_calendar_goes_there_and_back(void **state)
{
    ow_time t = at(1, 1, 1, 0, 0);

    (void)state;
    for (int year = 1; year <= 9999; year++)
        for (int month = 1; month <= 12; month++)
            for (int day = 1; ow_date_valid(year, month, day); day++, t += OW_DAY) {
                struct ow_civil c = ow_civil_from_utc(t + 1);

                if (at(year, month, day, 0, 0) != t || c.year != year ||
                    c.month != month || c.day != day || c.ms != 1)
                    fail_msg("%d-%d-%d", year, month, day);
            }
    assert_true(t == at(10000, 1, 1, 0, 0));
}

static void the_calendar_agrees_with_libc(void **state)
{
    (void)state;
    for (int i = 0; i < 100000; i++) {
        time_t s = (time_t)(next_random() % 315537897600) - 62135596800;
        struct ow_civil c = ow_civil_from_utc((ow_time)s * OW_SECOND);
        struct tm tm;

        assert_non_null(gmtime_r(&s, &tm));
        assert_int_equal(c.year, tm.tm_year + 1900);
        assert_int_equal(c.month, tm.tm_mon + 1);
        assert_int_equal(c.day, tm.tm_mday);
        assert_int_equal(c.hour, tm.tm_hour);
        assert_int_equal(c.minute, tm.tm_min);
        assert_int_equal(c.second, tm.tm_sec);
        assert_int_equal(ow_weekday((ow_time)s * OW_SECOND), (tm.tm_wday + 6) % 7);
    }
}

static void dates_that_do_not_exist_are_invalid(void **state)
{
    (void)state;
    assert_true(ow_date_valid(2024, 2, 29));
    assert_true(ow_date_valid(2000, 2, 29));
    assert_false(ow_date_valid(1900, 2, 29));
    assert_false(ow_date_valid(2023, 2, 29));
    assert_false(ow_date_valid(2026, 4, 31));
    assert_false(ow_date_valid(2026, 0, 1));
    assert_false(ow_date_valid(2026, 13, 1));
    assert_false(ow_date_valid(2026, 1, 0));
    assert_false(ow_date_valid(0, 1, 1));
    assert_false(ow_date_valid(10000, 1, 1));
}

static void adding_never_wraps(void **state)
{
    (void)state;
    assert_true(ow_time_add(5, -7) == -2);
    assert_true(ow_time_add(OW_TIME_MAX - 1, 5) == OW_TIME_MAX);
    assert_true(ow_time_add(OW_TIME_MIN + 1, -5) == OW_TIME_MIN);
    assert_true(ow_time_add(OW_TIME_MAX, -5) == OW_TIME_MAX);
    assert_true(ow_time_add(OW_TIME_MIN, 5) == OW_TIME_MIN);
}

static void open_ends_survive_every_function(void **state)
{
    struct ow_zone *z = zone_load("America/New_York");
    const ow_time ends[] = { OW_TIME_MIN, OW_TIME_MIN + 1, OW_TIME_MAX - 1, OW_TIME_MAX };
    char text[OW_TIME_TEXT];

    (void)state;
    for (size_t i = 0; i < OW_LEN(ends); i++) {
        (void)ow_zone_local(z, ends[i]);
        (void)ow_weekday(ends[i]);
        assert_true(strlen(ow_time_format(ends[i], text)) > 10);
        assert_true(strlen(ow_time_format_date(ends[i], z, text)) >= 10);
        (void)ow_zone_day_start(z, ends[i]);
    }
    assert_true(ow_zone_day_start(z, OW_TIME_MAX) == OW_TIME_MAX);
    assert_true(ow_zone_day_start(z, OW_TIME_MIN) == OW_TIME_MIN);
    ow_zone_free(z);
}

/* Local wall time, and the instant that it must mean. */
static const struct {
    const char *zone, *local, *utc;
} local_cases[] = {
    {"America/New_York",     "2026-03-02T08:00:00", "2026-03-02T13:00:00Z"},
    { "America/New_York",    "2026-07-01T08:00:00", "2026-07-01T12:00:00Z"},
    { "America/New_York",    "2026-03-08T01:59:59", "2026-03-08T06:59:59Z"},
    { "America/New_York",    "2026-03-08T02:30:00", "2026-03-08T07:30:00Z"}, /* skipped */
    { "America/New_York",    "2026-03-08T03:00:00", "2026-03-08T07:00:00Z"},
    { "America/New_York",    "2026-11-01T01:30:00", "2026-11-01T05:30:00Z"}, /* twice */
    { "America/New_York",    "2026-11-01T02:00:00", "2026-11-01T07:00:00Z"},
    { "America/New_York",    "2500-07-01T08:00:00", "2500-07-01T12:00:00Z"}, /* by rule */
    { "Europe/Berlin",       "2026-03-29T02:30:00", "2026-03-29T01:30:00Z"}, /* skipped */
    { "Europe/Berlin",       "2026-10-25T02:30:00", "2026-10-25T00:30:00Z"}, /* twice */
    { "Europe/Berlin",       "2099-10-25T03:00:00", "2099-10-25T02:00:00Z"},
    { "America/Phoenix",     "2026-07-01T08:00:00", "2026-07-01T15:00:00Z"},
    { "America/Phoenix",     "2026-12-01T08:00:00", "2026-12-01T15:00:00Z"},
    { "Australia/Lord_Howe", "2026-01-10T12:00:00", "2026-01-10T01:00:00Z"},
    { "Australia/Lord_Howe", "2026-07-10T12:00:00", "2026-07-10T01:30:00Z"},
    { "Australia/Lord_Howe", "2026-10-04T02:15:00",
     "2026-10-03T15:45:00Z"                                               }, /* skipped */
    { "Australia/Lord_Howe", "2026-04-05T01:45:00", "2026-04-04T14:45:00Z"}, /* twice */
    { "Australia/Lord_Howe", "2060-04-04T01:45:00", "2060-04-03T14:45:00Z"},
    { "America/Sao_Paulo",   "2018-11-04T00:00:00", "2018-11-04T03:00:00Z"}, /* skipped */
    { "Pacific/Apia",        "2011-12-31T00:00:00", "2011-12-30T10:00:00Z"},
    { "Asia/Kathmandu",      "2026-01-01T00:00:00", "2025-12-31T18:15:00Z"},
    { "Africa/Casablanca",   "2026-01-01T12:00:00", "2026-01-01T11:00:00Z"},
    { "Europe/Dublin",       "2026-07-01T12:00:00", "2026-07-01T11:00:00Z"},
};

static void local_times_become_instants_across_gaps_and_overlaps(void **state)
{
    (void)state;
    for (size_t i = 0; i < OW_LEN(local_cases); i++) {
        struct ow_zone *z = zone_load(local_cases[i].zone);
        struct ow_span got, want;
        char text[OW_TIME_TEXT];

        assert_int_equal(ow_time_parse(local_cases[i].local, z, &got, NULL), OW_OK);
        assert_int_equal(ow_time_parse(local_cases[i].utc, NULL, &want, NULL), OW_OK);
        if (got.from != want.from)
            fail_msg("%s %s: %s", local_cases[i].zone, local_cases[i].local,
                     ow_time_format(got.from, text));
        ow_zone_free(z);
    }
}

static const char *const zones[] = {
    "America/New_York",
    "Europe/Berlin",
    "America/Phoenix",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "Africa/Casablanca",
    "Europe/Dublin",
    "Asia/Kolkata",
    "America/St_Johns",
    "Asia/Tehran",
    "Pacific/Chatham",
    "Asia/Gaza",
    "Asia/Manila",
    "America/Nuuk",
    "Africa/Monrovia",
    "UTC",
    "Etc/GMT+12",
    "Antarctica/Troll",
};

static void offsets_agree_with_libc_in_every_zone(void **state)
{
    (void)state;
    for (size_t i = 0; i < OW_LEN(zones); i++) {
        struct ow_zone *z = zone_load(zones[i]);

        setenv("TZ", zones[i], 1);
        tzset();
        for (int k = 0; k < 20000; k++) { /* 1850 to 2350 */
            time_t s = (time_t)(next_random() % 15778800000) - 3786825600;
            struct tm tm;

            assert_non_null(localtime_r(&s, &tm));
            if (ow_zone_offset(z, (ow_time)s * OW_SECOND) != tm.tm_gmtoff)
                fail_msg("%s at %lld: %d, libc %ld", zones[i], (long long)s,
                         ow_zone_offset(z, (ow_time)s * OW_SECOND), tm.tm_gmtoff);
        }
        ow_zone_free(z);
    }
    unsetenv("TZ");
    tzset();
}

static void wall_times_lead_back_to_the_first_instant_that_shows_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < OW_LEN(zones); i++) {
        struct ow_zone *z = zone_load(zones[i]);

        for (ow_time t = at(1900, 1, 1, 0, 0); t < at(2060, 1, 1, 0, 0);
             t += 401 * OW_MINUTE) {
            struct ow_civil c = ow_zone_local(z, t), back;
            ow_time u = ow_zone_to_utc(z, &c), start;

            back = ow_zone_local(z, u);
            if (u > t || memcmp(&back, &c, sizeof c) != 0)
                fail_msg("%s at %lld", zones[i], (long long)t);
            start = ow_zone_day_start(z, t);
            if (start > t || t - start > 26 * OW_HOUR)
                fail_msg("%s day of %lld starts %lld", zones[i], (long long)t,
                         (long long)start);
        }
        ow_zone_free(z);
    }
}

static void damaged_zone_files_are_refused_with_a_reason(void **state)
{
    static const char *const names[] = { "America/New_York", "America/Phoenix" };

    (void)state;
    for (size_t i = 0; i < OW_LEN(names); i++) {
        struct ow_zone *z = NULL;
        struct ow_err err = { "" };
        size_t n;
        char *data = file_read(names[i], &n), *copy = malloc(n);

        assert_non_null(copy);
        for (size_t cut = 0; cut < n; cut++) { /* exact heap copies: an overread shows */
            char *part = malloc(cut ? cut : 1);

            assert_non_null(part);
            memcpy(part, data, cut);
            assert_int_equal(ow_zone_parse("Cut", part, cut, &z, &err), OW_CONFIG);
            assert_true(strncmp(err.text, "zone Cut: it", 12) == 0 ||
                        strstr(err.text, "footer"));
            free(part);
        }
        for (int k = 0; k < 20000; k++) { /* any answer will do, as long as it is one */
            memcpy(copy, data, n);
            for (int flips = 0; flips < 3; flips++)
                copy[next_random() % n] = (char)next_random();
            if (ow_zone_parse("Flip", copy, n, &z, NULL) == OW_OK) {
                for (int m = 0; m < 20; m++) {
                    struct ow_civil c = ow_zone_local(z, (ow_time)(next_random() >> 20));

                    (void)ow_zone_to_utc(z, &c);
                }
                ow_zone_free(z);
            }
        }
        free(copy);
    }
}

static void footer_rules_that_are_no_rules_are_refused(void **state)
{
    static const struct {
        const char *footer;
        bool ok;
    } cases[] = {
        {"UTC0",                                  true },
        { "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", true },
        { "EST5EDT,M3.2.0,M11.1.0",               true },
        { "XXX3EDT4,0/0,J365/23",                 true },
        { "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",      true },
        { "AB0",                                  false},
        { "EST",                                  false},
        { "EST5EDT",                              false},
        { "EST25",                                false},
        { "EST5EDT,M13.2.0,M11.1.0",              false},
        { "EST5EDT,M3.6.0,M11.1.0",               false},
        { "EST5EDT,M3.2.7,M11.1.0",               false},
        { "EST5EDT,M3.2.0",                       false},
        { "EST5EDT,M3.2.0,M11.1.0x",              false},
        { "EST5EDT,J0,J365",                      false},
        { "EST5EDT,J1/168,J365",                  false},
        { "<+10",                                 false},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        /* Two headers with one type and one name byte each, then the footer. */
        char data[256] = "TZif2";
        struct ow_zone *z = NULL;
        size_t n = 0;
        enum ow_code code;

        for (int block = 0; block < 2; block++) {
            memcpy(data + n, "TZif2", 5);
            data[n + 39] = 1;
            data[n + 43] = 1;
            n += 44 + 6 + 1;
        }
        n += (size_t)snprintf(data + n, sizeof data - n, "\n%s\n", cases[i].footer);
        code = ow_zone_parse("X", data, n, &z, NULL);
        if (code != (cases[i].ok ? OW_OK : OW_CONFIG))
            fail_msg("%s: %s", cases[i].footer, ow_code_name(code));
        if (!code)
            ow_zone_free(z);
    }
}

static void a_missing_zone_is_utc(void **state)
{
    struct ow_civil c = { 2026, 3, 2, 8, 0, 0, 0 };

    (void)state;
    assert_string_equal(ow_zone_name(NULL), "UTC");
    assert_int_equal(ow_zone_offset(NULL, 0), 0);
    assert_true(ow_zone_to_utc(NULL, &c) == ow_civil_to_utc(&c));
    assert_true(ow_zone_day_start(NULL, at(2026, 3, 2, 8, 0)) == at(2026, 3, 2, 0, 0));
    ow_zone_free(NULL);
}

static const struct {
    const char *text, *from, *until;
} parse_cases[] = {
    {"2026",                                 "2026-01-01T00:00:00Z",     "2027-01-01T00:00:00Z"    },
    { "2026-03",                             "2026-03-01T00:00:00Z",     "2026-04-01T00:00:00Z"    },
    { "2026-12",                             "2026-12-01T00:00:00Z",     "2027-01-01T00:00:00Z"    },
    { "2026-02-28",                          "2026-02-28T00:00:00Z",     "2026-03-01T00:00:00Z"    },
    { "2024-02-29",                          "2024-02-29T00:00:00Z",     "2024-03-01T00:00:00Z"    },
    { "2026-12-31",                          "2026-12-31T00:00:00Z",     "2027-01-01T00:00:00Z"    },
    { "2026-03-02T08:00:00Z",                "2026-03-02T08:00:00Z",     "2026-03-02T08:00:00.001Z"},
    { "2026-03-02T08:00:00.5Z",              "2026-03-02T08:00:00.500Z", "2026-03-02T08:00:00.501Z"},
    { "2026-03-02T08:00:00.123456789+01:00", "2026-03-02T07:00:00.123Z",
     "2026-03-02T07:00:00.124Z"                                                                    },
    { "2026-03-02T08:00:00-05:30",           "2026-03-02T13:30:00Z",     "2026-03-02T13:30:00.001Z"},
    { "2026-03-02T08:00:00+14:00",           "2026-03-01T18:00:00Z",     "2026-03-01T18:00:00.001Z"},
    { "2026-03-02T08:00:00-00:00",           "2026-03-02T08:00:00Z",     "2026-03-02T08:00:00.001Z"},
    { "2026-03-02T24:00:00Z",                "2026-03-03T00:00:00Z",     "2026-03-03T00:00:00.001Z"},
    { "2026-12-31T24:00:00.000Z",            "2027-01-01T00:00:00Z",     "2027-01-01T00:00:00.001Z"},
    { "2016-12-31T23:59:60Z",                "2017-01-01T00:00:00Z",     "2017-01-01T00:00:00.001Z"},
    { "2026-03-02T08:00:00",                 "2026-03-02T08:00:00Z",     "2026-03-02T08:00:00.001Z"},
    { "0001-01-01",                          "0001-01-01T00:00:00Z",     "0001-01-02T00:00:00Z"    },
    { "9999",                                "9999-01-01T00:00:00Z",     "10000-01-01T00:00:00Z"   },
};

static void every_fhir_form_is_read_as_its_span(void **state)
{
    (void)state;
    for (size_t i = 0; i < OW_LEN(parse_cases); i++) {
        struct ow_span span;
        struct ow_err err;
        char text[OW_TIME_TEXT];

        if (ow_time_parse(parse_cases[i].text, NULL, &span, &err))
            fail_msg("%s: %s", parse_cases[i].text, err.text);
        assert_string_equal(ow_time_format(span.from, text), parse_cases[i].from);
        assert_string_equal(ow_time_format(span.until, text), parse_cases[i].until);
    }
}

static void partial_dates_are_local_intervals(void **state)
{
    static const struct {
        const char *zone, *text, *from, *until;
    } cases[] = {
        {"America/New_York",     "2026-03-08", "2026-03-08T05:00:00Z",
         "2026-03-09T04:00:00Z"                                                              }, /* 23 hours */
        { "America/New_York",    "2026-11-01", "2026-11-01T04:00:00Z",
         "2026-11-02T05:00:00Z"                                                              }, /* 25 hours */
        { "America/New_York",    "2026",       "2026-01-01T05:00:00Z", "2027-01-01T05:00:00Z"},
        { "Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00:00Z",
         "2026-04-05T13:30:00Z"                                                              },
        { "Australia/Lord_Howe", "2026-10",    "2026-09-30T13:30:00Z",
         "2026-10-31T13:00:00Z"                                                              },
        { "America/Sao_Paulo",   "2018-11-04", "2018-11-04T03:00:00Z",
         "2018-11-05T02:00:00Z"                                                              }, /* no midnight */
        { "Pacific/Apia",        "2011-12-30", "2011-12-30T10:00:00Z",
         "2011-12-31T10:00:00Z"                                                              }, /* no such day: never an empty span */
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_zone *z = zone_load(cases[i].zone);
        struct ow_span span;
        char text[OW_TIME_TEXT];

        assert_int_equal(ow_time_parse(cases[i].text, z, &span, NULL), OW_OK);
        assert_string_equal(ow_time_format(span.from, text), cases[i].from);
        assert_string_equal(ow_time_format(span.until, text), cases[i].until);
        ow_zone_free(z);
    }
}

static void a_date_prints_in_its_zone(void **state)
{
    struct ow_zone *z = zone_load("America/New_York");
    char text[OW_TIME_TEXT];

    (void)state;
    assert_string_equal(ow_time_format_date(at(2026, 3, 2, 3, 0), z, text), "2026-03-01");
    assert_string_equal(ow_time_format_date(at(2026, 3, 2, 3, 0), NULL, text),
                        "2026-03-02");
    assert_string_equal(ow_time_format(at(2026, 3, 2, 8, 0), text),
                        "2026-03-02T08:00:00Z");
    assert_string_equal(ow_time_format(-1, text), "1969-12-31T23:59:59.999Z");
    ow_zone_free(z);
}

static void what_is_no_date_is_refused_at_its_place(void **state)
{
    static const struct {
        const char *text;
        int place;
    } cases[] = {
        {"",                                 1 },
        { "26",                              1 },
        { "0000",                            1 },
        { "2026-",                           6 },
        { "2026-13",                         6 },
        { "2026-00-01",                      6 },
        { "2026-3-2",                        6 },
        { "2026-02-30",                      9 },
        { "2023-02-29",                      9 },
        { "2026-03-02 08:00:00Z",            11},
        { "2026-03-02T",                     12},
        { "2026-03-02T08",                   14},
        { "2026-03-02T08:00Z",               17},
        { "2026-03-02T25:00:00Z",            12},
        { "2026-03-02T24:00:01Z",            12},
        { "2026-03-02T24:30:00Z",            12},
        { "2026-03-02T08:60:00Z",            15},
        { "2026-03-02T08:00:61Z",            18},
        { "2026-03-02T08:00:00.Z",           21},
        { "2026-03-02T08:00:00.1234567890Z", 30},
        { "2026-03-02T08:00:00z",            20},
        { "2026-03-02T08:00:00+15:00",       21},
        { "2026-03-02T08:00:00+14:30",       24},
        { "2026-03-02T08:00:00+0100",        23},
        { "2026-03-02T08:00:00Zx",           21},
        { "20260302",                        5 },
        { "2026-03-02\n",                    11},
        { "today",                           1 },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_span span = { 7, 9 };
        struct ow_err err;
        char place[64];

        if (ow_time_parse(cases[i].text, NULL, &span, &err) != OW_INPUT)
            fail_msg("%s was accepted", cases[i].text);
        snprintf(place, sizeof place, "character %d: expected ", cases[i].place);
        if (!strstr(err.text, place))
            fail_msg("%s: %s", cases[i].text, err.text);
        assert_true(span.from == 7 && span.until == 9);
    }
    assert_int_equal(ow_time_parse(NULL, NULL, &(struct ow_span){ 0 }, NULL), OW_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(civil_dates_meet_known_instants),
        cmocka_unit_test(every_day_of_the_calendar_goes_there_and_back),
        cmocka_unit_test(the_calendar_agrees_with_libc),
        cmocka_unit_test(dates_that_do_not_exist_are_invalid),
        cmocka_unit_test(adding_never_wraps),
        cmocka_unit_test(open_ends_survive_every_function),
        cmocka_unit_test(local_times_become_instants_across_gaps_and_overlaps),
        cmocka_unit_test(offsets_agree_with_libc_in_every_zone),
        cmocka_unit_test(wall_times_lead_back_to_the_first_instant_that_shows_them),
        cmocka_unit_test(damaged_zone_files_are_refused_with_a_reason),
        cmocka_unit_test(footer_rules_that_are_no_rules_are_refused),
        cmocka_unit_test(a_missing_zone_is_utc),
        cmocka_unit_test(every_fhir_form_is_read_as_its_span),
        cmocka_unit_test(partial_dates_are_local_intervals),
        cmocka_unit_test(a_date_prints_in_its_zone),
        cmocka_unit_test(what_is_no_date_is_refused_at_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
