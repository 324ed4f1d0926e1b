#include "fhir/input.h"

#include <string.h>

#include "base/text.h"

static enum ow_code read_hook(struct ow_arena *a, const cJSON *root,
                              const struct ow_zone *zone, enum ow_hook hook,
                              struct ow_input *ret, struct ow_err *err)
{
    const struct ow_chart *charts;
    enum ow_code code;
    size_t n;

    code = ow_hooks_read_json(a, root, NULL, hook, true, zone, &ret->hook, err);
    if (code != OW_OK)
        return code;
    ret->is_hook = true;
    if (ret->hook.lacks_orders && !ret->hook.no_prefetch)
        ow_reader_missing(ret->hook.reader, "medication orders: not in the prefetch");
    code = ow_reader_charts(ret->hook.reader, &charts, &n, err);
    if (code != OW_OK)
        return code;
    ow_assert(n == 1); /* the reader keeps to context.patientId */
    ret->charts = charts;
    ret->n_charts = 1;
    return OW_OK;
}

/* Line of a byte, from 1. */
static size_t line_at(const char *data, size_t at)
{
    size_t line = 1;

    for (size_t i = 0; i < at; i++)
        line += data[i] == '\n';
    return line;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Newline-delimited resources: every line is one, and a line break ends each. */
static enum ow_code read_lines(struct ow_arena *a, const char *data, size_t len,
                               struct ow_reader *r, struct ow_err *err)
{
    size_t at = 0;

    while (at < len && is_space(data[at]))
        at++;
    while (at < len) {
        const char *end = memchr(data + at, '\n', len - at);
        size_t n = end ? (size_t)(end - (data + at)) : len - at;
        const cJSON *root;
        enum ow_code code = ow_json_parse(data + at, n, NULL, a, &root, err);

        if (code == OW_OK)
            code = ow_reader_add(r, root, err);
        if (code != OW_OK)
            return ow_err_prefix(err, code, "record on line %zu", line_at(data, at));
        at += n;
        while (at < len && is_space(data[at]))
            at++;
    }
    return OW_OK;
}

/* Is the first line a whole value, and does another begin on a line behind it? */
static bool is_delimited(struct ow_arena *a, const char *data, size_t len)
{
    size_t from = 0, end, next;
    const cJSON *first;

    while (from < len && is_space(data[from]))
        from++;
    end = from;
    while (end < len && data[end] != '\n')
        end++;
    next = end;
    while (next < len && is_space(data[next]))
        next++;
    return next < len && data[next] == '{' &&
           ow_json_parse(data + from, end - from, NULL, a, &first, NULL) == OW_OK;
}

static enum ow_code read_resources(struct ow_arena *a, const char *data, size_t len,
                                   const cJSON *root, const struct ow_zone *zone,
                                   enum ow_hook hook, struct ow_input *ret,
                                   struct ow_err *err)
{
    struct ow_reader_options opt = { .zone = zone, .hook = hook };
    struct ow_reader *r = ow_reader_new(a, &opt);
    enum ow_code code = root ? ow_reader_add(r, root, err)
                             : read_lines(a, data, len, r, err);

    if (code != OW_OK)
        return code;
    code = ow_reader_charts(r, &ret->charts, &ret->n_charts, err);
    if (code == OW_OK && ret->n_charts == 0)
        return ow_err_set(err, OW_INPUT,
                          "expected a patient or a resource of one, found none");
    return code;
}

enum ow_code ow_input_read(struct ow_arena *a, const char *data, size_t len,
                           const struct ow_zone *zone, enum ow_hook hook,
                           struct ow_input *ret, struct ow_err *err)
{
    struct ow_input in = { 0 };
    const cJSON *root = NULL;
    enum ow_code code;

    if (!is_delimited(a, data, len)) {
        code = ow_json_parse(data, len, NULL, a, &root, err);
        if (code != OW_OK)
            return code;
    }
    if (root && ow_hooks_looks_like(root))
        code = read_hook(a, root, zone, hook, &in, err);
    else
        code = read_resources(a, data, len, root, zone, hook, &in, err);
    if (code == OW_OK)
        *ret = in;
    return code;
}
