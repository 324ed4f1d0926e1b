/*
 * Texts: translations lose nothing, faults have places, figures do not change
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "alerts/texts.h"
#include "base/text.h"
#include "daemon/files.h"
#include "daemon/texts.h"
#include "fhir/report.h"
#include "tests/support/build.h"

/* --- support --- */

struct texts {
    struct ow_arena arena;
    struct ow_words words;
    struct ow_buf faults; /* "line:column: text", one a line */
};

static int texts_make(void **state)
{
    struct texts *t = ow_alloc_zero(sizeof *t);

    ow_arena_init(&t->arena, SIZE_MAX);
    ow_buf_init(&t->faults, 1 << 20);
    *state = t;
    return 0;
}

static int texts_remove(void **state)
{
    struct texts *t = *state;

    ow_arena_done(&t->arena);
    ow_buf_done(&t->faults);
    free(t);
    return 0;
}

static void on_fault(void *arg, const char *file, unsigned line, unsigned column,
                     const char *text)
{
    struct texts *t = arg;

    assert_non_null(file);
    ow_buf_printf(&t->faults, "%u:%u: %s\n", line, column, text);
}

static bool parse(struct texts *t, const char *data, size_t len)
{
    struct ow_knowledge_file file = { "it", data, len };

    t->words = (struct ow_words){ .name = "it" };
    ow_buf_reset(&t->faults);
    return ow_texts_parse(&t->arena, &file, on_fault, t, &t->words);
}

static void parse_file(struct texts *t, const char *path)
{
    char *data;
    size_t len;
    bool good;

    assert_int_equal(ow_file_read(path, OW_TEXTS_BYTES, &data, &len, NULL), OW_OK);
    good = parse(t, data, len);
    free(data);
    if (!good)
        print_error("%s: %s", path, ow_buf_cstr(&t->faults));
    assert_true(good);
}

static const char *text_of(const struct texts *t, enum ow_word w)
{
    return t->words.text[w] ? t->words.text[w] : ow_word_english(w);
}

static size_t units(const char *s)
{
    size_t n = 0;

    for (; *s != '\0'; s++) {
        n += ((unsigned char)*s & 0xc0) != 0x80;
        n += (unsigned char)*s >= 0xf0;
    }
    return n;
}

/* --- the shipped files --- */

static void the_english_file_is_what_the_words_say(void **state)
{
    struct texts *t = *state;
    struct ow_buf out;
    char *data;
    size_t len;

    assert_int_equal(ow_file_read("conf/texts/en.tsv", OW_TEXTS_BYTES, &data, &len, NULL),
                     OW_OK);
    ow_buf_init(&out, 1 << 20);
    ow_texts_print(NULL, &out);
    if (!ow_streq(data, ow_buf_cstr(&out)))
        print_error("conf/texts/en.tsv and alerts/words.def differ: run tests/regenerate "
                    "BUILD_DIR, then look whether conf/texts/es.tsv follows\n");
    assert_string_equal(data, ow_buf_cstr(&out));
    assert_true(parse(t, data, len)); /* and English keeps all the rules there are */
    for (size_t i = 0; i < OW_WORD_N; i++)
        assert_string_equal(t->words.text[i], ow_word_english((enum ow_word)i));
    ow_buf_done(&out);
    free(data);
}

static void a_printed_translation_reads_back_the_same(void **state)
{
    struct texts *t = *state;
    struct ow_buf first, second;

    parse_file(t, "conf/texts/es.tsv");
    ow_buf_init(&first, 1 << 20);
    ow_buf_init(&second, 1 << 20);
    ow_texts_print(&t->words, &first);
    assert_true(parse(t, ow_buf_cstr(&first), first.len));
    assert_int_equal(ow_texts_lacking(&t->words), 0);
    ow_texts_print(&t->words, &second);
    assert_string_equal(ow_buf_cstr(&first), ow_buf_cstr(&second));
    ow_buf_done(&first);
    ow_buf_done(&second);
}

/* What a card shows to everybody: headline, topic, answers, buttons, headings. What may
 * stay in English is the arithmetic, the notes of traces and the published editions,
 * which are quoted. */
static void spanish_leaves_nothing_of_a_card_in_english(void **state)
{
    static const char *const parts[] = { "summary-", "topic-",   "override-", "suggest-",
                                         "head-",    "review-",  "tag-",      "link-",
                                         "child-",   "conflict-" };
    struct texts *t = *state;

    parse_file(t, "conf/texts/es.tsv");
    for (size_t i = 0; i < OW_WORD_N; i++) {
        const char *key = ow_text_key(&t->arena, (enum ow_word)i);

        for (size_t k = 0; k < OW_LEN(parts); k++)
            if (ow_starts_with(key, parts[k]) && t->words.text[i] == NULL)
                fail_msg("%s is not translated", key);
    }
}

static void orders_nothing(struct texts *t, const char *const *orders, size_t n)
{
    for (size_t i = 0; i < OW_WORD_N; i++)
        for (size_t k = 0; k < n; k++)
            if (ow_contains_folded(text_of(t, (enum ow_word)i), orders[k]))
                fail_msg("%s orders: %s", ow_text_key(&t->arena, (enum ow_word)i),
                         orders[k]);
}

/* An order to change a dose, in any of its forms. "Sudden stops carry risks" is none. */
static void no_text_orders_a_lower_dose_or_a_stop(void **state)
{
    static const char *const english[] = {
        "reduce the",  "reduce dose",  "lower the",      "decrease the",
        "taper",       "wean",         "discontinue",    "stop the",
        "stop opioid", "cut the dose", "halve the dose", "do not prescribe",
    };
    static const char *const spanish[] = {
        "reduzca",      "reducir la",     "baje la",   "bajar la",     "disminuya",
        "disminuir la", "suspenda",       "suspender", "interrumpa",   "retire",
        "retirar el",   "interrumpir el", "deje de",   "no prescriba", "descienda",
    };
    struct texts *t = *state;

    orders_nothing(t, english, OW_LEN(english));
    parse_file(t, "conf/texts/en.tsv");
    orders_nothing(t, english, OW_LEN(english));
    parse_file(t, "conf/texts/es.tsv");
    orders_nothing(t, spanish, OW_LEN(spanish));
    orders_nothing(t, english, OW_LEN(english));
}

/* The arguments that a headline is likely to have, longer than most. */
static const char *sample(const char *key)
{
    return ow_streq(key, "summary-with-order") || ow_streq(key, "summary-also")
               ? "At least 1234.56 MME/day from 2026-03-02 reaches 90"
               : "hydrocodone 10 MG";
}

static void headlines_fit(struct texts *t)
{
    t->arena.texts = &t->words;
    for (size_t i = 0; i < OW_WORD_N; i++) {
        const char *key = ow_text_key(&t->arena, (enum ow_word)i), *said;

        if (!ow_starts_with(key, "summary-") && !ow_starts_with(key, "pub22-r") &&
            !ow_starts_with(key, "pub16-r"))
            continue;
        said = ow_say(&t->arena, (enum ow_word)i, sample(key), "hydrocodone 10 MG",
                      "365");
        assert_null(strchr(said, '{'));
        assert_null(strchr(said, '\n'));
        if (units(said) > OW_TEXT_HEADLINE)
            fail_msg("%s: %zu units: %s", key, units(said), said);
    }
    t->arena.texts = NULL;
}

static void headlines_with_arguments_stay_below_140(void **state)
{
    struct texts *t = *state;

    headlines_fit(t);
    parse_file(t, "conf/texts/es.tsv");
    headlines_fit(t);
}

static void every_placeholder_is_told_to_translators(void **state)
{
    struct texts *t = *state;
    struct ow_buf out;
    char *line, *next;
    size_t n = 0;

    (void)t;
    ow_buf_init(&out, 1 << 20);
    ow_texts_print(NULL, &out);
    for (line = strchr(out.data, '\n') + 1; *line != '\0'; line = next + 1, n++) {
        char *text = strchr(line, '\t') + 1, *note = strchr(text, '\t') + 1;

        next = strchr(note, '\n');
        *next = '\0';
        note[-1] = '\0';
        assert_true(*note != '\0');
        for (char digit = '1'; digit <= '9'; digit++) {
            char mark[] = { '{', digit, '}', '\0' };

            if ((strstr(text, mark) == NULL) != (strstr(note, mark) == NULL))
                fail_msg("the note on %s: %s", mark, line);
        }
    }
    assert_int_equal(n, OW_WORD_N);
    ow_buf_done(&out);
}

/* --- faults --- */

#define HEAD "key\ttext\n"

static const struct {
    const char *text, *faults;
} broken[] = {
    {HEAD "list\t{1}; {2}{1}\n",                              "2:6: text: a placeholder stands there twice\n"          },
    { "",                                                     "1:1: empty; a header line was expected\n"               },
    { "key\tnote\n",                                          "1:1: no column text in the header\n"                    },
    { HEAD "sumary-med\t{1} {2}\n",
     "2:1: key: no key 'sumary-med'; did you mean 'summary-med'?\n"                                                    },
    { HEAD "tag-prn\ta\ntag-range\tb\ntag-prn\tc\n",
     "4:1: key: 'tag-prn' stands in line 2 already\n"                                                                  },
    { HEAD "tag-prn\t\n",
     "2:9: text: empty; without its line a text stays in English\n"                                                    },
    { HEAD "reaches\t{1} MME\n",
     "2:9: text: {2} is missing; in English: {1} MME/d reaches {2}\n"                                                  },
    { HEAD "reaches\t{1} {2} {3}\n",
     "2:9: text: the English text has no {3}: {1} MME/d reaches {2}\n"                                                 },
    { HEAD "reaches\t{1} {2} {x}\n",
     "2:9: text: a brace that belongs to none of {1} to {9}\n"                                                         },
    { HEAD "reaches\t{1} {2} {0}\n",
     "2:9: text: a brace that belongs to none of {1} to {9}\n"                                                         },
    { HEAD "reaches\t{1} {2\n",
     "2:9: text: a brace that belongs to none of {1} to {9}\n"                                                         },
    { HEAD "tag-prn\ta\\tb\n",
     "2:9: text: behind a backslash stands n or a backslash\n"                                                         },
    { HEAD "tag-prn\ta\\\n",                                  "2:9: text: behind a backslash stands n or a backslash\n"},
    { HEAD "tag-prn\ta\001b\n",                               "2:10: not UTF-8 text\n"                                 },
    { HEAD "tag-prn\ta\377b\n",                               "2:10: not UTF-8 text\n"                                 },
    { HEAD "tag-prn\ta\302\205b\n",                           "2:9: text: control character U+0085\n"                  },
    { HEAD "tag-prn\ta\342\200\256b\n",                       "2:9: text: control character U+202E\n"                  },
    { HEAD "tag-prn\t<b>a</b>\n",
     "2:9: text: <b>a</b>: that begins an element of HTML\n"                                                           },
    { HEAD "tag-prn\ta\\nb\n",
     "2:9: text: line breaks (\\n) are not those of the English text\n"                                                },
    { HEAD "head-also\tTambién:\\n\\n\n",
     "2:11: text: line breaks (\\n) are not those of the English text\n"                                               },
    { HEAD "table-row\t| {1} | {2} ({4}) {3} |\\n\n",
     "2:11: text: a bar of the table is missing, or one too many\n"                                                    },
    { HEAD "table-row\t| {1} | {2} | ({4}) | {3} |\\n\n",
     "2:11: text: a bar of the table is missing, or one too many\n"                                                    },
    { HEAD "table-row\t {1} | {2} ({4}) | {3} ||\\n\n",
     "2:11: text: a bar of the table is missing, or one too many\n"                                                    },
    { HEAD "table-head\t| a | b | c |\\n|---|:---|---|\\n\n",
     "2:12: text: the line |---| below a heading stays as it is\n"                                                     },
    { HEAD "table-total\t| total | {1} | **{2}** |\\n\n",
     "2:13: text: the marks of bold type (**) are not those of the English text\n"                                     },
    { HEAD "row-plain\t{1}\\n\n",
     "2:11: text: it begins with \"- \" where the English text does, and nowhere else\n"                               },
    { HEAD "tag-prn\ta | b\n",
     "2:9: text: a bar of the table is missing, or one too many\n"                                                     },
    { HEAD "reaches\t{1} {2}\textra\n",                       "2:9: 3 fields where the header has 2\n"                 },
};

static void every_fault_names_its_line_and_column(void **state)
{
    struct texts *t = *state;

    for (size_t i = 0; i < OW_LEN(broken); i++) {
        assert_false(parse(t, broken[i].text, strlen(broken[i].text)));
        assert_string_equal(ow_buf_cstr(&t->faults), broken[i].faults);
    }
}

/* One character less fits. */
static void a_text_longer_than_its_place_is_refused(void **state)
{
    static const struct {
        const char *key, *args;
        int most;
    } places[] = {
        {"tag-prn",              "",       OW_TEXT_MOST                               },
        { "topic-naloxone",      "",       OW_TEXT_LABEL                              },
        { "suggest-screen",      "",       OW_TEXT_LABEL                              },
        { "suggest-screen-text", "",       OW_TEXT_MOST                               },
        { "override-done",       "",       OW_TEXT_LABEL                              },
        { "summary-pdmp",        "",       OW_TEXT_HEADLINE                           },
        { "summary-med",         "{1}{2}", OW_TEXT_HEADLINE - 2 * OW_TEXT_HEADLINE_ARG},
        { "pub22-r1",            "",       OW_TEXT_HEADLINE                           },
    };
    struct texts *t = *state;
    char text[4096], expected[256];

    for (size_t i = 0; i < OW_LEN(places); i++)
        for (int more = 0; more <= 1; more++) {
            int n = snprintf(text, sizeof text, HEAD "%s\t%s%0*d\n", places[i].key,
                             places[i].args, places[i].most + more, 0);

            assert_int_equal(parse(t, text, (size_t)n), !more);
            snprintf(expected, sizeof expected,
                     "2:%zu: text: %d characters beside placeholders; at most %d fit\n",
                     strlen(places[i].key) + 2, places[i].most + 1, places[i].most);
            assert_string_equal(ow_buf_cstr(&t->faults), more ? expected : "");
        }
}

static void reading_goes_on_behind_a_fault(void **state)
{
    static const char text[] = HEAD "tag-prn\t\nno-such-thing-at-all\tx\n"
                                    "tag-range\tintervalo\n";
    struct texts *t = *state;

    assert_false(parse(t, text, strlen(text)));
    assert_string_equal(ow_buf_cstr(&t->faults),
                        "2:9: text: empty; without its line a text stays in English\n"
                        "3:1: key: no key 'no-such-thing-at-all'\n");
    assert_string_equal(t->words.text[OW_WORD_TAG_RANGE], "intervalo");
    assert_int_equal(ow_texts_lacking(&t->words), OW_WORD_N - 1);
}

static void placeholders_may_change_places(void **state)
{
    static const char text[] = HEAD "reaches\t{2} <= {1}\\\\\n";
    struct texts *t = *state;

    assert_true(parse(t, text, strlen(text)));
    t->arena.texts = &t->words;
    assert_string_equal(ow_say(&t->arena, OW_WORD_REACHES, "120", "90"), "90 <= 120\\");
    t->arena.texts = NULL;
}

/* --- the judgement in another language --- */

static void chart_fill(struct build *b)
{
    build_dose(b, build_order(b, "a", RX_OXYCODONE_20), "1", "tablet", 4);
    build_dose(b, build_order(b, "s", RX_LORAZEPAM_1), "1", "tablet", 1);
    build_order(b, "n", RX_MORPHINE_15);
    build_draft(b, &b->orders[0]);
}

static void spanish_texts_change_the_words_and_not_the_figures(void **state)
{
    struct texts *t = *state;
    struct build english, spanish;
    const struct ow_verdict *v, *w;

    parse_file(t, "conf/texts/es.tsv");
    build_init(&english);
    build_init(&spanish);
    build_preset(&english, "cdc-2022");
    build_preset(&spanish, "cdc-2022");
    chart_fill(&english);
    chart_fill(&spanish);
    spanish.policy.words = &t->words;
    v = build_judge(&english);
    w = build_judge(&spanish);
    assert_int_equal(v->n_cards, 1);
    assert_int_equal(w->n_cards, 1);
    assert_string_equal(v->cards->summary,
                        "At least 120 MME/day reaches 90 with this order; lorazepam 1 MG "
                        "Oral Tablet alongside");
    assert_string_equal(w->cards->summary,
                        "Al menos 120 MME/día alcanza 90 con esta orden; lorazepam 1 MG "
                        "Oral Tablet a la vez");
    assert_non_null(
        strstr(w->cards->detail, "\n| orden | cómo | MME/día |\n|---|---|---:|\n"));
    assert_non_null(
        strstr(w->cards->detail, "| **total ahora** | 120 MME/d | **al menos 120** |\n"));
    assert_null(strstr(w->cards->detail, "no dosage"));
    assert_string_equal(w->cards->topic.display, "Dosis diaria equivalente de morfina");
    assert_string_equal(w->cards->key, v->cards->key);
    assert_string_equal(w->cards->topic.code, v->cards->topic.code);
    assert_int_equal(w->n_findings, v->n_findings);
    for (size_t i = 0; i < v->n_findings; i++) {
        assert_string_equal(w->findings[i].rule, v->findings[i].rule);
        assert_string_equal(w->findings[i].cause, v->findings[i].cause);
        assert_int_equal(w->findings[i].tier, v->findings[i].tier);
        assert_string_not_equal(w->findings[i].reason, v->findings[i].reason);
    }
    assert_true(ow_ratio_cmp(v->total.peak, w->total.peak) == 0);
    build_done(&english);
    build_done(&spanish);
}

static char *report(const struct ow_words *words)
{
    struct ow_buf out;
    struct build b;
    size_t len;

    build_init(&b);
    build_preset(&b, "cdc-2022");
    chart_fill(&b);
    b.policy.words = words;
    ow_buf_init(&out, 1 << 20);
    ow_report_json(build_judge(&b), &out);
    assert_null(b.arena.texts); /* they were attached for one question */
    build_done(&b);
    return ow_buf_take(&out, &len);
}

static void the_english_file_gives_the_same_bytes(void **state)
{
    struct texts *t = *state;
    char *compiled, *loaded;

    parse_file(t, "conf/texts/en.tsv");
    t->words.name = NULL;
    compiled = report(NULL);
    loaded = report(&t->words);
    assert_string_equal(compiled, loaded);
    free(compiled);
    free(loaded);
}

static void an_arena_keeps_what_is_attached_until_it_is_begun_anew(void **state)
{
    struct texts *t = *state;
    struct ow_arena a;

    ow_arena_init(&a, SIZE_MAX);
    assert_null(a.texts);
    a.texts = &t->words;
    assert_non_null(ow_arena_alloc(&a, 1));
    ow_arena_reset(&a);
    assert_ptr_equal(a.texts, &t->words);
    ow_arena_done(&a);
    assert_null(a.texts);
}

/* --- a site --- */

static void put(const char *folder, const char *name, const char *text)
{
    char path[256];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void on_config(void *arg, const char *file, unsigned line, unsigned column,
                      const char *text)
{
    const char *name = strrchr(file, '/');
    struct texts *t = arg;

    ow_buf_printf(&t->faults, "%s:%u:%u: %s\n", name ? name + 1 : file, line, column,
                  text);
}

static const struct ow_config *site(struct texts *t, const char *folder, const char *yaml)
{
    const struct ow_config *c = NULL;
    enum ow_code code;
    char path[256];

    put(folder, "a.yaml", yaml);
    snprintf(path, sizeof path, "%s/a.yaml", folder);
    ow_buf_reset(&t->faults);
    code = ow_config_load(path, on_config, t, &c);
    assert_int_equal(code, c ? OW_OK : OW_CONFIG);
    return c;
}

static void a_site_says_what_it_changes_of_a_language(void **state)
{
    struct texts *t = *state;
    char folder[] = "/tmp/opiward-texts-XXXXXX", command[128];
    const struct ow_config *c;

    assert_non_null(mkdtemp(folder));
    snprintf(command, sizeof command, "mkdir '%s/texts'", folder);
    assert_int_equal(system(command), 0);
    put(folder, "texts/es-clinic.tsv", HEAD "topic-naloxone\tNaloxona para casa\n");
    put(folder, "texts/en-clinic.tsv", HEAD "topic-naloxone\tNaloxone to take home\n");
    put(folder, "texts/bad.tsv", HEAD "topic-naloxon\tx\n");

    c = site(t, folder, "site: {id: s}\n");
    assert_null(c->policy.words);
    ow_config_unref(c);

    c = site(t, folder,
             "texts: {language: es-clinic}\n"
             "clinics: {Organization/a: {naloxone-offer: {mode: off}}}\n");
    assert_ptr_equal(ow_config_policy(c, "Organization/a", 0)->words, c->words);
    assert_string_equal(c->policy.words->name, "es-clinic");
    assert_string_equal(c->policy.words->text[OW_WORD_TOPIC_NALOXONE],
                        "Naloxona para casa");
    assert_string_equal(c->policy.words->text[OW_WORD_TOPIC_QUANTITY], "Cantidad grande");
    assert_ptr_equal(ow_config_policy(c, NULL, 0)->words, c->words);
    ow_config_unref(c);

    c = site(t, folder, "texts: {language: en-clinic}\n");
    assert_string_equal(c->policy.words->text[OW_WORD_TOPIC_NALOXONE],
                        "Naloxone to take home");
    assert_int_equal(ow_texts_lacking(c->policy.words), OW_WORD_N - 1);
    ow_config_unref(c);

    assert_null(site(t, folder, "texts: {language: bad}\n"));
    assert_string_equal(
        ow_buf_cstr(&t->faults),
        "bad.tsv:2:1: key: no key 'topic-naloxon'; did you mean 'topic-naloxone'?\n");
    assert_null(site(t, folder, "texts:\n  language: fr\n"));
    assert_string_equal(ow_buf_cstr(&t->faults),
                        "a.yaml:2:13: texts.language: no texts 'fr'; there are: bad en "
                        "en-clinic es es-clinic\n");
    assert_null(site(t, folder, "texts: {language: ../texts/bad}\n"));

    put(folder, "texts/es.tsv", HEAD);
    assert_null(site(t, folder, "texts: {language: es}\n"));
    assert_true(ow_starts_with(ow_buf_cstr(&t->faults), "es.tsv:0:0: "));
    assert_non_null(strstr(ow_buf_cstr(&t->faults),
                           "has that name: choose another, such as es-site.tsv\n"));
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    assert_int_equal(system(command), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, texts_make, texts_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_english_file_is_what_the_words_say),
        TEST(a_printed_translation_reads_back_the_same),
        TEST(spanish_leaves_nothing_of_a_card_in_english),
        TEST(no_text_orders_a_lower_dose_or_a_stop),
        TEST(headlines_with_arguments_stay_below_140),
        TEST(every_placeholder_is_told_to_translators),
        TEST(every_fault_names_its_line_and_column),
        TEST(a_text_longer_than_its_place_is_refused),
        TEST(reading_goes_on_behind_a_fault),
        TEST(placeholders_may_change_places),
        TEST(spanish_texts_change_the_words_and_not_the_figures),
        TEST(the_english_file_gives_the_same_bytes),
        TEST(an_arena_keeps_what_is_attached_until_it_is_begun_anew),
        TEST(a_site_says_what_it_changes_of_a_language),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
