/*
 * Any bytes as a configuration: errors have places inside the text, and what loads
 * without one prints to a file that reads back the same.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "daemon/setting.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned lines_of(const char *data, size_t n)
{
    unsigned lines = 1;

    for (size_t i = 0; i < n; i++)
        lines += data[i] == '\n' || data[i] == '\r' || (unsigned char)data[i] >= 0x80;
    return lines; /* at most: NEL, LS and PS end lines in YAML, too */
}

static void check_places(const struct ow_reporter *r, const char *data, size_t n)
{
    for (size_t i = 0; i < r->n; i++) {
        ow_assert(ow_streq(r->reports[i].file, "x.yaml"));
        ow_assert(r->reports[i].line <= lines_of(data, n) + 1);
        ow_assert(r->reports[i].text[0] != '\0');
        ow_assert(!strpbrk(r->reports[i].text, "\r\n"));
    }
}

static void check_back(const struct ow_snapshot *s)
{
    struct ow_reporter errors;
    struct ow_buf first, second;
    struct ow_snapshot *again;

    ow_reporter_init(&errors);
    ow_buf_init(&first, 1 << 22);
    ow_buf_init(&second, 1 << 22);
    ow_config_print(&s->config, &first);
    again = ow_snapshot_read("x.yaml", first.data, first.len, &errors);
    ow_assert(errors.n == 0);
    ow_config_print(&again->config, &second);
    ow_assert(ow_streq(ow_buf_cstr(&first), ow_buf_cstr(&second)));
    ow_snapshot_free(again);
    ow_buf_done(&first);
    ow_buf_done(&second);
    ow_reporter_done(&errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ow_reporter errors;
    struct ow_snapshot *s;

    ow_reporter_init(&errors);
    s = ow_snapshot_read("x.yaml", (const char *)data, size, &errors);
    check_places(&errors, (const char *)data, size);
    if (errors.n == 0)
        check_back(s);
    ow_snapshot_free(s);
    ow_reporter_done(&errors);
    return 0;
}
