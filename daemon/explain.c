/*
 * explain: why a rule fired and another did not
 *
 * Reads a verdict as `evaluate` prints it and the daemon keeps it, of the store beside a
 * running daemon or of a file judged here and now, and tells of every rule what became of
 * it: a card, a line, held back and by what, nothing, or off; with the orders, the
 * arithmetic and the facts that the rules asked for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jw.h"
#include "base/text.h"
#include "daemon/command.h"
#include "daemon/config.h"
#include "daemon/store_record.h"
#include "fhir/json.h"

enum { OUT_MAX = 1 << 30 };

struct explaining {
    struct ow_evaluate_asked asked;
    const char *what, *rule;
    bool json;
    struct ow_policy policy;
    struct ow_stored record; /* of the store; zero offline */
    struct ow_arena arena;
    struct ow_buf out;
};

static int usage(void)
{
    fputs("usage: opiward explain [--config FILE] [--rule NAME] [--json] "
          "ALERT|CARD|PATIENT\n"
          "       opiward explain [--config FILE] [--rule NAME] [--json] [--at INSTANT]\n"
          "                       [--preset NAME] [--hook NAME] --bundle FILE\n",
          stderr);
    return OW_EXIT_USAGE;
}

/* --- what became of a rule --- */

static bool is_of(const cJSON *o, const char *rule)
{
    return ow_streq(ow_json_string(o, "rule"), rule);
}

static const cJSON *find(const cJSON *list, const char *rule)
{
    const cJSON *c;

    cJSON_ArrayForEach(c, list)
    {
        if (is_of(c, rule))
            return c;
    }
    return NULL;
}

static const char *held_by(const cJSON *v, const char *rule)
{
    return ow_json_string(find(ow_json_array(v, "suppressed"), rule), "by");
}

static bool leads(const cJSON *v, const char *rule)
{
    const cJSON *cards = ow_json_array(v, "cards"), *c;

    cJSON_ArrayForEach(c, cards)
    {
        const cJSON *topic = ow_json_object(ow_json_object(c, "source"), "topic");

        if (ow_streq(ow_json_string(topic, "code"), rule))
            return true;
    }
    return false;
}

static const char *outcome_of(const struct explaining *x, const cJSON *v, enum ow_rule r)
{
    const char *name = ow_rule_name(r);
    const char *by = held_by(v, name);

    if (find(ow_json_array(v, "findings"), name))
        return leads(v, name) ? "card" : ow_streq(by, "shadow") ? "shadow" : "line";
    if (by)
        return "held-back";
    return x->policy.rules[r].mode == OW_MODE_OFF ? "off" : "not-fired";
}

/* --- JSON --- */

static void json_numbers(const struct explaining *x, struct ow_jw *w, enum ow_rule r)
{
    ow_jw_kobject(w, "numbers");
    for (unsigned i = 0; i < OW_PARAM_N; i++) {
        const struct ow_param_info *p = ow_param_info((enum ow_param)i);

        if (p->rule == r)
            ow_jw_kratio(w, p->key, x->policy.params[i], 6);
    }
    ow_jw_end(w);
}

static void json_rule(struct explaining *x, struct ow_jw *w, const cJSON *v,
                      enum ow_rule r)
{
    const char *lists[] = { "findings", "suppressed" };
    const char *name = ow_rule_name(r);

    ow_jw_object(w);
    ow_jw_kstring(w, "rule", name);
    ow_jw_kstring(w, "outcome", outcome_of(x, v, r));
    for (size_t i = 0; i < OW_LEN(lists); i++) {
        const cJSON *list = ow_json_array(v, lists[i]), *c;

        ow_jw_karray(w, lists[i]);
        cJSON_ArrayForEach(c, list)
        {
            char *text;

            if (!is_of(c, name))
                continue;
            text = cJSON_PrintUnformatted(c);
            ow_jw_raw(w, text, strlen(text));
            cJSON_free(text);
        }
        ow_jw_end(w);
    }
    json_numbers(x, w, r);
    ow_jw_karray(w, "silencedBy");
    for (unsigned i = 0; i < OW_EXCLUDE_N; i++)
        if (x->policy.rules[r].silenced_by & 1u << i)
            ow_jw_string(w, ow_exclusion_name(1u << i));
    ow_jw_end(w);
    ow_jw_end(w);
}

/* `text`: the verdict as it is kept, every digit of it. */
static void print_json(struct explaining *x, const cJSON *v, const char *text, size_t n)
{
    struct ow_jw w;

    ow_jw_init(&w, &x->out);
    ow_jw_object(&w);
    ow_jw_kstring_opt(&w, "patient", ow_json_string(v, "patient"));
    ow_jw_kstring_opt(&w, "source", x->record.source);
    ow_jw_kstring_opt(&w, "asked", x->record.rule);
    ow_jw_kstring_opt(&w, "state", x->record.state);
    ow_jw_kstring_opt(&w, "answer", x->record.outcome);
    ow_jw_kstring_opt(&w, "answerCode", x->record.answer_code);
    ow_jw_karray(&w, "rules");
    for (unsigned r = 0; r < OW_RULE_N; r++)
        if (!x->rule || ow_streq(x->rule, ow_rule_name((enum ow_rule)r)))
            json_rule(x, &w, v, (enum ow_rule)r);
    ow_jw_end(&w);
    ow_jw_key(&w, "verdict");
    ow_jw_raw(&w, text, n);
    ow_jw_end(&w);
    ow_buf_char(&x->out, '\n');
}

/* --- text --- */

static const char *number(struct explaining *x, const cJSON *o, const char *key)
{
    struct ow_ratio v;
    char text[OW_RATIO_TEXT];

    if (!ow_json_ratio(o, key, &v))
        return NULL;
    return ow_arena_strdup(&x->arena, ow_ratio_format(v, 2, text));
}

static void text_list(struct explaining *x, const char *before, const cJSON *list,
                      const char *after)
{
    const cJSON *c;
    bool any = false;

    cJSON_ArrayForEach(c, list)
    {
        if (!cJSON_IsString(c))
            continue;
        ow_buf_printf(&x->out, "%s%s", any ? ", " : before, c->valuestring);
        any = true;
    }
    if (any)
        ow_buf_str(&x->out, after);
}

static void text_head(struct explaining *x, const cJSON *v)
{
    const cJSON *med = ow_json_object(v, "med");
    const cJSON *knowledge = ow_json_object(v, "knowledge");
    const char *now = number(x, med, "now"), *peak = number(x, med, "peak");
    const char *hook = ow_json_string(v, "hook");
    bool least = false;

    (void)!ow_json_bool(med, "atLeast", &least);
    ow_buf_printf(&x->out, "%s, judged at %s for %s\n", ow_json_string(v, "patient"),
                  ow_json_string(v, "at"), hook ? hook : "an event");
    if (x->record.source)
        ow_buf_printf(&x->out, "  asked by %s\n", x->record.source);
    if (x->record.state)
        ow_buf_printf(&x->out, "  the alert %s is %s\n", x->record.rule, x->record.state);
    if (x->record.outcome)
        ow_buf_printf(&x->out, "  the card was %s%s%s\n", x->record.outcome,
                      x->record.answer_code ? ": " : "",
                      x->record.answer_code ? x->record.answer_code : "");
    ow_buf_printf(&x->out, "  factors %s, products %s\n",
                  ow_json_string(knowledge, "factors"),
                  ow_json_string(knowledge, "products"));
    if (!now && !peak)
        ow_buf_str(&x->out, "\nDose: nothing was counted\n");
    if (now)
        ow_buf_printf(
            &x->out, "\nDose now: %s%s\n", least ? "at least " : "",
            ow_json_string(med, "derivation") ? ow_json_string(med, "derivation") : now);
    if (peak && !ow_streq(now, peak))
        ow_buf_printf(&x->out, "%sDose at its peak, %s: %s\n", now ? "" : "\n",
                      ow_json_string(med, "peakAt"),
                      ow_json_string(med, "peakDerivation")
                          ? ow_json_string(med, "peakDerivation")
                          : peak);
    if (least)
        ow_buf_str(&x->out, "Some of it could not be had: the dose is a lower bound\n");
}

static void text_orders(struct explaining *x, const cJSON *v)
{
    const cJSON *orders = ow_json_array(v, "orders"), *o;
    bool any = false;

    cJSON_ArrayForEach(o, orders)
    {
        const char *how = ow_json_string(o, "derivation");
        const char *why = ow_json_string(o, "reason");

        ow_buf_printf(&x->out, "%s  %s, %s: %s", any ? "" : "\nOrders\n",
                      ow_json_string(o, "reference") ? ow_json_string(o, "reference")
                                                     : "?",
                      ow_json_string(o, "role"), ow_json_string(o, "drug"));
        if (how)
            ow_buf_printf(&x->out, "; %s (%s)", how, ow_json_string(o, "table"));
        if (why)
            ow_buf_printf(&x->out, "; %s", why);
        text_list(x, "; ", ow_json_array(o, "flags"), "");
        ow_buf_char(&x->out, '\n');
        any = true;
    }
}

static void text_facts(struct explaining *x, const cJSON *v)
{
    const cJSON *facts = ow_json_array(v, "facts"), *f;
    bool any = false;

    cJSON_ArrayForEach(f, facts)
    {
        bool value = false;
        bool known = ow_json_bool(f, "value", &value);

        ow_buf_printf(&x->out, "%s  %s: %s", any ? "" : "\nFacts\n",
                      ow_json_string(f, "name"),
                      !known  ? "undecided"
                      : value ? "yes"
                              : "no");
        text_list(x, " (", ow_json_array(f, "evidence"), ")");
        ow_buf_char(&x->out, '\n');
        any = true;
    }
}

static void text_sedatives(struct explaining *x, const cJSON *v)
{
    const cJSON *list = ow_json_array(v, "sedatives"), *s;
    bool any = false;

    cJSON_ArrayForEach(s, list)
    {
        ow_buf_printf(&x->out, "%s  %s (%s): %s, %s days beside an opioid\n",
                      any ? "" : "\nSedatives\n", ow_json_string(s, "drug"),
                      ow_json_string(s, "reference"), ow_json_string(s, "class"),
                      number(x, s, "overlapDays"));
        any = true;
    }
}

static void text_numbers(struct explaining *x, enum ow_rule r)
{
    bool any = false;
    char text[OW_RATIO_TEXT];

    for (unsigned i = 0; i < OW_PARAM_N; i++) {
        const struct ow_param_info *p = ow_param_info((enum ow_param)i);

        if (p->rule != r)
            continue;
        ow_buf_printf(&x->out, "%s%s %s", any ? ", " : "      numbers: ", p->key,
                      ow_ratio_format(x->policy.params[i], 6, text));
        any = true;
    }
    if (any)
        ow_buf_char(&x->out, '\n');
}

static void text_rule(struct explaining *x, const cJSON *v, enum ow_rule r)
{
    static const struct {
        const char *outcome, *words;
    } words[] = {
        {"card",       "fired, and leads a card"                  },
        { "line",      "fired, and is a line beside others"       },
        { "shadow",    "fired in shadow: recorded, nobody told"   },
        { "held-back", "would have fired, and was held back"      },
        { "not-fired", "did not fire: nothing in the chart met it"},
        { "off",       "is off"                                   },
    };
    const char *name = ow_rule_name(r), *outcome = outcome_of(x, v, r);
    const cJSON *list = ow_json_array(v, "findings"), *c;

    for (size_t i = 0; i < OW_LEN(words); i++)
        if (ow_streq(words[i].outcome, outcome))
            ow_buf_printf(&x->out, "  %s %s\n", name, words[i].words);
    cJSON_ArrayForEach(c, list)
    {
        if (!is_of(c, name))
            continue;
        ow_buf_printf(&x->out, "      %s: %s", ow_json_string(c, "tier"),
                      ow_json_string(c, "reason"));
        text_list(x, " [", ow_json_array(c, "sources"), "]");
        ow_buf_char(&x->out, '\n');
    }
    list = ow_json_array(v, "suppressed");
    cJSON_ArrayForEach(c, list)
    {
        const char *resource = ow_json_string(c, "resource");

        if (is_of(c, name))
            ow_buf_printf(&x->out, "      by %s%s%s\n", ow_json_string(c, "by"),
                          resource ? ", " : "", resource ? resource : "");
    }
    if (!ow_streq(outcome, "off"))
        text_numbers(x, r);
}

static void print_text(struct explaining *x, const cJSON *v)
{
    text_head(x, v);
    text_orders(x, v);
    text_sedatives(x, v);
    text_facts(x, v);
    ow_buf_str(&x->out, "\nRules, by the policy now in force\n");
    for (unsigned r = 0; r < OW_RULE_N; r++)
        if (!x->rule || ow_streq(x->rule, ow_rule_name((enum ow_rule)r)))
            text_rule(x, v, (enum ow_rule)r);
}

/* --- the two ways in --- */

static int explain_reports(struct explaining *x, const char *text, size_t len)
{
    for (const char *at = text; at < text + len;) {
        const char *end = memchr(at, '\n', (size_t)(text + len - at));
        size_t n = end ? (size_t)(end - at) : (size_t)(text + len - at);
        const cJSON *v;
        struct ow_err err = { "" };

        if (ow_json_parse(at, n, NULL, &x->arena, &v, &err) != OW_OK) {
            fprintf(stderr, "opiward explain: the record: %s\n", err.text);
            return OW_EXIT_DATA;
        }
        if (x->json)
            print_json(x, v, at, n);
        else
            print_text(x, v);
        at += n + 1;
    }
    return OW_EXIT_OK;
}

static void on_error(void *arg, const char *file, unsigned line, unsigned column,
                     const char *text)
{
    (void)arg;
    fprintf(stderr, "%s:%u:%u: %s\n", file, line, column, text);
}

static int status_of(enum ow_code code)
{
    return code == OW_INPUT    ? OW_EXIT_USAGE
           : code == OW_CONFIG ? OW_EXIT_UNAVAILABLE
           : code == OW_AGAIN  ? OW_EXIT_AGAIN
                               : OW_EXIT_DATA;
}

static int explain_stored(struct explaining *x)
{
    const char *state = getenv("STATE_DIRECTORY");
    const struct ow_config *config;
    struct ow_err err = { "" };
    enum ow_code code;

    if (ow_config_load(x->asked.config_file, on_error, NULL, &config) != OW_OK)
        return OW_EXIT_CONFIG;
    x->policy = config->policy;
    code = ow_store_record(state && *state ? state : config->store_directory, x->what,
                           &x->arena, &x->record, &err);
    ow_config_unref(config);
    if (code != OW_OK) {
        fprintf(stderr, "opiward explain: %s\n", err.text);
        return status_of(code);
    }
    return explain_reports(x, x->record.body, x->record.len);
}

static int explain_file(struct explaining *x)
{
    struct ow_buf report;
    int status;

    ow_buf_init(&report, OUT_MAX);
    status = ow_evaluate_report(&x->asked, &report, &x->policy);
    if (status == OW_EXIT_OK)
        status = explain_reports(x, ow_buf_cstr(&report), report.len);
    ow_buf_done(&report);
    return status;
}

static bool options(struct explaining *x, int argc, char **argv)
{
    const struct {
        const char *name;
        const char **value;
    } values[] = {
        {"--config",  &x->asked.config_file},
        { "--preset", &x->asked.preset     },
        { "--at",     &x->asked.at         },
        { "--hook",   &x->asked.hook       },
        { "--bundle", &x->asked.file       },
        { "--rule",   &x->rule             },
    };

    for (int i = 0; i < argc; i++) {
        size_t k = 0;

        while (k < OW_LEN(values) && !ow_streq(argv[i], values[k].name))
            k++;
        if (k < OW_LEN(values) && i + 1 < argc)
            *values[k].value = argv[++i];
        else if (ow_streq(argv[i], "--json"))
            x->json = true;
        else if (argv[i][0] != '-' && !x->what)
            x->what = argv[i];
        else
            return false;
    }
    return (x->what != NULL) != (x->asked.file != NULL);
}

int ow_explain_main(int argc, char **argv)
{
    struct explaining x = { .asked = { .config_file = ow_config_default_file() } };
    int status;

    if (!options(&x, argc, argv))
        return usage();
    if (x.rule && ow_rule_of(x.rule) == OW_RULE_N) {
        fprintf(stderr, "opiward explain: no rule '%s'\n", x.rule);
        return OW_EXIT_USAGE;
    }
    ow_arena_init(&x.arena, SIZE_MAX);
    ow_buf_init(&x.out, OUT_MAX);
    status = x.what ? explain_stored(&x) : explain_file(&x);
    if (status == OW_EXIT_OK &&
        (fwrite(ow_buf_cstr(&x.out), 1, x.out.len, stdout) != x.out.len ||
         fflush(stdout) != 0))
        status = OW_EXIT_IO;
    ow_buf_done(&x.out);
    ow_arena_done(&x.arena);
    return status;
}
