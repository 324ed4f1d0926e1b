#include "daemon/cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/evaluate.h"
#include "alerts/tsv.h"
#include "base/text.h"
#include "daemon/files.h"
#include "fhir/input.h"

enum {
    CASES_BYTES = 1 << 20,
    CHART_BYTES = 16 << 20,
    C_CHART = 0,
    C_AT,
    C_HOOK,
    C_SUBJECT,
    C_EXPECTED,
    C_N
};

static const char *const columns[C_N] = { "chart", "at", "hook", "subject", "expected" };

struct cases {
    struct ow_arena arena; /* of one case */
    struct ow_tsv tsv;
    const struct ow_knowledge *kb;
    struct ow_policy policy;
    char folder[OW_PACKS_PATH];
};

static bool hook_of(const char *name, enum ow_hook *ret)
{
    for (int h = OW_HOOK_NONE; h <= OW_HOOK_ORDER_SIGN; h++) {
        const char *known = ow_hook_name((enum ow_hook)h);

        if (!ow_streq(name, known ? known : ""))
            continue;
        *ret = (enum ow_hook)h;
        return true;
    }
    return false;
}

/* What the chart gives under the pack; NULL with a report. */
static const struct ow_verdict *judge(struct cases *c)
{
    const char *name = ow_tsv_field(&c->tsv, C_CHART), *at = ow_tsv_field(&c->tsv, C_AT);
    struct ow_question q = { .knowledge = c->kb,
                             .policy = &c->policy,
                             .drafts_count = true };
    char path[OW_PACKS_PATH], *data = NULL;
    const struct ow_verdict *v = NULL;
    struct ow_err err = { "" };
    struct ow_span when;
    struct ow_input in;
    enum ow_hook hook;
    enum ow_code code = OW_CONFIG;
    size_t len;

    if (!hook_of(ow_tsv_field(&c->tsv, C_HOOK), &hook)) {
        ow_tsv_fault(&c->tsv, C_HOOK,
                     "expected nothing, patient-view, order-select or order-sign");
        return NULL;
    }
    if (ow_time_parse(at, NULL, &when, &err) != OW_OK) {
        ow_tsv_fault(&c->tsv, C_AT, "%s", err.text);
        return NULL;
    }
    q.at = when.from;
    if (ow_path_join(c->folder, name, path, sizeof path))
        code = ow_file_read(path, CHART_BYTES, &data, &len, &err);
    if (code == OW_OK)
        code = ow_input_read(&c->arena, data, len, NULL, hook, &in, &err);
    if (code == OW_OK && in.n_charts != 1)
        code = ow_err_set(&err, OW_INPUT, "%zu patients; a case is about one",
                          in.n_charts);
    if (code == OW_OK)
        code = ow_evaluate(&in.charts[0], &q, &c->arena, &v, &err);
    free(data);
    if (code != OW_OK)
        ow_tsv_fault(&c->tsv, C_CHART, "%.80s: %s", name, err.text);
    return code == OW_OK ? v : NULL;
}

/* What became of a rule, as a case writes it. */
static const char *outcome(const struct ow_verdict *v, enum ow_rule rule,
                           const char **reason)
{
    const struct ow_finding *best = NULL;

    for (size_t i = 0; i < v->n_findings; i++)
        if (ow_streq(v->findings[i].rule, ow_rule_name(rule)) &&
            (!best || v->findings[i].tier > best->tier))
            best = &v->findings[i];
    if (best) {
        *reason = best->reason;
        return best->shadow ? "shadow" : ow_tier_name(best->tier);
    }
    for (size_t i = 0; i < v->n_suppressed; i++) {
        if (!ow_streq(v->suppressed[i].rule, ow_rule_name(rule)) ||
            !ow_starts_with(v->suppressed[i].by, "exclusion:"))
            continue;
        *reason = v->suppressed[i].by;
        return "excluded";
    }
    *reason = "";
    return "none";
}

static void compare_rule(struct cases *c, const struct ow_verdict *v, enum ow_rule rule)
{
    static const char *const words[] = { "none",     "info",   "warning",
                                         "critical", "shadow", "excluded" };
    const char *expected = ow_tsv_field(&c->tsv, C_EXPECTED), *reason, *found;
    bool known = false;

    for (size_t i = 0; i < OW_LEN(words); i++)
        known = known || ow_streq(expected, words[i]);
    if (!known) {
        ow_tsv_fault(&c->tsv, C_EXPECTED,
                     "expected none, info, warning, critical, shadow or excluded; found "
                     "'%.40s'",
                     expected);
        return;
    }
    found = outcome(v, rule, &reason);
    if (!ow_streq(found, expected))
        ow_tsv_fault(&c->tsv, C_EXPECTED, "%s of %.80s is %s, not %s%s%s",
                     ow_rule_name(rule), ow_tsv_field(&c->tsv, C_CHART), found, expected,
                     *reason ? ": " : "", reason);
}

static void compare_med(struct cases *c, bool has, struct ow_ratio med)
{
    const char *expected = ow_tsv_field(&c->tsv, C_EXPECTED);
    char text[OW_RATIO_TEXT] = "none";
    struct ow_ratio v = OW_ZERO;

    if (!ow_streq(expected, "none") && !ow_ratio_parse(expected, strlen(expected), &v)) {
        ow_tsv_fault(&c->tsv, C_EXPECTED, "expected none or MME/d; found '%.40s'",
                     expected);
        return;
    }
    if (has)
        ow_ratio_decimal(med, text);
    if (has ? ow_streq(expected, "none") || ow_ratio_cmp(med, v) != 0
            : !ow_streq(expected, "none"))
        ow_tsv_fault(&c->tsv, C_EXPECTED, "%s of %.80s is %s, not %s",
                     ow_tsv_field(&c->tsv, C_SUBJECT), ow_tsv_field(&c->tsv, C_CHART),
                     text, expected);
}

static void case_run(struct cases *c)
{
    const char *subject = ow_tsv_field(&c->tsv, C_SUBJECT);
    bool now = ow_streq(subject, "med.now"), peak = ow_streq(subject, "med.peak");
    enum ow_rule rule = ow_rule_of(subject);
    const struct ow_verdict *v;

    if (!now && !peak && rule == OW_RULE_N) {
        ow_tsv_fault(&c->tsv, C_SUBJECT,
                     "expected the name of a rule, med.now or med.peak; found '%.60s'",
                     subject);
        return;
    }
    ow_arena_init(&c->arena, SIZE_MAX);
    v = judge(c);
    if (v && now)
        compare_med(c, v->total.has_now, v->total.now);
    else if (v && peak)
        compare_med(c, v->total.has_peak, v->total.peak);
    else if (v)
        compare_rule(c, v, rule);
    ow_arena_done(&c->arena);
}

static size_t table_run(struct cases *c, const struct ow_knowledge_file *file,
                        ow_config_report_fn *report, void *arg)
{
    struct ow_tsv_log log = { .report = report, .arg = arg };
    struct ow_arena arena;
    size_t n = 0;

    ow_arena_init(&arena, SIZE_MAX);
    if (ow_tsv_open(&c->tsv, file, columns, C_N, &log, &arena)) {
        for (; ow_tsv_next(&c->tsv); n++)
            case_run(c);
    }
    ow_arena_done(&arena);
    return n;
}

size_t ow_cases_run(const struct ow_pack_chain *chain, const struct ow_knowledge *kb,
                    ow_config_report_fn *report, void *arg)
{
    const char *pack = chain->packs[chain->n - 1]->file;
    struct cases *c = ow_alloc_zero(sizeof *c);
    char path[OW_PACKS_PATH + 16], *data = NULL;
    struct ow_knowledge_file file = { .name = path };
    struct ow_err err = { "" };
    size_t n = 0;

    c->kb = kb;
    ow_pack_policy(chain, &c->policy);
    snprintf(c->folder, sizeof c->folder, "%.*s.cases",
             (int)(strlen(pack) - strlen(".tsv")), pack);
    snprintf(path, sizeof path, "%s/cases.tsv", c->folder);
    if (ow_is_file(path)) {
        if (ow_file_read(path, CASES_BYTES, &data, &file.len, &err) == OW_OK) {
            file.data = data;
            n = table_run(c, &file, report, arg);
        } else if (report) {
            report(arg, path, 0, 0, err.text);
        }
    }
    free(data);
    free(c);
    return n;
}
