#include "fhir/report.h"

#include <string.h>

#include "base/jw.h"
#include "fhir/hooks.h"

enum { DOSE_PLACES = 2, FACTOR_PLACES = 6 };

static void kstring_null(struct ow_jw *w, const char *key, const char *s)
{
    ow_jw_key(w, key);
    ow_jw_string(w, s); /* NULL is null */
}

static void kratio_null(struct ow_jw *w, const char *key, bool has, struct ow_ratio v,
                        int places)
{
    ow_jw_key(w, key);
    if (has)
        ow_jw_ratio(w, v, places);
    else
        ow_jw_null(w);
}

static void kstrings(struct ow_jw *w, const char *key, const char *const *list, size_t n)
{
    ow_jw_karray(w, key);
    for (size_t i = 0; i < n; i++)
        ow_jw_string(w, list[i]);
    ow_jw_end(w);
}

static void total_members(struct ow_jw *w, const struct ow_total *t)
{
    kratio_null(w, "now", t->has_now, t->now, DOSE_PLACES);
    kratio_null(w, "peak", t->has_peak, t->peak, DOSE_PLACES);
}

static void med_write(struct ow_jw *w, const struct ow_verdict *v)
{
    char at[OW_TIME_TEXT];

    ow_jw_kobject(w, "med");
    total_members(w, &v->total);
    kstring_null(w, "peakAt", v->has_peak_at ? ow_time_format(v->peak_at, at) : NULL);
    kstring_null(w, "derivation", v->sum_now);
    kstring_null(w, "peakDerivation", v->sum_peak);
    ow_jw_kbool(w, "atLeast", v->at_least);
    ow_jw_kobject(w, "asWritten");
    total_members(w, &v->written);
    ow_jw_end(w);
    ow_jw_key(w, "asSupplied");
    if (v->supplied.has_now || v->supplied.has_peak) {
        ow_jw_object(w);
        total_members(w, &v->supplied);
        ow_jw_end(w);
    } else {
        ow_jw_null(w);
    }
    ow_jw_end(w);
}

static void kdate(struct ow_jw *w, const char *key, ow_time t, const struct ow_zone *zone)
{
    char text[OW_TIME_TEXT];
    bool open = t == OW_TIME_MIN || t == OW_TIME_MAX;

    kstring_null(w, key, open ? NULL : ow_time_format_date(t, zone, text));
}

static void averages_write(struct ow_jw *w, const struct ow_verdict *v)
{
    const struct ow_averages *a = &v->averages;

    ow_jw_karray(w, "averages");
    for (size_t i = 0; i < OW_AVERAGES && a->list[i].name != NULL; i++) {
        const struct ow_average *one = &a->list[i];

        ow_jw_object(w);
        kstring_null(w, "name", one->name);
        kratio_null(w, "value", one->has_value, one->value, DOSE_PLACES);
        ow_jw_kbool(w, "atLeast", a->at_least);
        kstring_null(w, "basis", a->basis);
        ow_jw_kbool(w, "estimate", a->basis != NULL && a->basis[0] == 'o');
        ow_jw_kobject(w, "window");
        kdate(w, "from", a->window.from, v->zone);
        kdate(w, "until", a->window.until, v->zone);
        ow_jw_end(w);
        kstring_null(w, "derivation", one->derivation);
        ow_jw_end(w);
    }
    ow_jw_end(w);
}

static void line_dose(struct ow_jw *w, const struct ow_line *l)
{
    ow_jw_key(w, "dailyDose");
    if (l->has_dose) {
        ow_jw_object(w);
        ow_jw_kratio(w, "value", l->daily_dose, DOSE_PLACES);
        kstring_null(w, "unit", l->dose_unit);
        ow_jw_end(w);
    } else {
        ow_jw_null(w);
    }
    kratio_null(w, "factor", l->has_med, l->factor, FACTOR_PLACES);
    kratio_null(w, "med", l->has_med, l->med, DOSE_PLACES);
}

static void line_flags(struct ow_jw *w, unsigned flags)
{
    ow_jw_karray(w, "flags");
    for (int i = 0; i < OW_FLAG_N; i++) {
        if (flags & (1u << i))
            ow_jw_string(w, ow_flag_name(1u << i));
    }
    ow_jw_end(w);
}

static void trace_write(struct ow_jw *w, const struct ow_line *l)
{
    ow_jw_karray(w, "trace");
    for (size_t i = 0; i < l->n_trace; i++) {
        const struct ow_trace *t = &l->trace[i];
        const char *const members[] = { "step", t->step, "in",     t->in,    "out",
                                        t->out, "rule",  t->rule,  "table",  t->table,
                                        "row",  t->row,  "source", t->source };

        ow_jw_object(w);
        for (size_t k = 0; k < OW_LEN(members); k += 2)
            if (members[k + 1] != NULL)
                ow_jw_kstring(w, members[k], members[k + 1]);
        ow_jw_end(w);
    }
    ow_jw_end(w);
}

static void line_write(struct ow_jw *w, const struct ow_line *l,
                       const struct ow_zone *zone)
{
    bool counts = l->span.from != 0 || l->span.until != 0; /* else it never had one */

    ow_jw_object(w);
    kstring_null(w, "reference", l->order->reference);
    ow_jw_kstring(w, "role", ow_role_name(l->role));
    kstring_null(w, "drug", l->drug);
    kstring_null(w, "rxcui", l->rxcui);
    kstring_null(w, "ingredient", l->ingredient);
    line_dose(w, l);
    kdate(w, "from", counts ? l->span.from : OW_TIME_MIN, zone);
    kdate(w, "until", counts ? l->span.until : OW_TIME_MAX, zone);
    ow_jw_kbool(w, "prn", (l->flags & OW_FLAG_PRN) != 0);
    kratio_null(w, "medLow", l->has_med, l->med_low, DOSE_PLACES);
    kstring_null(w, "table", l->table);
    kstring_null(w, "tableRow", l->row);
    line_flags(w, l->flags);
    kstring_null(w, "derivation", l->derivation);
    kstring_null(w, "reason", l->reason);
    if (l->trace != NULL)
        trace_write(w, l);
    ow_jw_end(w);
}

static void facts_write(struct ow_jw *w, const struct ow_verdict *v)
{
    ow_jw_karray(w, "facts");
    for (size_t i = 0; i < v->n_facts; i++) {
        const struct ow_fact *f = &v->facts[i];

        ow_jw_object(w);
        ow_jw_kstring(w, "name", f->name);
        ow_jw_key(w, "value");
        if (f->value < 0)
            ow_jw_null(w);
        else
            ow_jw_bool(w, f->value > 0);
        kstrings(w, "evidence", f->evidence, f->n_evidence);
        ow_jw_end(w);
    }
    ow_jw_end(w);
}

static void sedatives_write(struct ow_jw *w, const struct ow_verdict *v)
{
    ow_jw_karray(w, "sedatives");
    for (size_t i = 0; i < v->n_sedatives; i++) {
        const struct ow_sedation *s = &v->sedatives[i];

        ow_jw_object(w);
        kstring_null(w, "reference", s->line->order->reference);
        kstring_null(w, "class", s->cls);
        kstring_null(w, "drug", s->drug);
        ow_jw_kint(w, "overlapDays", s->overlap_days);
        ow_jw_end(w);
    }
    ow_jw_end(w);
}

static void findings_write(struct ow_jw *w, const struct ow_verdict *v)
{
    ow_jw_karray(w, "findings");
    for (size_t i = 0; i < v->n_findings; i++) {
        const struct ow_finding *f = &v->findings[i];

        ow_jw_object(w);
        ow_jw_kstring(w, "rule", f->rule);
        ow_jw_kstring(w, "tier", ow_tier_name(f->tier));
        kstring_null(w, "reason", f->reason);
        kstrings(w, "sources", f->sources, f->n_sources);
        ow_jw_end(w);
    }
    ow_jw_end(w);
    ow_jw_karray(w, "suppressed");
    for (size_t i = 0; i < v->n_suppressed; i++) {
        const struct ow_suppression *s = &v->suppressed[i];

        ow_jw_object(w);
        ow_jw_kstring(w, "rule", s->rule);
        ow_jw_kstring(w, "by", s->by);
        kstring_null(w, "resource", s->resource);
        ow_jw_end(w);
    }
    ow_jw_end(w);
}

void ow_report_json(const struct ow_verdict *v, struct ow_buf *out)
{
    char at[OW_TIME_TEXT];
    struct ow_jw w;

    ow_jw_init(&w, out);
    ow_jw_object(&w);
    kstring_null(&w, "patient", v->patient);
    ow_jw_kstring(&w, "at", ow_time_format(v->at, at));
    kstring_null(&w, "hook", ow_hook_name(v->hook));
    ow_jw_kobject(&w, "knowledge");
    kstring_null(&w, "factors", v->table);
    kstring_null(&w, "products", v->products);
    kstring_null(&w, "sha256", v->sha256);
    ow_jw_end(&w);
    ow_jw_kobject(&w, "policy");
    kstring_null(&w, "name", v->policy);
    kstring_null(&w, "version", v->policy_version);
    kstring_null(&w, "sha256", v->policy_sha256);
    kstring_null(&w, "clinic", v->policy_clinic);
    if (v->texts)
        ow_jw_kstring(&w, "texts", v->texts);
    ow_jw_end(&w);
    med_write(&w, v);
    averages_write(&w, v);
    ow_jw_karray(&w, "orders");
    for (size_t i = 0; i < v->n_lines; i++)
        line_write(&w, &v->lines[i], v->zone);
    ow_jw_end(&w);
    facts_write(&w, v);
    sedatives_write(&w, v);
    findings_write(&w, v);
    ow_jw_karray(&w, "cards");
    for (size_t i = 0; i < v->n_cards; i++)
        ow_hooks_card(&w, v, &v->cards[i]);
    ow_jw_end(&w);
    ow_jw_end(&w);
}
