/*
 * Report: a verdict as JSON or as text for a person
 *
 * The JSON is the `evaluate` object of the published interface, one line; the text tells
 * the same at a terminal.
 */
#pragma once

#include "alerts/verdict.h"
#include "base/buf.h"

void ow_report_json(const struct ow_verdict *v, struct ow_buf *out);
void ow_report_text(const struct ow_verdict *v, bool colour, struct ow_buf *out);
