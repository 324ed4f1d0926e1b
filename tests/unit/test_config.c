/*
 * Configuration: exact places of every kind of error, bounds of every key, and a printed
 * file that reads back the same
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/text.h"
#include "daemon/clients.h"
#include "daemon/files.h"
#include "daemon/packs.h"
#include "daemon/setting.h"
#include "daemon/tables.h"
#include "fhir/jws.h"

/* --- a folder of its own for each test --- */

struct folder {
    char path[64];
    struct ow_buf errors; /* name:line:column: text, one a line, without the folder */
};

static int folder_make(void **state)
{
    struct folder *f = ow_alloc_zero(sizeof *f);
    char template[] = "/tmp/opiward-config-XXXXXX";

    assert_non_null(mkdtemp(template));
    ow_copy(f->path, sizeof f->path, template);
    ow_buf_init(&f->errors, 1 << 20);
    *state = f;
    return 0;
}

static int folder_remove(void **state)
{
    struct folder *f = *state;
    char command[128];

    snprintf(command, sizeof command, "rm -r '%s'", f->path);
    assert_int_equal(system(command), 0);
    ow_buf_done(&f->errors);
    free(f);
    unsetenv("CREDENTIALS_DIRECTORY");
    return 0;
}

static const char *path_in(const struct folder *f, const char *name)
{
    static char path[2][256];
    static unsigned turn;
    char *p = path[turn++ % 2];

    snprintf(p, sizeof path[0], "%s/%s", f->path, name);
    return p;
}

static void put(const struct folder *f, const char *name, const char *text, mode_t mode)
{
    FILE *to = fopen(path_in(f, name), "w");

    assert_non_null(to);
    fputs(text, to);
    assert_int_equal(fclose(to), 0);
    assert_int_equal(chmod(path_in(f, name), mode), 0);
}

static void on_error(void *arg, const char *file, unsigned line, unsigned column,
                     const char *text)
{
    struct folder *f = arg;
    const char *name = ow_starts_with(file, f->path) ? file + strlen(f->path) + 1 : file;

    ow_buf_printf(&f->errors, "%s:%u:%u: %s\n", name, line, column, text);
}

/* Load a.yaml; NULL with the errors kept when it is refused. */
static const struct ow_config *load(struct folder *f, bool checked)
{
    const struct ow_config *c = NULL;
    const char *file = path_in(f, "a.yaml");
    enum ow_code code;

    ow_buf_reset(&f->errors);
    code = checked ? ow_config_load_checked(file, on_error, f, &c)
                   : ow_config_load(file, on_error, f, &c);
    assert_int_equal(code, c ? OW_OK : OW_CONFIG);
    assert_true(c ? f->errors.len == 0 : f->errors.len > 0);
    return c;
}

static const struct ow_config *load_text(struct folder *f, const char *text)
{
    put(f, "a.yaml", text, 0644);
    return load(f, false);
}

/* --- places of errors --- */

static const struct {
    const char *text, *errors;
} broken[] = {
  /* what YAML itself refuses, or we of it */
    {"site:\n  name: \"open\n",
     "a.yaml:3:1: syntax: found unexpected end of stream (while scanning a quoted scalar "
      "that begins at line 2)\n"                                                                                                                                             },
    { "site:\n\tname: x\n",
     "a.yaml:2:1: syntax: found character that cannot start any token (while scanning for "
      "the next token that begins at line 2)\n"                                                                                                                              },
    { "- a\n",                                                                               "a.yaml:1:1: expected sections such as 'fhir:', found a list\n"                 },
    { "hello\n",                                                                             "a.yaml:1:1: expected sections such as 'fhir:', found a value\n"                },
    { "site: [a]\n",                                                                         "a.yaml:1:7: section 'site' takes keys, not a list\n"                           },
    { "site: 5\n",                                                                           "a.yaml:1:7: section 'site' takes keys, not a value\n"                          },
    { "site:\n  name: [a, b]\n",                                                             "a.yaml:2:9: site.name takes one value, not a list\n"                           },
    { "site:\n  name: {a: b}\n  id: ''\n",
     "a.yaml:2:9: site.name takes one value, not a group of keys\n"
      "a.yaml:3:7: site.id: expected text of 1 to 64 bytes; found ''\n"                                                                                                      },
    { "site:\n  name:\n",
     "a.yaml:2:8: site.name has no value: leave the key out, or write \"\"\n"                                                                                                },
    { "site:\n  name: ~\n",
     "a.yaml:2:9: site.name has no value: leave the key out, or write \"\"\n"                                                                                                },
    { "site: &s\n  name: x\n",
     "a.yaml:1:7: anchors are not taken: write the value out\n"                                                                                                              },
    { "site:\n  name: &n x\n  id: *n\n",
     "a.yaml:2:9: anchors are not taken: write the value out\n"
      "a.yaml:3:7: site.id takes one value, not an alias\n"                                                                                                                  },
    { "site:\n  name: !!str x\n",
     "a.yaml:2:9: tags are not taken: each key knows its type\n"                                                                                                             },
    { "site:\n  [a]: b\n",                                                                   "a.yaml:2:3: expected the name of a key, found a list\n"                        },
    { "? {a: b}\n: c\n",
     "a.yaml:1:3: expected the name of a section, found a group of keys\n"                                                                                                   },
    { "site:\n  name: x\n---\nfhir:\n",
     "a.yaml:3:1: a second document: one file is one document\n"                                                                                                             },
    { "site:\n  name: \"a\\nb\"\n",
     "a.yaml:2:9: a control character or line break inside\n"                                                                                                                },
    { "site:\n  name: \"\\0\"\n",
     "a.yaml:2:9: a control character or line break inside\n"                                                                                                                },
    { "site:\n  name: \xc3\x28\n",
     "a.yaml:2:10: no valid text: invalid trailing UTF-8 octet\n"                                                                                                            },

 /* names */
    { "fhir:\n  bse_url: x\n",
     "a.yaml:2:3: no key 'bse_url' in fhir; did you mean 'base_url'?\n"                                                                                                      },
    { "listen:\n  prot: 1\n",
     "a.yaml:2:3: no key 'prot' in listen; did you mean 'port'?\n"                                                                                                           },
    { "site:\n  base_url: x\n",
     "a.yaml:2:3: no key 'base_url' in site; did you mean 'fhir.base_url'?\n"                                                                                                },
    { "site:\n  zzz: x\n",                                                                   "a.yaml:2:3: no key 'zzz' in site\n"                                            },
    { "litsen:\n  port: 1\n  what: [no, matter]\n",
     "a.yaml:1:1: no section 'litsen'; did you mean 'listen'?\n"
      "a.yaml:3:9: litsen.what takes one value, not a list\n"                                                                                                                },
    { "base_url: x\n",
     "a.yaml:1:1: no section 'base_url'; did you mean the key fhir.base_url?\n"                                                                                              },
    { "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq: {}\n",
     "a.yaml:1:1: no section 'qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq'\n"                                                                                          },
    { "site:\n  id: a\n  id: b\n  id: c\n",
     "a.yaml:3:3: site.id is given twice, first in line 2\n"
      "a.yaml:4:3: site.id is given twice, first in line 2\n"                                                                                                                },
    { "site:\n  id: a\nfhir:\nsite:\n  name: b\n",
     "a.yaml:4:1: section site is given twice, first in line 1\n"                                                                                                            },
    { "Site:\n",                                                                             "a.yaml:1:1: no section 'Site'; did you mean 'site'?\n"                         },

 /* types */
    { "listen:\n  port: http\n",
     "a.yaml:2:9: listen.port: expected a whole number from 0 to 65535; found 'http'\n"                                                                                      },
    { "listen:\n  port: 65536\n",
     "a.yaml:2:9: listen.port: expected a whole number from 0 to 65535; found '65536'\n"                                                                                     },
    { "listen:\n  port: 0x50\n",
     "a.yaml:2:9: listen.port: expected a whole number from 0 to 65535; found '0x50'\n"                                                                                      },
    { "listen:\n  port: 010\n",
     "a.yaml:2:9: listen.port: expected a whole number from 0 to 65535; found '010'\n"                                                                                       },
    { "listen: {port: 1e3}\n",
     "a.yaml:1:16: listen.port: expected a whole number from 0 to 65535; found '1e3'\n"                                                                                      },
    { "fhir:\n  subscribe: yes\n",
     "a.yaml:2:14: fhir.subscribe: expected true or false; found 'yes'\n"                                                                                                    },
    { "fhir:\n  timeout: 5\n",
     "a.yaml:2:12: fhir.timeout: expected a duration (ms, s, min, h, d) from 100ms to 5min; "
      "found '5'\n"                                                                                                                                                          },
    { "fhir:\n  timeout: 1.5s\n",
     "a.yaml:2:12: fhir.timeout: expected a duration (ms, s, min, h, d) from 100ms to 5min; "
      "found '1.5s'\n"                                                                                                                                                       },
    { "fhir:\n  timeout: 5m\n",
     "a.yaml:2:12: fhir.timeout: expected a duration (ms, s, min, h, d) from 100ms to 5min; "
      "found '5m'\n"                                                                                                                                                         },
    { "fhir:\n  timeout: 9223372036854775807d\n",
     "a.yaml:2:12: fhir.timeout: expected a duration (ms, s, min, h, d) from 100ms to 5min; "
      "found '9223372036854775807d'\n"                                                                                                                                       },
    { "listen:\n  head_max: 16KB\n",
     "a.yaml:2:13: listen.head_max: expected a size (B, KiB, MiB, GiB) from 1KiB to 1MiB; "
      "found '16KB'\n"                                                                                                                                                       },
    { "policy:\n  preset: cdc-2023\n",
     "a.yaml:2:11: policy.preset: no rule pack 'cdc-2023'; there are: cdc-2016 "
      "cdc-2016-as-published cdc-2022 cdc-2022-as-published kaiser-like ppact wa-120\n"                                                                                      },
    { "rules:\n  med-threshold:\n    warning: fifty\n",
     "a.yaml:3:14: med-threshold.warning: expected preset, or a decimal number from 0 to "
      "10000 (MME/d at which it warns); found 'fifty'\n"                                                                                                                     },
    { "rules:\n  med-treshold:\n    warning: 50\n",
     "a.yaml:2:3: no rule 'med-treshold'; did you mean 'med-threshold'?\n"                                                                                                   },
    { "rules:\n  pdmp-due: off\n",
     "a.yaml:2:13: pdmp-due takes settings such as 'mode: on'\n"                                                                                                             },
    { "rules:\n  pdmp-due: {modus: off}\n",
     "a.yaml:2:14: no setting of pdmp-due named 'modus'; did you mean 'mode'?\n"                                                                                             },
    { "rules:\n  pdmp-due: {mode: quiet}\n",
     "a.yaml:2:20: mode: expected preset, on, shadow or off; found 'quiet'\n"                                                                                                },
    { "rules:\n  pdmp-due: {from: 2026-02-29}\n",
     "a.yaml:2:20: from: expected a day, such as 2026-04-01; found '2026-02-29'\n"                                                                                           },
    { "rules:\n  pdmp-due: {excluded-by: [hospice]}\n",
     "a.yaml:2:27: excluded-by: expected preset, none, or a list of names out of "
      "active-cancer-treatment, end-of-life, palliative-care, sickle-cell, age-under-18; "
      "found 'hospice'\n"                                                                                                                                                    },
    { "rules:\n  pdmp-due: {mode: {a: b}}\n",
     "a.yaml:2:20: rules.pdmp-due.mode takes one value, not a group of keys\n"                                                                                               },
    { "rules:\n  pdmp-due: {mode: on}\n  pdmp-due: {mode: off}\n",
     "a.yaml:3:3: rules.pdmp-due is given twice, first in line 2\n"
      "a.yaml:3:14: rules.pdmp-due.mode is given twice, first in line 2\n"                                                                                                   },
    { "rules: 5\n",                                                                          "a.yaml:1:8: section 'rules' takes keys, not a value\n"                         },
    { "clinics:\n  North:\n    from: 2026-01-01\n",
     "a.yaml:2:3: expected a reference such as Organization/north or Location/3; found "
      "'North'\n"                                                                                                                                                            },
    { "clinics:\n  Organization/1: {fron: 2026-01-01}\n",
     "a.yaml:2:20: no rule 'fron'; did you mean 'from'?\n"                                                                                                                   },
    { "clinics:\n  Organization/1: {pdmp-do: {mode: on}}\n",
     "a.yaml:2:20: no rule 'pdmp-do'; did you mean 'pdmp-due'?\n"                                                                                                            },
    { "clinics:\n  Organization/1: here\n",
     "a.yaml:2:19: Organization/1 takes 'from' and rules\n"                                                                                                                  },
    { "clinics:\n  Organization/1:\n    from: soon\n",
     "a.yaml:3:11: from: expected a day, such as 2026-04-01; found 'soon'\n"                                                                                                 },
    { "log:\n  level: trace\n",
     "a.yaml:2:10: log.level: expected one of debug, info, warning, error; found 'trace'\n"                                                                                  },
    { "fhir:\n  base_url: ehr.example.org\n",
     "a.yaml:2:13: fhir.base_url: expected empty, or an http or https URL of at most 500 "
      "bytes; found 'ehr.example.org': it does not begin with http:// or https://\n"                                                                                         },
    { "fhir:\n  base_url: https://u:p@ehr.example.org\n",
     "a.yaml:2:13: fhir.base_url: expected empty, or an http or https URL of at most 500 "
      "bytes: user and password belong in a secret file\n"                                                                                                                   },
    { "fhir:\n  base_url: https://ehr example/\n",
     "a.yaml:2:13: fhir.base_url: expected empty, or an http or https URL of at most 500 "
      "bytes; found 'https://ehr example/': a character that no URL may hold\n"                                                                                              },
    { "fhir:\n  base_url: https://ehr:99999/fhir\n",
     "a.yaml:2:13: fhir.base_url: expected empty, or an http or https URL of at most 500 "
      "bytes; found 'https://ehr:99999/fhir': no valid host and port\n"                                                                                                      },

 /* one against another */
    { "site:\n  zone: ../../etc/passwd\n",
     "a.yaml:2:9: site.zone: '../../etc/passwd' is no name of a zone, such as "
      "America/Denver\n"                                                                                                                                                     },
    { "site:\n  zone: Mars/Olympus\n",
     "a.yaml:2:9: site.zone: no zone 'Mars/Olympus': /usr/share/zoneinfo/Mars/Olympus cannot "
      "be opened: No such file or directory\n"                                                                                                                               },
    { "listen:\n  address: localhost\n",
     "a.yaml:2:12: listen.address: expected an IPv4 or IPv6 address, such as 0.0.0.0 or "
      "::1\n"                                                                                                                                                                },
    { "listen:\n  tls_cert: /c.pem\n",
     "a.yaml:2:13: listen.tls_cert needs listen.tls_key\n"                                                                                                                   },
    { "listen:\n  tls_key: /k.pem\n",
     "a.yaml:2:12: listen.tls_key needs listen.tls_cert\n"                                                                                                                   },
    { "listen:\n  tls_client_ca: /k.pem\n",
     "a.yaml:2:18: listen.tls_client_ca needs listen.tls_cert: without TLS no client shows a "
      "certificate\n"                                                                                                                                                        },
    { "operations:\n  port: 8480\n",
     "a.yaml:2:9: listen and operations cannot share one address and port\n"                                                                                                 },
    { "fhir:\n  base_url: https://ehr/fhir/\n",
     "a.yaml:2:13: fhir.base_url ends with a slash: leave it out\n"                                                                                                          },
    { "fhir:\n  base_url: https://ehr/fhir?x=1\n",
     "a.yaml:2:13: fhir.base_url: a base has no query and no fragment\n"                                                                                                     },
    { "listen:\n  public_url: https://me/\n",
     "a.yaml:2:15: listen.public_url ends with a slash: leave it out\n"                                                                                                      },
    { "fhir:\n  auth: bearer\n",
     "a.yaml:2:9: fhir.auth: bearer needs fhir.secret_file\n"                                                                                                                },
    { "fhir:\n  secret_file: /s\n",
     "a.yaml:2:16: fhir.secret_file is not used while fhir.auth is none\n"                                                                                                   },
    { "fhir:\n  base_url: http://ehr.example.org\n  auth: basic\n  secret_file: /s\n",
     "a.yaml:2:13: fhir.base_url: credentials would go out unencrypted; use https, or a "
      "loopback address\n"                                                                                                                                                   },
    { "fhir:\n  base_url: http://127.0.0.1.example.org\n  auth: basic\n  secret_file: /s\n",
     "a.yaml:2:13: fhir.base_url: credentials would go out unencrypted; use https, or a "
      "loopback address\n"                                                                                                                                                   },
    { "fhir:\n  base_url: https://10.1.2.3/fhir\n",
     "a.yaml:2:13: fhir.base_url is a private or loopback address: that needs "
      "fhir.allow_private: true\n"                                                                                                                                           },
    { "fhir:\n  criteria: Observation?\n",
     "a.yaml:2:13: fhir.criteria: expected 'MedicationRequest?' at the beginning\n"                                                                                          },
    { "sinks:\n  webhook_secret_file: /s\n",
     "a.yaml:2:24: sinks.webhook_secret_file needs sinks.webhook_url\n"                                                                                                      },
    { "sinks:\n  webhook_url: http://w.example.org/\n  webhook_secret_file: /s\n",
     "a.yaml:2:16: sinks.webhook_url: credentials would go out unencrypted; use https, or a "
      "loopback address\n"                                                                                                                                                   },
    { "outbox:\n  first_retry: 6min\n",
     "a.yaml:2:16: outbox.retry_cap is shorter than outbox.first_retry\n"                                                                                                    },
    { "rules:\n  med-threshold:\n    warning: 90.5\n",
     "a.yaml:3:14: med-threshold.critical (90) is below med-threshold.warning (90.5)\n"                                                                                      },
    { "rules: {med-threshold: {warning: 80}}\nclinics:\n  Location/1:\n"
      "    med-threshold: {critical: 79}\n",                                            "a.yaml:4:31: med-threshold.critical (79) is below med-threshold.warning (80)\n"},
    { "rules: {med-threshold: {critical: 49, warning: 50}}\n",
     "a.yaml:1:35: med-threshold.critical (49) is below med-threshold.warning (50)\n"                                                                                        },
};

static void every_error_names_its_file_line_and_column(void **state)
{
    for (size_t i = 0; i < OW_LEN(broken); i++) {
        assert_null(load_text(*state, broken[i].text));
        assert_string_equal(ow_buf_cstr(&((struct folder *)*state)->errors),
                            broken[i].errors);
    }
}

static void all_errors_come_in_one_run_and_in_order(void **state)
{
    struct folder *f = *state;

    put(f, "a.yaml",
        "site:\n  zone: Nowhere\nfhir:\n  auth: bearer\n  prot: 1\n  timeout: soon\n",
        0644);
    assert_int_equal(mkdir(path_in(f, "conf.d"), 0700), 0);
    put(f, "conf.d/20.yaml", "log:\n  level: loud\n", 0644);
    put(f, "conf.d/10.yaml", "log: {levle: info}\n", 0644);
    assert_null(load(f, false));
    assert_string_equal(
        ow_buf_cstr(&f->errors),
        "a.yaml:2:9: site.zone: no zone 'Nowhere': /usr/share/zoneinfo/Nowhere cannot be "
        "opened: No such file or directory\n"
        "a.yaml:4:9: fhir.auth: bearer needs fhir.secret_file\n"
        "a.yaml:5:3: no key 'prot' in fhir; did you mean 'listen.port'?\n"
        "a.yaml:6:12: fhir.timeout: expected a duration (ms, s, min, h, d) from 100ms to "
        "5min; found 'soon'\n"
        "conf.d/10.yaml:1:7: no key 'levle' in log; did you mean 'level'?\n"
        "conf.d/20.yaml:2:10: log.level: expected one of debug, info, warning, error; found "
        "'loud'\n");
}

static void a_missing_file_is_an_error(void **state)
{
    struct folder *f = *state;

    assert_null(load(f, false));
    assert_string_equal(ow_buf_cstr(&f->errors),
                        "a.yaml:0:0: cannot be opened: No such file or directory\n");
}

static void a_pipe_is_refused_without_waiting(void **state)
{
    struct folder *f = *state;

    assert_int_equal(mkfifo(path_in(f, "a.yaml"), 0600), 0);
    assert_null(load(f, false));
    assert_string_equal(ow_buf_cstr(&f->errors), "a.yaml:0:0: is no regular file\n");
}

static void a_huge_file_is_refused(void **state)
{
    struct folder *f = *state;
    FILE *to = fopen(path_in(f, "a.yaml"), "w");

    for (int i = 0; i < 1 << 16; i++)
        fputs("# sixteen bytes\n\n", to);
    fclose(to);
    assert_null(load(f, false));
    assert_string_equal(ow_buf_cstr(&f->errors),
                        "a.yaml:0:0: is larger than 1048576 bytes\n");
}

static void too_many_keys_are_refused(void **state)
{
    struct folder *f = *state;
    FILE *to = fopen(path_in(f, "a.yaml"), "w");

    fputs("site:\n", to);
    for (int i = 0; i < 3000; i++)
        fprintf(to, "  key%d: x\n", i);
    fclose(to);
    assert_null(load(f, false));
    assert_non_null(strstr(ow_buf_cstr(&f->errors), "more than 2000 keys"));
}

/* --- what is accepted --- */

static void an_empty_file_gives_the_defaults(void **state)
{
    static const char *const empty[] = { "", "# nothing\n", "---\n", "site:\nfhir:\n",
                                         "site: {}\n" };
    const struct ow_config *c;

    for (size_t i = 0; i < OW_LEN(empty); i++) {
        c = load_text(*state, empty[i]);
        assert_non_null(c);
        assert_int_equal(ow_config_int(c->listen_port), 8480);
        assert_string_equal(c->site_zone, "UTC");
        ow_config_unref(c);
    }
}

static void without_a_file_the_defaults_hold(void **state)
{
    const struct ow_config *c;

    (void)state;
    assert_int_equal(ow_config_load(NULL, NULL, NULL, &c), OW_OK);
    assert_null(c->file);
    assert_int_equal(c->fhir_timeout, 10000);
    assert_int_equal(c->listen_body_max, 4 << 20);
    assert_int_equal(c->outbox_give_up_after, (int64_t)168 * 3600 * 1000);
    assert_true(c->fhir_subscribe);
    assert_false(c->policy_stale_days.set);
    assert_string_equal(c->store_directory, "/var/lib/opiward");
    ow_config_unref(c);
}

static void values_arrive_as_they_are_written(void **state)
{
    const struct ow_config *c = load_text(
        *state,
        "site: {name: 'no', id: \"1e3\", url: 'https://example.org/policy/?a=b#c'}\n"
        "fhir:\n  base_url: https://[2001:db8::1]:8443/fhir\n  timeout: 2min\n"
        "  first_load: new\n  allow_private: true\n"
        "listen:\n  head_max: 2KiB\n  body_max: 2048B\n  address: \"::\"\n"
        "outbox: {give_up_after: 2d}\n");

    assert_non_null(c);
    assert_string_equal(c->site_name, "no");
    assert_string_equal(c->site_id, "1e3");
    assert_string_equal(c->site_url, "https://example.org/policy/?a=b#c");
    assert_string_equal(c->fhir_base_url, "https://[2001:db8::1]:8443/fhir");
    assert_int_equal(c->fhir_timeout, 120000);
    assert_string_equal(c->fhir_first_load, "new");
    assert_int_equal(c->listen_head_max, 2048);
    assert_int_equal(c->listen_body_max, 2048);
    assert_int_equal(c->outbox_give_up_after, (int64_t)48 * 3600 * 1000);
    ow_config_unref(c);
}

static void a_later_drop_in_wins(void **state)
{
    struct folder *f = *state;
    const struct ow_config *c;

    assert_int_equal(mkdir(path_in(f, "conf.d"), 0700), 0);
    put(f, "conf.d/10.yaml", "site: {name: ten}\nlisten: {port: 10}\n", 0644);
    put(f, "conf.d/20.yaml", "site: {name: twenty}\n", 0644);
    put(f, "conf.d/30.yaml~", "site: {name: left over}\n", 0644);
    put(f, "conf.d/.40.yaml", "site: {name: hidden}\n", 0644);
    c = load_text(f, "site: {name: main, id: main}\n");
    assert_non_null(c);
    assert_string_equal(c->site_name, "twenty");
    assert_string_equal(c->site_id, "main");
    assert_int_equal(ow_config_int(c->listen_port), 10);
    ow_config_unref(c);
}

static void credentials_over_plain_http_stay_on_this_machine(void **state)
{
    static const char *const hosts[] = { "localhost:8080", "127.0.0.1", "127.8.9.1:80",
                                         "[::1]:80" };
    char text[256];

    for (size_t i = 0; i < OW_LEN(hosts); i++) {
        const struct ow_config *c;

        snprintf(text, sizeof text,
                 "fhir: {base_url: \"http://%s/fhir\", auth: bearer, secret_file: /s, "
                 "allow_private: true}\n",
                 hosts[i]);
        c = load_text(*state, text);
        assert_non_null(c);
        ow_config_unref(c);
    }
}

static void relative_paths_count_from_the_file(void **state)
{
    struct folder *f = *state;
    const struct ow_config *c = load_text(f,
                                          "listen: {tls_cert: tls/c.pem, tls_key: /k}\n"
                                          "store: {directory: state}\n");
    char *real = realpath(f->path, NULL), expected[256];

    assert_non_null(c);
    snprintf(expected, sizeof expected, "%s/tls/c.pem", real);
    assert_string_equal(c->listen_tls_cert, expected);
    assert_string_equal(c->listen_tls_key, "/k");
    snprintf(expected, sizeof expected, "%s/state", real);
    assert_string_equal(c->store_directory, expected);
    ow_config_unref(c);
    free(real);
}

static void a_bare_name_is_a_credential_first(void **state)
{
    struct folder *f = *state;
    const struct ow_config *c;
    char *secret;
    struct ow_err err;

    assert_int_equal(mkdir(path_in(f, "cred"), 0700), 0);
    put(f, "cred/token", "  from systemd\n", 0440);
    put(f, "other", "letters-digits-and_0123456789", 0600);
    setenv("CREDENTIALS_DIRECTORY", path_in(f, "cred"), 1);
    put(f, "a.yaml",
        "fhir: {auth: bearer, secret_file: token, channel_secret_file: other}\n", 0644);
    c = load(f, true);
    assert_non_null(c);
    assert_string_equal(c->fhir_secret_file, path_in(f, "cred/token"));
    assert_int_equal(ow_secret_read(c->fhir_secret_file, &secret, &err), OW_OK);
    assert_string_equal(secret, "from systemd");
    free(secret);
    assert_int_equal(ow_secret_read(c->fhir_channel_secret_file, &secret, &err), OW_OK);
    assert_string_equal(secret, "letters-digits-and_0123456789");
    free(secret);
    assert_int_equal(ow_secret_read("token", &secret, &err), OW_OK);
    free(secret);
    ow_config_unref(c);
}

/* --- policy --- */

static bool param_is(const struct ow_policy *p, enum ow_param param, struct ow_ratio v)
{
    return ow_ratio_cmp(p->params[param], v) == 0;
}

static void the_policy_is_the_pack_and_what_the_site_says(void **state)
{
    const struct ow_config *c = load_text(
        *state, "site: {name: Our clinic, url: 'https://example.org/p'}\n"
                "policy: {preset: cdc-2016, version: '7',\n"
                "         stale_days: 30, count_stale: no, older_factor: older-factor}\n"
                "rules:\n"
                "  med-threshold: {critical: 120.25, warning: preset}\n"
                "  pdmp-due: {mode: shadow, excluded-by: [sickle-cell, end-of-life]}\n"
                "  uds-due: {mode: off, excluded-by: []}\n");

    assert_non_null(c);
    assert_string_equal(c->policy.name, "cdc-2016");
    assert_int_equal(c->policy.table, OW_TABLE_CDC_2016);
    assert_string_equal(c->policy.version, "7");
    assert_string_equal(c->policy.source_label, "Our clinic");
    assert_string_equal(c->policy.source_url, "https://example.org/p");
    assert_true(param_is(&c->policy, OW_PARAM_MED_THRESHOLD_CRITICAL, OW_RATIO(481, 4)));
    assert_true(param_is(&c->policy, OW_PARAM_MED_THRESHOLD_WARNING, OW_RATIO(50, 1)));
    assert_int_equal(c->policy.stale_days, 30);
    assert_false(c->policy.count_stale);
    assert_true(c->policy.older_factor);
    assert_int_equal(c->policy.rules[OW_RULE_PDMP].mode, OW_MODE_SHADOW);
    assert_int_equal(c->policy.rules[OW_RULE_PDMP].silenced_by,
                     OW_EXCLUDE_SICKLE_CELL | OW_EXCLUDE_END_OF_LIFE);
    assert_int_equal(c->policy.rules[OW_RULE_UDS_DUE].mode, OW_MODE_OFF);
    assert_int_equal(c->policy.rules[OW_RULE_UDS_DUE].silenced_by, 0);
    ow_config_unref(c);
}

static ow_time instant(const char *text)
{
    struct ow_span span;

    assert_int_equal(ow_time_parse(text, NULL, &span, NULL), OW_OK);
    return span.from;
}

/* Two clinics cross over on their days, the third stays behind: a stepped roll-out. */
static void clinics_begin_on_their_days_in_the_zone_of_the_site(void **state)
{
    static const struct {
        const char *clinic, *at, *owner;
        enum ow_mode mode;
        int warning;
    } expected[] = {
        {NULL,                  "2026-12-01T00:00:00Z", NULL,                 OW_MODE_SHADOW, 50},
        { "Organization/none",  "2026-12-01T00:00:00Z", NULL,                 OW_MODE_SHADOW, 50},
        { "Organization/north", "2026-03-01T06:59:59Z", "Organization/north",
         OW_MODE_SHADOW,                                                                      50},
        { "Organization/north", "2026-03-01T07:00:00Z", "Organization/north", OW_MODE_ON,
         50                                                                                     },
        { "Organization/north", "2026-06-01T05:59:59Z", "Organization/north", OW_MODE_ON,
         50                                                                                     },
        { "Organization/north", "2026-06-01T06:00:00Z", "Organization/north", OW_MODE_ON,
         40                                                                                     },
        { "Location/south",     "2026-03-31T12:00:00Z", "Location/south",     OW_MODE_SHADOW,
         50                                                                                     },
        { "Location/south",     "2026-04-01T12:00:00Z", "Location/south",     OW_MODE_ON,     50},
    };
    const struct ow_config *c = load_text(
        *state, "site: {zone: America/Denver}\n"
                "rules:\n  pdmp-due: {mode: shadow}\n"
                "clinics:\n"
                "  Organization/north:\n    from: 2026-03-01\n"
                "    pdmp-due: {mode: on}\n"
                "    med-threshold: {warning: 40, from: 2026-06-01}\n"
                "  Location/south:\n    pdmp-due: {mode: on, from: 2026-04-01}\n");

    assert_non_null(c);
    for (size_t i = 0; i < OW_LEN(expected); i++) {
        const struct ow_policy *p = ow_config_policy(c, expected[i].clinic,
                                                     instant(expected[i].at));

        assert_int_equal(p->rules[OW_RULE_PDMP].mode, expected[i].mode);
        assert_true(param_is(p, OW_PARAM_MED_THRESHOLD_WARNING,
                             OW_RATIO(expected[i].warning, 1)));
        assert_true(ow_streq(p->clinic, expected[i].owner));
        assert_int_equal(strlen(p->sha256), 64);
    }
    ow_config_unref(c);
}

static void the_place_decides_before_the_organization(void **state)
{
    const struct ow_config *c =
        load_text(*state, "clinics:\n  Organization/o: {pdmp-due: {mode: off}}\n"
                          "  Location/l: {pdmp-due: {mode: shadow}}\n");
    struct ow_chart chart = { .clinic = "Organization/o", .location = "Location/l" };

    assert_non_null(c);
    assert_string_equal(ow_config_policy_for(c, &chart, 0)->clinic, "Location/l");
    chart.location = "Location/other";
    assert_string_equal(ow_config_policy_for(c, &chart, 0)->clinic, "Organization/o");
    chart.clinic = NULL;
    assert_null(ow_config_policy_for(c, &chart, 0)->clinic);
    ow_config_unref(c);
}

/* What a rule does from a day on for everybody holds for a clinic, too. */
static void a_day_for_everybody_reaches_the_clinics(void **state)
{
    const struct ow_config *c =
        load_text(*state, "rules:\n  pdmp-due: {mode: off, from: 2026-05-01}\n"
                          "clinics:\n  Organization/o: {uds-due: {mode: off}}\n");
    const struct ow_policy *before, *after;

    assert_non_null(c);
    before = ow_config_policy(c, "Organization/o", instant("2026-04-30T23:59:59Z"));
    after = ow_config_policy(c, "Organization/o", instant("2026-05-01T00:00:00Z"));
    assert_int_equal(before->rules[OW_RULE_PDMP].mode, OW_MODE_ON);
    assert_int_equal(after->rules[OW_RULE_PDMP].mode, OW_MODE_OFF);
    assert_int_equal(before->rules[OW_RULE_UDS_DUE].mode, OW_MODE_OFF);
    assert_string_not_equal(before->sha256, after->sha256);
    assert_int_equal(c->policy.rules[OW_RULE_PDMP].mode, OW_MODE_ON);
    ow_config_unref(c);
}

static void a_drop_in_adds_to_the_rules_of_the_file(void **state)
{
    struct folder *f = *state;
    const struct ow_config *c;

    assert_int_equal(mkdir(path_in(f, "conf.d"), 0700), 0);
    put(f, "conf.d/1.yaml", "rules: {med-threshold: {warning: 45}}\n", 0600);
    c = load_text(f, "rules: {med-threshold: {warning: 40, critical: 80}}\n");
    assert_non_null(c);
    assert_true(param_is(&c->policy, OW_PARAM_MED_THRESHOLD_WARNING, OW_RATIO(45, 1)));
    assert_true(param_is(&c->policy, OW_PARAM_MED_THRESHOLD_CRITICAL, OW_RATIO(80, 1)));
    ow_config_unref(c);
}

static void rules_and_clinics_print_and_read_back(void **state)
{
    static const char text[] =
        "rules:\n  med-threshold: {mode: shadow, warning: 49.5, from: 2026-03-01}\n"
        "  pdmp-due: {excluded-by: [end-of-life]}\n  uds-due: {excluded-by: none}\n"
        "clinics:\n  Organization/a: {from: 2026-04-01, uds-due: {mode: off}}\n"
        "  Location/b: {reassess: {from: 2026-05-01, excluded-by: [sickle-cell]}}\n";
    const struct ow_config *c = load_text(*state, text), *again;
    struct ow_buf first, second;

    assert_non_null(c);
    ow_buf_init(&first, 1 << 20);
    ow_buf_init(&second, 1 << 20);
    ow_config_print(c, &first);
    again = load_text(*state, ow_buf_cstr(&first));
    assert_non_null(again);
    ow_config_print(again, &second);
    assert_string_equal(ow_buf_cstr(&first), ow_buf_cstr(&second));
    assert_non_null(strstr(ow_buf_cstr(&first), "\n    warning: 49.5\n"));
    assert_non_null(strstr(ow_buf_cstr(&first),
                           "\nclinics:\n  Location/b:\n    reassess:\n"
                           "      from: 2026-05-01\n      excluded-by: [sickle-cell]\n"));
    for (ow_time t = instant("2026-02-01"); t < instant("2026-07-01"); t += OW_DAY)
        assert_string_equal(ow_config_policy(c, "Organization/a", t)->sha256,
                            ow_config_policy(again, "Organization/a", t)->sha256);
    ow_config_unref(c);
    ow_config_unref(again);
    ow_buf_done(&first);
    ow_buf_done(&second);
}

static void every_shipped_pack_can_be_named(void **state)
{
    struct ow_pack_folders folders = { .own = "" };
    struct ow_arena arena;
    const char *const *names;
    char text[128];
    size_t n;

    ow_arena_init(&arena, SIZE_MAX);
    ow_shared_folder("policies", folders.shared, sizeof folders.shared);
    n = ow_pack_names(&folders, &arena, &names);
    assert_int_equal(n, 7);
    for (size_t i = 0; i < n; i++) {
        const struct ow_config *c;

        snprintf(text, sizeof text, "policy: {preset: %s}\n", names[i]);
        c = load_text(*state, text);
        assert_non_null(c);
        assert_string_equal(c->policy.name, names[i]);
        assert_true(c->policy.count_stale); /* 'preset' keeps the pack's */
        ow_config_unref(c);
    }
    ow_arena_done(&arena);
}

/* --- files on the disk --- */

static void files_are_looked_at(void **state)
{
    struct folder *f = *state;
    const struct ow_config *c;
    struct ow_buf expected;

    put(f, "open", "token", 0644);
    put(f, "blank", " \n", 0600);
    put(f, "lines", "a\nb\n", 0600);
    put(f, "cert", "no certificate", 0644);
    put(f, "key", "no key", 0600);
    put(f, "a.yaml",
        "listen:\n  tls_cert: cert\n  tls_key: key\n"
        "fhir:\n  ca_file: none\n  auth: bearer\n  secret_file: open\n"
        "  channel_secret_file: blank\n"
        "log:\n  key_file: lines\nsinks:\n  webhook_url: https://w\n"
        "  webhook_secret_file: .\n",
        0644);
    c = load(f, false); /* evaluating needs none of them */
    assert_non_null(c);
    ow_config_unref(c);
    assert_null(load(f, true));
    ow_buf_init(&expected, 8192);
    ow_buf_printf(
        &expected,
        "a.yaml:2:13: listen.tls_cert: certificate %s/cert: PEM lib\n"
        "a.yaml:5:12: fhir.ca_file: %s/none cannot be read: No such file or "
        "directory\n"
        "a.yaml:7:16: fhir.secret_file: %s/open has mode 0644: others could read "
        "it, so give it 0600\n"
        "a.yaml:8:24: fhir.channel_secret_file: %s/blank: expected one line of "
        "text\n"
        "a.yaml:10:13: log.key_file: %s/lines: expected one line of text\n"
        "a.yaml:13:24: sinks.webhook_secret_file: %s/. is no regular file\n",
        f->path, f->path, f->path, f->path, f->path, f->path);
    assert_string_equal(ow_buf_cstr(&f->errors), ow_buf_cstr(&expected));
    ow_buf_done(&expected);
}

/* Both would be taken in silence, and then no notification found its way, and no patient
 * in the log could be told from another. */
static void a_secret_that_could_not_serve_is_refused(void **state)
{
    static const char *const keys[] = { "0123456789abcdef0123456789abcde",
                                        "0123456789abcdef0123456789abcdefa",
                                        "0123456789abcdef0123456789abcdeg" };
    static const char *const channels[] = { "one-letter-short-of-24-.",
                                            "has/a/slash/in/it/0123456789",
                                            "has%41an+escape-0123456789" };
    struct folder *f = *state;

    for (size_t i = 0; i < OW_LEN(keys); i++) {
        put(f, "key", keys[i], 0600);
        put(f, "channel", channels[i], 0600);
        put(f, "a.yaml", "log: {key_file: key}\nfhir: {channel_secret_file: channel}\n",
            0644);
        ow_buf_reset(&f->errors);
        assert_null(load(f, true));
        assert_non_null(
            strstr(ow_buf_cstr(&f->errors), "expected 32 hexadecimal digits"));
        assert_non_null(strstr(ow_buf_cstr(&f->errors), "expected at least 24 letters"));
        assert_null(strstr(ow_buf_cstr(&f->errors), keys[i]));
        assert_null(strstr(ow_buf_cstr(&f->errors), channels[i]));
    }
}

static void a_secret_is_one_trimmed_line_for_us_alone(void **state)
{
    struct folder *f = *state;
    struct ow_err err;
    char *secret = NULL;

    put(f, "s", "\t user:pass word \r\n\n", 0600);
    assert_int_equal(ow_secret_read(path_in(f, "s"), &secret, &err), OW_OK);
    assert_string_equal(secret, "user:pass word");
    free(secret);
    secret = NULL;
    assert_int_equal(chmod(path_in(f, "s"), 0640), 0);
    assert_int_equal(ow_secret_read(path_in(f, "s"), &secret, &err), OW_CONFIG);
    assert_int_equal(ow_secret_read(path_in(f, "none"), &secret, &err), OW_CONFIG);
    put(f, "h", "token\r\nX-Evil: 1", 0600);
    assert_int_equal(ow_secret_read(path_in(f, "h"), &secret, &err), OW_CONFIG);
    assert_null(secret);
    assert_null(strstr(err.text, "Evil"));
}

/* --- bounds of every key --- */

static bool takes(const struct ow_setting *s, const char *text)
{
    struct ow_reporter r;
    struct ow_snapshot *snap;
    struct ow_err err = { "" };
    bool ok;

    ow_reporter_init(&r);
    snap = ow_snapshot_read("x", "", 0, &r);
    ok = ow_setting_parse(s, text, "/etc", &snap->config, &snap->arena, &err);
    assert_true(ok == (err.text[0] == '\0'));
    if (ok) { /* and it is written as it is read */
        struct ow_buf written;
        struct ow_buf again;

        ow_buf_init(&written, 1 << 16);
        ow_buf_init(&again, 1 << 16);
        ow_setting_format(s, &snap->config, &written);
        assert_true(ow_setting_parse(s, ow_buf_cstr(&written), "/etc", &snap->config,
                                     &snap->arena, &err));
        ow_setting_format(s, &snap->config, &again);
        assert_string_equal(ow_buf_cstr(&written), ow_buf_cstr(&again));
        ow_buf_done(&written);
        ow_buf_done(&again);
    }
    ow_snapshot_free(snap);
    ow_reporter_done(&r);
    return ok;
}

static bool takes_number(const struct ow_setting *s, int64_t v, const char *unit)
{
    char text[64];

    snprintf(text, sizeof text, "%lld%s", (long long)v, unit);
    return takes(s, text);
}

static bool takes_length(const struct ow_setting *s, const char *prefix, int64_t n)
{
    char *text = ow_alloc((size_t)n + 1);
    bool ok;

    memset(text, 'a', (size_t)n);
    text[n] = '\0';
    if (n >= (int64_t)strlen(prefix))
        memcpy(text, prefix, strlen(prefix));
    ok = takes(s, text);
    free(text);
    return ok;
}

static void bounds_hold(const struct ow_setting *s)
{
    const char *unit = s->type == OW_SETTING_DURATION ? "ms"
                       : s->type == OW_SETTING_SIZE   ? "B"
                                                      : "";
    const char *prefix = s->type == OW_SETTING_URL      ? "https://"
                         : s->type == OW_SETTING_FILE   ? "/"
                         : s->type == OW_SETTING_FOLDER ? "/"
                                                        : "";

    switch (s->type) {
    case OW_SETTING_INT:
    case OW_SETTING_DURATION:
    case OW_SETTING_SIZE:
        assert_true(takes_number(s, s->lo, unit));
        assert_true(takes_number(s, s->hi, unit));
        assert_false(takes_number(s, s->lo - 1, unit));
        assert_false(takes_number(s, s->hi + 1, unit));
        assert_false(takes(s, ""));
        break;
    case OW_SETTING_BOOL:
        assert_true(takes(s, "true") && takes(s, "false"));
        assert_false(takes(s, "True") || takes(s, "") || takes(s, "1"));
        break;
    case OW_SETTING_WORD:
        assert_false(takes(s, "") || takes(s, "|") || takes(s, "nonesuch"));
        break;
    case OW_SETTING_URL:
        assert_true(takes(s, "https://a/") && takes(s, "http://a"));
        /* fall through */
    default:
        assert_true(takes(s, "") == (s->lo == 0));
        if (s->type != OW_SETTING_URL)
            assert_true(takes_length(s, prefix, s->hi));
        assert_false(takes_length(s, prefix, s->hi + 1));
        break;
    }
}

static void every_key_keeps_its_bounds(void **state)
{
    (void)state;
    for (size_t i = 0; i < OW_SETTING_N; i++) {
        const struct ow_setting *s = &ow_settings[i];

        assert_true(s->lo <= s->hi || s->type == OW_SETTING_WORD);
        assert_true(*s->help != '\0');
        assert_true(takes(s, s->dflt));
        bounds_hold(s);
    }
}

static void every_word_is_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < OW_SETTING_N; i++) {
        const struct ow_setting *s = &ow_settings[i];
        char words[256], *rest = words, *w;

        if (s->type != OW_SETTING_WORD)
            continue;
        ow_copy(words, sizeof words, s->words);
        while ((w = strsep(&rest, "|")))
            assert_true(takes(s, w));
    }
}

/* --- the printed file --- */

/* --- clients --- */

static const struct {
    const char *text, *errors;
} clients[] = {
    {"clients:\n  a:\n    algorithms: ES384\n",
     "a.yaml:2:3: a client needs jwks_file or jwks_url, one of them\n"                                                                   },
    { "clients:\n  a:\n    jwks_file: k\n    jwks_url: https://a.test/k\n",
     "a.yaml:2:3: a client needs jwks_file or jwks_url, one of them\n"                                                                   },
    { "clients:\n  a:\n    jwks_url: http://a.test/k\n",
     "a.yaml:3:15: jwks_url: keys that come without TLS can be anybody's; use https\n"                                                   },
    { "clients:\n  a:\n    jwks_url: https://10.0.0.1/k\n",
     "a.yaml:3:15: jwks_url is a private or loopback address: that needs fhir.allow_private: true\n"                                     },
    { "clients:\n  a:\n    jwks_url: a.test\n    jwks_file: k\n",
     "a.yaml:3:15: jwks_url: expected an http or https URL of at most 1024 bytes: it does not begin with http:// or https://\n"          },
    { "clients:\n  a:\n    jwks_file: k\n    algorithms: RS384 HS256\n",
     "a.yaml:4:17: algorithms: expected some of ES384, RS384, ES256, RS256, PS384; found 'HS256'; did you mean 'ES256'?\n"               },
    { "clients:\n  a:\n    jwks_file: k\n    algorithm: RS384\n",
     "a.yaml:4:5: no key 'algorithm' of a client; did you mean 'algorithms'?\n"                                                          },
    { "clients:\n  a: b\n",
     "a.yaml:2:3: clients.a: expected the keys of a client below it, jwks_file or jwks_url among them\n"                                 },
    { "clients: a\n",                                                       "a.yaml:1:10: section 'clients' takes clients, not a value\n"},
    { "clients:\n  \"a b\":\n    jwks_file: k\n",
     "a.yaml:2:3: a client is named by the iss of its tokens, without blanks, quotes and backslashes\n"                                  },
    { "hooks:\n  require_jwt: yes\n",
     "a.yaml:2:16: hooks.require_jwt: yes needs clients: nobody could call\n"                                                            },
};

static void a_client_that_could_not_be_checked_is_refused(void **state)
{
    struct folder *f = *state;

    for (size_t i = 0; i < OW_LEN(clients); i++) {
        assert_null(load_text(f, clients[i].text));
        assert_string_equal(ow_buf_cstr(&f->errors), clients[i].errors);
    }
}

static void clients_are_read_and_printed_the_same(void **state)
{
    struct folder *f = *state;
    const struct ow_config *c =
        load_text(f, "clients:\n  https://b.test/fhir:\n    jwks_file: keys.json\n"
                     "    algorithms: [ES256, RS384]\n    tenants: north, south\n"
                     "  https://a.test/fhir:\n    jwks_url: https://a.test/keys\n");
    const struct ow_hooks_client *k;
    struct ow_buf first, second;

    assert_non_null(c);
    assert_true(ow_hooks_jwt_required(c));
    assert_string_equal(c->clients->iss, "https://a.test/fhir");
    assert_int_equal(c->clients->algs, OW_JWS_DEFAULT);
    assert_string_equal(ow_hooks_client_jku(c->clients), "https://a.test/keys");
    k = ow_hooks_client_find(c, "https://b.test/fhir");
    assert_string_equal(k->jwks_file, path_in(f, "keys.json"));
    assert_int_equal(k->algs, OW_JWS_BIT(OW_JWS_ES256) | OW_JWS_BIT(OW_JWS_RS384));
    assert_string_equal(k->tenants, "north south");
    assert_null(ow_hooks_client_jku(k));
    assert_null(ow_hooks_client_find(c, "https://b.test/fhir/"));
    ow_buf_init(&first, 1 << 20);
    ow_buf_init(&second, 1 << 20);
    ow_config_print(c, &first);
    ow_config_unref(c);
    c = load_text(f, ow_buf_cstr(&first));
    assert_non_null(c);
    ow_config_print(c, &second);
    assert_string_equal(ow_buf_cstr(&first), ow_buf_cstr(&second));
    ow_config_unref(c);
    ow_buf_done(&first);
    ow_buf_done(&second);
}

static void the_keys_of_a_client_are_looked_at(void **state)
{
    struct folder *f = *state;

    put(f, "a.yaml", "clients:\n  a:\n    jwks_file: keys.json\n", 0644);
    assert_null(load(f, true));
    assert_non_null(strstr(ow_buf_cstr(&f->errors), "keys.json cannot be opened"));
    put(f, "keys.json", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}", 0644);
    assert_null(load(f, true));
    assert_non_null(strstr(ow_buf_cstr(&f->errors), "a.yaml:3:16: jwks_file: "));
    assert_non_null(strstr(ow_buf_cstr(&f->errors), "private or secret"));
}

static void the_shipped_file_is_the_defaults_printed(void **state)
{
    struct ow_buf out;
    char *shipped;
    size_t len;

    (void)state;
    ow_buf_init(&out, 1 << 20);
    ow_config_print(NULL, &out);
    assert_int_equal(ow_file_read("conf/opiward.yaml", 1 << 20, &shipped, &len, NULL),
                     OW_OK);
    if (!ow_streq(shipped, ow_buf_cstr(&out)))
        fail_msg("conf/opiward.yaml: write it again with tests/regenerate BUILD_DIR");
    free(shipped);
    ow_buf_done(&out);
}

static void the_shipped_file_has_every_key_with_its_help(void **state)
{
    struct ow_buf out;
    const char *at, *end;

    (void)state;
    ow_buf_init(&out, 1 << 20);
    ow_config_print(NULL, &out);
    for (size_t i = 0; i < OW_SETTING_N; i++) {
        char key[80];

        snprintf(key, sizeof key, "\n  %s: ", ow_settings[i].name);
        assert_non_null(strstr(ow_buf_cstr(&out), key));
    }
    for (at = ow_buf_cstr(&out); (end = strchr(at, '\n')); at = end + 1)
        assert_true(end - at <= 90);
    ow_buf_done(&out);
}

/* Another value than the default, and one that is hard to write down where there is one.
 */
static const char *other_value(const struct ow_setting *s, char text[64])
{
    switch (s->type) {
    case OW_SETTING_BOOL:
        return ow_streq(s->dflt, "true") ? "false" : "true";
    case OW_SETTING_WORD:
        return strrchr(s->words, '|') + 1;
    case OW_SETTING_INT:
        snprintf(text, 64, "%lld", (long long)s->hi - 1);
        return text;
    case OW_SETTING_DURATION:
        snprintf(text, 64, "%lldms", (long long)s->hi - 1);
        return text;
    case OW_SETTING_SIZE:
        snprintf(text, 64, "%lldB", (long long)s->hi - 1);
        return text;
    case OW_SETTING_URL:
        return "https://example.org:1/a%20b";
    default:
        return "/a \"b\" \\c: # 'd' \xc3\xa9 - {e}";
    }
}

static void a_printed_configuration_reads_back_the_same(void **state)
{
    struct ow_reporter r;
    struct ow_snapshot *one, *two;
    struct ow_buf first, second;
    char text[64];

    (void)state;
    ow_reporter_init(&r);
    one = ow_snapshot_read("x", "", 0, &r);
    for (size_t i = 0; i < OW_SETTING_N; i++)
        assert_true(ow_setting_parse(&ow_settings[i], other_value(&ow_settings[i], text),
                                     "/", &one->config, &one->arena, NULL));
    ow_buf_init(&first, 1 << 20);
    ow_buf_init(&second, 1 << 20);
    ow_config_print(&one->config, &first);
    assert_int_equal(r.n, 0);
    two = ow_snapshot_read("x", first.data, first.len, &r);
    for (size_t i = 0; i < r.n; i++) /* such values are fit for reading, not for use */
        assert_null(strstr(r.reports[i].text, "; found "));
    ow_config_print(&two->config, &second);
    assert_string_equal(ow_buf_cstr(&first), ow_buf_cstr(&second));
    for (size_t i = 0; i < OW_SETTING_N; i++)
        assert_non_null(two->places[i].file);
    ow_snapshot_free(one);
    ow_snapshot_free(two);
    ow_buf_done(&first);
    ow_buf_done(&second);
    ow_reporter_done(&r);
}

static void a_snapshot_lives_as_long_as_it_is_held(void **state)
{
    const struct ow_config *c = load_text(*state, "site: {name: kept}\n"), *held;

    assert_non_null(c);
    held = ow_config_ref(c);
    ow_config_unref(c);
    assert_string_equal(held->site_name, "kept");
    ow_config_unref(held);
    ow_config_unref(NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_error_names_its_file_line_and_column),
        TEST(all_errors_come_in_one_run_and_in_order),
        TEST(a_missing_file_is_an_error),
        TEST(a_pipe_is_refused_without_waiting),
        TEST(a_huge_file_is_refused),
        TEST(too_many_keys_are_refused),
        TEST(an_empty_file_gives_the_defaults),
        TEST(without_a_file_the_defaults_hold),
        TEST(values_arrive_as_they_are_written),
        TEST(a_client_that_could_not_be_checked_is_refused),
        TEST(clients_are_read_and_printed_the_same),
        TEST(the_keys_of_a_client_are_looked_at),
        TEST(a_later_drop_in_wins),
        TEST(credentials_over_plain_http_stay_on_this_machine),
        TEST(relative_paths_count_from_the_file),
        TEST(a_bare_name_is_a_credential_first),
        TEST(the_policy_is_the_pack_and_what_the_site_says),
        TEST(clinics_begin_on_their_days_in_the_zone_of_the_site),
        TEST(the_place_decides_before_the_organization),
        TEST(a_day_for_everybody_reaches_the_clinics),
        TEST(a_drop_in_adds_to_the_rules_of_the_file),
        TEST(rules_and_clinics_print_and_read_back),
        TEST(every_shipped_pack_can_be_named),
        TEST(files_are_looked_at),
        TEST(a_secret_that_could_not_serve_is_refused),
        TEST(a_secret_is_one_trimmed_line_for_us_alone),
        TEST(every_key_keeps_its_bounds),
        TEST(every_word_is_taken),
        TEST(the_shipped_file_is_the_defaults_printed),
        TEST(the_shipped_file_has_every_key_with_its_help),
        TEST(a_printed_configuration_reads_back_the_same),
        TEST(a_snapshot_lives_as_long_as_it_is_held),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
