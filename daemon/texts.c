#include "daemon/texts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "daemon/files.h"

static const char english[] = "en";

void ow_texts_folders(const struct ow_config *c, struct ow_pack_folders *ret)
{
    ow_site_folders(c, "texts", c->texts_directory, ret);
}

bool ow_texts_known(const struct ow_pack_folders *f, const char *language)
{
    char path[OW_PACKS_PATH];

    return ow_streq(language, english) || ow_pack_path(f, language, path);
}

/* In both folders nobody could tell which one speaks. */
static bool stands_once(const struct ow_pack_folders *f, const char *name,
                        const char *path, ow_config_report_fn *report, void *arg)
{
    struct ow_pack_folders shared = { .own = "" };
    char other[OW_PACKS_PATH], text[OW_PACKS_PATH + 80];

    ow_copy(shared.shared, sizeof shared.shared, f->shared);
    if (!ow_pack_path(&shared, name, other) || ow_streq(path, other))
        return true;
    snprintf(text, sizeof text, "%s has that name: choose another, such as %s-site.tsv",
             other, name);
    if (report)
        report(arg, path, 0, 0, text);
    return false;
}

static bool layer_read(const struct ow_pack_folders *f, const char *name,
                       const char *path, struct ow_arena *arena,
                       ow_config_report_fn *report, void *arg, struct ow_words *into)
{
    struct ow_knowledge_file file = { .name = ow_arena_strdup(arena, path) };
    struct ow_err err = { "" };
    char *data = NULL;
    bool good;

    if (!stands_once(f, name, path, report, arg))
        return false;
    if (ow_file_read(path, OW_TEXTS_BYTES, &data, &file.len, &err) != OW_OK) {
        if (report)
            report(arg, path, 0, 0, err.text);
        return false;
    }
    file.data = data;
    good = ow_texts_parse(arena, &file, report, arg, into);
    free(data);
    return good;
}

enum ow_code ow_texts_load(const struct ow_pack_folders *f, const char *language,
                           struct ow_arena *arena, ow_config_report_fn *report, void *arg,
                           const struct ow_words **ret)
{
    struct ow_words *words = OW_NEW(arena, struct ow_words);
    char path[OW_PACKS_PATH];
    bool good = true;

    words->name = ow_arena_strdup(arena, language);
    for (size_t n = 1; n <= strlen(language); n++) {
        const char *name = ow_arena_strndup(arena, language, n);

        if (language[n] != '-' && language[n] != '\0')
            continue;
        if (language[n] == '-' && ow_streq(name, english))
            continue;                    /* that is where it all stands upon */
        if (ow_pack_path(f, name, path)) /* of a beginning there may be none */
            good = layer_read(f, name, path, arena, report, arg, words) && good;
    }
    if (!good)
        return OW_CONFIG;
    *ret = ow_streq(language, english) ? NULL : words;
    return OW_OK;
}
