/*
 * Fuzz: bodies that reach the HTTP listeners: hook requests, feedback, deliveries,
 * answers of a FHIR server
 */
#include <string.h>

#include "base/text.h"
#include "fhir/hooks.h"
#include "fhir/subscription.h"
#include "fhir/writeback.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void delivery_try(struct ow_arena *a, const char *body, size_t n)
{
    static const struct ow_subscription_options o = { .base_url = "https://ehr.test/fhir",
                                                      .endpoint = "https://mme.test/n",
                                                      .criteria = "MedicationRequest?" };
    struct ow_request req = { .method = "POST", .body = body, .body_len = n };
    struct ow_response resp = { .status = 200, .body = body, .body_len = n };
    struct ow_notification said;
    const struct ow_notice *list;
    struct ow_subscription s;
    const char *next, *text;
    ow_time newest = OW_TIME_MIN;
    struct ow_writeback_found found;
    size_t count;

    if (ow_notification_read(a, &req, "", &said, NULL) == OW_OK) {
        for (size_t i = 0; i < said.n; i++)
            ow_assert(said.notices[i].hint || said.notices[i].id ||
                      said.notices[i].ignored);
    }
    (void)!ow_catchup_answer(a, &o, &resp, &list, &count, &newest, &next, NULL);
    (void)!ow_subscription_answer(a, &o, &resp, &s, NULL);
    (void)!ow_writeback_lookup_answer(a, &resp, "s", "k", &found, NULL);
    (void)ow_writeback_reply(a, &resp, &text);
    ow_assert(ow_utf8_valid(text, strlen(text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct ow_hooks_feedback *feedback;
    const struct ow_chart *charts;
    struct ow_hooks_request req;
    struct ow_err err = { "" };
    struct ow_arena arena;
    char *text;
    size_t n;

    ow_arena_init(&arena, (size_t)64 << 20);
    text = ow_arena_alloc(&arena, size + 1); /* a body is followed by a NUL */
    memcpy(text, data, size);
    if (ow_hooks_read(&arena, text, size, NULL, false, NULL, &req, &err) == OW_OK) {
        ow_assert(ow_starts_with(req.patient, "Patient/"));
        if (ow_reader_charts(req.reader, &charts, &n, &err) == OW_OK)
            ow_assert(n == 1);
    } else {
        ow_assert(*err.text && ow_utf8_valid(err.text, strlen(err.text)));
    }
    (void)!ow_hooks_read_feedback(&arena, text, size, &feedback, &n, NULL);
    delivery_try(&arena, text, size);
    ow_arena_done(&arena);
    return 0;
}
