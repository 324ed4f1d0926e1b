/*
 * Fuzz: any bytes as a rule pack
 *
 * Faults have places inside the text; what loads keeps every number within its bounds,
 * and prints to a pack that decides the same.
 */
#include <string.h>

#include "alerts/pack.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_report(void *arg, const char *file, unsigned line, unsigned column,
                      const char *text)
{
    unsigned *n = arg;

    ow_assert(file != NULL && line > 0 && column > 0 && text[0] != '\0');
    ++*n;
}

static void check_back(struct ow_arena *arena, const struct ow_pack *pack)
{
    struct ow_pack_chain chain = { { pack }, 1 }, alone = { .n = 1 };
    struct ow_policy p, q;
    struct ow_buf first, second;
    struct ow_pack again;
    unsigned faults = 0;

    ow_pack_policy(&chain, &p);
    for (size_t i = 0; i < OW_PARAM_N; i++) {
        const struct ow_param_info *info = ow_param_info((enum ow_param)i);

        ow_assert(ow_ratio_cmp(p.params[i], info->least) >= 0 &&
                  ow_ratio_cmp(p.params[i], info->most) <= 0);
    }
    ow_buf_init(&first, 1 << 22);
    ow_buf_init(&second, 1 << 22);
    ow_pack_print(&p, &chain, &first);
    ow_assert(ow_pack_parse(
        arena, &(struct ow_knowledge_file){ "it", ow_buf_cstr(&first), first.len },
        on_report, &faults, &again));
    alone.packs[0] = &again;
    ow_pack_policy(&alone, &q);
    ow_pack_print(&q, &alone, &second);
    ow_assert(ow_streq(ow_buf_cstr(&first), ow_buf_cstr(&second)));
    ow_buf_done(&first);
    ow_buf_done(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ow_knowledge_file file = { "it", (const char *)data, size };
    struct ow_arena arena;
    struct ow_pack pack;
    unsigned faults = 0;

    ow_arena_init(&arena, SIZE_MAX);
    if (ow_pack_parse(&arena, &file, on_report, &faults, &pack)) {
        ow_assert(faults == 0);
        check_back(&arena, &pack);
    } else {
        ow_assert(faults > 0);
    }
    ow_arena_done(&arena);
    return 0;
}
