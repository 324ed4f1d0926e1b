/*
 * The sections rules and clinics as text, with what each number means.
 */
#include <stdio.h>
#include <string.h>

#include "alerts/pack.h"
#include "base/text.h"
#include "daemon/config_print.h"
#include "daemon/overlay.h"

static void print_param(struct ow_buf *out, const struct ow_overlay *o,
                        const struct ow_policy *pack, enum ow_param param,
                        const char *indent, bool help)
{
    const struct ow_param_info *info = ow_param_info(param);
    char a[OW_RATIO_TEXT], b[OW_RATIO_TEXT], c[OW_RATIO_TEXT], text[1024];
    const struct ow_config_number *n = &o->params[param];

    if (!help && !n->set)
        return;
    snprintf(text, sizeof text,
             "%s [%s]. Takes 'preset' (%s), or a number from %s to %s.", info->words,
             info->source, ow_ratio_decimal(pack->params[param], a),
             ow_ratio_decimal(info->least, b), ow_ratio_decimal(info->most, c));
    if (help)
        ow_config_print_comment(out, indent, text);
    ow_buf_printf(out, "%s%s: %s\n", indent, info->key,
                  n->set ? ow_ratio_decimal(n->value, a) : "preset");
}

static void print_exclusions(struct ow_buf *out, unsigned set)
{
    const char *between = "";

    ow_buf_char(out, '[');
    for (unsigned i = 0; i < OW_EXCLUDE_N; i++) {
        if ((set & 1u << i) == 0)
            continue;
        ow_buf_printf(out, "%s%s", between, ow_exclusion_name(1u << i));
        between = ", ";
    }
    ow_buf_char(out, ']');
}

static bool says_anything(const struct ow_overlay *o, enum ow_rule rule)
{
    const struct ow_overlay_rule *r = &o->rules[rule];
    bool any = r->has_mode || r->has_excluded || r->from;

    for (size_t i = 0; i < OW_PARAM_N; i++)
        any = any || (ow_param_info((enum ow_param)i)->rule == rule && o->params[i].set);
    return any;
}

/* With `help` all settings, else those that are not the pack's. */
static void print_rule(struct ow_buf *out, const struct ow_overlay *o,
                       const struct ow_policy *pack, enum ow_rule rule,
                       const char *indent, bool help)
{
    const struct ow_overlay_rule *r = &o->rules[rule];
    char inner[16], text[160];

    snprintf(inner, sizeof inner, "%s  ", indent);
    ow_buf_printf(out, "%s%s:\n", indent, ow_rule_name(rule));
    if (help) {
        snprintf(text, sizeof text, "'preset' is %s.",
                 ow_mode_name(pack->rules[rule].mode));
        ow_config_print_comment(out, inner, text);
    }
    if (help || r->has_mode)
        ow_buf_printf(out, "%smode: %s\n", inner,
                      r->has_mode ? ow_mode_name(r->mode) : "preset");
    if (help || r->from)
        ow_buf_printf(out, "%sfrom: %s\n", inner, r->from ? r->from : "\"\"");
    if (help || r->has_excluded) {
        ow_buf_printf(out, "%sexcluded-by: ", inner);
        if (r->has_excluded)
            print_exclusions(out, r->excluded);
        else
            ow_buf_str(out, "preset");
        ow_buf_char(out, '\n');
    }
    for (size_t i = 0; i < OW_PARAM_N; i++)
        if (ow_param_info((enum ow_param)i)->rule == rule)
            print_param(out, o, pack, (enum ow_param)i, inner, help);
}

static void print_clinics(struct ow_buf *out, const struct ow_config *c,
                          const struct ow_policy *pack)
{
    ow_config_print_comment(
        out, "",
        "Clinics that differ, by the reference of their Organization or Location: the "
        "same settings once more, upon those above, for patients whose encounter is "
        "there. With 'from' a clinic begins on its day, as in a stepped roll-out.");
    ow_config_print_comment(out, "", "");
    ow_buf_str(out, "#   Organization/north:\n#     from: 2026-04-01\n"
                    "#     med-threshold:\n#       mode: on\n#       warning: 40\n"
                    "clinics:\n");
    for (const struct ow_overlay *o = c->clinics; o; o = o->next) {
        ow_buf_printf(out, "  %s:\n", o->clinic);
        if (o->from)
            ow_buf_printf(out, "    from: %s\n", o->from);
        for (size_t i = 0; i < OW_RULE_N; i++)
            if (says_anything(o, (enum ow_rule)i))
                print_rule(out, o, pack, (enum ow_rule)i, "    ", false);
    }
}

void ow_overlay_print(const struct ow_config *c, struct ow_buf *out)
{
    struct ow_policy pack;
    struct ow_buf text;

    ow_pack_policy(c->packs, &pack);
    ow_buf_init(&text, 4096);
    ow_buf_str(&text, "Rules: what differs from the rule pack; 'preset' keeps what the "
                      "pack says. mode is on, shadow (judged and recorded, and nobody is "
                      "told) or off. from is the day from which all of that rule's "
                      "settings hold; empty: always. excluded-by lists what silences the "
                      "rule:");
    for (unsigned i = 0; i < OW_EXCLUDE_N; i++)
        ow_buf_printf(&text, "%s %s", i ? "," : "", ow_exclusion_name(1u << i));
    ow_buf_str(&text, "; [] is nothing.");
    ow_buf_char(out, '\n');
    ow_config_print_comment(out, "", ow_buf_cstr(&text));
    ow_buf_done(&text);
    ow_buf_str(out, "rules:\n");
    for (size_t i = 0; i < OW_RULE_N; i++) {
        if (i > 0)
            ow_buf_char(out, '\n');
        print_rule(out, c->overlay, &pack, (enum ow_rule)i, "  ", true);
    }
    ow_buf_char(out, '\n');
    print_clinics(out, c, &pack);
}
