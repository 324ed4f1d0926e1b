#include "daemon/overlay.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/near.h"
#include "base/text.h"
#include "daemon/packs.h"
#include "daemon/tables.h"

enum { DATE_BYTES = 10 };

/* --- items to overlays --- */

struct taking {
    struct ow_snapshot *s;
    struct ow_reporter *to;
    const char *file;
    const struct ow_yaml_item *it;
};

static void fault_at(const struct taking *t, struct ow_yaml_place at, const char *fmt,
                     ...) OW_PRINTF(3, 4);

static void fault_at(const struct taking *t, struct ow_yaml_place at, const char *fmt,
                     ...)
{
    char text[4 * OW_ERR_SIZE];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    ow_reporter_add(t->to, t->file, at.line, at.column, text);
}

static void fault_name(const struct taking *t, const char *what, const char *name,
                       const char *const *known, size_t n)
{
    const char *near = ow_nearest(name, known, n);

    fault_at(t, t->it->key_at, "no %s '%.60s'%s%s%s", what, name,
             near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static struct ow_overlay *overlay_new(struct ow_snapshot *s, const char *clinic)
{
    struct ow_overlay *o = OW_NEW(&s->arena, struct ow_overlay);

    o->clinic = clinic;
    return o;
}

/* That of a clinic, made when there is none yet; the list stays in order of name. */
static struct ow_overlay *overlay_of(struct ow_snapshot *s, const char *clinic)
{
    struct ow_overlay **at = &s->config.clinics, *o;

    while (*at && strcmp((*at)->clinic, clinic) < 0)
        at = &(*at)->next;
    if (*at && ow_streq((*at)->clinic, clinic))
        return *at;
    o = overlay_new(s, clinic);
    o->next = *at;
    *at = o;
    return o;
}

static bool clinic_valid(const char *name)
{
    size_t type = ow_starts_with(name, "Organization/") ? strlen("Organization/")
                  : ow_starts_with(name, "Location/")   ? strlen("Location/")
                                                        : 0;
    size_t n = strlen(name);

    return type > 0 && n > type && n <= type + 64 &&
           strspn(name + type, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                               "0123456789-.") == n - type;
}

static enum ow_rule rule_named(const struct taking *t, const char *name, bool from_too)
{
    const char *names[OW_RULE_N + 1];
    enum ow_rule rule = ow_rule_of(name);

    if (rule != OW_RULE_N)
        return rule;
    for (size_t i = 0; i < OW_RULE_N; i++)
        names[i] = ow_rule_name((enum ow_rule)i);
    names[OW_RULE_N] = "from";
    fault_name(t, "rule", name, names, OW_RULE_N + (size_t)from_too);
    return OW_RULE_N;
}

static void take_date(const struct taking *t, const char **ret)
{
    const char *text = t->it->value;
    struct ow_span day;
    struct ow_err err = { "" };

    if (ow_streq(text, "preset") || ow_streq(text, "")) {
        *ret = NULL;
        return;
    }
    if (strlen(text) != DATE_BYTES || ow_time_parse(text, NULL, &day, &err) != OW_OK)
        fault_at(t, t->it->value_at,
                 "from: expected a day, such as 2026-04-01; found '%.60s'", text);
    else
        *ret = text;
}

static void take_mode(const struct taking *t, struct ow_overlay_rule *r)
{
    r->has_mode = !ow_streq(t->it->value, "preset");
    if (!r->has_mode || ow_mode_parse(t->it->value, &r->mode))
        return;
    r->has_mode = false;
    fault_at(t, t->it->value_at,
             "mode: expected preset, on, shadow or off; found '%.60s'", t->it->value);
}

static void take_excluded(const struct taking *t, struct ow_overlay_rule *r)
{
    struct ow_buf names;

    r->has_excluded = !ow_streq(t->it->value, "preset");
    if (!r->has_excluded || ow_exclusions_parse(t->it->value, &r->excluded))
        return;
    r->has_excluded = false;
    ow_buf_init(&names, 1024);
    for (unsigned i = 0; i < OW_EXCLUDE_N; i++)
        ow_buf_printf(&names, "%s%s", i > 0 ? ", " : "", ow_exclusion_name(1u << i));
    fault_at(t, t->it->value_at,
             "excluded-by: expected preset, none, or a list of names out of %s; found "
             "'%.60s'",
             ow_buf_cstr(&names), t->it->value);
    ow_buf_done(&names);
}

static void take_param(const struct taking *t, struct ow_overlay *o, enum ow_param param)
{
    const struct ow_param_info *info = ow_param_info(param);
    struct ow_config_number *n = &o->params[param];
    char least[OW_RATIO_TEXT], most[OW_RATIO_TEXT];

    n->set = !ow_streq(t->it->value, "preset");
    o->param_places[param] = (struct ow_place){ t->file, t->it->value_at.line,
                                                t->it->value_at.column };
    if (!n->set || ow_param_parse(param, t->it->value, &n->value))
        return;
    n->set = false;
    fault_at(t, t->it->value_at,
             "%s.%s: expected preset, or a decimal number from %s to %s (%s); found "
             "'%.60s'",
             ow_rule_name(info->rule), info->key, ow_ratio_decimal(info->least, least),
             ow_ratio_decimal(info->most, most), info->words, t->it->value);
}

static void unknown_key(const struct taking *t, enum ow_rule rule)
{
    const char *names[OW_PARAM_N + 3] = { "mode", "from", "excluded-by" };
    char what[80];
    size_t n = 3;

    for (size_t i = 0; i < OW_PARAM_N; i++)
        if (ow_param_info((enum ow_param)i)->rule == rule)
            names[n++] = ow_param_info((enum ow_param)i)->key;
    snprintf(what, sizeof what, "setting of %s named", ow_rule_name(rule));
    fault_name(t, what, t->it->key, names, n);
}

/* One setting of one rule. */
static void take_setting(const struct taking *t, struct ow_overlay *o, enum ow_rule rule)
{
    enum ow_param param = ow_param_of(rule, t->it->key);

    if (!t->it->value)
        return; /* said by the reader */
    if (ow_streq(t->it->key, "mode"))
        take_mode(t, &o->rules[rule]);
    else if (ow_streq(t->it->key, "from"))
        take_date(t, &o->rules[rule].from);
    else if (ow_streq(t->it->key, "excluded-by"))
        take_excluded(t, &o->rules[rule]);
    else if (param != OW_PARAM_N)
        take_param(t, o, param);
    else
        unknown_key(t, rule);
}

/* `rules`: rule, setting. */
static void take_rules(const struct taking *t)
{
    const struct ow_yaml_item *it = t->it;
    enum ow_rule rule;

    if (it->depth == 0 && it->key && it->value) /* `rules: {a: b}` */
        (void)(rule_named(t, it->key, false) != OW_RULE_N &&
               (fault_at(t, it->value_at, "%s takes settings such as 'mode: on'",
                         it->key),
                true));
    if (it->depth == 1 && !it->key) /* the rule itself, once for all its settings */
        (void)rule_named(t, it->path[0], false);
    if (it->depth != 1 || !it->key)
        return;
    rule = ow_rule_of(it->path[0]);
    if (rule != OW_RULE_N)
        take_setting(t, t->s->config.overlay, rule);
}

/* `clinics`: clinic, then `from` or a rule with settings. */
static void take_clinics(const struct taking *t)
{
    const struct ow_yaml_item *it = t->it;
    enum ow_rule rule;

    if (it->depth == 0 && it->key && it->value) {
        fault_at(t, it->value_at, "%.60s takes 'from' and rules", it->key);
        return;
    }
    if (it->depth == 0)
        return;
    if (!clinic_valid(it->path[0])) {
        if (it->depth == 1 && !it->key)
            fault_at(t, it->key_at,
                     "expected a reference such as Organization/north or Location/3; "
                     "found '%.60s'",
                     it->path[0]);
        return;
    }
    if (it->depth == 1 && it->key && ow_streq(it->key, "from")) {
        if (it->value)
            take_date(t, &overlay_of(t->s, it->path[0])->from);
        return;
    }
    if (it->depth == 1 && it->key && it->value &&
        rule_named(t, it->key, true) != OW_RULE_N)
        fault_at(t, it->value_at, "%s takes settings such as 'mode: on'", it->key);
    if (it->depth == 2 && !it->key)
        (void)rule_named(t, it->path[1], true);
    if (it->depth != 2 || !it->key)
        return;
    rule = ow_rule_of(it->path[1]);
    if (rule != OW_RULE_N)
        take_setting(t, overlay_of(t->s, it->path[0]), rule);
}

void ow_overlay_take(struct ow_snapshot *s, struct ow_reporter *to, const char *file,
                     const struct ow_yaml_item *it)
{
    struct taking t = { s, to, file, it };

    if (!s->config.overlay)
        s->config.overlay = overlay_new(s, NULL);
    if (ow_streq(it->section, "rules"))
        take_rules(&t);
    else
        take_clinics(&t);
}

/* --- overlays to policies --- */

static void days_resolve(struct ow_overlay *o, const struct ow_zone *zone)
{
    for (size_t i = 0; i < OW_RULE_N; i++) {
        struct ow_overlay_rule *r = &o->rules[i];
        const char *text = r->from ? r->from : o->from;
        struct ow_span day = { OW_TIME_MIN, OW_TIME_MAX };

        if (text)
            (void)!ow_time_parse(text, zone, &day, NULL); /* read before */
        r->at = day.from;
    }
}

static void overlay_apply(const struct ow_overlay *o, ow_time at, struct ow_policy *p)
{
    for (size_t i = 0; i < OW_RULE_N; i++) {
        const struct ow_overlay_rule *r = &o->rules[i];

        if (r->at > at)
            continue;
        if (r->has_mode)
            p->rules[i].mode = r->mode;
        if (r->has_excluded)
            p->rules[i].silenced_by = r->excluded;
    }
    for (size_t i = 0; i < OW_PARAM_N; i++)
        if (o->params[i].set && o->rules[ow_param_info((enum ow_param)i)->rule].at <= at)
            p->params[i] = o->params[i].value;
}

static int by_time(const void *a, const void *b)
{
    ow_time x = *(const ow_time *)a, y = *(const ow_time *)b;

    return (x > y) - (x < y);
}

static size_t days_collect(const struct ow_overlay *o, ow_time *days, size_t n)
{
    for (size_t i = 0; o && i < OW_RULE_N; i++)
        days[n++] = o->rules[i].at;
    return n;
}

static struct ow_place place_of(const struct ow_overlay *o, const struct ow_overlay *all,
                                enum ow_param a, enum ow_param b)
{
    const struct ow_overlay *both[] = { o, all };

    for (size_t i = 0; i < OW_LEN(both); i++) {
        if (both[i] && both[i]->params[b].set)
            return both[i]->param_places[b];
        if (both[i] && both[i]->params[a].set)
            return both[i]->param_places[a];
    }
    return (struct ow_place){ .file = NULL };
}

/* Two numbers of which the second cannot be the smaller one. */
static void check_order(const struct ow_snapshot *s, struct ow_reporter *to,
                        const struct ow_overlay *o, const struct ow_policy *p,
                        enum ow_param low, enum ow_param high)
{
    const struct ow_param_info *a = ow_param_info(low), *b = ow_param_info(high);
    struct ow_place at = place_of(o, s->config.overlay, low, high);
    char x[OW_RATIO_TEXT], y[OW_RATIO_TEXT], text[OW_ERR_SIZE];

    if (ow_ratio_cmp(p->params[high], p->params[low]) >= 0)
        return;
    if (!at.file)
        at = s->places[OW_S_policy_preset]; /* the pack's own doing */
    snprintf(text, sizeof text, "%s.%s (%s) is below %s.%s (%s)", ow_rule_name(b->rule),
             b->key, ow_ratio_decimal(p->params[high], x), ow_rule_name(a->rule), a->key,
             ow_ratio_decimal(p->params[low], y));
    ow_reporter_add(to, at.file ? at.file : "built-in defaults", at.line, at.column,
                    text);
}

/* Policies of everybody (`o` NULL) or of a clinic, one a stretch of time. */
static void stretches_build(struct ow_snapshot *s, struct ow_reporter *to,
                            const struct ow_policy *base, struct ow_overlay *o,
                            struct ow_overlay *keep)
{
    ow_time days[2 * OW_RULE_N + 1] = { OW_TIME_MIN };
    size_t n = days_collect(o, days, days_collect(s->config.overlay, days, 1));
    bool wrong = false;

    qsort(days, n, sizeof *days, by_time);
    keep->stretches = OW_NEW_N(&s->arena, struct ow_policy_stretch, n);
    for (size_t i = 0; i < n; i++) {
        struct ow_policy *p;
        size_t before = to->n;

        if (i > 0 && days[i] == days[i - 1])
            continue;
        p = OW_NEW(&s->arena, struct ow_policy);
        *p = *base;
        p->clinic = keep->clinic;
        overlay_apply(s->config.overlay, days[i], p);
        if (o)
            overlay_apply(o, days[i], p);
        if (!wrong)
            check_order(s, to, o, p, OW_PARAM_MED_THRESHOLD_WARNING,
                        OW_PARAM_MED_THRESHOLD_CRITICAL);
        wrong = wrong || to->n > before;
        p->sha256 = ow_policy_sha256(p, s->config.packs, &s->arena);
        keep->stretches[keep->n_stretches++] = (struct ow_policy_stretch){ days[i], p };
    }
}

void ow_overlay_build(struct ow_snapshot *s, struct ow_reporter *to,
                      const struct ow_policy *base)
{
    struct ow_config *c = &s->config;
    struct ow_zone *zone = NULL;

    if (!c->overlay)
        c->overlay = overlay_new(s, NULL);
    (void)!ow_zone_load(c->site_zone, &zone, NULL); /* reported with the settings */
    days_resolve(c->overlay, zone);
    for (struct ow_overlay *o = c->clinics; o; o = o->next)
        days_resolve(o, zone);
    ow_zone_free(zone);
    stretches_build(s, to, base, NULL, c->overlay);
    for (struct ow_overlay *o = c->clinics; o; o = o->next)
        stretches_build(s, to, base, o, o);
    c->policy = *c->overlay->stretches[0].policy;
}

/* --- the policy in force --- */

static const struct ow_policy *stretch_at(const struct ow_overlay *o, ow_time at)
{
    const struct ow_policy *p = o->stretches[0].policy;

    for (size_t i = 1; i < o->n_stretches && o->stretches[i].from <= at; i++)
        p = o->stretches[i].policy;
    return p;
}

const struct ow_policy *ow_config_policy(const struct ow_config *c, const char *clinic,
                                         ow_time at)
{
    for (const struct ow_overlay *o = clinic ? c->clinics : NULL; o; o = o->next)
        if (ow_streq(o->clinic, clinic))
            return stretch_at(o, at);
    return stretch_at(c->overlay, at);
}

const struct ow_policy *ow_config_policy_for(const struct ow_config *c,
                                             const struct ow_chart *chart, ow_time at)
{
    const struct ow_policy *p = ow_config_policy(c, chart->location, at);

    return p->clinic ? p : ow_config_policy(c, chart->clinic, at);
}
