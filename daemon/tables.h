/*
 * Tables: knowledge and zones from disk
 */
#pragma once

#include "alerts/knowledge.h"
#include "daemon/config.h"

/* The shipped folder of that name: beside the program, of an installation or of the
 * checkout that it was built in, else below /usr/share/opiward. */
void ow_shared_folder(const char *name, char *ret, size_t size);

/*
 * Folder of the knowledge tables: the configured one; when it is the default and not
 * beside the configuration file, the checkout's conf/knowledge next to the program, else
 * /usr/share/opiward/knowledge.
 */
void ow_tables_folder(const struct ow_config *c, char *ret, size_t size);

/* Read and load all tables of a folder; every error is reported. */
OW_MUST_USE enum ow_code ow_tables_load(const char *folder, ow_config_report_fn *report,
                                        void *arg, struct ow_knowledge **ret);

/* An IANA zone from /usr/share/zoneinfo; "UTC" gives NULL. */
OW_MUST_USE enum ow_code ow_zone_load(const char *name, struct ow_zone **ret,
                                      struct ow_err *err);
