/*
 * Loading: every setting at its default, then the file, then the files of conf.d in order
 * of name; a later one wins, a key twice in one file is an error. Then the settings are
 * looked at together, and the policies are built: the rule pack, and what the site says
 * beside it.
 */
#include "daemon/config.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "daemon/clients.h"
#include "daemon/files.h"
#include "daemon/overlay.h"
#include "daemon/packs.h"
#include "daemon/setting.h"
#include "daemon/signature.h"
#include "daemon/texts.h"
#include "daemon/yaml.h"

enum {
    PATH_BYTES = 4096,
    DROP_INS = 256,
};

static const char default_file[] = "/etc/opiward/opiward.yaml";

const char *ow_config_default_file(void)
{
    return ow_is_file(default_file) ? default_file : NULL;
}

/* --- reports --- */

void ow_report_at(struct ow_reporter *to, const struct ow_snapshot *s,
                  enum ow_setting_id id, const char *fmt, ...)
{
    const struct ow_place *at = &s->places[id];
    const char *file = at->file ? at->file : s->config.file;
    char text[2 * OW_ERR_SIZE];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    ow_reporter_add(to, file ? file : "built-in defaults", at->line, at->column, text);
}

/* --- items to settings --- */

static void unknown_section(struct ow_reporter *to, const char *file,
                            const struct ow_yaml_item *it)
{
    const struct ow_setting *near = ow_setting_suggest(it->section, NULL);
    const struct ow_setting *key = ow_setting_suggest("", it->section);
    char text[OW_ERR_SIZE];

    if (near)
        snprintf(text, sizeof text, "no section '%.60s'; did you mean '%s'?", it->section,
                 near->section);
    else if (key)
        snprintf(text, sizeof text, "no section '%.60s'; did you mean the key %s.%s?",
                 it->section, key->section, key->name);
    else
        snprintf(text, sizeof text, "no section '%.60s'", it->section);
    ow_reporter_add(to, file, it->key_at.line, it->key_at.column, text);
}

static void unknown_key(struct ow_reporter *to, const char *file,
                        const struct ow_yaml_item *it)
{
    const struct ow_setting *near = ow_setting_suggest(it->section, it->key);
    char text[OW_ERR_SIZE];

    if (near)
        snprintf(text, sizeof text, "no key '%.60s' in %s; did you mean '%s%s%s'?",
                 it->key, it->section,
                 ow_streq(near->section, it->section) ? "" : near->section,
                 ow_streq(near->section, it->section) ? "" : ".", near->name);
    else
        snprintf(text, sizeof text, "no key '%.60s' in %s", it->key, it->section);
    ow_reporter_add(to, file, it->key_at.line, it->key_at.column, text);
}

static void section_value(struct ow_reporter *to, const char *file,
                          const struct ow_yaml_item *it)
{
    char text[OW_ERR_SIZE];

    snprintf(text, sizeof text, "section '%s' takes keys, not %s", it->section,
             it->value);
    ow_reporter_add(to, file, it->value_at.line, it->value_at.column, text);
}

static void section_take(struct ow_reporter *to, const char *file,
                         const struct ow_yaml_item *it)
{
    if (!ow_setting_section(it->section))
        unknown_section(to, file, it);
    else if (it->value)
        section_value(to, file, it);
}

static void item_take(struct ow_snapshot *s, struct ow_reporter *to, const char *file,
                      const char *folder, const struct ow_yaml_item *it)
{
    const struct ow_setting *set;
    struct ow_err err = { "" };

    if (ow_streq(it->section, "rules") || ow_streq(it->section, "clinics")) {
        if (!it->key && it->depth == 0 && it->value)
            section_value(to, file, it);
        ow_overlay_take(s, to, file, it);
        return;
    }
    if (ow_streq(it->section, "clients")) {
        ow_clients_take(s, to, file, folder, it);
        return;
    }
    if (!it->key) {
        section_take(to, file, it);
        return;
    }
    if (!ow_setting_section(it->section))
        return; /* said once, for the section */
    set = ow_setting_find(it->section, it->key);
    if (!set) {
        unknown_key(to, file, it);
        return;
    }
    if (!it->value)
        return; /* said by the reader */
    s->places[set - ow_settings] = (struct ow_place){ file, it->value_at.line,
                                                      it->value_at.column };
    if (!ow_setting_parse(set, it->value, folder, &s->config, &s->arena, &err))
        ow_reporter_add(to, file, it->value_at.line, it->value_at.column, err.text);
}

/* --- files --- */

/* Does it change what a rule pack says? */
static bool speaks_of_rules(const struct ow_yaml_item *it)
{
    static const char *const keys[] = { "older_factor", "stale_days", "average_days",
                                        "count_stale" };

    if (!it->key || !it->value || ow_streq(it->value, "preset"))
        return false;
    if (ow_streq(it->section, "rules") || ow_streq(it->section, "clinics"))
        return !(ow_streq(it->key, "from") && ow_streq(it->value, ""));
    for (size_t i = 0; ow_streq(it->section, "policy") && i < OW_LEN(keys); i++)
        if (ow_streq(it->key, keys[i]))
            return true;
    return false;
}

static void text_take(struct ow_snapshot *s, struct ow_reporter *to, const char *name,
                      const char *folder, const char *data, size_t len)
{
    struct ow_yaml yaml;

    /* What the reader refuses it has reported; the rest is looked at all the same. */
    (void)!ow_yaml_read(name, data, len, &s->arena, ow_reporter_on_report, to, &yaml);
    for (size_t i = 0; i < yaml.n; i++)
        item_take(s, to, name, folder, &yaml.items[i]);
    for (size_t i = 0; i < yaml.n; i++) {
        const struct ow_yaml_item *it = &yaml.items[i];

        if (!speaks_of_rules(it))
            continue;
        ow_signature_needs(
            s, (struct ow_place){ name, it->key_at.line, it->key_at.column }, data, len);
        break;
    }
}

static void file_take(struct ow_snapshot *s, struct ow_reporter *to, const char *path,
                      const char *folder)
{
    const char *name = ow_arena_strdup(&s->arena, path);
    struct ow_err err = { "" };
    char *data;
    size_t len;

    if (ow_file_read(path, OW_YAML_BYTES, &data, &len, &err) != OW_OK) {
        ow_reporter_add(to, name, 0, 0, err.text);
        return;
    }
    text_take(s, to, name, folder, data, len);
    free(data);
}

static int is_drop_in(const struct dirent *e)
{
    return e->d_name[0] != '.' && ow_ends_with(e->d_name, ".yaml");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* A conf.d that is not there is none; one that cannot be read is an error. */
static void drop_ins_take(struct ow_snapshot *s, struct ow_reporter *to,
                          const char *folder)
{
    char path[PATH_BYTES], file[PATH_BYTES + 256];
    struct dirent **found;
    int n;

    if (!ow_path_join(folder, "conf.d", path, sizeof path))
        return;
    n = scandir(path, &found, is_drop_in, by_name);
    if (n < 0) {
        if (errno != ENOENT)
            ow_reporter_add(to, ow_arena_strdup(&s->arena, path), 0, 0, strerror(errno));
        return;
    }
    if (n > DROP_INS)
        ow_reporter_add(to, ow_arena_strdup(&s->arena, path), 0, 0,
                        "more than 256 files");
    for (int i = 0; i < n; i++) {
        if (i < DROP_INS && ow_path_join(path, found[i]->d_name, file, sizeof file))
            file_take(s, to, file, folder);
        free(found[i]);
    }
    free(found);
}

/* The folder of `file`, absolute, so that a setting keeps its meaning wherever we run. */
static void folder_of(const char *file, char ret[PATH_BYTES])
{
    char *real;

    if (!ow_path_folder(file, ret, PATH_BYTES)) {
        ow_copy(ret, PATH_BYTES, ".");
        return;
    }
    real = realpath(ret, NULL);
    if (real)
        ow_copy(ret, PATH_BYTES, real);
    free(real);
}

/* --- snapshots --- */

static struct ow_snapshot *snapshot_new(void)
{
    struct ow_snapshot *s = ow_alloc_zero(sizeof *s);
    struct ow_err err = { "" };

    ow_arena_init(&s->arena, SIZE_MAX);
    s->config.refs = 1;
    for (size_t i = 0; i < OW_SETTING_N; i++)
        ow_assert(ow_setting_parse(&ow_settings[i], ow_settings[i].dflt, "", &s->config,
                                   &s->arena, &err));
    return s;
}

void ow_snapshot_free(struct ow_snapshot *s)
{
    if (!s)
        return;
    ow_arena_done(&s->arena);
    free(s);
}

/* What a site says beside its pack, but for rules. */
static void policy_finish(const struct ow_config *c, struct ow_policy *p)
{
    if (!ow_streq(c->policy_version, "preset"))
        p->version = c->policy_version;
    p->source_label = c->site_name;
    p->source_url = *c->site_url ? c->site_url : NULL;
    p->words = c->words;
    if (!ow_streq(c->policy_older_factor, "preset"))
        p->older_factor = ow_streq(c->policy_older_factor, "older-factor");
    if (!ow_streq(c->policy_count_stale, "preset"))
        p->count_stale = ow_streq(c->policy_count_stale, "yes");
    if (c->policy_average_days.set)
        p->average_days = ow_config_int(c->policy_average_days);
    if (c->policy_stale_days.set)
        p->stale_days = ow_config_int(c->policy_stale_days);
}

/* The names of what is in these folders, each behind a blank. */
static void names_list(struct ow_snapshot *s, const struct ow_pack_folders *folders,
                       struct ow_buf *ret)
{
    const char *const *names;
    size_t n = ow_pack_names(folders, &s->arena, &names);

    ow_buf_init(ret, 1 << 16);
    for (size_t i = 0; i < n; i++)
        ow_buf_printf(ret, " %s", names[i]);
}

/* A pack that cannot be had is an error at the setting that names it; until that is
 * mended the defaults stand in, so that the rest can be looked at. */
static void packs_read(struct ow_snapshot *s, struct ow_reporter *to,
                       const struct ow_pack_folders *folders)
{
    struct ow_config *c = &s->config;
    char path[OW_PACKS_PATH];
    struct ow_buf list;

    if (ow_pack_path(folders, c->policy_preset, path)) {
        if (ow_pack_load(folders, c->policy_preset, &s->arena, ow_reporter_on_report, to,
                         &c->packs) == OW_OK)
            return;
    } else {
        names_list(s, folders, &list);
        ow_report_at(to, s, OW_S_policy_preset,
                     "policy.preset: no rule pack '%.40s'; there are:%s",
                     c->policy_preset, ow_buf_cstr(&list));
        ow_buf_done(&list);
    }
    c->packs = OW_NEW(&s->arena, struct ow_pack_chain);
}

/* Texts that cannot be had are an error likewise, and English stands in. */
static void words_read(struct ow_snapshot *s, struct ow_reporter *to)
{
    struct ow_config *c = &s->config;
    struct ow_pack_folders folders;
    struct ow_buf list;

    if (ow_streq(c->texts_language, "en"))
        return; /* what the program says by itself */
    ow_texts_folders(c, &folders);
    if (ow_texts_known(&folders, c->texts_language)) {
        (void)!ow_texts_load(&folders, c->texts_language, &s->arena,
                             ow_reporter_on_report, to, &c->words);
        return;
    }
    names_list(s, &folders, &list);
    ow_report_at(to, s, OW_S_texts_language,
                 "texts.language: no texts '%.40s'; there are:%s", c->texts_language,
                 ow_buf_cstr(&list));
    ow_buf_done(&list);
}

static void policy_build(struct ow_snapshot *s, struct ow_reporter *to)
{
    struct ow_pack_folders folders;
    struct ow_policy base;

    words_read(s, to);
    ow_pack_folders(&s->config, &folders);
    packs_read(s, to, &folders);
    ow_signatures_check(s, &folders, to);
    ow_pack_policy(s->config.packs, &base);
    policy_finish(&s->config, &base);
    ow_overlay_build(s, to, &base);
}

struct ow_snapshot *ow_snapshot_load(const char *file, struct ow_reporter *to)
{
    struct ow_snapshot *s = snapshot_new();
    char folder[PATH_BYTES];

    if (file) {
        s->config.file = ow_arena_strdup(&s->arena, file);
        folder_of(file, folder);
        file_take(s, to, file, folder);
        drop_ins_take(s, to, folder);
    }
    policy_build(s, to);
    ow_config_check_values(s, to);
    return s;
}

struct ow_snapshot *ow_snapshot_read(const char *name, const char *data, size_t len,
                                     struct ow_reporter *to)
{
    struct ow_snapshot *s = snapshot_new();

    text_take(s, to, ow_arena_strdup(&s->arena, name), "/", data, len);
    policy_build(s, to);
    ow_config_check_values(s, to);
    return s;
}

/* --- the way in --- */

static enum ow_code config_load(const char *file, bool look_at_files,
                                ow_config_report_fn *fn, void *arg,
                                const struct ow_config **ret)
{
    struct ow_reporter to;
    struct ow_snapshot *s;
    enum ow_code code;

    ow_reporter_init(&to);
    s = ow_snapshot_load(file, &to);
    if (look_at_files)
        ow_config_check_files(s, &to);
    code = to.n > 0 ? OW_CONFIG : OW_OK;
    ow_reporter_tell(&to, fn, arg);
    ow_reporter_done(&to);
    if (code == OW_OK)
        *ret = &s->config;
    else
        ow_snapshot_free(s);
    return code;
}

enum ow_code ow_config_load(const char *file, ow_config_report_fn *fn, void *arg,
                            const struct ow_config **ret)
{
    return config_load(file, false, fn, arg, ret);
}

enum ow_code ow_config_load_checked(const char *file, ow_config_report_fn *fn, void *arg,
                                    const struct ow_config **ret)
{
    return config_load(file, true, fn, arg, ret);
}

const struct ow_config *ow_config_ref(const struct ow_config *c)
{
    ((struct ow_config *)(uintptr_t)c)->refs++;
    return c;
}

void ow_config_unref(const struct ow_config *c)
{
    struct ow_snapshot *s = (struct ow_snapshot *)(uintptr_t)c;

    if (!s)
        return;
    ow_assert(s->config.refs > 0);
    if (--s->config.refs == 0)
        ow_snapshot_free(s);
}

int64_t ow_config_int(struct ow_config_number n)
{
    ow_assert(n.set);
    return ow_ratio_floor(n.value);
}
