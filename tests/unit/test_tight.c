/*
 * Tight: an evaluation with less memory than it asks for is refused, never wrong
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "tests/support/build.h"

/* A chart that passes by most of what an evaluation does. */
static void fill(struct build *b)
{
    static const char *const drugs[] = {
        RX_OXYCODONE_10, RX_METHADONE_10, RX_FENTANYL_25,     RX_MORPHINE_ER_15,
        RX_LORAZEPAM_1,  RX_OXYCODONE,    RX_BUPRENORPHINE_8, RX_LISINOPRIL,
    };
    char id[16];

    build_init(b);
    for (size_t i = 0; i < 3 * OW_LEN(drugs); i++) {
        struct ow_order *o;

        (void)snprintf(id, sizeof id, "o%zu", i);
        o = build_order(b, id, drugs[i % OW_LEN(drugs)]);
        build_dose(b, o, "1", i % OW_LEN(drugs) == 2 ? "patch" : "tablet", 2)->text =
            i % 5 == 0 ? "take 1 tablet in the morning and 2 tablets at bedtime" : NULL;
        build_supply(o, "60", 30);
        o->kind = i >= 2 * OW_LEN(drugs) ? OW_DISPENSE : OW_REQUEST;
        o->status = o->kind == OW_DISPENSE ? OW_STATUS_COMPLETED : OW_STATUS_ACTIVE;
    }
}

static void every_ceiling_gives_the_same_verdict_or_a_refusal(void **state)
{
    struct build b;
    const struct ow_verdict *ample;
    size_t most, refused = 0;
    bool read = false;

    (void)state;
    fill(&b);
    most = b.arena.used;
    ample = build_judge(&b);
    most = b.arena.used - most;
    for (size_t ceiling = 64; !read; ceiling += ceiling / 64 + 16) {
        const struct ow_verdict *v = NULL;
        struct ow_arena arena;
        struct ow_err err;
        enum ow_code code;

        ow_arena_init(&arena, ceiling);
        code = ow_evaluate(&b.chart, &b.q, &arena, &v, &err);
        read = code == OW_OK;
        if (read) {
            assert_int_equal(v->n_lines, ample->n_lines);
            assert_int_equal(v->n_findings, ample->n_findings);
            assert_int_equal(ow_ratio_cmp(v->total.now, ample->total.now), 0);
        } else {
            assert_int_equal(code, OW_INPUT);
            assert_string_equal(err.text, "more orders than fit into memory");
            assert_null(v);
            refused++;
        }
        ow_arena_done(&arena);
        assert_true(ceiling < 4 * most);
    }
    assert_true(refused > 50);
    build_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_ceiling_gives_the_same_verdict_or_a_refusal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
