#include "daemon/packs.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/text.h"
#include "daemon/files.h"
#include "daemon/tables.h"

static const char ending[] = ".tsv";

/* --- where they are --- */

static bool same_folder(const char *a, const char *b)
{
    char *x = realpath(a, NULL), *y = realpath(b, NULL);
    bool same = x && y && ow_streq(x, y);

    free(x);
    free(y);
    return same;
}

void ow_site_folders(const struct ow_config *c, const char *shared, const char *own,
                     struct ow_pack_folders *ret)
{
    char folder[OW_PACKS_PATH] = ".";

    ow_shared_folder(shared, ret->shared, sizeof ret->shared);
    if (c->file && !ow_path_folder(c->file, folder, sizeof folder))
        ow_copy(folder, sizeof folder, ".");
    if (!c->file || !ow_path_join(folder, own, ret->own, sizeof ret->own))
        ret->own[0] = '\0';
    if (!ow_is_folder(ret->own) || same_folder(ret->own, ret->shared))
        ret->own[0] = '\0';
}

void ow_pack_folders(const struct ow_config *c, struct ow_pack_folders *ret)
{
    ow_site_folders(c, "policies", c->policy_directory, ret);
}

static bool path_in(const char *folder, const char *name, char ret[OW_PACKS_PATH])
{
    char file[OW_PACK_NAME + sizeof ending];

    if (folder[0] == '\0' || !ow_pack_name_valid(name))
        return false;
    snprintf(file, sizeof file, "%s%s", name, ending);
    return ow_path_join(folder, file, ret, OW_PACKS_PATH) && ow_is_file(ret);
}

bool ow_pack_path(const struct ow_pack_folders *f, const char *name,
                  char ret[OW_PACKS_PATH])
{
    return path_in(f->own, name, ret) || path_in(f->shared, name, ret);
}

struct names {
    struct ow_arena *arena;
    const char **list;
    size_t n, cap;
};

static void names_add(struct names *l, const char *file)
{
    size_t len = strlen(file) - strlen(ending);
    const char *name = ow_arena_strndup(l->arena, file, len);

    if (!ow_pack_name_valid(name) || l->n >= OW_PACKS_MOST)
        return;
    for (size_t i = 0; i < l->n; i++)
        if (ow_streq(l->list[i], name))
            return;
    OW_ARENA_GROW(l->arena, l->list, l->n, l->cap);
    l->list[l->n++] = name;
}

static void names_read(struct names *l, const char *folder)
{
    DIR *d = folder[0] != '\0' ? opendir(folder) : NULL;
    const struct dirent *e;

    while (d && (e = readdir(d)))
        if (strlen(e->d_name) > strlen(ending) && ow_ends_with(e->d_name, ending))
            names_add(l, e->d_name);
    if (d)
        closedir(d);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

size_t ow_pack_names(const struct ow_pack_folders *f, struct ow_arena *arena,
                     const char *const **ret)
{
    struct names l = { .arena = arena };

    names_read(&l, f->own);
    names_read(&l, f->shared);
    if (l.n > 0)
        qsort(l.list, l.n, sizeof *l.list, by_text);
    *ret = l.list;
    return l.n;
}

/* --- reading --- */

struct loading {
    const struct ow_pack_folders *folders;
    struct ow_arena *arena;
    ow_config_report_fn *report;
    void *arg;
    struct ow_pack *read[OW_PACK_DEPTH]; /* from the one in force to the first */
    size_t n;
};

static bool fault(const struct loading *l, const char *file, unsigned line,
                  unsigned column, const char *text)
{
    if (l->report)
        l->report(l->arg, file, line, column, text);
    return false;
}

/* The pack calls itself by the name of its file, which stands once in each folder. */
static bool names_agree(struct loading *l, const struct ow_pack *p, const char *name)
{
    const struct ow_pack_row *r = ow_pack_row(p, OW_RULE_N, "name");
    char own[OW_PACKS_PATH], shared[OW_PACKS_PATH], text[OW_PACKS_PATH + 80];
    bool good = true;

    if (!ow_streq(p->name, name)) {
        snprintf(text, sizeof text, "value: the file is %s%s, so its name is %s", name,
                 ending, name);
        good = fault(l, p->file, r->line, r->column, text);
    }
    if (path_in(l->folders->own, name, own) &&
        path_in(l->folders->shared, name, shared)) {
        snprintf(text, sizeof text, "value: %s has that name: choose another", shared);
        good = fault(l, p->file, r->line, r->column, text);
    }
    return good;
}

static struct ow_pack *pack_read(struct loading *l, const char *path, const char *name)
{
    struct ow_pack *p = OW_NEW(l->arena, struct ow_pack);
    struct ow_knowledge_file file = { .name = ow_arena_strdup(l->arena, path) };
    struct ow_err err = { "" };
    char *data = NULL;
    bool good;

    if (ow_file_read(path, OW_PACK_BYTES, &data, &file.len, &err) != OW_OK) {
        fault(l, file.name, 0, 0, err.text);
        return NULL;
    }
    file.data = data;
    good = ow_pack_parse(l->arena, &file, l->report, l->arg, p) &&
           names_agree(l, p, name);
    p->data = ow_arena_strndup(l->arena, data, file.len);
    p->len = file.len;
    free(data);
    return good ? p : NULL;
}

/* What does not go on at a line that says `extends`. */
static bool cannot_extend(struct loading *l, const char *why)
{
    const struct ow_pack *p = l->read[l->n - 1];
    const struct ow_pack_row *r = ow_pack_row(p, OW_RULE_N, "extends");
    char text[OW_ERR_SIZE];

    snprintf(text, sizeof text, "value: %s %s", p->extends, why);
    return fault(l, p->file, r->line, r->column, text);
}

static bool chain_read(struct loading *l, const char *name)
{
    char path[OW_PACKS_PATH];

    while (name) {
        for (size_t i = 0; i < l->n; i++)
            if (ow_streq(l->read[i]->name, name))
                return cannot_extend(l, "extends this pack in its turn");
        if (l->n == OW_PACK_DEPTH)
            return cannot_extend(l, "would be the ninth in a row; at most 8 extend "
                                    "each other");
        if (!ow_pack_path(l->folders, name, path)) {
            if (l->n > 0)
                return cannot_extend(l, "is no pack in these folders");
            snprintf(path, sizeof path, "no rule pack '%.40s'", name);
            return fault(l, l->folders->shared, 0, 0, path);
        }
        l->read[l->n] = pack_read(l, path, name);
        if (!l->read[l->n])
            return false;
        name = l->read[l->n++]->extends;
    }
    return true;
}

enum ow_code ow_pack_load(const struct ow_pack_folders *f, const char *name,
                          struct ow_arena *arena, ow_config_report_fn *report, void *arg,
                          const struct ow_pack_chain **ret)
{
    struct loading l = { .folders = f, .arena = arena, .report = report, .arg = arg };
    struct ow_pack_chain *chain;

    if (!chain_read(&l, name))
        return OW_CONFIG;
    chain = OW_NEW(arena, struct ow_pack_chain);
    chain->n = l.n;
    for (size_t i = 0; i < l.n; i++)
        chain->packs[i] = l.read[l.n - 1 - i];
    *ret = chain;
    return OW_OK;
}

/* --- hash --- */

const char *ow_policy_sha256(const struct ow_policy *p, const struct ow_pack_chain *chain,
                             struct ow_arena *arena)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char text[2 * EVP_MAX_MD_SIZE + 1];
    struct ow_buf b;
    unsigned n = 0;

    ow_buf_init(&b, OW_PACK_BYTES);
    ow_pack_print(p, chain, &b);
    ow_assert(!b.failed &&
              EVP_Digest(ow_buf_cstr(&b), b.len, digest, &n, EVP_sha256(), NULL) == 1);
    ow_buf_done(&b);
    ow_hex(digest, n, text);
    return ow_arena_strdup(arena, text);
}
