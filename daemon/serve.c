#include <stdio.h>

#include "base/text.h"
#include "daemon/app.h"
#include "daemon/command.h"
#include "daemon/log.h"

static void on_config_error(void *arg, const char *file, unsigned line, unsigned column,
                            const char *text)
{
    (void)arg;
    fprintf(stderr, "%s:%u:%u: %s\n", file, line, column, text);
}

static enum ow_level level_of(const char *word)
{
    static const char *const words[] = { "debug", "info", "warning", "error" };

    for (size_t i = 0; i < OW_LEN(words); i++) {
        if (ow_streq(word, words[i]))
            return (enum ow_level)i;
    }
    return OW_INFO;
}

static enum ow_log_format format_of(const char *word)
{
    return ow_streq(word, "json")       ? OW_LOG_JSON
           : ow_streq(word, "journald") ? OW_LOG_JOURNALD
                                        : OW_LOG_AUTO;
}

int ow_serve_main(int argc, char **argv)
{
    const char *file = ow_config_default_file();
    const struct ow_config *config;
    int status;

    if (argc == 2 && ow_streq(argv[0], "--config")) {
        file = argv[1];
    } else if (argc != 0) {
        fputs("usage: opiward serve [--config FILE]\n", stderr);
        return OW_EXIT_USAGE;
    }
    if (ow_config_load_checked(file, on_config_error, NULL, &config) != OW_OK)
        return OW_EXIT_CONFIG;
    ow_log_open(&(struct ow_log_options){ .level = level_of(config->log_level),
                                          .format = format_of(config->log_format) });
    status = ow_app_run(config);
    ow_log_close();
    ow_config_unref(config);
    return status;
}
