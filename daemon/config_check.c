/*
 * What one setting cannot know of another, and what the disk says to them. Each check
 * names the setting that is to be changed, at the place where it was written.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "daemon/clients.h"
#include "daemon/files.h"
#include "daemon/log.h"
#include "daemon/setting.h"
#include "daemon/tables.h"
#include "daemon/tls.h"

enum { CHANNEL_LEAST = 24 };

/* --- among each other --- */

static void check_zone(const struct ow_snapshot *s, struct ow_reporter *to)
{
    struct ow_zone *zone = NULL;
    struct ow_err err = { "" };

    if (ow_zone_load(s->config.site_zone, &zone, &err) != OW_OK)
        ow_report_at(to, s, OW_S_site_zone, "site.zone: %s", err.text);
    ow_zone_free(zone);
}

/* One of two that are of use only together. */
static void check_pair(const struct ow_snapshot *s, struct ow_reporter *to,
                       enum ow_setting_id a, const char *a_value, enum ow_setting_id b,
                       const char *b_value)
{
    bool a_lacks = !*a_value && *b_value, b_lacks = *a_value && !*b_value;

    if (a_lacks || b_lacks) {
        enum ow_setting_id has = a_lacks ? b : a, lacks = a_lacks ? a : b;

        ow_report_at(to, s, has, "%s.%s needs %s.%s", ow_settings[has].section,
                     ow_settings[has].name, ow_settings[lacks].section,
                     ow_settings[lacks].name);
    }
}

static void check_address(const struct ow_snapshot *s, struct ow_reporter *to,
                          enum ow_setting_id id, const char *address)
{
    struct in6_addr any;

    if (inet_pton(AF_INET, address, &any) != 1 && inet_pton(AF_INET6, address, &any) != 1)
        ow_report_at(to, s, id,
                     "%s.%s: expected an IPv4 or IPv6 address, such as 0.0.0.0 or ::1",
                     ow_settings[id].section, ow_settings[id].name);
}

static void check_listen(const struct ow_snapshot *s, struct ow_reporter *to)
{
    const struct ow_config *c = &s->config;
    int64_t port = ow_config_int(c->listen_port);

    check_address(s, to, OW_S_listen_address, c->listen_address);
    check_address(s, to, OW_S_operations_address, c->operations_address);
    check_pair(s, to, OW_S_listen_tls_cert, c->listen_tls_cert, OW_S_listen_tls_key,
               c->listen_tls_key);
    if (*c->listen_tls_client_ca && !*c->listen_tls_cert)
        ow_report_at(to, s, OW_S_listen_tls_client_ca,
                     "listen.tls_client_ca needs listen.tls_cert: without TLS no client "
                     "shows a certificate");
    if (port != 0 && port == ow_config_int(c->operations_port) &&
        ow_streq(c->listen_address, c->operations_address))
        ow_report_at(to, s,
                     s->places[OW_S_operations_port].file ? OW_S_operations_port
                                                          : OW_S_listen_port,
                     "listen and operations cannot share one address and port");
}

/* A base that paths are put behind. */
static void check_base(const struct ow_snapshot *s, struct ow_reporter *to,
                       enum ow_setting_id id, const char *url)
{
    const char *name = ow_settings[id].name, *section = ow_settings[id].section;

    if (ow_ends_with(url, "/"))
        ow_report_at(to, s, id, "%s.%s ends with a slash: leave it out", section, name);
    if (strpbrk(url, "?#"))
        ow_report_at(to, s, id, "%s.%s: a base has no query and no fragment", section,
                     name);
}

/* Secrets do not travel in the clear. */
static void check_plain(const struct ow_snapshot *s, struct ow_reporter *to,
                        enum ow_setting_id id, const char *url, bool secret)
{
    if (secret && *url && !ow_url_is_https(url) && !ow_url_is_loopback(url))
        ow_report_at(to, s, id,
                     "%s.%s: credentials would go out unencrypted; use https, or a "
                     "loopback address",
                     ow_settings[id].section, ow_settings[id].name);
}

/* The client refuses such an address on every connection, so say it now. */
static void check_private(const struct ow_snapshot *s, struct ow_reporter *to,
                          enum ow_setting_id id, const char *url)
{
    if (*url && !s->config.fhir_allow_private && ow_url_is_private(url))
        ow_report_at(to, s, id,
                     "%s.%s is a private or loopback address: that needs "
                     "fhir.allow_private: true",
                     ow_settings[id].section, ow_settings[id].name);
}

static void check_fhir(const struct ow_snapshot *s, struct ow_reporter *to)
{
    const struct ow_config *c = &s->config;
    bool auth = !ow_streq(c->fhir_auth, "none");

    check_base(s, to, OW_S_listen_public_url, c->listen_public_url);
    check_base(s, to, OW_S_fhir_base_url, c->fhir_base_url);
    check_private(s, to, OW_S_fhir_base_url, c->fhir_base_url);
    check_plain(s, to, OW_S_fhir_base_url, c->fhir_base_url, auth);
    check_pair(s, to, OW_S_fhir_cert_file, c->fhir_cert_file, OW_S_fhir_key_file,
               c->fhir_key_file);
    if (auth && !*c->fhir_secret_file)
        ow_report_at(to, s, OW_S_fhir_auth, "fhir.auth: %s needs fhir.secret_file",
                     c->fhir_auth);
    if (!auth && *c->fhir_secret_file)
        ow_report_at(to, s, OW_S_fhir_secret_file,
                     "fhir.secret_file is not used while fhir.auth is none");
    if (!ow_starts_with(c->fhir_criteria, "MedicationRequest?"))
        ow_report_at(to, s, OW_S_fhir_criteria,
                     "fhir.criteria: expected 'MedicationRequest?' at the beginning");
}

static void check_sinks(const struct ow_snapshot *s, struct ow_reporter *to)
{
    const struct ow_config *c = &s->config;

    check_private(s, to, OW_S_sinks_webhook_url, c->sinks_webhook_url);
    check_plain(s, to, OW_S_sinks_webhook_url, c->sinks_webhook_url,
                *c->sinks_webhook_secret_file);
    if (*c->sinks_webhook_secret_file && !*c->sinks_webhook_url)
        ow_report_at(to, s, OW_S_sinks_webhook_secret_file,
                     "sinks.webhook_secret_file needs sinks.webhook_url");
    if (c->outbox_retry_cap < c->outbox_first_retry)
        ow_report_at(to, s,
                     s->places[OW_S_outbox_retry_cap].file ? OW_S_outbox_retry_cap
                                                           : OW_S_outbox_first_retry,
                     "outbox.retry_cap is shorter than outbox.first_retry");
}

void ow_config_check_values(const struct ow_snapshot *s, struct ow_reporter *to)
{
    check_zone(s, to);
    check_listen(s, to);
    check_fhir(s, to);
    check_sinks(s, to);
    ow_clients_check_values(s, to);
}

/* --- against the disk --- */

static const struct {
    enum ow_setting_id id;
    bool secret;
} files[] = {
    {OW_S_listen_tls_cert,            false},
    { OW_S_listen_tls_key,            true },
    { OW_S_listen_tls_client_ca,      false},
    { OW_S_fhir_secret_file,          true },
    { OW_S_fhir_ca_file,              false},
    { OW_S_fhir_cert_file,            false},
    { OW_S_fhir_key_file,             true },
    { OW_S_fhir_channel_secret_file,  true },
    { OW_S_sinks_webhook_secret_file, true },
    { OW_S_policy_approver_key,       false},
    { OW_S_log_key_file,              true },
};

static const char *path_of(const struct ow_snapshot *s, enum ow_setting_id id)
{
    return *(const char *const *)((const char *)&s->config + ow_settings[id].offset);
}

/* Is the file there and for us, and, being secret, for us alone? */
static bool file_usable(const struct ow_snapshot *s, struct ow_reporter *to,
                        enum ow_setting_id id, bool secret)
{
    const char *path = path_of(s, id), *section = ow_settings[id].section,
               *name = ow_settings[id].name;
    struct ow_err err = { "" };

    if (!*path)
        return true;
    if (access(path, R_OK) != 0) {
        ow_report_at(to, s, id, "%s.%s: %s cannot be read: %s", section, name, path,
                     strerror(errno));
        return false;
    }
    if (!ow_is_file(path)) {
        ow_report_at(to, s, id, "%s.%s: %s is no regular file", section, name, path);
        return false;
    }
    if (secret && ow_secret_permitted(path, &err) != OW_OK) {
        ow_report_at(to, s, id, "%s.%s: %s", section, name, err.text);
        return false;
    }
    return true;
}

/* What a secret has to be beyond one line of text; NULL: it is. */
static const char *secret_lacks(enum ow_setting_id id, const char *secret)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789-_";
    size_t n = strlen(secret);
    uint8_t key[16];

    if (id == OW_S_log_key_file && !ow_log_key_read(secret, key))
        return "expected 32 hexadecimal digits";
    /* part of a path, where anything else would arrive in another spelling */
    if (id == OW_S_fhir_channel_secret_file &&
        (n < CHANNEL_LEAST || strspn(secret, plain) != n))
        return "expected at least 24 letters, digits, - or _";
    return NULL;
}

static void check_secret_text(const struct ow_snapshot *s, struct ow_reporter *to,
                              enum ow_setting_id id)
{
    struct ow_err err = { "" };
    const char *lacks;
    char *secret;

    if (!*path_of(s, id))
        return;
    if (ow_secret_read(path_of(s, id), &secret, &err) == OW_OK) {
        lacks = secret_lacks(id, secret);
        explicit_bzero(secret, strlen(secret));
        free(secret);
        if (!lacks)
            return;
        ow_err_set(&err, OW_CONFIG, "%s: %s", path_of(s, id), lacks);
    }
    ow_report_at(to, s, id, "%s.%s: %s", ow_settings[id].section, ow_settings[id].name,
                 err.text);
}

static void check_tls_pair(const struct ow_snapshot *s, struct ow_reporter *to,
                           enum ow_setting_id cert, enum ow_setting_id key,
                           const char *client_ca)
{
    struct ow_tls_context *tls = NULL;
    struct ow_err err = { "" };

    if (!*path_of(s, cert) || !*path_of(s, key))
        return;
    if (ow_tls_context_new(path_of(s, cert), path_of(s, key), client_ca, &tls, &err) !=
        OW_OK)
        ow_report_at(to, s, cert, "%s.%s: %s", ow_settings[cert].section,
                     ow_settings[cert].name, err.text);
    ow_tls_context_free(tls);
}

void ow_config_check_files(const struct ow_snapshot *s, struct ow_reporter *to)
{
    static const enum ow_setting_id texts[] = {
        OW_S_fhir_secret_file,
        OW_S_fhir_channel_secret_file,
        OW_S_sinks_webhook_secret_file,
        OW_S_log_key_file,
    };
    const char *ca = s->config.listen_tls_client_ca;
    bool usable[OW_SETTING_N] = { false };

    for (size_t i = 0; i < OW_LEN(files); i++)
        usable[files[i].id] = file_usable(s, to, files[i].id, files[i].secret);
    for (size_t i = 0; i < OW_LEN(texts); i++) {
        if (usable[texts[i]])
            check_secret_text(s, to, texts[i]);
    }
    if (usable[OW_S_listen_tls_cert] && usable[OW_S_listen_tls_key] &&
        usable[OW_S_listen_tls_client_ca])
        check_tls_pair(s, to, OW_S_listen_tls_cert, OW_S_listen_tls_key, *ca ? ca : NULL);
    if (usable[OW_S_fhir_cert_file] && usable[OW_S_fhir_key_file])
        check_tls_pair(s, to, OW_S_fhir_cert_file, OW_S_fhir_key_file, NULL);
    ow_clients_check_files(s, to);
}
