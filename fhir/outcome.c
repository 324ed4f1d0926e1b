#include "fhir/outcome.h"

#include <string.h>

#include "base/text.h"

enum { ISSUES_MOST = 3, WORD_MOST = 64 };

/* A code or a path is printed only when it looks like one. */
static const char *plain(const char *s)
{
    size_t n = s ? strlen(s) : 0;

    if (n == 0 || n > WORD_MOST)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        char c = s[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (c >= '0' && c <= '9') || strchr("-_.[]", c)))
            return NULL;
    }
    return s;
}

static const char *issue_words(struct ow_arena *arena, const cJSON *issue)
{
    const char *severity = plain(ow_json_string(issue, "severity"));
    const char *code = plain(ow_json_string(issue, "code"));
    const cJSON *details = ow_json_array(ow_json_object(issue, "details"), "coding");
    const cJSON *paths = ow_json_array(issue, "expression");
    const char *detail, *path;

    detail = details ? plain(ow_json_string(details->child, "code")) : NULL;
    path = paths && cJSON_IsString(paths->child) ? plain(paths->child->valuestring)
                                                 : NULL;
    return ow_arena_printf(arena, "%s/%s%s%s%s%s%s", severity ? severity : "?",
                           code ? code : "?", detail ? " (" : "", detail ? detail : "",
                           detail ? ")" : "", path ? " at " : "", path ? path : "");
}

const char *ow_outcome_words(struct ow_arena *arena, const cJSON *outcome)
{
    const char *text = "";
    const cJSON *issues, *c;
    int n = 0;

    if (!ow_streq(ow_json_string(outcome, "resourceType"), "OperationOutcome"))
        return "";
    issues = ow_json_array(outcome, "issue");
    cJSON_ArrayForEach(c, issues)
    {
        if (n++ >= ISSUES_MOST)
            break;
        text = ow_arena_printf(arena, "%s%s%s", text, *text ? "; " : "",
                               issue_words(arena, c));
    }
    return *text ? text : "an OperationOutcome without an issue";
}

bool ow_outcome_hurts(const cJSON *outcome)
{
    const cJSON *issues = ow_json_array(outcome, "issue"), *c;
    bool any = false;

    cJSON_ArrayForEach(c, issues)
    {
        const char *severity = ow_json_string(c, "severity");

        if (!ow_streq(severity, "information") && !ow_streq(severity, "success"))
            return true;
        any = true;
    }
    return !any;
}
