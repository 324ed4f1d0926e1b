/*
 * The report for a person at a terminal. Names of drugs and the like come from outside:
 * control characters, escape sequences and marks that turn the reading direction are
 * replaced before they reach the screen.
 */
#include <string.h>

#include "base/text.h"
#include "fhir/report.h"

struct text {
    struct ow_buf *out;
    bool colour;
    const struct ow_zone *zone;
};

enum { ROLE_WIDTH = 11, MED_WIDTH = 9 };

static bool is_hidden(const char *s, size_t n)
{
    const unsigned char *u = (const unsigned char *)s;

    if (n == 1)
        return u[0] < 0x20 || u[0] == 0x7f;
    if (n == 2)
        return u[0] == 0xc2 && u[1] < 0xa0; /* C1 controls */
    /* U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069 */
    return n == 3 && u[0] == 0xe2 &&
           ((u[1] == 0x80 &&
             (u[2] == 0x8e || u[2] == 0x8f || (u[2] >= 0xa8 && u[2] <= 0xae))) ||
            (u[1] == 0x81 && u[2] >= 0xa6 && u[2] <= 0xa9));
}

static void safe(struct text *t, const char *s)
{
    size_t n = s ? strlen(s) : 0;

    for (size_t i = 0; i < n;) {
        size_t len = ow_utf8_len(s + i, n - i);

        if (len == 0 || is_hidden(s + i, len))
            ow_buf_char(t->out, '?');
        else
            ow_buf_add(t->out, s + i, len);
        i += len > 0 ? len : 1;
    }
}

static void paint(struct text *t, const char *code)
{
    if (t->colour)
        ow_buf_printf(t->out, "\033[%sm", code);
}

static void heading(struct text *t, const char *s)
{
    paint(t, "1");
    ow_buf_printf(t->out, "\n%s\n", s);
    paint(t, "0");
}

static const char *role_colour(enum ow_role r)
{
    return r == OW_ROLE_COUNTED ? "32" : r == OW_ROLE_UNREADABLE ? "31" : "2";
}

static const char *tier_colour(enum ow_tier t)
{
    return t == OW_TIER_CRITICAL ? "1;31" : t == OW_TIER_WARNING ? "33" : "36";
}

static const char *amount(bool has, struct ow_ratio v, char ret[OW_RATIO_TEXT])
{
    return has ? ow_ratio_format(v, 2, ret) : "-";
}

static void date(struct text *t, ow_time at)
{
    char s[OW_TIME_TEXT];

    ow_buf_str(t->out, at == OW_TIME_MIN   ? "ever"
                       : at == OW_TIME_MAX ? "open"
                                           : ow_time_format_date(at, t->zone, s));
}

static void head_write(struct text *t, const struct ow_verdict *v)
{
    char at[OW_TIME_TEXT], now[OW_RATIO_TEXT], peak[OW_RATIO_TEXT];
    const char *hook = ow_hook_name(v->hook), *least = v->at_least ? "at least " : "";

    paint(t, "1");
    safe(t, v->patient);
    paint(t, "0");
    ow_buf_printf(t->out, "  at %s%s%s\n", ow_time_format(v->at, at), hook ? "  " : "",
                  hook ? hook : "");
    if (!v->total.has_now && !v->total.has_peak) {
        ow_buf_printf(t->out, "MED: nothing counted%s\n",
                      v->at_least ? ", but not everything could be read" : "");
        return;
    }
    ow_buf_printf(t->out, "MED: %s%s MME/day now, %s%s at the peak", least,
                  amount(v->total.has_now, v->total.now, now), least,
                  amount(v->total.has_peak, v->total.peak, peak));
    if (v->has_peak_at)
        ow_buf_printf(t->out, " (%s)", ow_time_format(v->peak_at, at));
    if (v->supplied.has_now || v->supplied.has_peak)
        ow_buf_printf(t->out, "; as supplied %s now, %s at the peak",
                      amount(v->supplied.has_now, v->supplied.now, now),
                      amount(v->supplied.has_peak, v->supplied.peak, peak));
    ow_buf_char(t->out, '\n');
    if (v->sum_now)
        ow_buf_printf(t->out, "     now: %s\n", v->sum_now);
    if (v->sum_peak && !ow_streq(v->sum_peak, v->sum_now))
        ow_buf_printf(t->out, "    peak: %s\n", v->sum_peak);
}

static void averages_write(struct text *t, const struct ow_verdict *v)
{
    const struct ow_averages *a = &v->averages;
    char value[OW_RATIO_TEXT];

    if (a->basis == NULL)
        return;
    ow_buf_str(t->out, "averages of ");
    date(t, a->window.from);
    ow_buf_str(t->out, " to ");
    date(t, a->window.until - 1);
    ow_buf_printf(t->out, ", %s %s:\n", a->basis[0] == 'o' ? "estimated from" : "from",
                  a->basis);
    for (size_t i = 0; i < OW_AVERAGES; i++)
        if (a->list[i].has_value)
            ow_buf_printf(t->out, "  %-15s %s%s MME/day  (%s)\n", a->list[i].name,
                          a->at_least ? "at least " : "",
                          ow_ratio_format(a->list[i].value, 2, value),
                          a->list[i].derivation);
}

static void line_detail(struct text *t, const struct ow_line *l)
{
    ow_buf_printf(t->out, "  %*s  ", ROLE_WIDTH + 2 + MED_WIDTH, "");
    if (l->derivation)
        safe(t, l->derivation);
    if (l->derivation && l->reason)
        ow_buf_str(t->out, "; ");
    if (l->reason)
        safe(t, l->reason);
    ow_buf_char(t->out, '\n');
}

static void trace_write(struct text *t, const struct ow_line *l)
{
    for (size_t i = 0; i < l->n_trace; i++) {
        const struct ow_trace *s = &l->trace[i];

        ow_buf_printf(t->out, "  %*s    %-8s  ", ROLE_WIDTH + 2 + MED_WIDTH, "", s->step);
        safe(t, s->in);
        ow_buf_str(t->out, s->in ? " -> " : "");
        safe(t, s->out);
        if (s->rule) {
            ow_buf_str(t->out, "; ");
            safe(t, s->rule);
        }
        if (s->table)
            ow_buf_printf(t->out, "  [%s: %s]", s->table, s->row ? s->row : "?");
        ow_buf_char(t->out, '\n');
    }
}

static void line_facts(struct text *t, const struct ow_line *l)
{
    ow_buf_printf(t->out, "  %*s  ", ROLE_WIDTH + 2 + MED_WIDTH, "");
    safe(t, l->order->reference);
    if (l->role == OW_ROLE_COUNTED) {
        ow_buf_str(t->out, ", ");
        date(t, l->span.from);
        ow_buf_str(t->out, " to ");
        date(t, l->span.until);
    }
    if (l->table && l->has_med)
        ow_buf_printf(t->out, ", factor of %s", l->table);
    if (l->row && l->has_med)
        ow_buf_printf(t->out, " (%s)", l->row);
    for (int i = 0; i < OW_FLAG_N; i++) {
        if (l->flags & (1u << i))
            ow_buf_printf(t->out, ", %s", ow_flag_name(1u << i));
    }
    ow_buf_char(t->out, '\n');
}

static void line_write(struct text *t, const struct ow_line *l)
{
    char med[OW_RATIO_TEXT];

    ow_buf_str(t->out, "  ");
    paint(t, role_colour(l->role));
    ow_buf_printf(t->out, "%-*s", ROLE_WIDTH, ow_role_name(l->role));
    paint(t, "0");
    ow_buf_printf(t->out, "  %*s  ", MED_WIDTH, amount(l->has_med, l->med, med));
    safe(t, l->drug);
    ow_buf_char(t->out, '\n');
    if (l->derivation || l->reason)
        line_detail(t, l);
    line_facts(t, l);
    trace_write(t, l);
}

static void lines_write(struct text *t, const struct ow_verdict *v)
{
    heading(t, "Orders");
    if (v->n_lines == 0) {
        ow_buf_str(t->out, "  none\n");
        return;
    }
    ow_buf_printf(t->out, "  %-*s  %*s  %s\n", ROLE_WIDTH, "role", MED_WIDTH, "MME/day",
                  "drug");
    for (size_t i = 0; i < v->n_lines; i++)
        line_write(t, &v->lines[i]);
}

static void sedatives_write(struct text *t, const struct ow_verdict *v)
{
    if (v->n_sedatives > 0)
        heading(t, "Sedatives");
    for (size_t i = 0; i < v->n_sedatives; i++) {
        const struct ow_sedation *s = &v->sedatives[i];

        ow_buf_str(t->out, "  ");
        safe(t, s->drug);
        ow_buf_printf(t->out, " (%s), %lld day%s beside an opioid, ",
                      s->cls ? s->cls : "?", (long long)s->overlap_days,
                      s->overlap_days == 1 ? "" : "s");
        safe(t, s->line->order->reference);
        ow_buf_char(t->out, '\n');
    }
}

static void finding_write(struct text *t, const struct ow_finding *f)
{
    ow_buf_str(t->out, "  ");
    paint(t, tier_colour(f->tier));
    ow_buf_printf(t->out, "%-8s", ow_tier_name(f->tier));
    paint(t, "0");
    ow_buf_printf(t->out, "  %s: ", f->rule);
    safe(t, f->reason);
    for (size_t i = 0; i < f->n_sources; i++)
        ow_buf_printf(t->out, "%s%s", i == 0 ? "  [" : ", ", f->sources[i]);
    ow_buf_str(t->out, f->n_sources > 0 ? "]\n" : "\n");
}

static void findings_write(struct text *t, const struct ow_verdict *v)
{
    heading(t, "Findings");
    if (v->n_findings == 0)
        ow_buf_str(t->out, "  none\n");
    for (size_t i = 0; i < v->n_findings; i++)
        finding_write(t, &v->findings[i]);
    if (v->n_suppressed > 0)
        heading(t, "Held back");
    for (size_t i = 0; i < v->n_suppressed; i++) {
        const struct ow_suppression *s = &v->suppressed[i];

        ow_buf_printf(t->out, "  %s by %s%s", s->rule, s->by, s->resource ? ", " : "");
        safe(t, s->resource);
        ow_buf_char(t->out, '\n');
    }
}

static void cards_write(struct text *t, const struct ow_verdict *v)
{
    if (v->n_cards > 0)
        heading(t, "Cards");
    for (size_t i = 0; i < v->n_cards; i++) {
        const struct ow_card *c = &v->cards[i];

        ow_buf_str(t->out, "  ");
        paint(t, tier_colour(c->indicator));
        ow_buf_printf(t->out, "[%s]", ow_tier_name(c->indicator));
        paint(t, "0");
        ow_buf_char(t->out, ' ');
        safe(t, c->summary);
        ow_buf_char(t->out, '\n');
    }
}

static void notes_write(struct text *t, const struct ow_verdict *v)
{
    if (v->n_notes > 0)
        heading(t, "Notes");
    for (size_t i = 0; i < v->n_notes; i++) {
        ow_buf_str(t->out, "  ");
        safe(t, v->notes[i]);
        ow_buf_char(t->out, '\n');
    }
}

void ow_report_text(const struct ow_verdict *v, bool colour, struct ow_buf *out)
{
    struct text t = { .out = out, .colour = colour, .zone = v->zone };

    head_write(&t, v);
    averages_write(&t, v);
    lines_write(&t, v);
    sedatives_write(&t, v);
    findings_write(&t, v);
    cards_write(&t, v);
    notes_write(&t, v);
    ow_buf_printf(
        out, "\nfactors %s, products %s, tables %.12s, policy %s%s%s%s%s%s%s\n",
        v->table ? v->table : "-", v->products ? v->products : "-",
        v->sha256 ? v->sha256 : "-", v->policy ? v->policy : "-",
        v->policy_version ? " " : "", v->policy_version ? v->policy_version : "",
        v->policy_clinic ? " of " : "", v->policy_clinic ? v->policy_clinic : "",
        v->texts ? ", texts " : "", v->texts ? v->texts : "");
}
