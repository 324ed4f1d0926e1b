/*
 * Setting: one row of config.def, from text to its field and back
 *
 * The rooms of config.h share this header; others do not need it. A loaded configuration
 * is a snapshot: the public fields, the memory they point into, and where each setting
 * was written.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "daemon/config.h"
#include "daemon/reporter.h"

enum ow_setting_type {
    OW_SETTING_STRING,
    OW_SETTING_INT,
    OW_SETTING_BOOL,
    OW_SETTING_DURATION,
    OW_SETTING_SIZE,
    OW_SETTING_FILE,
    OW_SETTING_FOLDER,
    OW_SETTING_URL,
    OW_SETTING_WORD,
};

struct ow_setting {
    const char *section, *name;
    enum ow_setting_type type;
    const char *dflt;
    int64_t lo, hi;
    const char *words; /* of a WORD, separated by | */
    bool reloadable;
    const char *help;
    size_t offset; /* of its field in struct ow_config */
};

enum ow_setting_id {
#define KEY(section, name, type, dflt, lo, hi, reload, help) OW_S_##section##_##name,
#include "daemon/config.def"
#undef KEY
    OW_SETTING_N,
};

extern const struct ow_setting ow_settings[OW_SETTING_N];

struct ow_place { /* where a setting was written; file NULL: nowhere, it is the default */
    const char *file;
    unsigned line, column;
};

struct ow_signed_file { /* a configuration file that speaks of rules */
    struct ow_place at; /* where it first does */
    const char *data;
    size_t len;
    struct ow_signed_file *next;
};

struct ow_snapshot {
    struct ow_config config; /* first: one is cast to the other */
    struct ow_arena arena;
    struct ow_place places[OW_SETTING_N];
    struct ow_signed_file *wants_signature;
};

/* Read `text` into the setting's field. Relative paths count from `folder`. False leaves
 * the field and says what was expected. */
OW_MUST_USE bool ow_setting_parse(const struct ow_setting *s, const char *text,
                                  const char *folder, struct ow_config *c,
                                  struct ow_arena *arena, struct ow_err *err);
/* The field as text that ow_setting_parse reads back the same. */
void ow_setting_format(const struct ow_setting *s, const struct ow_config *c,
                       struct ow_buf *out);
/* What the setting takes: "a whole number from 0 to 65535". */
void ow_setting_expects(const struct ow_setting *s, struct ow_buf *out);

const struct ow_setting *ow_setting_find(const char *section, const char *name);
bool ow_setting_section(const char *section);
/* The name nearest to an unknown one, or NULL when none is near: of a section (name
 * NULL), or of a key, its own section first. */
const struct ow_setting *ow_setting_suggest(const char *section, const char *name);

/* An error at the place where a setting was written. */
void ow_report_at(struct ow_reporter *to, const struct ow_snapshot *s,
                  enum ow_setting_id id, const char *fmt, ...) OW_PRINTF(4, 5);
/* Settings against each other. */
void ow_config_check_values(const struct ow_snapshot *s, struct ow_reporter *to);
/* Settings against the disk: files, their mode, pairs of certificate and key. */
void ow_config_check_files(const struct ow_snapshot *s, struct ow_reporter *to);

/* Load whatever can be had: errors are reported, and what they hit keeps its default. */
struct ow_snapshot *ow_snapshot_load(const char *file, struct ow_reporter *to);
/* The same out of memory, relative paths counting from /. */
struct ow_snapshot *ow_snapshot_read(const char *name, const char *data, size_t len,
                                     struct ow_reporter *to);
void ow_snapshot_free(struct ow_snapshot *s);

/* URLs: well-formed http or https, without user, blank or control character. */
OW_MUST_USE bool ow_url_check(const char *url, struct ow_err *err);
bool ow_url_is_https(const char *url);
bool ow_url_is_loopback(const char *url); /* localhost, 127.x.x.x, [::1] */
bool ow_url_is_private(const char *url);  /* such an address, or localhost */

/* A bare name in $CREDENTIALS_DIRECTORY: its path, and true when it is there. */
OW_MUST_USE bool ow_credential_path(const char *name, char *ret, size_t size);
/* May nobody else read the file? */
OW_MUST_USE enum ow_code ow_secret_permitted(const char *path, struct ow_err *err);
