/*
 * Pack: a rule pack, what a site decides as a table that people can review
 *
 * Tab-separated lines with the columns rule, setting, value, source, note; what each line
 * says stands upon the pack that this one extends, and the first pack of a chain upon the
 * defaults of the table of rules. The `rule` is the name of a rule, or `pack` for
 * settings of the pack as a whole. Settings of a rule: mode (on, shadow, off),
 * excluded-by (exclusions, or none), and its numbers by their keys. Every line names its
 * source, a key of conf/SOURCES.md or "site-policy". What is not a pack's to say: names
 * of a site, and how cards look.
 *
 * Parsed out of memory; who reads the file is daemon/packs. Every fault is reported with
 * line and column, and reading goes on behind it.
 */
#pragma once

#include "alerts/policy.h"
#include "base/arena.h"
#include "base/buf.h"

enum {
    OW_PACK_ROWS = 2000,
    OW_PACK_DEPTH = 8, /* packs that extend each other */
    OW_PACK_NAME = 40, /* bytes of a name or a version */
    OW_PACK_BYTES = 1 << 20,
};

struct ow_pack_row {
    enum ow_rule rule;   /* OW_RULE_N: the pack as a whole */
    const char *setting; /* "warning" */
    unsigned what;       /* which setting that is, for pack.c */
    struct ow_ratio number;
    const char *source, *note;
    unsigned line, column; /* of the value */
};

struct ow_pack {
    const char *file; /* as given */
    const char *data; /* its bytes, where the reader kept them */
    size_t len;
    const char *name, *version;
    const char *extends; /* NULL: the defaults */
    struct ow_pack_row *rows;
    size_t n_rows, cap_rows;
};

/* From the one that extends nothing to the one in force. */
struct ow_pack_chain {
    const struct ow_pack *packs[OW_PACK_DEPTH];
    size_t n;
};

/* Small letters, digits, - and dots, beginning with a letter: such a name is a file's. */
bool ow_pack_name_valid(const char *name);

/* False when anything was reported. `ret` lives in the arena. */
OW_MUST_USE bool ow_pack_parse(struct ow_arena *arena,
                               const struct ow_knowledge_file *file,
                               ow_knowledge_report_fn *report, void *arg,
                               struct ow_pack *ret);

/* The line of a setting, or NULL. `rule` OW_RULE_N: the pack as a whole. */
const struct ow_pack_row *ow_pack_row(const struct ow_pack *p, enum ow_rule rule,
                                      const char *setting);

/* The chain upon the defaults; names and version are the last pack's. */
void ow_pack_policy(const struct ow_pack_chain *chain, struct ow_policy *ret);

/*
 * The source that the chain names for a setting ("mode") of a rule, else that of the
 * table of rules.
 */
const char *ow_pack_source(const struct ow_pack_chain *chain, enum ow_rule rule,
                           const char *setting);

/* `p` as a pack that extends nothing. Where it says something else than the chain the
 * source is site-policy. `chain` NULL: the defaults. */
void ow_pack_print(const struct ow_policy *p, const struct ow_pack_chain *chain,
                   struct ow_buf *out);
