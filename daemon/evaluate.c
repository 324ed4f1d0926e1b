/*
 * evaluate: the judgement offline
 *
 * The same path from bytes to verdict as the daemon's: fhir/input reads, alerts/evaluate
 * judges, fhir/report prints. One object a patient on standard output, sorted by patient.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/evaluate.h"
#include "base/text.h"
#include "daemon/clock.h"
#include "daemon/command.h"
#include "daemon/packs.h"
#include "daemon/tables.h"
#include "fhir/input.h"
#include "fhir/report.h"

enum { FILE_MAX = 1 << 30 };

struct evaluation {
    const char *config_file, *preset, *at, *hook_name;
    bool text, trace;
    enum ow_hook hook;
    const struct ow_config *config;
    struct ow_knowledge *knowledge;
    struct ow_zone *zone;
    struct ow_policy policy; /* of `preset` */
    struct ow_arena arena;
    struct ow_question question;
};

static int usage(void)
{
    fputs(
        "usage: opiward evaluate [--at INSTANT] [--preset NAME] [--hook NAME]\n"
        "                        [--config FILE] [--format json|text] [--trace] FILE...\n",
        stderr);
    return OW_EXIT_USAGE;
}

static void on_error(void *arg, const char *file, unsigned line, unsigned column,
                     const char *text)
{
    (void)arg;
    fprintf(stderr, "%s:%u:%u: %s\n", file, line, column, text);
}

/* Options into `e`; the index of the first file, or -1. */
static int options(struct evaluation *e, int argc, char **argv)
{
    int i = 0;

    for (; i < argc && ow_starts_with(argv[i], "--"); i += 2) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;

        if (ow_streq(argv[i], "--"))
            return i + 1;
        if (ow_streq(argv[i], "--trace")) {
            e->trace = true;
            i--; /* takes no value */
            continue;
        }
        if (!value)
            return -1;
        if (ow_streq(argv[i], "--at"))
            e->at = value;
        else if (ow_streq(argv[i], "--preset"))
            e->preset = value;
        else if (ow_streq(argv[i], "--hook"))
            e->hook_name = value;
        else if (ow_streq(argv[i], "--config"))
            e->config_file = value;
        else if (ow_streq(argv[i], "--format") &&
                 (ow_streq(value, "json") || ow_streq(value, "text")))
            e->text = ow_streq(value, "text");
        else
            return -1;
    }
    return i;
}

static bool hook_of(const char *name, enum ow_hook *ret)
{
    static const enum ow_hook hooks[] = { OW_HOOK_PATIENT_VIEW, OW_HOOK_ORDER_SELECT,
                                          OW_HOOK_ORDER_SIGN };

    for (size_t i = 0; i < OW_LEN(hooks); i++) {
        if (ow_streq(name, ow_hook_name(hooks[i]))) {
            *ret = hooks[i];
            return true;
        }
    }
    return false;
}

/* The preset as it is shipped, with the site's name on it; no rule of the site's. */
static int prepare_preset(struct evaluation *e)
{
    const struct ow_pack_chain *chain;
    struct ow_pack_folders folders;
    const char *const *names;
    char path[OW_PACKS_PATH];

    ow_pack_folders(e->config, &folders);
    if (!ow_pack_path(&folders, e->preset, path)) {
        size_t n = ow_pack_names(&folders, &e->arena, &names);

        fprintf(stderr, "opiward evaluate: no preset '%s'; there are:", e->preset);
        for (size_t i = 0; i < n; i++)
            fprintf(stderr, " %s", names[i]);
        fputc('\n', stderr);
        return OW_EXIT_USAGE;
    }
    if (ow_pack_load(&folders, e->preset, &e->arena, on_error, NULL, &chain) != OW_OK)
        return OW_EXIT_CONFIG;
    ow_pack_policy(chain, &e->policy);
    e->policy.source_label = e->config->policy.source_label;
    e->policy.source_url = e->config->policy.source_url;
    e->policy.words = e->config->words;
    if (!ow_streq(e->config->policy_version, "preset"))
        e->policy.version = e->config->policy_version;
    e->policy.sha256 = ow_policy_sha256(&e->policy, chain, &e->arena);
    return OW_EXIT_OK;
}

static int prepare_policy(struct evaluation *e)
{
    if (e->hook_name && !hook_of(e->hook_name, &e->hook)) {
        fprintf(stderr,
                "opiward evaluate: no hook '%s'; there are: patient-view order-select "
                "order-sign\n",
                e->hook_name);
        return OW_EXIT_USAGE;
    }
    return e->preset ? prepare_preset(e) : OW_EXIT_OK;
}

static int prepare(struct evaluation *e)
{
    struct ow_err err = { "" };
    struct ow_span at;
    char folder[4096];
    int status;

    if (ow_config_load(e->config_file, on_error, NULL, &e->config) != OW_OK)
        return OW_EXIT_CONFIG;
    status = prepare_policy(e);
    if (status != OW_EXIT_OK)
        return status;
    if (ow_zone_load(e->config->site_zone, &e->zone, &err) != OW_OK) {
        fprintf(stderr, "opiward evaluate: %s\n", err.text);
        return OW_EXIT_CONFIG;
    }
    ow_tables_folder(e->config, folder, sizeof folder);
    if (ow_tables_load(folder, on_error, NULL, &e->knowledge) != OW_OK)
        return OW_EXIT_CONFIG;
    at.from = ow_clock_utc();
    if (e->at && ow_time_parse(e->at, e->zone, &at, &err) != OW_OK) {
        fprintf(stderr, "opiward evaluate: --at: %s\n", err.text);
        return OW_EXIT_USAGE;
    }
    e->question = (struct ow_question){ .knowledge = e->knowledge,
                                        .zone = e->zone,
                                        .at = at.from,
                                        .trace = e->trace,
                                        .drafts_count = true };
    return OW_EXIT_OK;
}

/* The whole of a file or of standard input; freed by the caller. */
static char *slurp(const char *name, size_t *len)
{
    FILE *f = ow_streq(name, "-") ? stdin : fopen(name, "rb");
    struct ow_buf b;
    char chunk[65536];
    size_t n;

    if (!f)
        return NULL;
    ow_buf_init(&b, FILE_MAX);
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
        ow_buf_add(&b, chunk, n);
    if (ferror(f) || b.failed) {
        errno = b.failed ? EFBIG : errno;
        ow_buf_done(&b);
    } else if (!b.data) {
        ow_buf_add(&b, "", 0);
        b.data = b.data ? b.data : ow_strdup("");
    }
    if (f != stdin)
        fclose(f);
    *len = b.len;
    return b.data;
}

static enum ow_code judge_charts(const struct evaluation *e, const struct ow_input *in,
                                 struct ow_arena *arena, struct ow_buf *out,
                                 struct ow_err *err)
{
    for (size_t i = 0; i < in->n_charts; i++) {
        const struct ow_chart *chart = &in->charts[i];
        struct ow_question q = e->question;
        const struct ow_verdict *v;
        enum ow_code code;

        q.policy = e->preset ? &e->policy : ow_config_policy_for(e->config, chart, q.at);
        code = ow_evaluate(chart, &q, arena, &v, err);

        if (code != OW_OK)
            return code;
        if (e->text) {
            ow_report_text(v, false, out);
        } else {
            ow_report_json(v, out);
            ow_buf_char(out, '\n');
        }
    }
    return OW_OK;
}

/* One file's reports into `out`. */
static int evaluate_into(const struct evaluation *e, const char *name, struct ow_buf *out)
{
    struct ow_arena arena;
    struct ow_err err = { "" };
    struct ow_input in;
    int status = OW_EXIT_OK;
    size_t len;
    char *data = slurp(name, &len);
    enum ow_code code;

    if (!data) {
        fprintf(stderr, "%s: cannot be read: %s\n", name, strerror(errno));
        return OW_EXIT_IO;
    }
    ow_arena_init(&arena, SIZE_MAX);
    code = ow_input_read(&arena, data, len, e->zone, e->hook, &in, &err);
    if (code == OW_OK && in.is_hook && in.hook.lacks_orders && in.hook.no_prefetch) {
        fprintf(stderr,
                "%s: the request's prefetch lacks the patient's MedicationRequests, and "
                "nothing is fetched offline\n",
                name);
        status = OW_EXIT_UNAVAILABLE;
    } else if (code == OW_OK) {
        code = judge_charts(e, &in, &arena, out, &err);
    }
    if (code != OW_OK) {
        fprintf(stderr, "%s: %s\n", name, err.text);
        status = OW_EXIT_DATA;
    }
    ow_arena_done(&arena);
    free(data);
    return status;
}

/* Nothing is printed for a file before all of it was judged. */
static int evaluate_file(const struct evaluation *e, const char *name)
{
    struct ow_buf out;
    int status;

    ow_buf_init(&out, FILE_MAX);
    status = evaluate_into(e, name, &out);
    if (status == OW_EXIT_OK && fwrite(ow_buf_cstr(&out), 1, out.len, stdout) != out.len)
        status = OW_EXIT_IO;
    ow_buf_done(&out);
    return status;
}

static void finish(struct evaluation *e)
{
    ow_arena_done(&e->arena);
    ow_knowledge_free(e->knowledge);
    ow_zone_free(e->zone);
    if (e->config)
        ow_config_unref(e->config);
}

int ow_evaluate_report(const struct ow_evaluate_asked *asked, struct ow_buf *out,
                       struct ow_policy *policy)
{
    struct evaluation e = { .config_file = asked->config_file,
                            .preset = asked->preset,
                            .at = asked->at,
                            .hook_name = asked->hook };
    int status;

    ow_arena_init(&e.arena, SIZE_MAX);
    status = prepare(&e);
    if (status == OW_EXIT_OK) {
        *policy = e.preset ? e.policy : e.config->policy;
        status = evaluate_into(&e, asked->file, out);
    }
    finish(&e);
    return status;
}

int ow_evaluate_main(int argc, char **argv)
{
    struct evaluation e = { .config_file = ow_config_default_file() };
    int first = options(&e, argc, argv), status;

    if (first < 0 || first >= argc)
        return usage();
    ow_arena_init(&e.arena, SIZE_MAX);
    status = prepare(&e);
    for (int i = first;
         i < argc && (status == OW_EXIT_OK || status == OW_EXIT_DATA ||
                      status == OW_EXIT_IO || status == OW_EXIT_UNAVAILABLE);
         i++) {
        int one = evaluate_file(&e, argv[i]);

        status = one != OW_EXIT_OK ? one : status;
    }
    if (fflush(stdout) != 0)
        status = OW_EXIT_IO;
    finish(&e);
    return status;
}
