/*
 * Command: the subcommands of the program
 *
 * Each takes the arguments behind its name and returns an exit status of sysexits.
 */
#pragma once

#include "base/base.h"

enum {
    OW_EXIT_OK = 0,
    OW_EXIT_USAGE = 64,
    OW_EXIT_DATA = 65,
    OW_EXIT_UNAVAILABLE = 69,
    OW_EXIT_INTERNAL = 70,
    OW_EXIT_SYSTEM = 71,
    OW_EXIT_CREATE = 73,
    OW_EXIT_IO = 74,
    OW_EXIT_AGAIN = 75,
    OW_EXIT_PERMISSION = 77,
    OW_EXIT_CONFIG = 78,
};

int ow_serve_main(int argc, char **argv);
int ow_check_main(int argc, char **argv);
int ow_evaluate_main(int argc, char **argv);
int ow_knowledge_main(int argc, char **argv);
int ow_explain_main(int argc, char **argv);

/* What `evaluate` prints of one file, as JSON into `out`; `policy` is the one it was
 * judged under, of which only modes and numbers may be read. An exit status; errors were
 * told. */
struct ow_buf;
struct ow_policy;
struct ow_evaluate_asked {
    const char *config_file, *preset, *at, *hook; /* NULL: the default */
    const char *file;
};
int ow_evaluate_report(const struct ow_evaluate_asked *asked, struct ow_buf *out,
                       struct ow_policy *policy);
