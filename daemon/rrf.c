#include "daemon/rrf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

enum { BUFFER = 1 << 20 };

enum ow_code ow_rrf_open(struct ow_rrf *r, const char *path, size_t n_fields,
                         ow_config_report_fn *report, void *arg, struct ow_err *err)
{
    struct stat st;

    ow_assert(n_fields <= OW_RRF_FIELDS);
    *r = (struct ow_rrf){ .path = path,
                          .report = report,
                          .arg = arg,
                          .n_fields = n_fields,
                          .progress = isatty(STDERR_FILENO) == 1 };
    r->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (r->fd < 0)
        return ow_err_set(err, OW_INPUT, "cannot be opened: %s", strerror(errno));
    if (fstat(r->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(r->fd);
        return ow_err_set(err, OW_INPUT, "is no regular file");
    }
    r->size = (uint64_t)st.st_size;
    r->buf = ow_alloc(BUFFER + 1);
    return OW_OK;
}

void ow_rrf_close(struct ow_rrf *r)
{
    if (r->progress)
        fputs("\r\033[K", stderr);
    close(r->fd);
    free(r->buf);
}

static void show_progress(struct ow_rrf *r)
{
    unsigned percent = r->size > 0 ? (unsigned)(r->read * 100 / r->size) : 100;

    if (!r->progress || percent == r->percent)
        return;
    r->percent = percent;
    fprintf(stderr, "\r%s %u %%", r->path, percent > 100 ? 100 : percent);
}

/* More bytes behind those that are left. False when there are none. */
static bool fill(struct ow_rrf *r)
{
    ssize_t n;

    memmove(r->buf, r->buf + r->at, r->end - r->at);
    r->end -= r->at;
    r->at = 0;
    do
        n = read(r->fd, r->buf + r->end, BUFFER - r->end);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        r->failed = true;
        r->malformed++;
        r->report(r->arg, r->path, r->line, 0, "cannot be read any further");
    }
    if (n <= 0) {
        r->eof = true;
        return false;
    }
    r->end += (size_t)n;
    r->read += (uint64_t)n;
    show_progress(r);
    return true;
}

/* The next line, ended with a NUL; NULL at the end. */
static char *next_line(struct ow_rrf *r, size_t *len)
{
    char *s, *nl = NULL;

    for (;;) {
        s = r->buf + r->at;
        nl = memchr(s, '\n', r->end - r->at);
        if (nl != NULL || r->eof || r->end - r->at > OW_RRF_ROW)
            break;
        if (!fill(r))
            continue; /* the rest of a file without a newline at its end */
    }
    if (nl == NULL && (r->end == r->at || r->failed))
        return NULL;
    *len = nl != NULL ? (size_t)(nl - s) : r->end - r->at;
    r->at += *len + (nl != NULL);
    s[*len] = '\0';
    if (*len > 0 && s[*len - 1] == '\r')
        s[--*len] = '\0';
    r->line++;
    return s;
}

void ow_rrf_fault(struct ow_rrf *r, size_t field, const char *text)
{
    unsigned column = 1;

    if (field > 0)
        column = (unsigned)(r->fields[field - 1] - r->fields[0]) + 1;
    if (++r->malformed <= OW_RRF_REPORTS)
        r->report(r->arg, r->path, r->line, column, text);
}

static bool row_split(struct ow_rrf *r, char *s, size_t len)
{
    char *start = s, text[96];
    size_t n = 0;

    if (strlen(s) != len) {
        ow_rrf_fault(r, 0, "a NUL byte in the row");
        return false;
    }
    for (char *bar; (bar = strchr(s, '|')) != NULL; s = bar + 1) {
        if (n < r->n_fields)
            r->fields[n] = s;
        n++;
        *bar = '\0';
    }
    if (n == r->n_fields && *s == '\0')
        return true;
    r->fields[0] = start;
    (void)snprintf(text, sizeof text, "%zu fields, each with a pipe behind it, expected",
                   r->n_fields);
    ow_rrf_fault(r, 0, text);
    return false;
}

bool ow_rrf_next(struct ow_rrf *r)
{
    size_t len;
    char *s;

    while ((s = next_line(r, &len)) != NULL) {
        if (len > OW_RRF_ROW) {
            ow_rrf_fault(r, 0, "row longer than any of a release");
            return false;
        }
        if (row_split(r, s, len))
            return true;
    }
    return false;
}

const char *ow_rrf_field(const struct ow_rrf *r, size_t i)
{
    ow_assert(i >= 1 && i <= r->n_fields);
    return r->fields[i - 1];
}
