/*
 * RRF: a file of an RxNorm release, row by row
 *
 * Fields end with a pipe, rows with a newline, no header, UTF-8. The files have up to
 * gigabytes, so one row is in memory at a time. A row with another number of fields than
 * its file has is malformed: it is reported with file and line, passed over and counted.
 */
#pragma once

#include "base/err.h"
#include "daemon/config.h"

enum { OW_RRF_FIELDS = 32, OW_RRF_ROW = 1 << 16, OW_RRF_REPORTS = 100 };

struct ow_rrf {
    const char *path;
    ow_config_report_fn *report;
    void *arg;
    int fd;
    bool progress; /* to standard error, for a person */
    char *buf;
    size_t at, end; /* of what is in the buffer */
    bool eof, failed;
    uint64_t read, size; /* bytes */
    unsigned percent;
    unsigned line;
    size_t n_fields;
    size_t malformed;
    char *fields[OW_RRF_FIELDS];
};

/* `path` and `report` must live as long as the reader. */
OW_MUST_USE enum ow_code ow_rrf_open(struct ow_rrf *r, const char *path, size_t n_fields,
                                     ow_config_report_fn *report, void *arg,
                                     struct ow_err *err);
void ow_rrf_close(struct ow_rrf *r);

/* The next row; false at the end or when reading failed, which is reported. */
OW_MUST_USE bool ow_rrf_next(struct ow_rrf *r);
/* A field, counted from 1 as the release's documentation does. Valid until the next row.
 */
const char *ow_rrf_field(const struct ow_rrf *r, size_t i);
/* Report a fault of this row, and count it as malformed. */
void ow_rrf_fault(struct ow_rrf *r, size_t field, const char *text);
