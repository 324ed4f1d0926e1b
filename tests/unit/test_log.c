/*
 * Log: valid lines, nothing that plays with a terminal, patients as hashes, storms
 * limited
 */
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cJSON.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/time.h"
#include "daemon/log.h"

struct sink {
    struct ow_buf text;
    unsigned writes;
    int64_t now;
};

static void on_write(void *arg, const char *line, size_t len)
{
    struct sink *s = arg;

    s->writes++;
    ow_buf_add(&s->text, line, len);
}

static int64_t on_now(void *arg)
{
    return ((struct sink *)arg)->now;
}

static int sink_open(void **state)
{
    struct sink *s = ow_alloc_zero(sizeof *s);

    ow_buf_init(&s->text, 1 << 24);
    s->now = INT64_C(1772438400123); /* 2026-03-02T08:00:00.123Z */
    ow_log_open(&(struct ow_log_options){
        .level = OW_DEBUG, .now = on_now, .write = on_write, .arg = s });
    *state = s;
    return 0;
}

static int sink_close(void **state)
{
    struct sink *s = *state;

    ow_log_close();
    ow_buf_done(&s->text);
    free(s);
    return 0;
}

static void a_line_is_one_json_object_with_its_time(void **state)
{
    struct sink *s = *state;

    OW_LOG(OW_WARNING, "delivery.retry", "will try again", OW_F("sink", "fhir"),
           OW_F_INT("attempt", -3), OW_F("reason", NULL));
    assert_string_equal(ow_buf_cstr(&s->text),
                        "{\"time\":\"2026-03-02T08:00:00.123Z\",\"level\":\"warning\","
                        "\"event\":\"delivery.retry\",\"message\":\"will try again\","
                        "\"sink\":\"fhir\",\"attempt\":-3,\"reason\":\"\"}\n");
    assert_int_equal(s->writes, 1);
}

static void milliseconds_are_always_written(void **state)
{
    struct sink *s = *state;

    s->now = INT64_C(1772438400000);
    OW_LOG(OW_INFO, "a", "b");
    assert_non_null(strstr(ow_buf_cstr(&s->text), "\"2026-03-02T08:00:00.000Z\""));
}

/* Every byte and many odd sequences go in; valid JSON in printable UTF-8 comes out, and
 * a JSON reader gets the same text back wherever it was valid. */
static void whatever_goes_in_a_line_stays_a_line(void **state)
{
    struct sink *s = *state;
    static const char *const odd[] = {
        "\xe2\x80\xae"
        "evil",
        "\xe2\x80\xa8line",
        "\xc2\x9b"
        "31m",
        "\xef\xbb\xbf"
        "bom",
        "\x1b[2J",
        "a\r\nb: c",
        "\"quoted\" \\back",
        "\xe2\x81\xa6iso",
        "tab\there",
        "\x7f",
        "caf\xc3\xa9 \xf0\x9f\x92\x8a",
    };

    for (int c = 1; c < 256; c++) {
        char text[] = { (char)c, 'x', '\0' };

        s->now += 1000; /* below the limit of lines */
        OW_LOG(OW_INFO, "odd", "byte", OW_F("v", text));
    }
    for (size_t i = 0; i < OW_LEN(odd); i++) {
        cJSON *line;

        ow_buf_reset(&s->text);
        OW_LOG(OW_INFO, "odd", "text", OW_F("v", odd[i]));
        line = cJSON_Parse(ow_buf_cstr(&s->text));
        assert_non_null(line);
        assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(line, "v")), odd[i]);
        cJSON_Delete(line);
        assert_int_equal(strcspn(ow_buf_cstr(&s->text), "\n"), s->text.len - 1);
        assert_null(strstr(ow_buf_cstr(&s->text), "\xe2\x80"));
        assert_null(strstr(ow_buf_cstr(&s->text), "\xe2\x81"));
        assert_null(strstr(ow_buf_cstr(&s->text), "\xc2\x9b"));
        assert_null(strstr(ow_buf_cstr(&s->text), "\xef\xbb\xbf"));
    }
}

static void every_byte_gives_printable_valid_utf8(void **state)
{
    struct sink *s = *state;

    for (int c = 1; c < 256; c++) {
        char text[] = { 'a', (char)c, 'x', '\0' };
        cJSON *line;

        s->now += 1000;
        ow_buf_reset(&s->text);
        OW_LOG(OW_INFO, "odd", "byte", OW_F("v", text));
        assert_true(ow_utf8_valid(s->text.data, s->text.len));
        for (size_t i = 0; i + 1 < s->text.len; i++)
            assert_true((unsigned char)s->text.data[i] >= 0x20 &&
                        s->text.data[i] != 0x7f);
        line = cJSON_Parse(ow_buf_cstr(&s->text));
        assert_non_null(line);
        assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(line, "v")),
                            c < 0x80 ? text : "a\xef\xbf\xbdx");
        cJSON_Delete(line);
    }
}

static void a_long_value_is_cut(void **state)
{
    struct sink *s = *state;
    char text[5000];

    memset(text, '\1', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    OW_LOG(OW_INFO, "long", "text", OW_F("a", text), OW_F("b", text), OW_F("c", text),
           OW_F("d", text), OW_F("e", text), OW_F("f", text), OW_F("g", text));
    assert_true(s->text.len < 50000);
    assert_non_null(strstr(ow_buf_cstr(&s->text), "\\u0001...\""));
    assert_int_equal(s->text.data[s->text.len - 1], '\n');
    assert_int_equal(s->text.data[s->text.len - 2], '}');
}

static void what_is_below_the_level_is_not_written(void **state)
{
    struct sink *s = *state;

    for (int least = OW_DEBUG; least <= OW_ERROR; least++) {
        ow_log_set_level((enum ow_level)least);
        s->writes = 0;
        for (int level = OW_DEBUG; level <= OW_ERROR; level++)
            OW_LOG((enum ow_level)level, "x", "y");
        assert_int_equal(s->writes, OW_ERROR - least + 1);
    }
}

static void a_patient_is_a_hash_under_the_key(void **state)
{
    static const uint8_t one[16] = "key number one", two[16] = "key number two";
    struct sink *s = *state;
    char first[64];

    OW_LOG(OW_INFO, "p", "", OW_F_PATIENT("patient", "Patient/secret-name"));
    assert_non_null(strstr(ow_buf_cstr(&s->text), "\"patient\":\"-\""));
    ow_log_set_key(one);
    ow_buf_reset(&s->text);
    OW_LOG(OW_INFO, "p", "", OW_F_PATIENT("patient", "Patient/secret-name"));
    snprintf(first, sizeof first, "\"patient\":\"%016" PRIx64 "\"",
             ow_siphash(one, "Patient/secret-name", strlen("Patient/secret-name")));
    assert_non_null(strstr(ow_buf_cstr(&s->text), first));
    ow_log_set_key(two);
    OW_LOG(OW_INFO, "p", "", OW_F_PATIENT("patient", "Patient/secret-name"));
    OW_LOG(OW_INFO, "p", "", OW_F_PATIENT("patient", NULL));
    assert_null(strstr(strstr(ow_buf_cstr(&s->text), first) + 1, first));
    assert_null(strstr(ow_buf_cstr(&s->text), "secret"));
}

static unsigned lines_with(const struct sink *s, const char *what)
{
    unsigned n = 0;

    for (const char *at = ow_buf_cstr(&s->text); (at = strstr(at, what)); at++)
        n++;
    return n;
}

static void a_storm_is_limited_and_counted(void **state)
{
    struct sink *s = *state;

    for (int i = 0; i < 1000; i++)
        OW_LOG(OW_ERROR, "storm", "again");
    OW_LOG(OW_ERROR, "calm", "once");
    assert_int_equal(lines_with(s, "\"event\":\"storm\""), 100);
    assert_int_equal(lines_with(s, "\"event\":\"calm\""), 1);
    assert_int_equal(lines_with(s, "log.suppressed"), 0);
    s->now += 10000;
    OW_LOG(OW_INFO, "calm", "another event brings the count to light");
    assert_non_null(
        strstr(ow_buf_cstr(&s->text),
               "\"event\":\"log.suppressed\",\"message\":\"lines of one event "
               "were left out\",\"of\":\"storm\",\"lines\":900"));
    OW_LOG(OW_ERROR, "storm", "again");
    assert_int_equal(lines_with(s, "\"event\":\"storm\""), 101);
}

static void the_count_is_told_at_the_end_at_the_latest(void **state)
{
    struct sink *s = *state;

    for (int i = 0; i < 150; i++)
        OW_LOG(OW_ERROR, "storm", "again");
    ow_log_close();
    assert_non_null(strstr(ow_buf_cstr(&s->text), "\"of\":\"storm\",\"lines\":50"));
}

static void a_clock_that_goes_back_does_not_silence(void **state)
{
    struct sink *s = *state;

    for (int i = 0; i < 150; i++)
        OW_LOG(OW_ERROR, "storm", "again");
    s->now -= INT64_C(86400000) * 3650;
    OW_LOG(OW_ERROR, "storm", "again");
    assert_int_equal(lines_with(s, "\"event\":\"storm\""), 101);
}

/* The journal's protocol: NAME=value lines, names in capitals. */
static void the_journal_gets_fields(void **state)
{
    struct sink *s = *state;

    ow_log_open(&(struct ow_log_options){ .level = OW_INFO,
                                          .format = OW_LOG_JOURNALD,
                                          .now = on_now,
                                          .write = on_write,
                                          .arg = s });
    OW_LOG(OW_ERROR, "store.failed", "cannot start", OW_F("reason", "a\nPRIORITY=0"),
           OW_F_INT("of-port", 7));
    assert_non_null(strstr(ow_buf_cstr(&s->text),
                           "MESSAGE=store.failed: cannot start reason=a\\u000aPRIORITY=0 "
                           "of-port=7\nPRIORITY=3\nSYSLOG_IDENTIFIER=opiward\n"
                           "OPIWARD_EVENT=store.failed\nMESSAGE_ID="));
    assert_non_null(strstr(ow_buf_cstr(&s->text), "\nOPIWARD_REASON=a\\u000aPRIORITY=0\n"
                                                  "OPIWARD_OF_PORT=7\n"));
    assert_int_equal(lines_with(s, "\nPRIORITY="), 1);
}

static void a_kind_of_event_has_one_message_id(void **state)
{
    struct sink *s = *state;
    char first[64], second[64], other[64];
    char *const ids[] = { first, second, other };
    static const char *const events[] = { "one", "one", "two" };

    ow_log_open(&(struct ow_log_options){ .level = OW_INFO,
                                          .format = OW_LOG_JOURNALD,
                                          .now = on_now,
                                          .write = on_write,
                                          .arg = s });
    for (size_t i = 0; i < 3; i++) {
        ow_buf_reset(&s->text);
        OW_LOG(OW_INFO, events[i], "x");
        assert_int_equal(sscanf(strstr(ow_buf_cstr(&s->text), "MESSAGE_ID="),
                                "MESSAGE_ID=%32[0-9a-f]", ids[i]),
                         1);
        assert_int_equal(strlen(ids[i]), 32);
    }
    assert_string_equal(first, second);
    assert_string_not_equal(first, other);
}

/* Standard error is put aside for a file and given back; what was written is returned. */
static void stderr_gets(bool journal_stream, char *ret, size_t size)
{
    char path[] = "/tmp/opiward-log-XXXXXX", stream[64];
    int fd = mkstemp(path), kept = dup(STDERR_FILENO);
    struct stat st;
    ssize_t n;

    assert_true(fd >= 0 && kept >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)st.st_dev,
             (uintmax_t)st.st_ino + !journal_stream);
    setenv("JOURNAL_STREAM", stream, 1);
    dup2(fd, STDERR_FILENO);
    ow_log_open(&(struct ow_log_options){ .level = OW_INFO, .format = OW_LOG_AUTO });
    OW_LOG(OW_INFO, "said", "something");
    ow_log_close();
    dup2(kept, STDERR_FILENO);
    close(kept);
    n = pread(fd, ret, size - 1, 0);
    ret[n > 0 ? n : 0] = '\0';
    close(fd);
    unlink(path);
    unsetenv("JOURNAL_STREAM");
}

static void standard_error_gets_json_when_it_is_no_journal(void **state)
{
    char text[512];

    (void)state;
    stderr_gets(false, text, sizeof text);
    assert_true(ow_starts_with(text, "{\"time\":\"2"));
    assert_non_null(strstr(text, "\"event\":\"said\""));
}

static void a_line_that_the_journal_does_not_take_goes_to_standard_error(void **state)
{
    char text[512];

    (void)state;
    if (access("/run/systemd/journal/socket", F_OK) == 0)
        skip(); /* a journal is here, and takes it */
    stderr_gets(true, text, sizeof text);
    assert_non_null(strstr(text, "\"event\":\"said\""));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, sink_open, sink_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_is_one_json_object_with_its_time),
        TEST(milliseconds_are_always_written),
        TEST(whatever_goes_in_a_line_stays_a_line),
        TEST(every_byte_gives_printable_valid_utf8),
        TEST(a_long_value_is_cut),
        TEST(what_is_below_the_level_is_not_written),
        TEST(a_patient_is_a_hash_under_the_key),
        TEST(a_storm_is_limited_and_counted),
        TEST(the_count_is_told_at_the_end_at_the_latest),
        TEST(a_clock_that_goes_back_does_not_silence),
        TEST(the_journal_gets_fields),
        TEST(a_kind_of_event_has_one_message_id),
        TEST(standard_error_gets_json_when_it_is_no_journal),
        TEST(a_line_that_the_journal_does_not_take_goes_to_standard_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
