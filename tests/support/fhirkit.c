#include "tests/support/fhirkit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

char *kit_json(struct ow_arena *a, const char *text)
{
    char *json = ow_arena_strdup(a, text);

    for (char *c = json; *c; c++) {
        if (*c == '\'')
            *c = '"';
    }
    return json;
}

const cJSON *kit_parse(struct ow_arena *a, const char *text)
{
    const char *json = kit_json(a, text);
    struct ow_err err = { "" };
    const cJSON *root;

    if (ow_json_parse(json, strlen(json), NULL, a, &root, &err) != OW_OK) {
        fprintf(stderr, "%s\n%s\n", err.text, json);
        abort();
    }
    return root;
}

static const char *system_short(const char *s)
{
    static const struct {
        const char *url, *name;
    } known[] = {
        {"http://www.nlm.nih.gov/research/umls/rxnorm", "rxnorm"},
        { "http://snomed.info/sct",                     "sct"   },
        { "http://loinc.org",                           "loinc" },
    };

    for (size_t i = 0; i < OW_LEN(known); i++) {
        if (ow_streq(s, known[i].url))
            return known[i].name;
    }
    return s ? s : "";
}

static void tell_concept(struct ow_buf *b, const char *before, const struct ow_concept *c)
{
    if (c->n_codings == 0 && !c->text)
        return;
    ow_buf_printf(b, " %s", before);
    for (size_t i = 0; i < c->n_codings; i++)
        ow_buf_printf(b, "%s%s|%s", i > 0 ? "," : "", system_short(c->codings[i].system),
                      c->codings[i].code ? c->codings[i].code : "");
    if (c->text)
        ow_buf_printf(b, "'%s'", c->text);
}

static void tell_ratio(struct ow_buf *b, struct ow_ratio r)
{
    char text[OW_RATIO_TEXT];

    ow_buf_str(b, ow_ratio_format(r, 6, text));
}

static void tell_quantity(struct ow_buf *b, const struct ow_quantity *q)
{
    if (q->comparator)
        ow_buf_str(b, q->comparator);
    if (q->has_value)
        tell_ratio(b, q->value);
    else
        ow_buf_char(b, '?');
    if (q->code || q->unit)
        ow_buf_printf(b, " %s", q->code ? q->code : q->unit);
}

static void tell_range(struct ow_buf *b, const struct ow_range *r)
{
    tell_quantity(b, &r->low);
    ow_buf_char(b, '-');
    tell_quantity(b, &r->high);
}

static void tell_fraction(struct ow_buf *b, const struct ow_fraction *f)
{
    tell_quantity(b, &f->numerator);
    ow_buf_str(b, " per ");
    tell_quantity(b, &f->denominator);
}

static void tell_number(struct ow_buf *b, const char *name, const struct ow_number *n)
{
    if (!n->has_value)
        return;
    ow_buf_printf(b, " %s=", name);
    tell_ratio(b, n->value);
}

static void tell_side(struct ow_buf *b, ow_time t)
{
    char text[OW_TIME_TEXT];

    ow_buf_str(b,
               t == OW_TIME_MIN || t == OW_TIME_MAX ? "open" : ow_time_format(t, text));
}

/* A day or a millisecond by its start, anything else as from/until. */
static void tell_span(struct ow_buf *b, const char *name, const struct ow_span *s)
{
    char text[OW_TIME_TEXT];

    ow_buf_printf(b, " %s ", name);
    if (s->from != OW_TIME_MIN && s->until - s->from == OW_DAY && s->from % OW_DAY == 0) {
        ow_buf_str(b, ow_time_format_date(s->from, NULL, text));
        return;
    }
    tell_side(b, s->from);
    if (s->from == OW_TIME_MIN || s->until != s->from + 1) {
        ow_buf_char(b, '/');
        tell_side(b, s->until);
    }
}

static void tell_words(struct ow_buf *b, const char *name, const char *const *list,
                       size_t n)
{
    for (size_t i = 0; i < n; i++)
        ow_buf_printf(b, "%s%s%s", i == 0 ? " " : ",", i == 0 ? name : "", list[i]);
}

static void tell_timing(struct ow_buf *b, const struct ow_timing *t)
{
    ow_buf_str(b, " timing");
    for (size_t i = 0; i < t->n_events; i++)
        tell_span(b, "event", &t->events[i]);
    tell_concept(b, "code=", &t->code);
    tell_number(b, "frequency", &t->frequency);
    tell_number(b, "frequencyMax", &t->frequency_max);
    tell_number(b, "period", &t->period);
    tell_number(b, "periodMax", &t->period_max);
    if (t->period_unit)
        ow_buf_printf(b, " %s", t->period_unit);
    tell_number(b, "count", &t->count);
    tell_number(b, "duration", &t->duration);
    tell_words(b, "days=", t->day_of_week, t->n_day_of_week);
    tell_words(b, "times=", t->time_of_day, t->n_time_of_day);
    tell_words(b, "when=", t->when, t->n_when);
    if (t->bounds == OW_BOUNDS_DURATION) {
        ow_buf_str(b, " for ");
        tell_quantity(b, &t->bounds_duration);
    } else if (t->bounds == OW_BOUNDS_RANGE) {
        ow_buf_str(b, " for ");
        tell_range(b, &t->bounds_range);
    } else if (t->bounds == OW_BOUNDS_PERIOD) {
        tell_span(b, "within", &t->bounds_period);
    }
}

static void tell_dose(struct ow_buf *b, const struct ow_dose_rate *d)
{
    ow_buf_str(b, " dose ");
    if (d->type)
        ow_buf_printf(b, "(%s) ", d->type);
    if (d->has_dose)
        tell_quantity(b, &d->dose);
    if (d->has_dose_range)
        tell_range(b, &d->dose_range);
    if (d->has_rate) {
        ow_buf_str(b, "rate ");
        tell_quantity(b, &d->rate);
    }
    if (d->has_rate_range) {
        ow_buf_str(b, "rate ");
        tell_range(b, &d->rate_range);
    }
    if (d->has_rate_ratio) {
        ow_buf_str(b, "rate ");
        tell_fraction(b, &d->rate_ratio);
    }
}

static void tell_dosage(struct ow_buf *b, const struct ow_dosage *d)
{
    ow_buf_str(b, " [");
    if (d->has_sequence)
        ow_buf_printf(b, "#%lld", (long long)d->sequence);
    if (d->text)
        ow_buf_printf(b, " '%s'", d->text);
    for (size_t i = 0; i < d->n_doses; i++)
        tell_dose(b, &d->doses[i]);
    if (d->has_timing)
        tell_timing(b, &d->timing);
    tell_concept(b, "route=", &d->route);
    if (d->as_needed)
        ow_buf_str(b, " prn");
    tell_concept(b, "for=", &d->as_needed_for);
    for (size_t i = 0; i < d->n_max_per_period; i++) {
        ow_buf_str(b, " max ");
        tell_fraction(b, &d->max_per_period[i]);
    }
    if (d->refused)
        ow_buf_printf(b, " refused: %s", d->refused);
    ow_buf_char(b, ']');
}

static const char *intent_name(enum ow_intent i)
{
    static const char *const names[] = {
        "-",        "order",    "original", "reflex", "filler",
        "instance", "proposal", "plan",     "option", "other",
    };

    return names[i];
}

static const char *status_name(enum ow_status s)
{
    static const char *const names[] = {
        "-",       "active",    "on-hold", "draft",   "completed",
        "stopped", "cancelled", "error",   "unknown", "other",
    };

    return names[s];
}

static void tell_medication(struct ow_buf *b, const struct ow_medication *m)
{
    tell_concept(b, "", &m->code);
    tell_concept(b, "form=", &m->form);
    for (size_t i = 0; i < m->n_ingredients; i++) {
        tell_concept(b, "of ", &m->ingredients[i].item);
        if (m->ingredients[i].has_strength) {
            ow_buf_char(b, ' ');
            tell_fraction(b, &m->ingredients[i].strength);
        }
        if (m->ingredients[i].inactive)
            ow_buf_str(b, " inactive");
    }
    if (m->unresolved)
        ow_buf_printf(b, " unresolved %s%s%s", m->reference ? m->reference : "-",
                      m->display ? " " : "", m->display ? m->display : "");
}

static void tell_order(struct ow_buf *b, const struct ow_order *o)
{
    ow_buf_printf(b, "order %s %s/%s", o->reference, status_name(o->status),
                  intent_name(o->intent));
    if (o->status == OW_STATUS_OTHER)
        ow_buf_printf(b, "(%s)", o->status_text);
    if (o->categories & OW_CATEGORY_COMMUNITY)
        ow_buf_str(b, " community");
    if (o->categories & OW_CATEGORY_INPATIENT)
        ow_buf_str(b, " inpatient");
    if (o->is_draft)
        ow_buf_str(b, o->selected ? " draft selected" : " draft");
    if (o->do_not_perform)
        ow_buf_str(b, " not-to-be-performed");
    tell_medication(b, &o->medication);
    for (size_t i = 0; i < o->n_dosages; i++)
        tell_dosage(b, &o->dosages[i]);
    if (o->has_authored)
        tell_span(b, "authored", &o->authored);
    if (o->has_effective)
        tell_span(b, "effective", &o->effective);
    if (o->supply_quantity.has_value) {
        ow_buf_str(b, " quantity ");
        tell_quantity(b, &o->supply_quantity);
    }
    if (o->supply_duration.has_value) {
        ow_buf_str(b, " supply ");
        tell_quantity(b, &o->supply_duration);
    }
    if (o->has_refills)
        ow_buf_printf(b, " refills %lld", (long long)o->refills);
    if (o->has_validity)
        tell_span(b, "valid", &o->validity);
    tell_words(b, "id=", o->identifiers, o->n_identifiers);
    tell_words(b, "basedOn=", o->based_on, o->n_based_on);
    tell_words(b, "authorizing=", o->authorizing, o->n_authorizing);
    if (o->prior)
        ow_buf_printf(b, " prior=%s", o->prior);
    if (o->group)
        ow_buf_printf(b, " group=%s", o->group);
    if (o->prescriber)
        ow_buf_printf(b, " by %s", o->prescriber);
    for (size_t i = 0; i < o->n_reasons; i++)
        tell_concept(b, "because ", &o->reasons[i]);
    if (o->refused)
        ow_buf_printf(b, " refused: %s", o->refused);
    ow_buf_char(b, '\n');
}

static void tell_record(struct ow_buf *b, const struct ow_record *r)
{
    ow_buf_printf(b, "record %s", r->reference);
    if (r->status)
        ow_buf_printf(b, " %s", r->status);
    if (r->verification)
        ow_buf_printf(b, " %s", r->verification);
    for (size_t i = 0; i < r->n_categories; i++)
        tell_concept(b, "category=", &r->categories[i]);
    tell_concept(b, "code=", &r->code);
    for (size_t i = 0; i < r->n_more; i++)
        tell_concept(b, "more=", &r->more[i]);
    if (r->has_when)
        tell_span(b, "when", &r->when);
    if (r->has_recorded)
        tell_span(b, "recorded", &r->recorded);
    tell_concept(b, "value=", &r->value);
    if (r->value_quantity.has_value) {
        ow_buf_str(b, " value ");
        tell_quantity(b, &r->value_quantity);
    }
    tell_words(b, "links=", r->links, r->n_links);
    ow_buf_char(b, '\n');
}

const char *kit_tell(struct ow_arena *a, const struct ow_chart *charts, size_t n)
{
    const char *text;
    struct ow_buf b;

    ow_buf_init(&b, (size_t)16 << 20);
    for (size_t i = 0; i < n; i++) {
        const struct ow_chart *c = &charts[i];

        ow_buf_str(&b, c->patient.reference);
        if (c->patient.has_birth)
            tell_span(&b, "born", &c->patient.birth);
        if (c->patient.gender)
            ow_buf_printf(&b, " %s", c->patient.gender);
        ow_buf_str(&b, c->patient.deceased ? " deceased\n" : "\n");
        for (size_t k = 0; k < c->n_orders; k++)
            tell_order(&b, &c->orders[k]);
        for (size_t k = 0; k < c->n_records; k++)
            tell_record(&b, &c->records[k]);
        for (size_t k = 0; k < c->n_missing; k++)
            ow_buf_printf(&b, "missing: %s\n", c->missing[k]);
        for (size_t k = 0; k < c->n_notes; k++)
            ow_buf_printf(&b, "note: %s\n", c->notes[k]);
    }
    text = ow_arena_strndup(a, ow_buf_cstr(&b), b.len);
    ow_buf_done(&b);
    return text;
}
