/*
 * Outcome: what is too long to be kept or sent is an error, not a crash
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/outcome.h"

enum { HUGE_TEXT = 5 << 20 };

static enum ow_code plan(const char *text, bool webhook, struct ow_outcome *o,
                         struct ow_arena *arena, struct ow_err *err)
{
    struct ow_config *config = OW_NEW(arena, struct ow_config);
    struct ow_core core = { .config = config };
    struct ow_chart *chart = OW_NEW(arena, struct ow_chart);
    struct ow_finding *finding = OW_NEW(arena, struct ow_finding);
    struct ow_card *card = OW_NEW(arena, struct ow_card);
    struct ow_verdict *v = OW_NEW(arena, struct ow_verdict);

    config->fhir_base_url = webhook ? "" : "https://ehr.example.org/fhir";
    config->sinks_fhir = !webhook;
    config->sinks_webhook_url = webhook ? "https://hook.example.org/" : "";
    config->site_id = "s";
    config->site_identifier_system = "urn:s";
    config->site_task_owner = "";
    *finding = (struct ow_finding){
        .rule = "med-threshold", .tier = OW_TIER_CRITICAL, .cause = "", .reason = text
    };
    *card = (struct ow_card){ .rule = "med-threshold",
                              .key = "k",
                              .source_label = "site",
                              .summary = "s",
                              .detail = "d",
                              .topic = { .code = "med-threshold" } };
    *v = (struct ow_verdict){ .patient = "Patient/p",
                              .findings = finding,
                              .n_findings = 1,
                              .cards = card,
                              .n_cards = 1 };
    *o = (struct ow_outcome){
        .source = "ehr", .patient = "Patient/p", .chart = chart, .verdict = v
    };
    return ow_outcome_plan(o, &core, arena, err);
}

static void a_verdict_that_is_too_long_is_an_error(void **state)
{
    char *text = ow_alloc(HUGE_TEXT + 1);

    (void)state;
    memset(text, 'x', HUGE_TEXT);
    text[HUGE_TEXT] = '\0';
    for (int webhook = 0; webhook <= 1; webhook++) {
        struct ow_arena arena;
        struct ow_outcome o;
        struct ow_err err = { "" };

        ow_arena_init(&arena, SIZE_MAX);
        assert_int_equal(plan(text, webhook, &o, &arena, &err), OW_INPUT);
        assert_string_equal(err.text, "the verdict is longer than may be recorded");
        assert_int_equal(plan("short", webhook, &o, &arena, &err), OW_OK);
        assert_int_equal(o.row.n_messages, 1);
        assert_int_equal(o.row.n_alerts, 1);
        ow_arena_done(&arena);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_verdict_that_is_too_long_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
