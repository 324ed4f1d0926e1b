/*
 * Codes: the value sets, and the words by which an opioid that no table knows shows
 *
 * The published sets hold 13 000 codes; one index over (set, system, code) answers for
 * all of them.
 */
#include <string.h>

#include "alerts/kb.h"
#include "base/text.h"

enum {
    C_SET,
    C_SYSTEM,
    C_CODE,
    C_N,
};

static const char *const code_columns[C_N] = { "valueset", "system", "code" };

/* The sets of the shipped table, by enum ow_set. */
static const char *const shipped_sets[] = {
#define SET(id, name) name,
#include "alerts/sets.def"
#undef SET
};

_Static_assert(OW_SET_N <= 64 * OW_SETS_WORDS, "a bit for each shipped set");

static uint64_t code_hash(const char *set, const char *system, const char *code)
{
    uint64_t h = kb_hash(KB_HASH, set, strlen(set) + 1);

    h = kb_hash(h, system, strlen(system) + 1);
    return kb_hash(h, code, strlen(code));
}

static bool code_find(const struct ow_knowledge *kb, const char *set, const char *system,
                      const char *code)
{
    uint64_t h = code_hash(set, system, code);
    uint32_t at = 0;
    size_t row;

    while ((row = kb_index_next(&kb->code_index, h, &at)) != SIZE_MAX) {
        const struct kb_code *c = &kb->codes[row];

        if (strcmp(c->code, code) == 0 && strcmp(c->set, set) == 0 &&
            strcmp(c->system, system) == 0)
            return true;
    }
    return false;
}

static const char *set_find(const struct ow_knowledge *kb, const char *set)
{
    uint64_t h = kb_hash(KB_HASH, set, strlen(set));
    uint32_t at = 0;
    size_t row;

    while (kb->n_sets > 0 && (row = kb_index_next(&kb->set_index, h, &at)) != SIZE_MAX) {
        if (strcmp(kb->sets[row], set) == 0)
            return kb->sets[row];
    }
    return NULL;
}

bool ow_knowledge_in_set(const struct ow_knowledge *kb, const char *set,
                         const char *system, const char *code)
{
    if (system != NULL && code != NULL && code_find(kb, set, system, code))
        return true;
    ow_assert(set_find(kb, set) != NULL);
    return false;
}

/* ---- all sets of a code at once ---- */

static uint64_t member_hash(const char *system, const char *code)
{
    return kb_hash(kb_hash(KB_HASH, system, strlen(system) + 1), code, strlen(code));
}

static struct kb_member *member_find(const struct ow_knowledge *kb, const char *system,
                                     const char *code)
{
    uint64_t h = member_hash(system, code);
    uint32_t at = 0;
    size_t row;

    while ((row = kb_index_next(&kb->member_index, h, &at)) != SIZE_MAX) {
        struct kb_member *m = &kb->members[row];

        if (strcmp(m->code, code) == 0 && strcmp(m->system, system) == 0)
            return m;
    }
    return NULL;
}

struct ow_sets ow_knowledge_sets(const struct ow_knowledge *kb, const char *system,
                                 const char *code)
{
    const struct kb_member *m = NULL;

    if (system != NULL && code != NULL && kb->n_members > 0)
        m = member_find(kb, system, code);
    return m != NULL ? m->sets : (struct ow_sets){ { 0 } };
}

/* Sets of the site's own have no number, and are asked for by name. */
static void member_keep(struct ow_knowledge *kb, const struct kb_code *c)
{
    struct kb_member *m = member_find(kb, c->system, c->code);
    unsigned set;

    for (set = 0; set < OW_SET_N; set++)
        if (kb->sets[set] == c->set)
            break;
    if (set == OW_SET_N)
        return;
    if (m == NULL) {
        m = &kb->members[kb->n_members];
        *m = (struct kb_member){ .system = c->system, .code = c->code };
        kb_index_put(&kb->member_index, member_hash(c->system, c->code), kb->n_members++);
    }
    m->sets.w[set / 64] |= (uint64_t)1 << set % 64;
}

static bool code_read(struct ow_tsv *t, struct kb_code *c)
{
    size_t i;

    c->set = ow_tsv_field(t, C_SET);
    c->system = ow_tsv_field(t, C_SYSTEM);
    c->code = ow_tsv_field(t, C_CODE);
    for (i = 0; i < C_N; i++) {
        if (ow_tsv_field(t, i)[0] == '\0') {
            ow_tsv_fault(t, i, "must not be empty");
            return false;
        }
    }
    return true;
}

/* Twice the room, and every name put in again. */
static void sets_grow(struct ow_knowledge *kb)
{
    size_t i;

    kb->sets = ow_arena_grow(&kb->arena, kb->sets, kb->n_sets, &kb->cap_sets,
                             sizeof *kb->sets);
    kb_index_init(&kb->set_index, kb->cap_sets, &kb->arena);
    for (i = 0; i < kb->n_sets; i++)
        kb_index_put(&kb->set_index, kb_hash(KB_HASH, kb->sets[i], strlen(kb->sets[i])),
                     i);
}

/* The name as the knowledge keeps it, noted when it is new. */
static const char *set_note(struct ow_knowledge *kb, const char *set)
{
    const char *kept = set_find(kb, set);

    if (kept != NULL)
        return kept;
    if (kb->n_sets == kb->cap_sets)
        sets_grow(kb);
    kept = ow_arena_strdup(&kb->arena, set);
    kb_index_put(&kb->set_index, kb_hash(KB_HASH, kept, strlen(kept)), kb->n_sets);
    kb->sets[kb->n_sets++] = kept;
    return kept;
}

/* Three of the table's columns, and names once: the file is several times as large. */
static void code_keep(struct ow_knowledge *kb, const struct kb_code *c)
{
    const struct kb_code *before = kb->n_codes > 0 ? &kb->codes[kb->n_codes - 1] : NULL;
    struct kb_code *kept = &kb->codes[kb->n_codes];

    kept->set = set_note(kb, c->set);
    kept->system = before != NULL && ow_streq(before->system, c->system)
                       ? before->system
                       : ow_arena_strdup(&kb->arena, c->system);
    kept->code = ow_arena_strdup(&kb->arena, c->code);
    kb_index_put(&kb->code_index, code_hash(c->set, c->system, c->code), kb->n_codes++);
    member_keep(kb, kept);
}

static void codes_read(struct ow_knowledge *kb, struct ow_tsv *t)
{
    while (ow_tsv_next(t)) {
        struct kb_code c;

        if (!code_read(t, &c))
            continue;
        if (code_find(kb, c.set, c.system, c.code))
            ow_tsv_fault(t, C_CODE, "%s is there twice in this set", c.code);
        else
            code_keep(kb, &c);
    }
}

void kb_codes_load(struct ow_knowledge *kb, const struct ow_knowledge_file *f,
                   struct ow_tsv_log *log)
{
    size_t most = kb_lines(f), i;
    struct ow_arena scratch; /* the file's copy, given back */
    struct ow_tsv t;

    kb_index_init(&kb->code_index, most, &kb->arena);
    kb_index_init(&kb->member_index, most, &kb->arena);
    kb->codes = OW_NEW_N(&kb->arena, struct kb_code, most);
    kb->members = OW_NEW_N(&kb->arena, struct kb_member, most);
    for (i = 0; i < OW_LEN(shipped_sets); i++)
        (void)set_note(kb, shipped_sets[i]);
    ow_arena_init(&scratch, SIZE_MAX);
    if (ow_tsv_open(&t, f, code_columns, C_N, log, &scratch))
        codes_read(kb, &t);
    ow_arena_done(&scratch);
}
