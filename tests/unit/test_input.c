/*
 * Input: what a file holds is recognised by its content; what cannot be read says where.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "fhir/input.h"
#include "tests/support/fhirkit.h"

static struct ow_arena arena;

static int setup(void **state)
{
    (void)state;
    ow_arena_init(&arena, (size_t)64 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ow_arena_done(&arena);
    return 0;
}

#define X "'medicationCodeableConcept':{'text':'x'}"
#define RX(id, patient)                                                                  \
    "{'resourceType':'MedicationRequest','id':'" id                                      \
    "','status':'active','subject':{'reference':'Patient/" patient "'}," X "}"
#define HOOK(name, more)                                                                 \
    "{'hook':'" name                                                                     \
    "','hookInstance':'d1577c69-dfbe-44ad-ba6d-3e05e953b2ea','context':{'patientId':"    \
    "'p'" more "}}"

static void content_decides_what_it_is(void **state)
{
    static const struct {
        const char *name, *data;
        enum ow_hook hook;
        bool is_hook;
        const char *told, *error;
    } cases[] = {
        {"a Bundle",
         "{'resourceType':'Bundle','entry':[{'resource':" RX(
              "1",                                                                                                             "b") "},\n{'resource':" RX("2", "a") "}]}\n",
         OW_HOOK_NONE,                                                                                                                                                                                                                                                                                   false,
         "Patient/a\norder MedicationRequest/2 active/- 'x'\n"
          "Patient/b\norder MedicationRequest/1 active/- 'x'\n",                                                                                                                                                                                                                                                                                                                                                                                                                                                              NULL },
        { "a resource",                                                                   RX("1",                                                                                                     "p"),                                                           OW_HOOK_NONE,               false,
         "Patient/p\norder MedicationRequest/1 active/- 'x'\n",                                                                                   NULL                                                                                                                                                                                                                                                                                                                                                                                                                                                              },
        { "lines",                                                                   RX("1",                                                                                                          "p") "\n\n" RX("2",                                                                "p") "\r\n", OW_HOOK_NONE, false,
         "Patient/p\norder MedicationRequest/1 active/- 'x'\n"
          "order MedicationRequest/2 active/- 'x'\n",NULL },
        { "a request",                                                                HOOK("patient-view",                                                                                                             ""),                                                                                                                                OW_HOOK_NONE,                                                                                                          true,                                                                     "Patient/p\n",
         NULL                                                                                                                                                                                                                                                                                          },
        { "a request with a prefetch, but no orders in it",
         "{'hook':'patient-view','hookInstance':'d1577c69-dfbe-44ad-ba6d-3e05e953b2ea',"
          "'context':{'patientId':'p'},'prefetch':{'a':{'resourceType':'Patient','id':'p'}"
          "}}",                                                                                                              OW_HOOK_NONE,                                                                                            true,
         "Patient/p\nmissing: medication orders: not in the prefetch\n",                                                                                                                                                               NULL                                                                                                                                                  },
        { "a request asked as another hook",
         HOOK("patient-view",                                                                                ",'draftOrders':{'resourceType':'Bundle','entry':["
                               "{'resource':" RX("1",                                                                                                                                  "p") "}]}"),
         OW_HOOK_ORDER_SIGN,                                                                         true,
         "Patient/p\norder MedicationRequest/1 active/- draft selected 'x'\n",                                                                                                                                                                                                                                                                                                                                                                                                                                                      NULL },
        { "a bare resource as drafts",                                                                HOOK("order-sign",                                                                                                             ",'draftOrders':" RX("1",                                                                                                                "p")),
         OW_HOOK_NONE,                                  true,
         "Patient/p\norder MedicationRequest/1 active/- draft selected 'x'\n",                                                                                                                                                                                                                                                                                                                                                                                                                    NULL },
        { "a surplus brace", HOOK("patient-view",                                           "") "\n}",                                                                        OW_HOOK_NONE,                                                                                                                   false,                                                                                                                                                                          NULL,
         "line 2, column 1: surplus text behind the value"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                       },
        { "nothing",                                                                "",                                                                    OW_HOOK_NONE,                                                                                                 false,                                                                                                                                                    NULL,
         "line 1, column 1: expected a JSON value, found the end of the text"                                                                                                                                                                },
        { "an empty Bundle", "{'resourceType':'Bundle'}",                                              OW_HOOK_NONE,                                                           false,                                                                                            NULL,
         "expected a patient or a resource of one, found none"},
        { "some other JSON",                                                                   "{'a':1}",                                                                                                OW_HOOK_NONE,                                                   false,    NULL,
         "expected a resource with its resourceType"                                                                                                                                  },
        { "a bad line",                                                        RX("1",                                         "p") "\n{'resourceType':5}\n",  OW_HOOK_NONE,                                                 false,                                                                      NULL,
         "record on line 2: expected a resource with its resourceType"},
        { "a line that is no JSON",                                            RX("1",                                         "p") "\n\n{'a':}\n",            OW_HOOK_NONE,                                                 false,
         NULL,                                                                                                                                                                                                                                                                                                                                                                                "record on line 3: line 1, column 6, at a: expected a JSON value"},
        { "a duplicate key",                                                   "{'resourceType':'Patient','id':'a','id':'b'}", OW_HOOK_NONE,
         false,                                                                                                                                                                                                              NULL,                                                                       "line 1, column 36, at id: a member name occurs twice"                             },
        { "a bad request",                                                   HOOK("order-sign",                                            ""),                   OW_HOOK_NONE,                                                        false,                                                                       NULL,
         "context.draftOrders: expected a Bundle of draft orders"},
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        const char *data = kit_json(&arena, cases[i].data);
        struct ow_input in = { 0 };
        struct ow_err err = { "" };
        enum ow_code code = ow_input_read(&arena, data, strlen(data), NULL, cases[i].hook,
                                          &in, &err);

        if (code != (cases[i].error ? OW_INPUT : OW_OK) ||
            strcmp(err.text, cases[i].error ? cases[i].error : "") != 0)
            fail_msg("%s: '%s'", cases[i].name, err.text);
        if (cases[i].error)
            continue;
        assert_int_equal(in.is_hook, cases[i].is_hook);
        if (strcmp(kit_tell(&arena, in.charts, in.n_charts), cases[i].told) != 0)
            fail_msg("%s:\n%s", cases[i].name, kit_tell(&arena, in.charts, in.n_charts));
        if (cases[i].hook != OW_HOOK_NONE)
            assert_int_equal(in.charts[0].hook, cases[i].hook);
    }
}

static void the_same_bytes_give_the_same_charts(void **state)
{
    const char *data = kit_json(
        &arena,
        "{'resourceType':'Bundle','entry':[{'resource':" RX("3", "b") "},{'resource':" RX(
            "1", "a") "},{'resource':" RX("2", "b") "},{'resource':" RX("1", "a") "}]}");
    const char *first = NULL;

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct ow_input in;
        const char *told;

        assert_int_equal(
            ow_input_read(&arena, data, strlen(data), NULL, OW_HOOK_NONE, &in, NULL),
            OW_OK);
        told = kit_tell(&arena, in.charts, in.n_charts);
        if (first)
            assert_string_equal(told, first);
        first = told;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_decides_what_it_is),
        cmocka_unit_test(the_same_bytes_give_the_same_charts),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
