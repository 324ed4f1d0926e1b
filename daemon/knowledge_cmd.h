/*
 * Knowledge command: the tables for the people who keep them
 *
 * One file a subcommand. Each gets the options that all share and the arguments that are
 * left, writes data to standard output and talk to standard error, and returns an exit
 * status.
 */
#pragma once

#include "base/jw.h"
#include "daemon/command.h"
#include "daemon/sheet.h"

struct ow_knowledge_options {
    const char *config, *from, *out, *release; /* NULL: not given */
    bool json;
    char folder[4096]; /* the tables: --from, else the configured ones */
};

int ow_knowledge_list(const struct ow_knowledge_options *o, int argc, char **argv);
int ow_knowledge_diff(const struct ow_knowledge_options *o, int argc, char **argv);
int ow_knowledge_lookup(const struct ow_knowledge_options *o, int argc, char **argv);
int ow_knowledge_import(const struct ow_knowledge_options *o, int argc, char **argv);

/* Errors of files, to standard error as file:line:column: text. */
void ow_knowledge_on_error(void *arg, const char *file, unsigned line, unsigned column,
                           const char *text);
/* The one word of VERSION in a folder; "" when it cannot be read. */
void ow_knowledge_folder_version(const char *folder, char *ret, size_t size);
/* A row as a JSON object, without its empty words. */
void ow_knowledge_row_json(struct ow_jw *w, const struct ow_sheet *s, size_t row);
/* Print one line of JSON and empty the buffer. */
void ow_knowledge_line(struct ow_buf *b);
