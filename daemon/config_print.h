/*
 * Pieces of the printed configuration, shared by the files that print it
 */
#pragma once

#include "base/buf.h"

/* A comment, wrapped between words at the width of the file; empty: a bare #. */
void ow_config_print_comment(struct ow_buf *out, const char *indent, const char *text);
