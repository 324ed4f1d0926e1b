/*
 * Hook call: one CDS Hooks request from arrival to answer
 *
 * Reads the request, asks the FHIR server for what the prefetch lacks where that is
 * allowed, judges and answers. After `hooks.deadline` it answers with what there is, and
 * the card says what is missing. Nothing is stored but feedback.
 */
#pragma once

#include "daemon/core.h"

struct ow_hook_calls;

/* The answer: headers are content type only. Called exactly once, maybe inside the call.
 */
typedef void ow_hook_answer_fn(void *arg, int status, const char *body, size_t len);

struct ow_hook_calls *ow_hook_calls_new(struct ow_core *core);
/* `fhir_server`: what the request may name as its own; NULL or "": any. */
void ow_hook_call(struct ow_hook_calls *h, const char *service, const char *fhir_server,
                  const char *body, size_t len, ow_hook_answer_fn *fn, void *arg);
void ow_hook_feedback(struct ow_hook_calls *h, const char *service, const char *body,
                      size_t len, ow_hook_answer_fn *fn, void *arg);
/* Open calls are answered 503. */
void ow_hook_calls_stop(struct ow_hook_calls *h);
void ow_hook_calls_free(struct ow_hook_calls *h);
