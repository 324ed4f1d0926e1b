/*
 * Policy: rule packs, what they make of the table of rules, and every fault in one
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cJSON.h>
#include <cmocka.h>

#include "base/text.h"
#include "daemon/cases.h"
#include "daemon/files.h"
#include "daemon/packs.h"
#include "daemon/source_attributes.h"
#include "daemon/tables.h"
#include "tests/support/build.h"

struct room {
    struct ow_arena arena;
    struct ow_buf errors;
    struct ow_pack_folders folders;
    char own[64]; /* a folder of the site's, made when a pack is put there */
};

static int room_make(void **state)
{
    struct room *r = ow_alloc_zero(sizeof *r);
    char template[] = "/tmp/opiward-packs-XXXXXX";

    ow_arena_init(&r->arena, SIZE_MAX);
    ow_buf_init(&r->errors, 1 << 20);
    assert_non_null(mkdtemp(template));
    ow_copy(r->own, sizeof r->own, template);
    ow_copy(r->folders.own, sizeof r->folders.own, template);
    ow_shared_folder("policies", r->folders.shared, sizeof r->folders.shared);
    *state = r;
    return 0;
}

static int room_remove(void **state)
{
    struct room *r = *state;
    char command[128];

    snprintf(command, sizeof command, "rm -r '%s'", r->own);
    assert_int_equal(system(command), 0);
    ow_arena_done(&r->arena);
    ow_buf_done(&r->errors);
    free(r);
    return 0;
}

/* Errors as file:line:column: text, files by their last part. */
static void on_error(void *arg, const char *file, unsigned line, unsigned column,
                     const char *text)
{
    const char *slash = strrchr(file, '/');

    ow_buf_printf(arg, "%s:%u:%u: %s\n", slash ? slash + 1 : file, line, column, text);
}

#define HEAD      "rule\tsetting\tvalue\tsource\tnote\n"
#define NAMED(nm) HEAD "pack\tname\t" nm "\ts\t\npack\tversion\t1\ts\t\n"

static bool parse(struct room *r, const char *text, struct ow_pack *ret)
{
    struct ow_knowledge_file file = { "p.tsv", text, strlen(text) };

    ow_buf_reset(&r->errors);
    return ow_pack_parse(&r->arena, &file, on_error, &r->errors, ret);
}

static void put_in(const struct room *r, const char *name, const char *text)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", r->own, name);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void put(const struct room *r, const char *name, const char *text)
{
    char file[64];

    snprintf(file, sizeof file, "%s.tsv", name);
    put_in(r, file, text);
}

static const struct ow_pack_chain *load(struct room *r, const char *name)
{
    const struct ow_pack_chain *chain = NULL;

    ow_buf_reset(&r->errors);
    if (ow_pack_load(&r->folders, name, &r->arena, on_error, &r->errors, &chain) != OW_OK)
        assert_true(r->errors.len > 0);
    return chain;
}

static const char *printed(struct room *r, const struct ow_policy *p,
                           const struct ow_pack_chain *chain)
{
    struct ow_buf b;
    const char *text;

    ow_buf_init(&b, 1 << 20);
    ow_pack_print(p, chain, &b);
    text = ow_arena_strdup(&r->arena, ow_buf_cstr(&b));
    ow_buf_done(&b);
    return text;
}

/* --- the shipped packs --- */

static void the_pack_of_cdc_2022_says_what_the_table_of_rules_says(void **state)
{
    struct room *r = *state;
    struct ow_policy table;
    char *shipped;
    size_t len;

    ow_policy_default(&table);
    assert_int_equal(
        ow_file_read("conf/policies/cdc-2022.tsv", OW_PACK_BYTES, &shipped, &len, NULL),
        OW_OK);
    if (!ow_streq(shipped, printed(r, &table, NULL)))
        fail_msg("conf/policies/cdc-2022.tsv and alerts/rules.def differ: mend one of "
                 "them, or run tests/regenerate BUILD_DIR where the table has grown");
    free(shipped);
}

static void every_shipped_pack_loads_and_keeps_its_thresholds_in_order(void **state)
{
    struct room *r = *state;
    const char *const *names;
    size_t n;

    n = ow_pack_names(&r->folders, &r->arena, &names);
    assert_int_equal(n, 7);
    for (size_t i = 0; i < n; i++) {
        const struct ow_pack_chain *chain = load(r, names[i]);
        struct ow_policy p;

        if (!chain)
            fail_msg("%s", ow_buf_cstr(&r->errors));
        ow_pack_policy(chain, &p);
        assert_string_equal(p.name, names[i]);
        assert_true(ow_ratio_cmp(p.params[OW_PARAM_MED_THRESHOLD_WARNING],
                                 p.params[OW_PARAM_MED_THRESHOLD_CRITICAL]) <= 0);
    }
}

static void presets_are_what_their_names_say(void **state)
{
    static const struct {
        const char *name;
        enum ow_table table;
        enum ow_edition edition;
        int warning, critical;
    } expected[] = {
        {"cdc-2022",               OW_TABLE_CDC_2022, OW_EDITION_OURS,           50,  90 },
        { "cdc-2016",              OW_TABLE_CDC_2016, OW_EDITION_OURS,           50,  90 },
        { "wa-120",                OW_TABLE_CDC_2022, OW_EDITION_OURS,           120, 120},
        { "ppact",                 OW_TABLE_CDC_2022, OW_EDITION_OURS,           50,  120},
        { "kaiser-like",           OW_TABLE_CDC_2022, OW_EDITION_OURS,           50,  90 },
        { "cdc-2022-as-published", OW_TABLE_CDC_2022, OW_EDITION_PUBLISHED_2022, 50,  90 },
        { "cdc-2016-as-published", OW_TABLE_CDC_2016, OW_EDITION_PUBLISHED_2016, 50,  90 },
    };
    struct room *r = *state;

    for (size_t i = 0; i < OW_LEN(expected); i++) {
        const struct ow_pack_chain *chain = load(r, expected[i].name);
        struct ow_policy p;

        assert_non_null(chain);
        ow_pack_policy(chain, &p);
        assert_int_equal(p.table, expected[i].table);
        assert_int_equal(p.edition, expected[i].edition);
        assert_int_equal(ow_ratio_cmp(p.params[OW_PARAM_MED_THRESHOLD_WARNING],
                                      OW_RATIO(expected[i].warning, 1)),
                         0);
        assert_int_equal(ow_ratio_cmp(p.params[OW_PARAM_MED_THRESHOLD_CRITICAL],
                                      OW_RATIO(expected[i].critical, 1)),
                         0);
    }
}

/* Is each of the keys in `sources` described in SOURCES.md? One key may have blanks in
 * it, and a range of recommendations stands in one line. */
static void assert_sources(const char *sources, const char *described, const char *where)
{
    char key[256], list[256];

    snprintf(key, sizeof key, "`%s`", sources);
    if (strstr(described, key))
        return;
    ow_copy(list, sizeof list, sources);
    for (char *at = list, *one; (one = strsep(&at, ","));) {
        bool cdc;

        one += strspn(one, " ");
        cdc = ow_starts_with(one, "CDC-2022-R") || ow_starts_with(one, "CDC-2016-R");

        snprintf(key, sizeof key, "`%.*s%s", cdc ? 10 : 80, one, cdc ? "1`" : "`");
        if (!strstr(described, key))
            fail_msg("%s: conf/SOURCES.md has no key '%s'", where, one);
    }
}

static void every_source_of_a_shipped_pack_is_described(void **state)
{
    struct room *r = *state;
    const char *const *names;
    char *described;
    size_t len, n = ow_pack_names(&r->folders, &r->arena, &names);

    assert_int_equal(ow_file_read("conf/SOURCES.md", 1 << 20, &described, &len, NULL),
                     OW_OK);
    for (size_t i = 0; i < n; i++) {
        const struct ow_pack_chain *chain = load(r, names[i]);
        const struct ow_pack *p = chain->packs[chain->n - 1];

        for (size_t k = 0; k < p->n_rows; k++)
            assert_sources(p->rows[k].source, described, p->name);
    }
    for (size_t i = 0; i < OW_PARAM_N; i++)
        assert_sources(ow_param_info((enum ow_param)i)->source, described, "rules.def");
    free(described);
}

static void every_rule_says_what_it_is_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < OW_RULE_N; i++) {
        const struct ow_rule_use *use = ow_rule_use((enum ow_rule)i);

        assert_non_null(use->sources);
        assert_true(use->sources[0] != '\0' && use->intended[0] != '\0');
    }
}

/* --- packs upon packs --- */

static void a_pack_says_only_what_it_changes(void **state)
{
    struct room *r = *state;
    const struct ow_pack_chain *chain;
    struct ow_policy p, was;

    put(r, "ours",
        NAMED("ours") "pack\textends\twa-120\ts\t\n"
                      "pack\tstale-days\t30\ts\t\npack\tcount-stale\tno\ts\t\n"
                      "pack\tolder-factor\tolder-factor\ts\t\n"
                      "pack\tmismatch-share\t0.125\ts\t\n"
                      "med-threshold\twarning\t100.5\tboard\tfrom last June\n"
                      "pdmp-due\tmode\tshadow\tboard\t\n"
                      "pdmp-due\texcluded-by\tsickle-cell, end-of-life\tboard\t\n"
                      "uds-due\texcluded-by\tnone\tboard\t\n");
    chain = load(r, "ours");
    assert_string_equal(ow_buf_cstr(&r->errors), "");
    assert_non_null(chain);
    assert_int_equal(chain->n, 3);
    ow_policy_default(&was);
    ow_pack_policy(chain, &p);
    assert_string_equal(p.name, "ours");
    assert_int_equal(p.stale_days, 30);
    assert_false(p.count_stale);
    assert_true(p.older_factor);
    assert_int_equal(ow_ratio_cmp(p.mismatch_share, OW_RATIO(1, 8)), 0);
    assert_int_equal(
        ow_ratio_cmp(p.params[OW_PARAM_MED_THRESHOLD_WARNING], OW_RATIO(201, 2)), 0);
    assert_int_equal(
        ow_ratio_cmp(p.params[OW_PARAM_MED_THRESHOLD_CRITICAL], OW_RATIO(120, 1)), 0);
    assert_int_equal(p.rules[OW_RULE_PDMP].mode, OW_MODE_SHADOW);
    assert_int_equal(p.rules[OW_RULE_PDMP].silenced_by,
                     OW_EXCLUDE_SICKLE_CELL | OW_EXCLUDE_END_OF_LIFE);
    assert_int_equal(p.rules[OW_RULE_UDS_DUE].silenced_by, 0);
    assert_memory_equal(&p.rules[OW_RULE_NALOXONE], &was.rules[OW_RULE_NALOXONE],
                        sizeof was.rules[0]);
    assert_string_equal(ow_pack_source(chain, OW_RULE_MED_THRESHOLD, "warning"), "board");
    assert_string_equal(ow_pack_source(chain, OW_RULE_MED_THRESHOLD, "mode"),
                        "CDC-2022-R4, CDC-2022-R5");
}

static void a_printed_policy_is_a_pack_that_decides_the_same(void **state)
{
    struct room *r = *state;
    const struct ow_pack_chain *chain = load(r, "cdc-2016-as-published");
    struct ow_pack again;
    struct ow_pack_chain alone = { { &again }, 1 };
    struct ow_policy p, q;
    const char *first;

    assert_non_null(chain);
    ow_pack_policy(chain, &p);
    p.params[OW_PARAM_SEDATIVE_AGE] = OW_RATIO(70, 1); /* the site's own doing */
    first = printed(r, &p, chain);
    assert_non_null(strstr(first, "\nsedative-coprescribing\tage\t70\tsite-policy\t"));
    assert_true(parse(r, first, &again));
    ow_pack_policy(&alone, &q);
    assert_string_equal(printed(r, &q, &alone), first);
    assert_string_equal(ow_policy_sha256(&p, chain, &r->arena),
                        ow_policy_sha256(&q, &alone, &r->arena));
    q.rules[OW_RULE_PDMP].mode = OW_MODE_OFF;
    assert_string_not_equal(ow_policy_sha256(&p, chain, &r->arena),
                            ow_policy_sha256(&q, &alone, &r->arena));
}

/* --- faults --- */

static const struct {
    const char *text, *errors;
} broken[] = {
    {"",                                                                "p.tsv:1:1: empty; a header line was expected\n"              },
    { "rule\tsetting\tvalue\tnote\n",                                   "p.tsv:1:1: no column source in the header\n"                 },
    { HEAD,                                                             "p.tsv:1:1: rule: the pack has no line 'pack' with its name\n"},
    { HEAD "pack\tname\tx\ts\t\n",
     "p.tsv:1:1: rule: the pack has no line 'pack' with its version\n"                                                                },
    { NAMED("A b"),                                                     "p.tsv:2:11: value: expected a name of small letters, digits, - and "
                    "dots of at most 40 bytes; found 'A b'\n"                                                      },
    { NAMED("x") "pack\textends\t../x\ts\t\n",
     "p.tsv:4:14: value: expected a name of small letters, digits, - and dots of at most "
      "40 bytes; found '../x'\n"                                                                                                      },
    { NAMED("x") "med-treshold\twarning\t5\ts\t\n",
     "p.tsv:4:1: rule: no rule 'med-treshold'; did you mean 'med-threshold'?\n"                                                       },
    { NAMED("x") "med-threshold\twarnign\t5\ts\t\n",
     "p.tsv:4:15: setting: med-threshold has no setting 'warnign'; did you mean "
      "'warning'?\n"                                                                                                                  },
    { NAMED("x") "pack\twarning\t5\ts\t\n",
     "p.tsv:4:6: setting: a pack has no setting 'warning'\n"                                                                          },
    { NAMED("x") "med-threshold\twarning\tfifty\ts\t\n",
     "p.tsv:4:23: value: expected a decimal number from 0 to 10000; found 'fifty'\n"                                                  },
    { NAMED("x") "med-threshold\twarning\t10000.5\ts\t\n",
     "p.tsv:4:23: value: expected a decimal number from 0 to 10000; found '10000.5'\n"                                                },
    { NAMED("x") "med-threshold\twarning\t-1\ts\t\n",
     "p.tsv:4:23: value: expected a decimal number from 0 to 10000; found '-1'\n"                                                     },
    { NAMED("x") "med-threshold\tmode\tyes\ts\t\n",
     "p.tsv:4:20: value: expected on, shadow or off; found 'yes'\n"                                                                   },
    { NAMED("x") "med-threshold\texcluded-by\thospice\ts\t\n",
     "p.tsv:4:27: value: expected names out of active-cancer-treatment, end-of-life, "
      "palliative-care, sickle-cell, age-under-18, or none; found 'hospice'\n"                                                        },
    { NAMED("x") "med-threshold\texcluded-by\t\ts\t\n",
     "p.tsv:4:27: value: expected names out of active-cancer-treatment, end-of-life, "
      "palliative-care, sickle-cell, age-under-18, or none; found ''\n"                                                               },
    { NAMED("x") "pack\tfactors\tcdc-2023\ts\t\n",
     "p.tsv:4:14: value: expected one of cdc-2022|cdc-2016; found 'cdc-2023'\n"                                                       },
    { NAMED("x") "pack\tstale-days\t1.5\ts\t\n",
     "p.tsv:4:17: value: expected a whole number from 0 to 3650; found '1.5'\n"                                                       },
    { NAMED("x") "med-threshold\twarning\t5\t\t\n",
     "p.tsv:4:25: source: empty; a key of SOURCES.md, or site-policy\n"                                                               },
    { NAMED("x") "pdmp-due\tmode\ton\ts\t\npdmp-due\tmode\toff\ts\t\n",
     "p.tsv:5:10: setting: given twice, first in line 4\n"                                                                            },
    { NAMED("x") "pdmp-due\tmode\ton\n",
     "p.tsv:4:17: 3 fields where the header has 5\n"                                                                                  },
 /* every one of them, in one run */
    { NAMED("x") "pdmp-do\tmode\ton\ts\t\npdmp-due\tmode\tno\t\t\n",
     "p.tsv:4:1: rule: no rule 'pdmp-do'; did you mean 'pdmp-due'?\n"
      "p.tsv:5:15: value: expected on, shadow or off; found 'no'\n"
      "p.tsv:5:18: source: empty; a key of SOURCES.md, or site-policy\n"                                                              },
};

static void every_fault_names_its_line_and_column(void **state)
{
    struct room *r = *state;
    struct ow_pack p;

    for (size_t i = 0; i < OW_LEN(broken); i++) {
        assert_false(parse(r, broken[i].text, &p));
        assert_string_equal(ow_buf_cstr(&r->errors), broken[i].errors);
    }
}

static void a_pack_of_too_many_lines_is_refused(void **state)
{
    struct room *r = *state;
    struct ow_buf b;
    struct ow_pack p;

    ow_buf_init(&b, 1 << 20);
    ow_buf_str(&b, NAMED("x"));
    for (int i = 0; i < OW_PACK_ROWS; i++)
        ow_buf_str(&b, "y\tmode\ton\ts\t\n");
    assert_false(parse(r, ow_buf_cstr(&b), &p));
    assert_non_null(strstr(ow_buf_cstr(&r->errors), "no rule 'y'"));
    ow_buf_done(&b);
}

static void packs_that_extend_each_other_in_a_ring_are_refused(void **state)
{
    struct room *r = *state;

    put(r, "a", NAMED("a") "pack\textends\tb\ts\t\n");
    put(r, "b", NAMED("b") "pack\textends\ta\ts\t\n");
    assert_null(load(r, "a"));
    assert_string_equal(ow_buf_cstr(&r->errors),
                        "b.tsv:4:14: value: a extends this pack in its turn\n");
}

static void a_chain_has_an_end(void **state)
{
    struct room *r = *state;
    char name[8], text[256];

    for (int i = 0; i < 9; i++) {
        snprintf(name, sizeof name, "p%d", i);
        snprintf(text, sizeof text,
                 HEAD "pack\tname\tp%d\ts\t\npack\tversion\t1\ts\t\n"
                      "pack\textends\tp%d\ts\t\n",
                 i, i + 1);
        put(r, name, text);
    }
    assert_null(load(r, "p0"));
    assert_string_equal(ow_buf_cstr(&r->errors),
                        "p7.tsv:4:14: value: p8 would be the ninth in a row; at most 8 "
                        "extend each other\n");
}

static void what_is_not_there_cannot_be_extended(void **state)
{
    struct room *r = *state;

    put(r, "a", NAMED("a") "pack\textends\tnone\ts\t\n");
    assert_null(load(r, "a"));
    assert_string_equal(ow_buf_cstr(&r->errors),
                        "a.tsv:4:14: value: none is no pack in these folders\n");
    assert_null(load(r, "neither"));
    assert_non_null(strstr(ow_buf_cstr(&r->errors), "no rule pack 'neither'"));
}

static void a_pack_has_the_name_of_its_file_and_nobody_elses(void **state)
{
    struct room *r = *state;

    put(r, "a", NAMED("b"));
    assert_null(load(r, "a"));
    assert_string_equal(ow_buf_cstr(&r->errors),
                        "a.tsv:2:11: value: the file is a.tsv, so its name is a\n");
    put(r, "wa-120", NAMED("wa-120"));
    assert_null(load(r, "wa-120"));
    assert_non_null(strstr(ow_buf_cstr(&r->errors), "has that name: choose another"));
}

/* --- cases --- */

static const char chart_text[] =
    "{'resourceType':'Bundle','type':'collection','entry':[{'resource':{'resourceType':"
    "'Patient','id':'p','birthDate':'1970-01-01'}},{'resource':{'resourceType':"
    "'MedicationRequest','id':'a','status':'active','intent':'order','subject':"
    "{'reference':'Patient/p'},'authoredOn':'2026-03-01','medicationCodeableConcept':"
    "{'coding':[{'system':'http://www.nlm.nih.gov/research/umls/rxnorm','code':"
    "'1049686'}]},'dosageInstruction':[{'timing':{'repeat':{'frequency':4,'period':1,"
    "'periodUnit':'d'}},'doseAndRate':[{'doseQuantity':{'value':1,'unit':'tablet'}}]}],"
    "'dispenseRequest':{'expectedSupplyDuration':{'value':30,'unit':'days','system':"
    "'http://unitsofmeasure.org','code':'d'}}}}]}";

#define CASE(subject, expected) "c.json\t2026-03-02\t\t" subject "\t" expected "\t\n"

/* Lines of a table of cases, each with what is wrong about it; NULL: nothing is. */
static const struct {
    const char *line, *error;
} lines[] = {
    {CASE("med-threshold",                                                               "critical"),                      NULL },
    { CASE("med.peak",                                                                                 "120"),                                                                                                  NULL },
    { CASE("med.now",                                                                              "120"),            NULL },
    { CASE("early-refill","none"),                NULL },
    { CASE("med-threshold",                                                               "warning"),
     "expected: med-threshold of c.json is critical, not warning: 120 MME/d reaches 90" },
    { CASE("med-threshold",                                                                                 "none"),
     "expected: med-threshold of c.json is critical, not none: 120 MME/d reaches 90" },
    { CASE("unreadable-dose", "warning"),
     "expected: unreadable-dose of c.json is none, not warning" },
    { CASE("med.peak","121"),                                      "expected: med.peak of c.json is 120, not 121" },
    { CASE("med.peak",                                                            "none"),                                                                                  "expected: med.peak of c.json is 120, not none" },
    { CASE("med-treshold",                                                                                 "none"),                                                                                                  "subject: expected the name of a rule, med.now or "
                                    "med.peak; found 'med-treshold'" },
    { CASE("med-threshold",                                    "loud"),                              "expected: expected none, info, warning, critical, "
                                     "shadow or excluded; found 'loud'" },
    { CASE("med.now",                "much"),"expected: expected none or MME/d; found 'much'" },
    { "c.json\tsoon\t\tmed.now\t120\t\n",                                                               "at: "       },
    { "c.json\t2026-03-02\torder-look\tmed.now\t120\t\n",                                                                                 "hook: expected nothing, "                                                                                            },
    { "d.json\t2026-03-02\t\tmed.now\t120\t\n",            "chart: d.json: "                                          },
};

static void what_a_case_disagrees_with_is_said_at_its_line(void **state)
{
    struct room *r = *state;
    const struct ow_pack_chain *chain;
    struct ow_buf table, chart;
    char path[128];
    unsigned line = 1;

    put(r, "a", NAMED("a"));
    snprintf(path, sizeof path, "%s/a.cases", r->own);
    assert_int_equal(mkdir(path, 0700), 0);
    ow_buf_init(&chart, 1 << 16);
    for (const char *c = chart_text; *c; c++)
        ow_buf_char(&chart, *c == '\'' ? '"' : *c);
    ow_buf_init(&table, 1 << 16);
    ow_buf_str(&table, "chart\tat\thook\tsubject\texpected\tnote\n");
    for (size_t i = 0; i < OW_LEN(lines); i++)
        ow_buf_str(&table, lines[i].line);
    put_in(r, "a.cases/c.json", ow_buf_cstr(&chart));
    put_in(r, "a.cases/cases.tsv", ow_buf_cstr(&table));
    chain = load(r, "a");
    assert_non_null(chain);
    assert_int_equal(ow_cases_run(chain, build_knowledge(), on_error, &r->errors),
                     OW_LEN(lines));
    for (size_t i = 0; i < OW_LEN(lines); i++) {
        char start[40];
        const char *found;

        snprintf(start, sizeof start, "cases.tsv:%u:", ++line);
        found = strstr(ow_buf_cstr(&r->errors), start);
        if (!lines[i].error)
            assert_null(found);
        else if (!found || !strstr(found, lines[i].error))
            fail_msg("line %u: %s", line, found ? found : "nothing was said");
    }
    ow_buf_done(&table);
    ow_buf_done(&chart);
}

static void every_shipped_pack_has_cases_and_they_hold(void **state)
{
    struct room *r = *state;
    const char *const *names;
    size_t n = ow_pack_names(&r->folders, &r->arena, &names);

    for (size_t i = 0; i < n; i++) {
        const struct ow_pack_chain *chain = load(r, names[i]);

        assert_non_null(chain);
        assert_true(ow_cases_run(chain, build_knowledge(), on_error, &r->errors) > 0);
        assert_string_equal(ow_buf_cstr(&r->errors), "");
    }
}

/* --- signatures --- */

static void run(const struct room *r, const char *command)
{
    char line[2 * OW_PACKS_PATH];

    snprintf(line, sizeof line, "cd '%s' && { %s; } >/dev/null 2>&1", r->own, command);
    assert_int_equal(system(line), 0);
}

/* The errors of loading the configuration in the room, "" for none. */
static const char *configured(struct room *r)
{
    const struct ow_config *c;
    char path[128];

    snprintf(path, sizeof path, "%s/a.yaml", r->own);
    ow_buf_reset(&r->errors);
    if (ow_config_load(path, on_error, &r->errors, &c) == OW_OK)
        ow_config_unref(c);
    return ow_buf_cstr(&r->errors);
}

static void only_what_the_approver_signed_decides(void **state)
{
    struct room *r = *state;

    run(r, "openssl genpkey -algorithm ed25519 -out k.pem; mkdir policies;"
           "openssl pkey -in k.pem -pubout -out pub.pem;"
           "openssl genpkey -algorithm ed25519 -out other.pem");
    put_in(r, "policies/ours.tsv", NAMED("ours") "med-threshold\twarning\t40\ts\t\n");
    put_in(r, "a.yaml",
           "policy: {preset: ours, require_signature: true, approver: Dr. P,\n"
           "  approver_key: pub.pem}\nrules: {pdmp-due: {mode: off}}\n");
    assert_non_null(strstr(configured(r), "ours.tsv:1:1: not signed by Dr. P: "));
    assert_non_null(strstr(configured(r), "a.yaml:3:20: not signed by Dr. P: "));
    run(r, "for f in a.yaml policies/ours.tsv; do openssl pkeyutl -sign -rawin -inkey "
           "k.pem -in $f -out $f.sig; done");
    assert_string_equal(configured(r), "");
    put_in(r, "policies/ours.tsv", NAMED("ours") "med-threshold\twarning\t45\ts\t\n");
    assert_non_null(
        strstr(configured(r), "is no signature by Dr. P of this file as it is"));
    run(r, "openssl pkeyutl -sign -rawin -inkey other.pem -in policies/ours.tsv -out "
           "policies/ours.tsv.sig");
    assert_non_null(strstr(configured(r), "ours.tsv:1:1: "));
    run(r, "openssl pkeyutl -sign -rawin -inkey k.pem -in policies/ours.tsv -out "
           "policies/ours.tsv.sig");
    assert_string_equal(configured(r), "");
    put_in(r, "pub.pem", "no key\n");
    assert_non_null(strstr(configured(r), "is no Ed25519 public key in PEM"));
}

/* A shipped pack is signed in the folder of the site, which can write there. */
static void a_shipped_pack_is_signed_in_the_folder_of_the_site(void **state)
{
    struct room *r = *state;
    char command[OW_PACKS_PATH + 512];

    run(r, "openssl genpkey -algorithm ed25519 -out k.pem; mkdir policies;"
           "openssl pkey -in k.pem -pubout -out pub.pem");
    put_in(r, "a.yaml",
           "policy: {require_signature: true, approver: Dr. P,\n"
           "  approver_key: pub.pem}\n");
    assert_non_null(strstr(configured(r), "cdc-2022.tsv:1:1: not signed by Dr. P: "));
    snprintf(command, sizeof command,
             "openssl pkeyutl -sign -rawin -inkey k.pem -in '%s/cdc-2022.tsv' -out "
             "policies/cdc-2022.tsv.sig",
             r->folders.shared);
    run(r, command);
    assert_string_equal(configured(r), "");
    put_in(r, "a.yaml", "policy: {require_signature: true}\n");
    assert_non_null(strstr(configured(r), "policy.require_signature needs "));
}

/* --- source attributes --- */

static void every_rule_has_its_source_attributes(void **state)
{
    static const char *const keys[] = { "rule",        "type",
                                        "intendedUse", "mode",
                                        "policy",      "bibliographicCitation",
                                        "developer",   "fundingSource",
                                        "uses",        "inputs",
                                        "silentFor",   "parameters" };
    struct room *r = *state;
    const struct ow_pack_chain *chain = load(r, "cdc-2016");
    struct ow_policy p;
    struct ow_buf b;
    size_t n = 0;

    assert_non_null(chain);
    ow_pack_policy(chain, &p);
    ow_buf_init(&b, 1 << 20);
    ow_source_attributes(&p, chain, &b);
    for (const char *at = ow_buf_cstr(&b), *end; (end = strchr(at, '\n')); at = end + 1) {
        cJSON *o = cJSON_ParseWithLength(at, (size_t)(end - at));
        const cJSON *c, *use;

        assert_non_null(o);
        assert_string_equal(
            cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, "rule")),
            ow_rule_name((enum ow_rule)n));
        for (size_t k = 0; k < OW_LEN(keys); k++)
            assert_non_null(cJSON_GetObjectItemCaseSensitive(o, keys[k]));
        use = cJSON_GetObjectItemCaseSensitive(o, "uses");
        assert_true(cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(use, "race")));
        assert_int_equal(cJSON_GetArraySize(use), 9);
        cJSON_ArrayForEach(c,
                           cJSON_GetObjectItemCaseSensitive(o, "bibliographicCitation"))
        {
            assert_true(cJSON_IsString(cJSON_GetObjectItemCaseSensitive(c, "citation")));
        }
        cJSON_Delete(o);
        n++;
    }
    assert_int_equal(n, OW_RULE_N);
    assert_non_null(strstr(ow_buf_cstr(&b), "\"key\":\"CDC-2016-R5\""));
    assert_null(strstr(ow_buf_cstr(&b), "\"key\":\"CDC-2022-R4\""));
    ow_buf_done(&b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, room_make, room_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_pack_of_cdc_2022_says_what_the_table_of_rules_says),
        TEST(every_shipped_pack_loads_and_keeps_its_thresholds_in_order),
        TEST(presets_are_what_their_names_say),
        TEST(every_source_of_a_shipped_pack_is_described),
        TEST(every_rule_says_what_it_is_for),
        TEST(a_pack_says_only_what_it_changes),
        TEST(a_printed_policy_is_a_pack_that_decides_the_same),
        TEST(every_fault_names_its_line_and_column),
        TEST(a_pack_of_too_many_lines_is_refused),
        TEST(packs_that_extend_each_other_in_a_ring_are_refused),
        TEST(a_chain_has_an_end),
        TEST(what_is_not_there_cannot_be_extended),
        TEST(a_pack_has_the_name_of_its_file_and_nobody_elses),
        TEST(what_a_case_disagrees_with_is_said_at_its_line),
        TEST(every_shipped_pack_has_cases_and_they_hold),
        TEST(only_what_the_approver_signed_decides),
        TEST(a_shipped_pack_is_signed_in_the_folder_of_the_site),
        TEST(every_rule_has_its_source_attributes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
