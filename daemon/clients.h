/*
 * Clients: the section `clients` of the configuration, who may call CDS Hooks
 *
 * One entry for each issuer of tokens: where its keys are, what algorithms it signs with,
 * which FHIR server its requests may name.
 */
#pragma once

#include "daemon/setting.h"
#include "daemon/yaml.h"

struct ow_hooks_client {
    const char *iss;         /* exact */
    const char *jwks_file;   /* absolute, or "" */
    const char *jwks_url;    /* or "" */
    const char *jku;         /* or "": then jwks_url is what a token may name */
    const char *fhir_server; /* or "": any */
    const char *tenants;     /* separated by blanks, or "": any */
    unsigned algs;           /* set of OW_JWS_BIT */
    struct ow_place at, file_at, url_at;
    struct ow_hooks_client *next; /* in order of iss */
};

/* What a token's jku must be; NULL: it may have none. */
const char *ow_hooks_client_jku(const struct ow_hooks_client *c);
const struct ow_hooks_client *ow_hooks_client_find(const struct ow_config *c,
                                                   const char *iss);
/* Must callers show a token? */
bool ow_hooks_jwt_required(const struct ow_config *c);

/* Take one item of the section; faults are reported. */
void ow_clients_take(struct ow_snapshot *s, struct ow_reporter *to, const char *file,
                     const char *folder, const struct ow_yaml_item *it);
void ow_clients_check_values(const struct ow_snapshot *s, struct ow_reporter *to);
void ow_clients_check_files(const struct ow_snapshot *s, struct ow_reporter *to);
void ow_clients_print(const struct ow_config *c, struct ow_buf *out);
