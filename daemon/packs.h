/*
 * Packs: rule packs from disk
 *
 * A pack NAME is the file NAME.tsv, looked for in the site's own folder
 * (policy.directory) and in the shipped one. A name that is in both is an error: nobody
 * could tell which one a card speaks of.
 */
#pragma once

#include "alerts/pack.h"
#include "daemon/config.h"

enum { OW_PACKS_PATH = 4096, OW_PACKS_MOST = 256 };

struct ow_pack_folders {
    char own[OW_PACKS_PATH]; /* "": none, or the same as the shipped one */
    char shared[OW_PACKS_PATH];
};
/* The shipped folder of a name, and the site's own, relative to its configuration. */
void ow_site_folders(const struct ow_config *c, const char *shared, const char *own,
                     struct ow_pack_folders *ret);
void ow_pack_folders(const struct ow_config *c, struct ow_pack_folders *ret);

/* The path of a pack; false when there is none. */
OW_MUST_USE bool ow_pack_path(const struct ow_pack_folders *f, const char *name,
                              char ret[OW_PACKS_PATH]);

/* Names of all packs, in order, and how many; at most OW_PACKS_MOST. */
size_t ow_pack_names(const struct ow_pack_folders *f, struct ow_arena *arena,
                     const char *const **ret);

/*
 * Read a pack and all that it extends. Every fault is reported, with the place of the
 * line where there is one; OW_CONFIG then. What is in `ret` lives in the arena.
 */
OW_MUST_USE enum ow_code ow_pack_load(const struct ow_pack_folders *f, const char *name,
                                      struct ow_arena *arena, ow_config_report_fn *report,
                                      void *arg, const struct ow_pack_chain **ret);

/* Hash of all that a policy decides: of what ow_pack_print writes, in hexadecimal. */
const char *ow_policy_sha256(const struct ow_policy *p, const struct ow_pack_chain *chain,
                             struct ow_arena *arena);
