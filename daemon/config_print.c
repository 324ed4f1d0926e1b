/*
 * The configuration as a documented file. Settings at their default are written as
 * config.def spells it, so that the shipped file reads like the reference it is.
 */
#include <string.h>

#include "base/text.h"
#include "daemon/clients.h"
#include "daemon/config_print.h"
#include "daemon/overlay.h"
#include "daemon/setting.h"

enum { WIDTH = 90 };

static const struct {
    const char *name, *help;
} sections[] = {
    {"site",        "This installation"                                               },
    { "listen",     "The listener for notifications and CDS Hooks"                    },
    { "operations", "The listener for health and metrics: keep it off public networks"},
    { "fhir",       "The FHIR server: where orders come from and alerts go"           },
    { "hooks",      "CDS Hooks"                                                       },
    { "sinks",      "Where alerts are posted"                                         },
    { "outbox",     "Deliveries: retries and circuit breaker"                         },
    { "store",      "The durable store"                                               },
    { "intake",     "Evaluations"                                                     },
    { "knowledge",  "Tables of drugs and factors"                                     },
    { "policy",     "What alerts: 'preset' keeps what the rule pack says"             },
    { "texts",      "What cards say"                                                  },
    { "log",        "Log"                                                             },
};

void ow_config_print_comment(struct ow_buf *out, const char *indent, const char *text)
{
    size_t room = WIDTH - strlen(indent) - 2;

    if (!*text)
        ow_buf_printf(out, "%s#\n", indent);
    while (*text) {
        size_t n = strlen(text);

        if (n > room) {
            n = room;
            while (n > 0 && text[n] != ' ')
                n--;
            if (n == 0)
                n = strcspn(text, " ");
        }
        ow_buf_printf(out, "%s# %.*s\n", indent, (int)n, text);
        text += n;
        text += *text == ' ';
    }
}

static void print_help(struct ow_buf *out, const struct ow_setting *s)
{
    struct ow_buf text;

    ow_buf_init(&text, 4096);
    ow_buf_printf(&text, "%s. Takes ", s->help);
    ow_setting_expects(s, &text);
    ow_buf_char(&text, '.');
    ow_config_print_comment(out, "  ", ow_buf_cstr(&text));
    ow_buf_done(&text);
}

static void print_quoted(struct ow_buf *out, const char *text)
{
    ow_buf_char(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            ow_buf_char(out, '\\');
        ow_buf_char(out, *text);
    }
    ow_buf_char(out, '"');
}

static bool is_text(enum ow_setting_type t)
{
    return t == OW_SETTING_STRING || t == OW_SETTING_URL || t == OW_SETTING_FILE ||
           t == OW_SETTING_FOLDER;
}

static void print_value(struct ow_buf *out, const struct ow_setting *s,
                        const struct ow_config *c, const struct ow_config *defaults)
{
    struct ow_buf value, standard;
    const char *text;

    ow_buf_init(&value, 65536);
    ow_buf_init(&standard, 65536);
    ow_setting_format(s, c, &value);
    ow_setting_format(s, defaults, &standard);
    text = ow_streq(ow_buf_cstr(&value), ow_buf_cstr(&standard)) ? s->dflt
                                                                 : ow_buf_cstr(&value);
    ow_buf_printf(out, "  %s: ", s->name);
    if (is_text(s->type))
        print_quoted(out, text);
    else
        ow_buf_str(out, text);
    ow_buf_char(out, '\n');
    ow_buf_done(&value);
    ow_buf_done(&standard);
}

static void print_section(struct ow_buf *out, const char *name)
{
    ow_buf_char(out, '\n');
    for (size_t i = 0; i < OW_LEN(sections); i++) {
        if (ow_streq(sections[i].name, name))
            ow_config_print_comment(out, "", sections[i].help);
    }
    ow_buf_printf(out, "%s:\n", name);
}

void ow_config_print(const struct ow_config *c, struct ow_buf *out)
{
    const struct ow_config *defaults;
    const char *section = "";

    ow_assert(ow_config_load(NULL, NULL, NULL, &defaults) == OW_OK);
    ow_config_print_comment(
        out, "",
        "opiward: every setting, with its default. A file may leave out what it "
        "does not change; files named conf.d/*.yaml beside it are read after it, "
        "and the last one wins. Relative paths count from the folder of this "
        "file. 'opiward check' finds every error.");
    for (size_t i = 0; i < OW_SETTING_N; i++) {
        const struct ow_setting *s = &ow_settings[i];

        if (ow_streq(section, "policy") && !ow_streq(s->section, section))
            ow_overlay_print(c ? c : defaults, out);
        if (ow_streq(section, "hooks") && !ow_streq(s->section, section))
            ow_clients_print(c ? c : defaults, out);
        if (!ow_streq(section, s->section))
            print_section(out, s->section);
        else
            ow_buf_char(out, '\n');
        section = s->section;
        print_help(out, s);
        print_value(out, s, c ? c : defaults, defaults);
    }
    ow_config_unref(defaults);
}
