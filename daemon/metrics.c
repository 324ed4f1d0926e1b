/*
 * The figures and their exposition. The process_* family has the names and meanings of
 * the Prometheus client libraries; what the kernel does not show (a sandbox may hide it)
 * is left out rather than printed as 0.
 */
#include "daemon/metrics.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <uv.h>

#include "base/text.h"
#include "daemon/clock.h"

enum kind {
    COUNTER,
    GAUGE,
};

static const struct {
    const char *name;
    enum kind kind;
    const char *help;
} metrics[OW_METRIC_N] = {
#define METRIC(name, kind, help) { #name, kind, help },
#include "daemon/metrics.def"
#undef METRIC
};

static int64_t values[OW_METRIC_N];

void ow_metric_add(enum ow_metric m, int64_t n)
{
    ow_assert(m < OW_METRIC_N && metrics[m].kind == COUNTER && n >= 0);
    values[m] += n;
}

void ow_metric_set(enum ow_metric m, int64_t v)
{
    ow_assert(m < OW_METRIC_N && metrics[m].kind == GAUGE);
    values[m] = v;
}

int64_t ow_metric_get(enum ow_metric m)
{
    ow_assert(m < OW_METRIC_N);
    return values[m];
}

/* --- answers to cards --- */

enum { ANSWERS_MOST = 500, LABEL_MOST = 40 };

static struct answer {
    char rule[LABEL_MOST + 1], outcome[LABEL_MOST + 1], reason[LABEL_MOST + 1];
    int64_t n;
} answers[ANSWERS_MOST + 2]; /* the last ones: the rest, by outcome */
static size_t n_answers;

static const char *label(const char *s, const char *absent)
{
    size_t n = s ? strlen(s) : 0;

    if (n == 0)
        return absent;
    if (n > LABEL_MOST || strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") != n)
        return "other";
    return s;
}

static struct answer *answer_find(const char *rule, const char *outcome,
                                  const char *reason, size_t most)
{
    struct answer *a = answers;

    for (; a < answers + n_answers; a++)
        if (ow_streq(a->rule, rule) && ow_streq(a->outcome, outcome) &&
            ow_streq(a->reason, reason))
            return a;
    if (n_answers >= most)
        return NULL;
    n_answers++;
    ow_copy(a->rule, sizeof a->rule, rule);
    ow_copy(a->outcome, sizeof a->outcome, outcome);
    ow_copy(a->reason, sizeof a->reason, reason);
    return a;
}

void ow_metric_answer(const char *rule, const char *outcome, const char *reason)
{
    struct answer *a;

    rule = label(rule, "unknown");
    outcome = ow_streq(outcome, "accepted") ? "accepted" : "overridden";
    reason = label(reason, "none");
    a = answer_find(rule, outcome, reason, ANSWERS_MOST);
    if (!a)
        a = answer_find("other", outcome, "other", OW_LEN(answers));
    if (a)
        a->n++;
}

static void head(struct ow_buf *out, const char *prefix, const char *name, enum kind kind,
                 const char *help)
{
    ow_buf_printf(out, "# HELP %s%s ", prefix, name);
    for (; *help; help++) { /* the two characters that the format escapes */
        if (*help == '\\' || *help == '\n')
            ow_buf_str(out, *help == '\n' ? "\\n" : "\\\\");
        else
            ow_buf_char(out, *help);
    }
    ow_buf_printf(out, "\n# TYPE %s%s %s\n", prefix, name,
                  kind == COUNTER ? "counter" : "gauge");
}

static void print_int(struct ow_buf *out, const char *name, enum kind kind,
                      const char *help, int64_t v)
{
    head(out, "", name, kind, help);
    ow_buf_printf(out, "%s %" PRId64 "\n", name, v);
}

/* Hundredths as a decimal. */
static void print_centi(struct ow_buf *out, const char *name, enum kind kind,
                        const char *help, int64_t v)
{
    head(out, "", name, kind, help);
    ow_buf_printf(out, "%s %" PRId64 ".%02" PRId64 "\n", name, v / 100, v % 100);
}

/* What of /proc/self/stat is wanted, in clock ticks, bytes and pages. */
struct stat_fields {
    uint64_t user, system, start, virtual_bytes, resident_pages;
};

/* Field `n` (counted as in proc(5)) of a text that begins behind the program's name. */
static bool stat_field(const char *text, unsigned n, uint64_t *ret)
{
    char *end;

    for (unsigned i = 3; i < n; i++) {
        text = strchr(text, ' ');
        if (!text)
            return false;
        text++;
    }
    *ret = strtoull(text, &end, 10);
    return end != text;
}

static bool stat_read(struct stat_fields *ret)
{
    char text[1024];
    ssize_t n = -1;
    const char *at;
    int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);

    if (fd >= 0) {
        n = read(fd, text, sizeof text - 1);
        close(fd);
    }
    if (n <= 0)
        return false;
    text[n] = '\0';
    at = strrchr(text, ')'); /* the name may itself hold blanks and brackets */
    if (!at || at[1] != ' ')
        return false;
    at += 2;
    return stat_field(at, 14, &ret->user) && stat_field(at, 15, &ret->system) &&
           stat_field(at, 22, &ret->start) && stat_field(at, 23, &ret->virtual_bytes) &&
           stat_field(at, 24, &ret->resident_pages);
}

static int64_t count_fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    const struct dirent *e;
    int64_t n = 0;

    if (!d)
        return -1;
    while ((e = readdir(d)))
        n += e->d_name[0] != '.';
    closedir(d);
    return n - 1; /* the one just used to count */
}

/* Start in hundredths of a second since 1970. Asked once: two clocks are compared, and
 * a start must not tremble between two scrapes. */
static int64_t start_time(uint64_t start_ticks, uint64_t ticks)
{
    static int64_t known;
    double uptime;

    if (!known && uv_uptime(&uptime) == 0)
        known = ow_clock_utc() / 10 - (int64_t)(uptime * 100) +
                (int64_t)(start_ticks * 100 / ticks);
    return known;
}

static void print_process(struct ow_buf *out)
{
    uint64_t ticks = (uint64_t)sysconf(_SC_CLK_TCK);
    struct stat_fields s;
    struct rlimit limit;
    int64_t fds = count_fds();

    if (fds >= 0)
        print_int(out, "process_open_fds", GAUGE, "Open file descriptors", fds);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur <= INT64_MAX)
        print_int(out, "process_max_fds", GAUGE, "Most file descriptors",
                  (int64_t)limit.rlim_cur);
    if (!stat_read(&s) || ticks == 0)
        return;
    print_centi(out, "process_cpu_seconds_total", COUNTER,
                "Processor time, user and system",
                (int64_t)((s.user + s.system) * 100 / ticks));
    print_int(out, "process_resident_memory_bytes", GAUGE, "Resident memory",
              (int64_t)s.resident_pages * sysconf(_SC_PAGESIZE));
    print_int(out, "process_virtual_memory_bytes", GAUGE, "Virtual memory",
              (int64_t)s.virtual_bytes);
    if (start_time(s.start, ticks))
        print_centi(out, "process_start_time_seconds", GAUGE,
                    "Start of the process in seconds since 1970",
                    start_time(s.start, ticks));
}

static int64_t denied[OW_JWT_FAULT_N];

void ow_metric_denied(enum ow_jwt_fault fault)
{
    ow_assert(fault > OW_JWT_NONE && fault < OW_JWT_FAULT_N);
    denied[fault]++;
}

static void print_denied(struct ow_buf *out)
{
    head(out, "opiward_", "hooks_denied_total", COUNTER,
         "CDS Hooks calls refused for their token, by reason");
    for (unsigned i = OW_JWT_NONE + 1; i < OW_JWT_FAULT_N; i++)
        ow_buf_printf(out, "opiward_hooks_denied_total{reason=\"%s\"} %" PRId64 "\n",
                      ow_jwt_fault_label((enum ow_jwt_fault)i), denied[i]);
}

static void print_answers(struct ow_buf *out)
{
    head(out, "opiward_", "card_answers_total", COUNTER,
         "Answers to cards by rule, outcome and coded reason");
    for (size_t i = 0; i < n_answers; i++)
        ow_buf_printf(out,
                      "opiward_card_answers_total{rule=\"%s\",outcome=\"%s\","
                      "reason=\"%s\"} %" PRId64 "\n",
                      answers[i].rule, answers[i].outcome, answers[i].reason,
                      answers[i].n);
}

void ow_metrics_print(struct ow_buf *out)
{
    head(out, "opiward_", "build_info", GAUGE, "1, with the version");
    ow_buf_str(out, "opiward_build_info{version=\"" OW_VERSION "\"} 1\n");
    for (size_t i = 0; i < OW_METRIC_N; i++) {
        head(out, "opiward_", metrics[i].name, metrics[i].kind, metrics[i].help);
        ow_buf_printf(out, "opiward_%s %" PRId64 "\n", metrics[i].name, values[i]);
    }
    print_answers(out);
    print_denied(out);
    print_process(out);
}
