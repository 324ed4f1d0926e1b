#include "alerts/words.h"

#include <string.h>

#include "base/text.h"

static const char *const words[OW_WORD_N] = {
#define PART(where)
#define WORD(name, text, ...) [OW_WORD_##name] = text,
#include "alerts/words.def"
#undef WORD
#undef PART
};

enum { MAX_ARGS = 9 };

const char *ow_word_english(enum ow_word w)
{
    ow_assert(w < OW_WORD_N);
    return words[w];
}

const char *ow_word(const struct ow_arena *arena, enum ow_word w)
{
    const struct ow_words *own = arena->texts;
    const char *english = ow_word_english(w);

    return own != NULL && own->text[w] != NULL ? own->text[w] : english;
}

unsigned ow_word_placeholder(const char *s)
{
    return s[0] == '{' && s[1] >= '1' && s[1] <= '9' && s[2] == '}'
               ? (unsigned)(s[1] - '0')
               : 0;
}

const char *ow_say_args(struct ow_arena *arena, enum ow_word w, const char *const *args)
{
    const char *arg[MAX_ARGS + 1] = { NULL };
    size_t len[MAX_ARGS + 1] = { 0 };
    size_t total = 0;
    const char *text = ow_word(arena, w), *s;
    char *ret, *at;

    for (unsigned i = 1; i <= MAX_ARGS && args[i] != NULL; i++) {
        arg[i] = args[i];
        len[i] = strlen(args[i]);
    }
    for (s = text; *s != '\0'; s++) {
        unsigned n = ow_word_placeholder(s);

        total += n > 0 ? len[n] : 1;
        s += n > 0 ? 2 : 0;
    }
    ret = at = ow_arena_alloc(arena, total + 1);
    for (s = text; *s != '\0'; s++) {
        unsigned n = ow_word_placeholder(s);

        if (n == 0) {
            *at++ = *s;
            continue;
        }
        if (len[n] > 0)
            memcpy(at, arg[n], len[n]);
        at += len[n];
        s += 2;
    }
    *at = '\0';
    return ret;
}

const char *ow_say_ratio(struct ow_arena *arena, struct ow_ratio v)
{
    char text[OW_RATIO_TEXT];

    return ow_arena_strdup(arena, ow_ratio_format(v, 2, text));
}

const char *ow_say_int(struct ow_arena *arena, int64_t v)
{
    return ow_say_ratio(arena, OW_RATIO(v, 1));
}

const char *ow_say_date(struct ow_arena *arena, ow_time t, const struct ow_zone *zone)
{
    char text[OW_TIME_TEXT];

    return ow_arena_strdup(arena, ow_time_format_date(t, zone, text));
}
