/*
 * Config: one YAML file, typed and bounded, every error at once
 *
 * The settings are declared in config.def. A loaded configuration is an immutable
 * snapshot, counted: a reload swaps the pointer and running jobs keep theirs. Errors name
 * file:line:column; an unknown key is an error with a suggestion.
 */
#pragma once

#include "alerts/policy.h"
#include "base/err.h"
#include "base/ratio.h"

struct ow_config_number { /* a setting that may be left to the preset */
    bool set;
    struct ow_ratio value;
};

#define OW_CONFIG_T_STRING   const char *
#define OW_CONFIG_T_FILE     const char * /* absolute, or "" */
#define OW_CONFIG_T_FOLDER   const char * /* absolute */
#define OW_CONFIG_T_URL      const char *
#define OW_CONFIG_T_WORD     const char *
#define OW_CONFIG_T_INT      struct ow_config_number
#define OW_CONFIG_T_DURATION int64_t /* ms */
#define OW_CONFIG_T_SIZE     int64_t /* bytes */
#define OW_CONFIG_T_BOOL     bool

struct ow_hooks_client;
struct ow_overlay;
struct ow_pack_chain;

struct ow_config {
#define KEY(section, name, type, dflt, lo, hi, reload, help)                             \
    OW_CONFIG_T_##type section##_##name;
#include "daemon/config.def"
#undef KEY
    struct ow_policy policy;           /* of everybody, before any day named by a rule */
    const struct ow_pack_chain *packs; /* what it stands upon */
    const struct ow_words *words;      /* the texts of cards; NULL: English */
    struct ow_overlay *overlay;        /* the section rules, and its policies */
    struct ow_overlay *clinics;        /* the section clinics, a list */
    struct ow_hooks_client *clients;   /* the section clients, a list */
    const char *file;                  /* as read; NULL: built-in defaults */
    unsigned refs;
};

/* One error or warning. Lines and columns from 1; 0 when the file as a whole is meant. */
typedef void ow_config_report_fn(void *arg, const char *file, unsigned line,
                                 unsigned column, const char *text);

/*
 * Read `file` and the *.yaml files of conf.d beside it, in order of name; NULL: the
 * built-in defaults. Every error is reported; OW_CONFIG if there was any. Touches no
 * network.
 */
OW_MUST_USE enum ow_code ow_config_load(const char *file, ow_config_report_fn *report,
                                        void *arg, const struct ow_config **ret);
/* The same, and the files that it names are looked at: there, ours alone where secret,
 * certificate and key a pair. What the daemon needs; evaluating offline needs no key. */
OW_MUST_USE enum ow_code ow_config_load_checked(const char *file,
                                                ow_config_report_fn *report, void *arg,
                                                const struct ow_config **ret);
const struct ow_config *ow_config_ref(const struct ow_config *c);
void ow_config_unref(const struct ow_config *c);

/* /etc/opiward/opiward.yaml when it exists, else NULL: the built-in defaults. */
const char *ow_config_default_file(void);

/* The policy in force for a clinic (Organization/x or Location/x, NULL: none is known) at
 * an instant; lives as long as `c`. */
const struct ow_policy *ow_config_policy(const struct ow_config *c, const char *clinic,
                                         ow_time at);
/* The same for the clinic of a chart: its location when that is configured, else its
 * organization. */
const struct ow_policy *ow_config_policy_for(const struct ow_config *c,
                                             const struct ow_chart *chart, ow_time at);

/* The int value of a number setting that has no preset. */
int64_t ow_config_int(struct ow_config_number n);

/* The whole configuration as the documented YAML file, values of `c` in place (NULL: the
 * defaults). The shipped conf/opiward.yaml is exactly this for NULL. */
struct ow_buf;
void ow_config_print(const struct ow_config *c, struct ow_buf *out);

/*
 * A secret: trimmed text of a file of mode 0600 or stricter, or of the systemd credential
 * of that name. The caller wipes and frees. OW_CONFIG with the reason.
 */
OW_MUST_USE enum ow_code ow_secret_read(const char *file, char **ret, struct ow_err *err);
