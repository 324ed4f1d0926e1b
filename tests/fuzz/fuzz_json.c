/*
 * Fuzz: JSON of any kind
 *
 * What is accepted must be accepted again as grammar, give the same tree twice, and keep
 * every number's text; what is refused must say where.
 */
#include <string.h>

#include "base/text.h"
#include "fhir/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void numbers_check(const cJSON *node)
{
    struct ow_ratio r;

    if (cJSON_IsNumber(node)) {
        ow_assert(node->valuestring && *node->valuestring);
        (void)ow_json_value_ratio(node, &r);
    }
    for (const cJSON *c = node->child; c; c = c->next)
        numbers_check(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ow_json_limits lim = { .grammar_only = true };
    const char *text = (const char *)data;
    const cJSON *root, *again;
    struct ow_arena arena;
    struct ow_err err = { "" };
    size_t used;

    ow_arena_init(&arena, (size_t)64 << 20);
    if (ow_json_parse(text, size, NULL, &arena, &root, &err) == OW_OK) {
        numbers_check(root);
        ow_assert(ow_json_parse(text, size, &lim, &arena, &again, NULL) == OW_OK);
        ow_assert(ow_json_same(root, again));
        ow_assert(ow_json_parse_next(text, size, NULL, &arena, &again, &used, NULL) ==
                  OW_OK);
        ow_assert(used == size && ow_json_same(root, again));
    } else {
        ow_assert(*err.text && ow_utf8_valid(err.text, strlen(err.text)));
    }
    ow_arena_done(&arena);
    return 0;
}
