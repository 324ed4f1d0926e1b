/*
 * knowledge: check, list, diff, lookup and import-rxnorm
 */
#include "daemon/knowledge_cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "daemon/files.h"
#include "daemon/reporter.h"
#include "daemon/tables.h"

static const char usage_text[] =
    "usage: opiward knowledge [--config FILE] [--from DIR] [--json] COMMAND\n"
    "  check                      load the tables, print every error\n"
    "  list                       tables with version, rows, hash and sources\n"
    "  diff OLD NEW               rows added, removed and changed, column by column\n"
    "  lookup CODE|NAME           all that is known of an RxCUI, NDC, local code or name\n"
    "  import-rxnorm [--out DIR] [--release YYYY-MM] RRF\n"
    "                             new tables out of a folder of RxNorm files\n";

static int usage(void)
{
    fputs(usage_text, stderr);
    return OW_EXIT_USAGE;
}

void ow_knowledge_on_error(void *arg, const char *file, unsigned line, unsigned column,
                           const char *text)
{
    (void)arg;
    fprintf(stderr, "%s:%u:%u: %s\n", file, line, column, text);
}

static void on_error_json(void *arg, const char *file, unsigned line, unsigned column,
                          const char *text)
{
    struct ow_buf *b = arg;
    struct ow_jw w;

    ow_jw_init(&w, b);
    ow_jw_object(&w);
    ow_jw_kstring(&w, "file", file);
    ow_jw_kint(&w, "line", line);
    ow_jw_kint(&w, "column", column);
    ow_jw_kstring(&w, "text", text);
    ow_jw_end(&w);
    ow_knowledge_line(b);
}

void ow_knowledge_line(struct ow_buf *b)
{
    puts(ow_buf_cstr(b));
    ow_buf_reset(b);
}

void ow_knowledge_row_json(struct ow_jw *w, const struct ow_sheet *s, size_t row)
{
    ow_jw_object(w);
    for (size_t i = 0; i < s->n_columns; i++)
        ow_jw_kstring_opt(w, s->columns[i], s->rows[row][i]);
    ow_jw_end(w);
}

void ow_knowledge_folder_version(const char *folder, char *ret, size_t size)
{
    char path[4096], *data;
    struct ow_err err;
    size_t len;

    ret[0] = '\0';
    if (!ow_path_join(folder, "VERSION", path, sizeof path) ||
        ow_file_read(path, 256, &data, &len, &err) != OW_OK)
        return;
    data[strcspn(data, "\r\n")] = '\0';
    ow_copy(ret, size, data);
    free(data);
}

static int check(const struct ow_knowledge_options *o)
{
    struct ow_knowledge *kb = NULL;
    struct ow_reporter to;
    struct ow_buf b;
    size_t errors;

    ow_reporter_init(&to);
    ow_buf_init(&b, 1 << 20);
    if (ow_tables_load(o->folder, ow_reporter_on_report, &to, &kb) == OW_OK)
        ow_knowledge_free(kb);
    ow_reporter_tell(&to, o->json ? on_error_json : ow_knowledge_on_error, &b);
    errors = to.n;
    ow_reporter_done(&to);
    ow_buf_done(&b);
    if (errors == 0)
        return OW_EXIT_OK;
    fprintf(stderr, "opiward knowledge check: %zu error%s\n", errors,
            errors == 1 ? "" : "s");
    return OW_EXIT_CONFIG;
}

/* Options anywhere; what is no option moves to the front of `argv`. -1: wrong usage. */
static int options(struct ow_knowledge_options *o, int argc, char **argv)
{
    const struct {
        const char *name, **value;
    } known[] = {
        {"--config",   &o->config },
        { "--from",    &o->from   },
        { "--out",     &o->out    },
        { "--release", &o->release}
    };
    int n = 0;

    for (int i = 0; i < argc; i++) {
        size_t k = 0;

        if (ow_streq(argv[i], "--json")) {
            o->json = true;
            continue;
        }
        while (k < OW_LEN(known) && !ow_streq(argv[i], known[k].name))
            k++;
        if (k < OW_LEN(known)) {
            if (i + 1 == argc)
                return -1;
            *known[k].value = argv[++i];
        } else if (ow_starts_with(argv[i], "--")) {
            return -1;
        } else {
            argv[n++] = argv[i];
        }
    }
    return n;
}

/* Where the tables are. A broken configuration does not matter when --from is given. */
static int folder_find(struct ow_knowledge_options *o)
{
    const struct ow_config *config;

    if (o->from != NULL) {
        if (ow_copy(o->folder, sizeof o->folder, o->from) != strlen(o->from))
            return OW_EXIT_USAGE;
        return OW_EXIT_OK;
    }
    if (ow_config_load(o->config != NULL ? o->config : ow_config_default_file(),
                       ow_knowledge_on_error, NULL, &config) != OW_OK)
        return OW_EXIT_CONFIG;
    ow_tables_folder(config, o->folder, sizeof o->folder);
    ow_config_unref(config);
    return OW_EXIT_OK;
}

static int run(struct ow_knowledge_options *o, int argc, char **argv)
{
    const char *name = argv[0];

    if ((o->out != NULL || o->release != NULL) && !ow_streq(name, "import-rxnorm"))
        return usage();
    if (ow_streq(name, "check") && argc == 1)
        return check(o);
    if (ow_streq(name, "list") && argc == 1)
        return ow_knowledge_list(o, argc - 1, argv + 1);
    if (ow_streq(name, "diff") && argc == 3)
        return ow_knowledge_diff(o, argc - 1, argv + 1);
    if (ow_streq(name, "lookup") && argc == 2)
        return ow_knowledge_lookup(o, argc - 1, argv + 1);
    if (ow_streq(name, "import-rxnorm") && argc == 2)
        return ow_knowledge_import(o, argc - 1, argv + 1);
    return usage();
}

int ow_knowledge_main(int argc, char **argv)
{
    struct ow_knowledge_options o = { .json = false };
    int status;

    argc = options(&o, argc, argv);
    if (argc < 1)
        return usage();
    if (!ow_streq(argv[0], "diff")) {
        status = folder_find(&o);
        if (status != OW_EXIT_OK)
            return status;
    }
    status = run(&o, argc, argv);
    if (fflush(stdout) != 0 && status == OW_EXIT_OK)
        status = OW_EXIT_IO;
    return status;
}
