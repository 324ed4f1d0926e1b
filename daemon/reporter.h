/*
 * Reporter: errors of a configuration, kept until all are known
 *
 * Files are read and looked at in several passes; a person reads errors from the top of
 * the first file to the end of the last. So they are kept, and told in that order.
 */
#pragma once

#include "base/arena.h"
#include "daemon/config.h"

struct ow_report {
    const char *file, *text;
    unsigned file_order, line, column, order;
};

struct ow_reporter {
    struct ow_arena arena;
    struct ow_report *reports;
    size_t n, cap;
};

void ow_reporter_init(struct ow_reporter *r);
void ow_reporter_done(struct ow_reporter *r);

void ow_reporter_add(struct ow_reporter *r, const char *file, unsigned line,
                     unsigned column, const char *text);
/* The same as an ow_config_report_fn; `arg` is the reporter. */
void ow_reporter_on_report(void *arg, const char *file, unsigned line, unsigned column,
                           const char *text);
/* Tell all of them, in order of file, line and column. */
void ow_reporter_tell(struct ow_reporter *r, ow_config_report_fn *report, void *arg);
