/*
 * Scalars: dates and decimals as they come from outside
 *
 * What is read must print, and what is printed must read back as the same value.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/ratio.h"
#include "base/time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void date(const char *text)
{
    struct ow_span span, back;
    struct ow_err err;
    char out[OW_TIME_TEXT];

    if (ow_time_parse(text, NULL, &span, &err))
        return;
    ow_assert(span.from < span.until);
    ow_time_format(span.from, out);
    if (out[4] != '-' || memcmp(out, "0000", 4) == 0)
        return; /* a zone has pushed it out of the years 1 to 9999 */
    ow_assert(ow_time_parse(out, NULL, &back, &err) == OW_OK && back.from == span.from);
}

static void decimal(const char *text, size_t n)
{
    struct ow_ratio v, back;
    char out[OW_RATIO_TEXT];

    if (!ow_ratio_parse(text, n, &v))
        return;
    ow_assert(v.den > 0);
    ow_ratio_json(v, 6, out);
    ow_assert(ow_ratio_parse(out, strlen(out), &back));
    ow_assert((v.num == 0) == (back.num == 0)); /* never a false zero */
    if (v.den == 1)
        ow_assert(ow_ratio_cmp(v, back) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    if (!text)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    date(text);
    decimal(text, size);
    free(text);
    return 0;
}
