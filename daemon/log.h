/*
 * Log: one event a line, no patient data
 *
 * Journald fields under systemd, else JSON lines on standard error. Event names are
 * stable
 * ("delivery.sent"); a patient appears only as a keyed hash, through OW_F_PATIENT;
 * strings that come from outside are escaped. What may hold patient data (bodies, names,
 * free text, identifiers, URLs with a query) is never handed to this module, at any
 * level.
 */
#pragma once

#include "base/base.h"

enum ow_level {
    OW_DEBUG,
    OW_INFO,
    OW_WARNING,
    OW_ERROR,
};

struct ow_field {
    const char *key;
    enum {
        OW_FIELD_TEXT,
        OW_FIELD_INT,
        OW_FIELD_PATIENT, /* written as its keyed hash */
    } kind;
    const char *text;
    int64_t number;
};

#define OW_F(key, value) ((struct ow_field){ (key), OW_FIELD_TEXT, (value), 0 })
#define OW_F_INT(key, value)                                                             \
    ((struct ow_field){ (key), OW_FIELD_INT, NULL, (int64_t)(value) })
#define OW_F_PATIENT(key, value)                                                         \
    ((struct ow_field){ (key), OW_FIELD_PATIENT, (value), 0 })

enum ow_log_format {
    OW_LOG_AUTO,
    OW_LOG_JSON,
    OW_LOG_JOURNALD,
};

/* `now` gives the wall clock in ms; `write` NULL: standard error or the journal's socket.
 */
struct ow_log_options {
    enum ow_level level;
    enum ow_log_format format;
    int64_t (*now)(void *arg);
    void (*write)(void *arg, const char *line, size_t len);
    void *arg;
};
void ow_log_open(const struct ow_log_options *opt);
void ow_log_close(void);
void ow_log_set_level(enum ow_level level);
/* Key of the patient hash; before it is set a patient is written as "-". */
void ow_log_set_key(const uint8_t key[16]);
/* A key as text: 32 hexadecimal digits, no more. */
OW_MUST_USE bool ow_log_key_read(const char *hex, uint8_t ret[16]);

/* `message` is a constant sentence; what varies goes into fields. */
void ow_log_write(enum ow_level level, const char *event, const char *message,
                  const struct ow_field *fields, size_t n);

#define OW_LOG(level, event, message, ...)                                               \
    ow_log_write((level), (event), (message),                                            \
                 (const struct ow_field[]){ { .key = NULL }, ##__VA_ARGS__ } + 1,        \
                 sizeof((const struct ow_field[]){ { .key = NULL }, ##__VA_ARGS__ }) /   \
                         sizeof(struct ow_field) -                                       \
                     1)
