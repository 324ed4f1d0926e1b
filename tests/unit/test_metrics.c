/*
 * Metrics: the exposition follows the format and the rules for names
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "daemon/clock.h"
#include "daemon/files.h"
#include "daemon/metrics.h"

static const struct {
    const char *name, *kind, *help;
} declared[] = {
#define METRIC(name, kind, help) { #name, #kind, help },
#include "daemon/metrics.def"
#undef METRIC
};

static int print(void **state)
{
    struct ow_buf *b = ow_alloc_zero(sizeof *b);

    ow_buf_init(b, 1 << 20);
    ow_metrics_print(b);
    *state = b;
    return 0;
}

static int drop(void **state)
{
    ow_buf_done(*state);
    free(*state);
    return 0;
}

/* The value behind "name ", or -1. */
static long long value_of(const struct ow_buf *b, const char *name)
{
    char line[128];
    const char *at;

    snprintf(line, sizeof line, "\n%s ", name);
    at = strstr(ow_buf_cstr(b), line);
    return at ? strtoll(at + strlen(line), NULL, 10) : -1;
}

static void every_figure_has_help_type_and_value(void **state)
{
    for (size_t i = 0; i < OW_LEN(declared); i++) {
        char expected[512];

        snprintf(expected, sizeof expected,
                 "# HELP opiward_%s %s\n# TYPE opiward_%s %s\nopiward_%s 0\n",
                 declared[i].name, declared[i].help, declared[i].name,
                 ow_streq(declared[i].kind, "COUNTER") ? "counter" : "gauge",
                 declared[i].name);
        assert_non_null(strstr(ow_buf_cstr(*state), expected));
    }
}

static void names_keep_the_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < OW_LEN(declared); i++) {
        const char *name = declared[i].name;

        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
        assert_true(ow_ends_with(name, "_total") ==
                    ow_streq(declared[i].kind, "COUNTER"));
        assert_false(ow_ends_with(declared[i].help, "."));
    }
}

static void every_line_is_of_the_format(void **state)
{
    const char *at = ow_buf_cstr(*state), *end;

    for (; (end = strchr(at, '\n')); at = end + 1) {
        char line[512], name[128], rest[256];

        snprintf(line, sizeof line, "%.*s", (int)(end - at), at);
        if (ow_starts_with(line, "# HELP ") || ow_starts_with(line, "# TYPE "))
            continue;
        assert_int_equal(sscanf(line, "%127[a-z_]%255[^\n]", name, rest), 2);
        if (ow_streq(name, "opiward_hooks_denied_total"))
            assert_true(ow_starts_with(rest, "{reason=\"") &&
                        ow_ends_with(rest, "\"} 0"));
        else if (rest[0] == '{')
            assert_string_equal(rest, "{version=\"" OW_VERSION "\"} 1");
        else
            assert_int_equal(strspn(rest + 1, "0123456789.-"), strlen(rest) - 1);
    }
    assert_int_equal(*at, '\0'); /* the last line is whole */
}

static void the_process_is_described(void **state)
{
    const struct ow_buf *b = *state;
    long long now = ow_clock_utc() / 1000, start;
    struct ow_buf again;
    int fd;

    assert_non_null(
        strstr(ow_buf_cstr(b), "opiward_build_info{version=\"" OW_VERSION "\"} 1"));
    assert_in_range(value_of(b, "process_resident_memory_bytes"), 1 << 20,
                    INT64_C(1) << 34);
    assert_true(value_of(b, "process_virtual_memory_bytes") >=
                value_of(b, "process_resident_memory_bytes"));
    assert_in_range(value_of(b, "process_max_fds"), 16, INT64_MAX);
    start = value_of(b, "process_start_time_seconds");
    assert_in_range(start, now - 300, now + 1);
    assert_in_range(value_of(b, "process_cpu_seconds_total"), 0, 300);

    fd = open("/dev/null", O_RDONLY);
    ow_buf_init(&again, 1 << 20);
    ow_metrics_print(&again);
    assert_int_equal(value_of(&again, "process_open_fds"),
                     value_of(b, "process_open_fds") + 1);
    assert_int_equal(value_of(&again, "process_start_time_seconds"), start);
    close(fd);
    ow_buf_done(&again);
}

static void figures_are_counted_and_set(void **state)
{
    struct ow_buf b;

    (void)state;
    ow_metric_add(OW_M_evaluations_total, 2);
    ow_metric_add(OW_M_evaluations_total, 40);
    ow_metric_set(OW_M_outbox_due, 7);
    ow_metric_set(OW_M_outbox_due, -3);
    assert_int_equal(ow_metric_get(OW_M_evaluations_total), 42);
    ow_buf_init(&b, 1 << 20);
    ow_metrics_print(&b);
    assert_int_equal(value_of(&b, "opiward_evaluations_total"), 42);
    assert_int_equal(value_of(&b, "opiward_outbox_due"), -3);
    ow_buf_done(&b);
}

static void the_manual_lists_every_figure(void **state)
{
    char *text, row[256];
    size_t len;

    (void)state;
    assert_int_equal(ow_file_read("systemd/OPERATIONS.md", 1 << 20, &text, &len, NULL),
                     OW_OK);
    for (size_t i = 0; i < OW_LEN(declared); i++) {
        snprintf(row, sizeof row, "\n| `opiward_%s` | %s | %s |\n", declared[i].name,
                 ow_streq(declared[i].kind, "COUNTER") ? "counter" : "gauge",
                 declared[i].help);
        if (!strstr(text, row))
            print_error("missing row: %s", row);
        assert_non_null(strstr(text, row));
    }
    free(text);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, print, drop)

static void answers_are_counted_under_labels_that_stay_few(void **state)
{
    struct ow_buf b;
    char code[32];

    (void)state;
    ow_metric_answer("med-threshold", "overridden", "snooze-3-months");
    ow_metric_answer("med-threshold", "overridden", "snooze-3-months");
    ow_metric_answer(NULL, "accepted", NULL);
    ow_metric_answer("med-threshold", "overridden", "Jane Doe, born 1970");
    for (int i = 0; i < 1000; i++) {
        snprintf(code, sizeof code, "code-%d", i);
        ow_metric_answer("med-threshold", "overridden", code);
    }
    ow_buf_init(&b, 1 << 20);
    ow_metrics_print(&b);
    assert_non_null(strstr(ow_buf_cstr(&b),
                           "{rule=\"med-threshold\",outcome=\"overridden\""
                           ",reason=\"snooze-3-months\"} 2\n"));
    assert_non_null(strstr(ow_buf_cstr(&b), "{rule=\"unknown\",outcome=\"accepted\","
                                            "reason=\"none\"} 1\n"));
    assert_non_null(strstr(ow_buf_cstr(&b), "reason=\"other\"} 1\n"));
    assert_null(strstr(ow_buf_cstr(&b), "Jane"));
    assert_null(strstr(ow_buf_cstr(&b), "code-999"));
    assert_non_null(strstr(ow_buf_cstr(&b), "{rule=\"other\",outcome=\"overridden\","
                                            "reason=\"other\"} 503\n"));
    ow_buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_figure_has_help_type_and_value),
        TEST(names_keep_the_rules),
        TEST(every_line_is_of_the_format),
        TEST(the_process_is_described),
        cmocka_unit_test(figures_are_counted_and_set),
        cmocka_unit_test(the_manual_lists_every_figure),
        cmocka_unit_test(answers_are_counted_under_labels_that_stay_few),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
