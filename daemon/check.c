/*
 * check: everything that would keep the daemon from starting, at once and without
 * starting it. Reads files, opens no socket and asks no server.
 */
#include <stdio.h>

#include "alerts/pack.h"
#include "base/jw.h"
#include "base/text.h"
#include "daemon/cases.h"
#include "daemon/command.h"
#include "daemon/setting.h"
#include "daemon/source_attributes.h"
#include "daemon/tables.h"
#include "daemon/texts.h"

enum { SETTINGS_MAX = 1 << 20 };

struct printer {
    bool json;
};

static void print_json(const char *file, unsigned line, unsigned column, const char *text)
{
    struct ow_buf out;
    struct ow_jw w;

    ow_buf_init(&out, 1 << 20);
    ow_jw_init(&w, &out);
    ow_jw_object(&w);
    ow_jw_kstring(&w, "file", file);
    ow_jw_kint(&w, "line", line);
    ow_jw_kint(&w, "column", column);
    ow_jw_kstring(&w, "text", text);
    ow_jw_end(&w);
    puts(ow_buf_cstr(&out));
    ow_buf_done(&out);
}

static void on_error(void *arg, const char *file, unsigned line, unsigned column,
                     const char *text)
{
    const struct printer *p = arg;

    if (p->json)
        print_json(file, line, column, text);
    else
        fprintf(stderr, "%s:%u:%u: %s\n", file, line, column, text);
}

/* Every pack that can be named, whether in force or not, and its cases. */
static void check_packs(const struct ow_config *c, const struct ow_knowledge *kb,
                        struct ow_reporter *to)
{
    struct ow_pack_folders folders;
    const struct ow_pack_chain *chain;
    const char *const *names;
    struct ow_arena arena;
    size_t n;

    ow_arena_init(&arena, SIZE_MAX);
    ow_pack_folders(c, &folders);
    n = ow_pack_names(&folders, &arena, &names);
    for (size_t i = 0; i < n; i++)
        if (ow_pack_load(&folders, names[i], &arena, ow_reporter_on_report, to, &chain) ==
            OW_OK)
            ow_cases_run(chain, kb, ow_reporter_on_report, to);
    ow_arena_done(&arena);
}

/* All texts, whether in force or not. */
static void check_texts(const struct ow_config *c, struct ow_reporter *to)
{
    struct ow_pack_folders folders;
    const struct ow_words *words;
    const char *const *names;
    struct ow_arena arena;
    size_t n;

    ow_arena_init(&arena, SIZE_MAX);
    ow_texts_folders(c, &folders);
    n = ow_pack_names(&folders, &arena, &names);
    for (size_t i = 0; i < n; i++)
        (void)!ow_texts_load(&folders, names[i], &arena, ow_reporter_on_report, to,
                             &words);
    ow_arena_done(&arena);
}

/* What is no error, but good to know. */
static void print_notes(const struct ow_config *c)
{
    size_t lacking = c->words ? ow_texts_lacking(c->words) : 0;

    if (lacking > 0)
        fprintf(stderr, "opiward check: note: texts '%s': %zu of %d stay in English\n",
                c->words->name, lacking, OW_WORD_N);
}

static size_t check(const char *file, struct printer *p)
{
    struct ow_reporter to;
    struct ow_snapshot *s;
    struct ow_knowledge *kb = NULL;
    char folder[4096];
    size_t errors;

    ow_reporter_init(&to);
    s = ow_snapshot_load(file, &to);
    ow_config_check_files(s, &to);
    ow_tables_folder(&s->config, folder, sizeof folder);
    if (ow_tables_load(folder, ow_reporter_on_report, &to, &kb) == OW_OK) {
        check_packs(&s->config, kb, &to);
        ow_knowledge_free(kb);
    }
    check_texts(&s->config, &to);
    ow_reporter_tell(&to, on_error, p);
    errors = to.n;
    if (errors == 0)
        print_notes(&s->config);
    ow_snapshot_free(s);
    ow_reporter_done(&to);
    return errors;
}

enum printed {
    PRINT_NOTHING,
    PRINT_SETTINGS, /* the documented file that reads back the same */
    PRINT_PACK,     /* the policy of everybody as a rule pack */
    PRINT_TEXTS,    /* the texts of cards as a table */
    PRINT_SOURCES,  /* what stands behind each rule */
};

static int print_in_force(const char *file, enum printed what)
{
    const struct ow_config *config;
    struct ow_buf out;
    bool written;

    if (ow_config_load(file, NULL, NULL, &config) != OW_OK)
        return OW_EXIT_CONFIG;
    ow_buf_init(&out, SETTINGS_MAX);
    if (what == PRINT_PACK)
        ow_pack_print(&config->policy, config->packs, &out);
    else if (what == PRINT_TEXTS)
        ow_texts_print(config->words, &out);
    else if (what == PRINT_SOURCES)
        ow_source_attributes(&config->policy, config->packs, &out);
    else
        ow_config_print(file ? config : NULL, &out);
    written = !out.failed && fwrite(ow_buf_cstr(&out), 1, out.len, stdout) == out.len &&
              fflush(stdout) == 0;
    ow_buf_done(&out);
    ow_config_unref(config);
    return written ? OW_EXIT_OK : OW_EXIT_IO;
}

int ow_check_main(int argc, char **argv)
{
    const char *file = ow_config_default_file();
    struct printer p = { .json = false };
    enum printed print = PRINT_NOTHING;
    size_t errors;

    for (int i = 0; i < argc; i++) {
        if (ow_streq(argv[i], "--json")) {
            p.json = true;
        } else if (ow_streq(argv[i], "--print")) {
            print = PRINT_SETTINGS;
        } else if (ow_streq(argv[i], "--print-pack")) {
            print = PRINT_PACK;
        } else if (ow_streq(argv[i], "--print-texts")) {
            print = PRINT_TEXTS;
        } else if (ow_streq(argv[i], "--source-attributes")) {
            print = PRINT_SOURCES;
        } else if (ow_streq(argv[i], "--config") && i + 1 < argc) {
            file = argv[++i];
        } else {
            fputs("usage: opiward check [--config FILE] [--json] [--print|--print-pack|"
                  "--print-texts|\n                     --source-attributes]\n",
                  stderr);
            return OW_EXIT_USAGE;
        }
    }
    errors = check(file, &p);
    if (fflush(stdout) != 0)
        return OW_EXIT_IO;
    if (errors > 0) {
        fprintf(stderr, "opiward check: %zu error%s\n", errors, errors == 1 ? "" : "s");
        return OW_EXIT_CONFIG;
    }
    return print != PRINT_NOTHING ? print_in_force(file, print) : OW_EXIT_OK;
}
