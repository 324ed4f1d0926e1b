#include "fhir/reference.h"

#include <string.h>

#include "base/text.h"

enum { ID_MOST = 255, TYPE_MOST = 64 };

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool ow_reference_id_ok(const char *id, size_t n)
{
    if (n == 0 || n > ID_MOST)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!is_alnum(id[i]) && id[i] != '-' && id[i] != '.' && id[i] != '_')
            return false;
    }
    /* a path that climbs is no id */
    return !(n <= 2 && id[0] == '.' && id[n - 1] == '.');
}

bool ow_reference_type_ok(const char *type, size_t n)
{
    if (n == 0 || n > TYPE_MOST || type[0] < 'A' || type[0] > 'Z')
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!is_alnum(type[i]))
            return false;
    }
    return true;
}

/* The segment that ends before `end`; its start, and `end` moves to the slash. */
static const char *segment_before(const char *from, const char *end)
{
    while (end > from && end[-1] != '/')
        end--;
    return end;
}

const char *ow_reference_normal(struct ow_arena *arena, const char *reference)
{
    const char *end, *id, *type, *history;

    if (!reference)
        return NULL;
    end = reference + strcspn(reference, "?#");
    if (*end == '?')
        return NULL; /* a conditional reference names no resource */
    history = strstr(reference, "/_history/");
    if (history && history < end)
        end = history;
    id = segment_before(reference, end);
    if (id == reference || !ow_reference_id_ok(id, (size_t)(end - id)))
        return NULL;
    type = segment_before(reference, id - 1);
    if (!ow_reference_type_ok(type, (size_t)(id - 1 - type)))
        return NULL;
    return ow_arena_strndup(arena, type, (size_t)(end - type));
}
