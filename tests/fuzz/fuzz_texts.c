/*
 * Fuzz: any bytes as texts
 *
 * Faults have places inside the table; what loads prints to a table that reads back the
 * same, and every sentence can be said with it.
 */
#include <string.h>

#include "alerts/texts.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_report(void *arg, const char *file, unsigned line, unsigned column,
                      const char *text)
{
    unsigned *n = arg;

    ow_assert(file != NULL && line > 0 && column > 0 && text[0] != '\0');
    ++*n;
}

static void check_back(struct ow_arena *arena, const struct ow_words *words)
{
    struct ow_words again = { .name = "again" };
    struct ow_knowledge_file file = { .name = "again" };
    struct ow_buf first, second;
    unsigned faults = 0;

    ow_buf_init(&first, 1 << 24);
    ow_buf_init(&second, 1 << 24);
    ow_texts_print(words, &first);
    file.data = ow_buf_cstr(&first);
    file.len = first.len;
    ow_assert(ow_texts_parse(arena, &file, on_report, &faults, &again) && faults == 0);
    ow_assert(ow_texts_lacking(&again) == 0);
    ow_texts_print(&again, &second);
    ow_assert(ow_streq(ow_buf_cstr(&first), ow_buf_cstr(&second)));
    ow_buf_done(&first);
    ow_buf_done(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ow_knowledge_file file = { "it", (const char *)data, size };
    struct ow_words words = { .name = "it" };
    struct ow_arena arena;
    unsigned faults = 0;

    ow_arena_init(&arena, SIZE_MAX);
    if (ow_texts_parse(&arena, &file, on_report, &faults, &words)) {
        ow_assert(faults == 0);
        check_back(&arena, &words);
        arena.texts = &words;
        for (size_t i = 0; i < OW_WORD_N; i++)
            ow_assert(ow_utf8_valid(ow_say(&arena, (enum ow_word)i, "a", "b"),
                                    strlen(ow_say(&arena, (enum ow_word)i, "a", "b"))));
    } else {
        ow_assert(faults > 0);
    }
    ow_arena_done(&arena);
    return 0;
}
