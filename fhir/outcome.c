#include "fhir/outcome.h"

#include <string.h>

#include "base/text.h"

enum { ISSUES_MOST = 3, WORD_MOST = 64, DIGITS_MOST = 4 };

/* Codes and paths are printed only when they look like what they should be: servers put
 * ids, names and numbers of patients where they do not belong. */
enum look { LOOK_WORD, LOOK_CODE, LOOK_PATH };

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* not-found; MSG_NO_MATCH, HAPI-0389, but no long number; Bundle.entry[0].resource */
static bool looks_like(enum look look, const char *s, size_t n)
{
    static const char *const others[] = {
        [LOOK_WORD] = "-", [LOOK_CODE] = "-_.", [LOOK_PATH] = ".[]"
    };
    size_t run = 0;

    if (n == 0 || n > WORD_MOST || !is_letter(s[0]))
        return false;
    for (size_t i = 0; i < n; i++) {
        bool digit = s[i] >= '0' && s[i] <= '9';

        run = digit ? run + 1 : 0;
        if (digit ? look == LOOK_WORD || run > DIGITS_MOST ||
                        (look == LOOK_PATH && run == 1 && s[i - 1] != '[')
                  : !is_letter(s[i]) && !strchr(others[look], s[i]))
            return false;
    }
    return look != LOOK_PATH || strchr(s, '.');
}

static const char *plain(enum look look, const char *s)
{
    return s && looks_like(look, s, strlen(s)) ? s : NULL;
}

static const char *issue_words(struct ow_arena *arena, const cJSON *issue)
{
    const char *severity = plain(LOOK_WORD, ow_json_string(issue, "severity"));
    const char *code = plain(LOOK_WORD, ow_json_string(issue, "code"));
    const cJSON *details = ow_json_array(ow_json_object(issue, "details"), "coding");
    const cJSON *paths = ow_json_array(issue, "expression");
    const char *detail, *path;

    detail = details ? plain(LOOK_CODE, ow_json_string(details->child, "code")) : NULL;
    path = paths && cJSON_IsString(paths->child)
               ? plain(LOOK_PATH, paths->child->valuestring)
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

/* Codes by which a server says that data was left out, whatever severity it gives them.
 */
static bool leaves_out(const char *code)
{
    static const char *const codes[] = { "incomplete", "suppressed", "too-costly",
                                         "timeout",    "throttled",  "exception" };

    for (size_t i = 0; i < OW_LEN(codes); i++) {
        if (ow_streq(code, codes[i]))
            return true;
    }
    return false;
}

bool ow_outcome_hurts(const cJSON *outcome)
{
    const cJSON *issues = ow_json_array(outcome, "issue"), *c;
    bool any = false;

    cJSON_ArrayForEach(c, issues)
    {
        const char *severity = ow_json_string(c, "severity");
        bool mild = ow_streq(severity, "warning") || ow_streq(severity, "information") ||
                    ow_streq(severity, "success");

        if (!mild ||
            (ow_streq(severity, "warning") && leaves_out(ow_json_string(c, "code"))))
            return true;
        any = true;
    }
    return !any;
}
