#include "fhir/wire.h"

#include <string.h>

const char *ow_header_get(const struct ow_header *headers, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (ow_strcaseeq(headers[i].name, name))
            return headers[i].value;
    return NULL;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool ow_media_type_is(const char *content_type, const char *type)
{
    if (!content_type)
        return false;
    while (is_blank(*content_type))
        content_type++;
    while (*type && lower(*content_type) == lower(*type)) {
        content_type++;
        type++;
    }
    if (*type)
        return false;
    while (is_blank(*content_type))
        content_type++;
    return *content_type == '\0' || *content_type == ';';
}

bool ow_media_type_is_json(const char *content_type)
{
    return ow_media_type_is(content_type, "application/fhir+json") ||
           ow_media_type_is(content_type, "application/json") ||
           ow_media_type_is(content_type, "application/json+fhir");
}
