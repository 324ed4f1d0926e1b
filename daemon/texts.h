/*
 * Texts: what cards say, from disk
 *
 * The texts of a LANGUAGE are the file LANGUAGE.tsv, looked for in the site's own folder
 * (texts.directory) and in the shipped one, as rule packs are; a name that is in both is
 * an error. A name with dashes stands upon the names that it begins with: es-clinic says
 * what it changes of es. "en" is what the program says by itself; the shipped en.tsv is
 * there to be read and translated.
 */
#pragma once

#include "alerts/texts.h"
#include "daemon/packs.h"

void ow_texts_folders(const struct ow_config *c, struct ow_pack_folders *ret);

/* Are there such texts? */
bool ow_texts_known(const struct ow_pack_folders *f, const char *language);

/* Read them; every fault is reported, OW_CONFIG then. NULL in `ret` is English. They live
 * in the arena. */
OW_MUST_USE enum ow_code ow_texts_load(const struct ow_pack_folders *f,
                                       const char *language, struct ow_arena *arena,
                                       ow_config_report_fn *report, void *arg,
                                       const struct ow_words **ret);
