#include "tests/support/build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "daemon/packs.h"
#include "daemon/tables.h"

_Noreturn static void die(const char *what)
{
    fprintf(stderr, "build: %s\n", what);
    abort();
}

/* ---- tables ---- */

static struct ow_knowledge_file read_file(const char *name)
{
    char path[256];
    struct ow_knowledge_file ret = { .name = name };
    FILE *f;
    char *data;
    long n = 0;

    (void)snprintf(path, sizeof path, "%s/conf/knowledge/%s",
                   getenv("OW_SOURCE_DIR") != NULL ? getenv("OW_SOURCE_DIR") : ".", name);
    f = fopen(path, "rb");
    if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (n = ftell(f)) < 0)
        die(path);
    rewind(f);
    data = ow_alloc((size_t)n + 1);
    ret.len = fread(data, 1, (size_t)n, f);
    data[ret.len] = '\0';
    ret.data = data;
    fclose(f);
    return ret;
}

static void on_report(void *arg, const char *file, unsigned line, unsigned column,
                      const char *text)
{
    (void)arg;
    fprintf(stderr, "%s:%u:%u: %s\n", file, line, column, text);
}

const struct ow_knowledge *build_knowledge(void)
{
    static struct ow_knowledge *kb;
    static struct ow_knowledge_files files;
    struct ow_err err;

    if (kb != NULL)
        return kb;
    files = (struct ow_knowledge_files){
        .factors = read_file("mme_factors.tsv"),
        .products = read_file("opioid_products.tsv"),
        .sedatives = read_file("sedatives.tsv"),
        .valuesets = read_file("valuesets.tsv"),
        .timing_codes = read_file("timing_codes.tsv"),
        .ndc = read_file("ndc.tsv"),
        .local_codes = read_file("local_codes.tsv"),
        .max_doses = read_file("max_doses.tsv"),
        .preferred_drugs = read_file("preferred_drugs.tsv"),
        .version = "2025-02",
        .sha256 = "00",
    };
    if (ow_knowledge_load(&files, on_report, NULL, &kb, &err) != OW_OK)
        die(err.text);
    return kb;
}

/* ---- charts ---- */

struct ow_span build_time(const char *text)
{
    struct ow_span ret;
    struct ow_err err;

    if (ow_time_parse(text, NULL, &ret, &err) != OW_OK)
        die(err.text);
    return ret;
}

struct ow_ratio build_ratio(const char *text)
{
    struct ow_ratio ret;

    if (!ow_ratio_parse(text, strlen(text), &ret))
        die(text);
    return ret;
}

/* Of dose and doubt: what most tests are about. Others turn on what they ask. */
static const char *const core_rules[] = { "med-threshold",   "sedative-coprescribing",
                                          "unreadable-dose", "unknown-drug",
                                          "stale-order",     "supply-mismatch" };

void build_init(struct build *b)
{
    memset(b, 0, sizeof *b);
    ow_arena_init(&b->arena, (size_t)64 << 20);
    b->orders = OW_NEW_N(&b->arena, struct ow_order, BUILD_ORDERS);
    b->chart.orders = b->orders;
    b->chart.patient.reference = "Patient/p1";
    b->q.knowledge = build_knowledge();
    build_preset(b, "cdc-2022");
    build_policy_core(&b->policy);
    build_at(b, "2026-03-02T08:00:00Z");
}

static void policy_rules(struct ow_policy *policy, const char *const *names, size_t n)
{
    for (size_t i = 0; i < OW_RULE_N; i++) {
        enum ow_mode mode = OW_MODE_OFF;

        for (size_t k = 0; k < n; k++)
            if (ow_streq(names[k], ow_rule_name((enum ow_rule)i)))
                mode = OW_MODE_ON;
        policy->rules[i].mode = mode;
    }
}

void build_rules(struct build *b, const char *const *names, size_t n)
{
    policy_rules(&b->policy, names, n);
}

void build_policy_core(struct ow_policy *policy)
{
    policy_rules(policy, core_rules, OW_LEN(core_rules));
}

void build_done(struct build *b)
{
    ow_arena_done(&b->arena);
}

void build_preset(struct build *b, const char *name)
{
    const struct ow_pack_chain *chain;
    struct ow_pack_folders folders = { .own = "" };

    ow_shared_folder("policies", folders.shared, sizeof folders.shared);
    if (ow_streq(name, "cdc-2022")) /* a pack that is the defaults, says test_policy */
        ow_policy_default(&b->policy);
    else if (ow_pack_load(&folders, name, &b->arena, NULL, NULL, &chain) == OW_OK)
        ow_pack_policy(chain, &b->policy);
    else
        die(name);
    b->q.policy = &b->policy;
}

void build_at(struct build *b, const char *instant)
{
    b->q.at = build_time(instant).from;
}

struct ow_concept build_concept(struct build *b, const char *system, const char *code,
                                const char *display)
{
    struct ow_coding *c = OW_NEW(&b->arena, struct ow_coding);
    struct ow_concept ret = { .codings = c, .n_codings = 1 };

    *c = (struct ow_coding){ system, code, display };
    return ret;
}

struct ow_order *build_order(struct build *b, const char *id, const char *rxcui)
{
    struct ow_order *o = &b->orders[b->chart.n_orders];

    if (b->chart.n_orders == BUILD_ORDERS)
        die("too many orders");
    b->chart.n_orders++;
    o->id = ow_arena_strdup(&b->arena, id);
    o->reference = ow_arena_printf(&b->arena, "MedicationRequest/%s", id);
    o->status = OW_STATUS_ACTIVE;
    o->intent = OW_INTENT_ORDER;
    o->has_authored = true;
    o->authored = build_time("2026-03-01");
    if (rxcui != NULL)
        o->medication.code =
            build_concept(b, OW_SYSTEM_RXNORM, rxcui,
                          ow_streq(rxcui, RX_LISINOPRIL) ? "lisinopril 10 MG" : NULL);
    return o;
}

struct ow_dosage *build_dose(struct build *b, struct ow_order *o, const char *value,
                             const char *unit, int per_day)
{
    struct ow_dosage *all = OW_NEW_N(&b->arena, struct ow_dosage, o->n_dosages + 1);
    struct ow_dose_rate *rate = OW_NEW(&b->arena, struct ow_dose_rate);
    struct ow_dosage *d = &all[o->n_dosages];

    if (o->n_dosages > 0)
        memcpy(all, o->dosages, o->n_dosages * sizeof *all);
    rate->has_dose = true;
    rate->dose = (struct ow_quantity){ .has_value = true,
                                       .value = build_ratio(value),
                                       .unit = unit };
    d->doses = rate;
    d->n_doses = 1;
    d->has_timing = true;
    d->timing.has_repeat = true;
    d->timing.frequency = (struct ow_number){ true, OW_RATIO(per_day, 1) };
    d->timing.period = (struct ow_number){ true, OW_RATIO(1, 1) };
    d->timing.period_unit = "d";
    o->dosages = all;
    o->n_dosages++;
    return d;
}

void build_supply(struct ow_order *o, const char *quantity, int days)
{
    o->supply_quantity = (struct ow_quantity){ .has_value = true,
                                               .value = build_ratio(quantity) };
    o->supply_duration = (struct ow_quantity){
        .has_value = true, .value = OW_RATIO(days, 1), .unit = "d", .code = "d"
    };
}

void build_draft(struct build *b, struct ow_order *o)
{
    o->status = OW_STATUS_DRAFT;
    o->is_draft = true;
    o->selected = true;
    if (b->chart.hook == OW_HOOK_NONE)
        b->chart.hook = OW_HOOK_ORDER_SIGN;
}

/* ---- judging ---- */

const struct ow_verdict *build_judge(struct build *b)
{
    const struct ow_verdict *ret = NULL;
    struct ow_err err;

    if (ow_evaluate(&b->chart, &b->q, &b->arena, &ret, &err) != OW_OK)
        die(err.text);
    return ret;
}

const struct ow_line *build_line(const struct ow_verdict *v, const char *id)
{
    for (size_t i = 0; i < v->n_lines; i++)
        if (ow_streq(v->lines[i].order->id, id))
            return &v->lines[i];
    die(id);
}

const struct ow_finding *build_finding(const struct ow_verdict *v, const char *rule)
{
    for (size_t i = 0; i < v->n_findings; i++)
        if (ow_streq(v->findings[i].rule, rule))
            return &v->findings[i];
    return NULL;
}
