/* opiward: one program, subcommands. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "daemon/command.h"

static int version_main(int argc, char **argv)
{
    if (argc == 1 && ow_streq(argv[0], "--json"))
        printf("{\"name\":\"opiward\",\"version\":\"%s\"}\n", OW_VERSION);
    else if (argc == 0)
        printf("opiward %s\n", OW_VERSION);
    else
        return fprintf(stderr, "usage: opiward version [--json]\n"), OW_EXIT_USAGE;
    return OW_EXIT_OK;
}

static int help_main(int argc, char **argv);

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *usage, *help;
} commands[] = {
    {"serve",      ow_serve_main,     "serve [--config FILE]",                                  "the daemon, in the foreground"                                                                                                                                                                                                                          },
    { "check",     ow_check_main,
     "check [--config FILE] [--json] [--print|--print-pack|--print-texts|--source-attributes]",
     "read configuration, tables, keys, texts and rule packs, and run the packs' cases; print every\n      error as file:line:column;\n      --print: then the settings in force; --print-pack: the rules, as a rule\n      pack; --print-texts: the texts of cards, to be translated;\n      --source-attributes: what stands behind each rule, as JSON"},
    { "evaluate",  ow_evaluate_main,
     "evaluate [--at INSTANT] [--preset NAME] [--hook NAME] [--config FILE]\n"
      "                   [--format json|text] [--trace] FILE...",                              "the judgement offline, on FHIR or CDS Hooks files; - is standard input"                                                                                                                                                                                 },
    { "explain",   ow_explain_main,
     "explain [--config FILE] [--rule NAME] [--json] ALERT|CARD|PATIENT\n"
      "  opiward explain [--config FILE] [--rule NAME] [--json] [--at INSTANT] [--preset NAME]\n"
      "                  [--hook NAME] --bundle FILE",                                          "why a rule fired and another did not, with every input: of the last verdict that\n      stands in the store, or of a file"                                                                                                                              },
    { "knowledge", ow_knowledge_main,
     "knowledge [--config FILE] [--from DIR] [--json] check|list|lookup CODE\n"
      "  opiward knowledge [--json] diff OLD NEW\n"
      "  opiward knowledge [--out DIR] [--release YYYY-MM] import-rxnorm RRF",                  "the tables: errors, contents, differences, one drug, a new RxNorm release"                                                                                                                                                                              },
    { "version",   version_main,      "version [--json]",                                       "print the version"                                                                                                                                                                                                                                      },
    { "help",      help_main,         "help [COMMAND]",                                         "print this, or the usage of one command"                                                                                                                                                                                                                },
};

static void usage(FILE *to)
{
    fputs("opiward: opioid safety alerts from FHIR medication orders\n\n", to);
    for (size_t i = 0; i < OW_LEN(commands); i++)
        fprintf(to, "  opiward %s\n      %s\n", commands[i].usage, commands[i].help);
    fputs(
        "\nExit status: 0 fine, 64 wrong usage, 65 bad data, 69 something needed is missing,\n"
        "70 internal error, 71 system error, 73 cannot create, 74 input or output, 75 try\n"
        "again, 77 permission, 78 bad configuration. More: man opiward.\n",
        to);
}

static int help_main(int argc, char **argv)
{
    if (argc == 0) {
        usage(stdout);
        return OW_EXIT_OK;
    }
    for (size_t i = 0; argc == 1 && i < OW_LEN(commands); i++) {
        if (ow_streq(argv[0], commands[i].name)) {
            printf("usage: opiward %s\n\n%s\n", commands[i].usage, commands[i].help);
            return OW_EXIT_OK;
        }
    }
    fprintf(stderr, "opiward help: no such command\n");
    return OW_EXIT_USAGE;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";

    if (ow_streq(name, "--help") || ow_streq(name, "-h"))
        name = "help";
    if (ow_streq(name, "--version"))
        name = "version";
    for (size_t i = 0; i < OW_LEN(commands); i++) {
        if (ow_streq(name, commands[i].name))
            return commands[i].run(argc - 2, argv + 2);
    }
    if (argc > 1)
        fprintf(stderr, "opiward: no command '%s'\n\n", name);
    usage(stderr);
    return OW_EXIT_USAGE;
}
