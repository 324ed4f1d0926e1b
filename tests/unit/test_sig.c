/*
 * Sig: free-text directions to readings, or refusals
 *
 * The corpus is the agreed reading of more than two thousand sigs; a reading that differs
 * from it, or one where a refusal was agreed, is wrong. The properties hold for all of
 * it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alerts/sig.h"
#include "alerts/sig_parts.h"
#include "base/text.h"

enum { LINE_MOST = 4096 };

static struct ow_arena arena;

/* The printed reading, or NULL with the refusal in `err`. */
static const char *read_sig(const char *text, struct ow_err *err)
{
    struct ow_sig sig = { .n = 0 };

    err->text[0] = '\0';
    if (ow_sig_read(text, &arena, &sig, err) != OW_OK) {
        assert_true(err->text[0] != '\0');
        return NULL;
    }
    assert_true(sig.n > 0);
    return ow_sig_print(&sig, &arena);
}

struct row {
    const char *text, *want;
};

/* Next row of the corpus; false at its end. */
static bool row_next(FILE *f, char line[LINE_MOST], struct row *ret)
{
    while (fgets(line, LINE_MOST, f) != NULL) {
        char *text, *want;

        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#' || line[0] == '\0')
            continue;
        text = strchr(line, '\t');
        assert_non_null(text);
        want = strchr(text + 1, '\t');
        if (want == NULL)
            fail_msg("three columns were expected: %s", line);
        *text = *want = '\0';
        *ret = (struct row){ text + 1, want + 1 };
        return true;
    }
    return false;
}

static void each_row(void (*fn)(const struct row *row))
{
    FILE *f = fopen("tests/sig/corpus.tsv", "r");
    char line[LINE_MOST];
    struct row row;

    assert_non_null(f);
    while (row_next(f, line, &row)) {
        fn(&row);
        ow_arena_reset(&arena);
    }
    (void)fclose(f);
}

static bool is_refused(const struct row *row)
{
    return ow_starts_with(row->want, "refused");
}

static struct {
    unsigned parsed, refused, wrong, missed;
} tally;

static void corpus_row(const struct row *row)
{
    const char *colon = strchr(row->want, ':');
    struct ow_err err;
    const char *got = read_sig(row->text, &err);

    tally.parsed += got != NULL;
    tally.refused += got == NULL;
    if (is_refused(row)) {
        if (got != NULL || (colon != NULL && !ow_contains_folded(err.text, colon + 2))) {
            tally.wrong += got != NULL;
            tally.missed += got == NULL;
            print_message("%s\n  want %s\n  got  %s\n", row->text, row->want,
                          got != NULL ? got : err.text);
        }
    } else if (got == NULL || !ow_streq(got, row->want)) {
        tally.wrong += got != NULL;
        tally.missed += got == NULL;
        print_message("%s\n  want %s\n  got  %s\n", row->text, row->want,
                      got != NULL ? got : err.text);
    }
}

static void every_sig_of_the_corpus_has_its_agreed_reading(void **state)
{
    (void)state;
    each_row(corpus_row);
    print_message("%u read, %u refused; %u wrong, %u refused against agreement\n",
                  tally.parsed, tally.refused, tally.wrong, tally.missed);
    assert_true(tally.parsed + tally.refused >= 1500);
    assert_int_equal(tally.wrong + tally.missed, 0);
}

static void same_reading(const char *text, const char *want, const char *from)
{
    struct ow_err err;
    const char *got = read_sig(text, &err);

    if (!ow_streq(got, want))
        fail_msg("%s\n from %s\n want %s\n got  %s", text, from,
                 want != NULL ? want : "refused", got != NULL ? got : err.text);
}

static void round_trip_row(const struct row *row)
{
    struct ow_err err;
    const char *got = read_sig(row->text, &err);

    if (got != NULL)
        same_reading(got, got, row->text);
}

static void what_is_printed_reads_back_the_same(void **state)
{
    (void)state;
    each_row(round_trip_row);
}

static char fold(char c, int way)
{
    if (way == 0 && c >= 'a' && c <= 'z')
        return (char)(c - 32);
    return way == 1 && c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static void case_row(const struct row *row)
{
    struct ow_err err;
    const char *want = read_sig(row->text, &err);

    for (int way = 0; way < 3; way++) {
        char text[LINE_MOST];
        size_t n = 0;

        if (way == 2)
            text[n++] = ' ';
        for (const char *s = row->text; *s != '\0' && n + 4 < sizeof text; s++) {
            text[n++] = fold(*s, way);
            if (way == 2 && *s == ' ')
                text[n++] = s[1] % 2 == 0 ? '\n' : ' ';
        }
        text[n] = '\0';
        same_reading(text, want, row->text);
    }
}

static void letter_case_and_blanks_change_nothing(void **state)
{
    (void)state;
    each_row(case_row);
}

static size_t count_of(const char *text, const char *part)
{
    size_t n = 0;

    for (const char *s = text; (s = strstr(s, part)) != NULL; s++)
        n++;
    return n;
}

/* Doses that come before or after several times of day are not told apart. */
static bool several_places(const char *want)
{
    return count_of(want, "; in ") + count_of(want, "; at ") + count_of(want, "; on ") +
               count_of(want, "; with ") + count_of(want, "; every ") +
               count_of(want, " times per ") >
           1;
}

/* The clauses of a reading with one line, rotated: "every 6 hour; prn; 1 tablet". */
static void order_row(const struct row *row)
{
    struct ow_err err;
    const char *want = read_sig(row->text, &err);
    const char *clause[12];
    size_t n = 0;
    char *copy;

    if (want == NULL || strstr(want, "; then ") != NULL ||
        strstr(want, "; and ") != NULL || several_places(want))
        return;
    copy = ow_arena_strdup(&arena, want);
    for (char *s = copy; s != NULL && n < OW_LEN(clause);) {
        char *end = strstr(s, "; ");

        clause[n++] = s;
        if (end != NULL)
            *end = '\0';
        s = end != NULL ? end + 2 : NULL;
    }
    for (size_t turn = 1; turn < n; turn++) {
        const char *text = "take ";

        for (size_t i = 0; i < n; i++)
            text = ow_arena_printf(&arena, "%s%s%s", text, i > 0 ? ", " : "",
                                   clause[(i + turn) % n]);
        /* A number of nothing needs its verb before it; a limit or a count its dose. */
        if (clause[0][strspn(clause[0], "0123456789.-")] == '\0' ||
            strstr(want, " doses") != NULL || strstr(want, "up to ") != NULL)
            continue;
        same_reading(text, want, row->text);
    }
}

static void the_order_of_clauses_changes_nothing(void **state)
{
    (void)state;
    each_row(order_row);
}

/* Numbers that are notes, and none of the reading: quantities, refills, pain scales. */
static bool notes(const struct row *row)
{
    static const char *const words[] = { "#",      "disp", "qty",  "quantity",
                                         "refill", "pain", "last", "supply" };

    for (size_t i = 0; i < OW_LEN(words); i++)
        if (ow_contains_folded(row->text, words[i]))
            return true;
    return false;
}

/* No place of a sig is so loose that a word which changes the dose could hide in it. */
static void poison_row(const struct row *row)
{
    static const char *const poisons[] = { "unless",  "extra",   "17",     "zzq 4",
                                           "tonight", "never",   "dailly", "tripled",
                                           "wafers",  "awake",   "twcie",  "xii",
                                           "years",   "nothing", "halved", "mitad",
                                           "quincena" };
    struct ow_err err;

    if (read_sig(row->text, &err) == NULL)
        return;
    for (size_t k = 0; k < OW_LEN(poisons); k++) {
        for (const char *s = row->text; s != NULL; s = strchr(s + 1, ' ')) {
            const char *text = ow_arena_printf(&arena, "%.*s %s %s", (int)(s - row->text),
                                               row->text, poisons[k], s);
            const char *got = read_sig(text, &err);

            if (got != NULL && (k != 2 || (strstr(got, "17") == NULL && !notes(row))))
                fail_msg("%s\n read as %s", text, got);
        }
    }
}

static void no_word_that_changes_a_dose_is_passed_over(void **state)
{
    (void)state;
    each_row(poison_row);
}

static void a_refusal_names_the_words_that_stopped_it(void **state)
{
    struct ow_err err;

    (void)state;
    assert_null(read_sig("Take 1 tablet per sliding scale", &err));
    assert_string_equal(err.text, "not understood: \"per sliding scale\"");
    assert_null(read_sig(
        "take 1 tablet every 6 hours wobbly \xC3\xA9t\xC3\xA9 thing by mouth", &err));
    assert_string_equal(err.text, "not understood: \"wobbly \xC3\xA9t\xC3\xA9 thing\"");
    assert_null(read_sig("as directed", &err));
    assert_string_equal(err.text, "no dose: \"as directed\"");
    assert_null(read_sig("", &err));
    assert_string_equal(err.text, "no dose: \"\"");
    assert_null(read_sig("take \xFF tablets", &err));
    assert_string_equal(err.text, "the text is not valid UTF-8");
}

static void a_text_beyond_its_ceilings_is_refused(void **state)
{
    char text[OW_SIG_MOST + 2];
    struct ow_err err;

    (void)state;
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_null(read_sig(text, &err));
    assert_string_equal(err.text, "the text is too long");
    text[100] = '\0';
    assert_null(read_sig(text, &err));
    assert_string_equal(err.text, "a word is too long");
    for (size_t i = 0; i < sizeof text - 2; i++)
        text[i] = ",1"[i % 2];
    text[1000] = '\0';
    assert_null(read_sig(text, &err));
    for (size_t i = 0; i < 1000; i++)
        text[i] = "1 "[i % 2];
    assert_null(read_sig(text, &err));
    assert_string_equal(err.text, "the text has too many words");
}

static void a_word_is_loaded_or_may_stand_in_a_reason(void **state)
{
    static const char *const yes[] = { "tonight", "years",  "weekli", "wekely", "weeekly",
                                       "wekly",   "tablee", "table",  "e",      "never" };
    static const char *const no[] = { "gout", "sciatic", "wekesy", "tabling",
                                      "secondary" };

    (void)state;
    for (size_t i = 0; i < OW_LEN(yes); i++)
        if (!ow_sig_is_loaded(yes[i]))
            fail_msg("%s", yes[i]);
    for (size_t i = 0; i < OW_LEN(no); i++)
        if (ow_sig_is_loaded(no[i]))
            fail_msg("%s", no[i]);
}

static void a_text_without_amounts_does_not_speak(void **state)
{
    (void)state;
    assert_false(ow_sig_speaks("as directed", &arena));
    assert_false(ow_sig_speaks("take with food. Do not drive.", &arena));
    assert_false(ow_sig_speaks("by mouth as needed for pain", &arena));
    assert_false(ow_sig_speaks("Call us with questions", &arena));
    assert_true(ow_sig_speaks("1 tablet", &arena));
    assert_true(ow_sig_speaks("every day", &arena));
    assert_true(ow_sig_speaks("per taper schedule", &arena));
    assert_true(ow_sig_speaks("take extra if needed", &arena));
    assert_true(ow_sig_speaks("\xFF", &arena));
}

static void the_lists_are_sorted_and_spelt_as_folded(void **state)
{
    size_t n, n_phrases;
    const struct sig_word *w = ow_sig_words(&n);
    const struct sig_phrase *p = ow_sig_phrases(&n_phrases);

    (void)state;
    for (size_t i = 1; i < n; i++)
        if (strcmp(w[i - 1].raw, w[i].raw) >= 0)
            fail_msg("%s is out of order", w[i].raw);
    for (size_t i = 0; i < n_phrases; i++) {
        char words[128], *save = words, *one;

        (void)ow_copy(words, sizeof words, p[i].words);
        while ((one = strsep(&save, " |?")) != NULL) {
            const struct sig_word *known = *one != '\0' ? ow_sig_word(one) : NULL;

            if (known != NULL && !ow_streq(known->word, one))
                fail_msg("\"%s\" has %s, which is never left of it", p[i].words, one);
        }
        if (i > 0) {
            size_t len = strcspn(p[i].words, " ");
            size_t before = strcspn(p[i - 1].words, " ");
            int c = strncmp(p[i - 1].words, p[i].words, len < before ? len : before);

            if (c > 0 || (c == 0 && before > len))
                fail_msg("%s is out of order", p[i].words);
        }
    }
}

static int setup(void **state)
{
    (void)state;
    ow_arena_init(&arena, (size_t)64 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ow_arena_done(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sig_of_the_corpus_has_its_agreed_reading),
        cmocka_unit_test(what_is_printed_reads_back_the_same),
        cmocka_unit_test(letter_case_and_blanks_change_nothing),
        cmocka_unit_test(the_order_of_clauses_changes_nothing),
        cmocka_unit_test(no_word_that_changes_a_dose_is_passed_over),
        cmocka_unit_test(a_refusal_names_the_words_that_stopped_it),
        cmocka_unit_test(a_text_beyond_its_ceilings_is_refused),
        cmocka_unit_test(a_word_is_loaded_or_may_stand_in_a_reason),
        cmocka_unit_test(a_text_without_amounts_does_not_speak),
        cmocka_unit_test(the_lists_are_sorted_and_spelt_as_folded),
    };

    return cmocka_run_group_tests_name("sig", tests, setup, teardown);
}
