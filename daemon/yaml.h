/*
 * YAML: sections of keys with one value each, and where each of them stands
 *
 * Just as much YAML as a settings file needs: one document, a mapping of sections, each a
 * mapping of keys to scalars; three sections hold more: `rules` groups of keys by the
 * name of a rule, `clinics` such groups by the name of a clinic, `clients` groups by the
 * name of a client, and in all of them a list of words counts as one value, "a, b". Other
 * lists and nesting, anchors, aliases, tags and keys given twice are errors with their
 * place; reading goes on behind them, so that one run shows all. Values arrive as text:
 * the schema knows the type, so `no`, `1e3` and `012` hold no surprise.
 */
#pragma once

#include "base/arena.h"
#include "daemon/config.h"

enum {
    OW_YAML_BYTES = 1 << 20,
    OW_YAML_ITEMS = 2000,
    OW_YAML_DEPTH = 2, /* groups between a section and a key */
};

struct ow_yaml_place { /* from 1; the column counts characters */
    unsigned line, column;
};

struct ow_yaml_item {
    const char *section;
    const char *path[OW_YAML_DEPTH]; /* groups between the section and the key */
    unsigned depth;                  /* how many */
    const char *key;                 /* NULL: the section or the group itself */
    const char *value;               /* NULL: refused, and reported */
    struct ow_yaml_place key_at, value_at;
};

struct ow_yaml {
    struct ow_yaml_item *items; /* in the arena */
    size_t n, cap;
};

/* Read `data`; `file` is its name in reports. OW_CONFIG if anything was reported; what
 * could be read is in `ret` even so. */
OW_MUST_USE enum ow_code ow_yaml_read(const char *file, const char *data, size_t len,
                                      struct ow_arena *arena, ow_config_report_fn *report,
                                      void *arg, struct ow_yaml *ret);
