/*
 * One event, one line, one write. Under systemd (fd 2 is the journal's stream) events go
 * to the journal's own socket, with every field as a field; else JSON lines on standard
 * error. When the journal's socket fails, the line goes to standard error: a log that
 * loses its last words is none.
 *
 * What could play with a terminal or a log reader is escaped: control bytes of C0 and C1,
 * line and paragraph separators, and the marks that turn the direction of writing.
 *
 * Each event name may write LIMIT_BURST lines in LIMIT_MS; what is beyond is counted, and
 * the count is written when the window is over. So a storm of one kind hides no other
 * kind. May be called from any thread.
 */
#include "daemon/log.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/time.h"
#include "daemon/clock.h"

enum {
    LIMIT_BURST = 100, /* lines of one event name */
    LIMIT_MS = 10000,  /* within so long */
    EVENTS_MAX = 128,  /* event names that are counted; there are fewer in the program */
    TEXT_MAX = 1024,   /* bytes of one value; the rest is cut */
    LINE_MAX_BYTES = 1 << 20,
};

static const char journal_path[] = "/run/systemd/journal/socket";

struct event_count {
    const char *event; /* a constant of the program */
    int64_t since;     /* begin of the window, ms */
    unsigned lines, suppressed;
};

static struct {
    pthread_mutex_t lock;
    struct ow_log_options opt;
    bool journald;
    int fd; /* of the journal, or -1 */
    bool keyed;
    uint8_t key[16];
    struct event_count events[EVENTS_MAX];
} logger = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .opt = {.level = OW_INFO, .format = OW_LOG_JSON},
    .fd = -1,
};

static const struct {
    const char *name;
    int priority; /* of syslog */
} levels[] = {
    [OW_DEBUG] = {"debug",    7},
    [OW_INFO] = { "info",    6},
    [OW_WARNING] = { "warning", 4},
    [OW_ERROR] = { "error",   3},
};

/* --- opening --- */

/* Is standard error the stream that systemd connected to the journal? */
static bool is_journal_stream(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    char expected[64];
    struct stat st;

    if (!stream || fstat(STDERR_FILENO, &st) != 0)
        return false;
    snprintf(expected, sizeof expected, "%ju:%ju", (uintmax_t)st.st_dev,
             (uintmax_t)st.st_ino);
    return ow_streq(stream, expected);
}

void ow_log_open(const struct ow_log_options *opt)
{
    ow_log_close();
    pthread_mutex_lock(&logger.lock);
    logger.opt = *opt;
    logger.journald = opt->format == OW_LOG_JOURNALD ||
                      (opt->format == OW_LOG_AUTO && !opt->write && is_journal_stream());
    if (logger.journald && !opt->write)
        logger.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    pthread_mutex_unlock(&logger.lock);
}

void ow_log_set_level(enum ow_level level)
{
    pthread_mutex_lock(&logger.lock);
    logger.opt.level = level;
    pthread_mutex_unlock(&logger.lock);
}

void ow_log_set_key(const uint8_t key[16])
{
    pthread_mutex_lock(&logger.lock);
    memcpy(logger.key, key, sizeof logger.key);
    logger.keyed = true;
    pthread_mutex_unlock(&logger.lock);
}

bool ow_log_key_read(const char *hex, uint8_t ret[16])
{
    return strlen(hex) == 32 && ow_unhex(hex, 16, ret);
}

/* --- text that is safe to show --- */

static uint32_t code_point(const char *s, size_t n)
{
    static const unsigned char first[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
    uint32_t c = (unsigned char)s[0] & first[n];

    for (size_t i = 1; i < n; i++)
        c = c << 6 | ((unsigned char)s[i] & 0x3f);
    return c;
}

static bool is_harmful(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069) || c == 0x200e || c == 0x200f || c == 0x061c ||
           c == 0xfeff;
}

/*
 * `text` with everything harmful as \uXXXX and what is no UTF-8 as U+FFFD. With `json`
 * also the quote and the backslash, so that the result fits between quotes.
 */
static void add_safe(struct ow_buf *out, const char *text, bool json)
{
    size_t left = strnlen(text, TEXT_MAX + 1);
    bool cut = left > TEXT_MAX;

    left = cut ? TEXT_MAX : left;
    while (left > 0) {
        size_t n = ow_utf8_len(text, left);

        if (n == 0) {
            ow_buf_str(out, "\xef\xbf\xbd");
            n = 1;
        } else if (is_harmful(code_point(text, n))) {
            ow_buf_printf(out, "\\u%04x", (unsigned)code_point(text, n));
        } else {
            if (json && (*text == '"' || *text == '\\'))
                ow_buf_char(out, '\\');
            ow_buf_add(out, text, n);
        }
        text += n;
        left -= n;
    }
    if (cut)
        ow_buf_str(out, "...");
}

/* The value of a field that is no number. */
static const char *field_text(const struct ow_field *f, char hash[20])
{
    if (f->kind != OW_FIELD_PATIENT)
        return f->text ? f->text : "";
    if (!logger.keyed || !f->text)
        return "-";
    snprintf(hash, 20, "%016" PRIx64, ow_siphash(logger.key, f->text, strlen(f->text)));
    return hash;
}

/* --- JSON lines --- */

static void add_time(struct ow_buf *out, int64_t now)
{
    struct ow_civil c = ow_civil_from_utc(now);

    ow_buf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", c.year, c.month, c.day,
                  c.hour, c.minute, c.second, c.ms);
}

static void add_pair(struct ow_buf *out, const char *key, const char *text)
{
    ow_buf_printf(out, ",\"%s\":\"", key);
    add_safe(out, text, true);
    ow_buf_char(out, '"');
}

static void build_json(struct ow_buf *out, int64_t now, enum ow_level level,
                       const char *event, const char *message,
                       const struct ow_field *fields, size_t n)
{
    char hash[20];

    ow_buf_str(out, "{\"time\":\"");
    add_time(out, now);
    ow_buf_printf(out, "\",\"level\":\"%s\"", levels[level].name);
    add_pair(out, "event", event);
    add_pair(out, "message", message);
    for (size_t i = 0; i < n; i++) {
        if (fields[i].kind == OW_FIELD_INT)
            ow_buf_printf(out, ",\"%s\":%" PRId64, fields[i].key, fields[i].number);
        else
            add_pair(out, fields[i].key, field_text(&fields[i], hash));
    }
    ow_buf_str(out, "}\n");
}

/* --- the journal's own protocol: NAME=value lines --- */

/* One identifier a kind of event, the same in every release. */
static void add_message_id(struct ow_buf *out, const char *event)
{
    static const uint8_t keys[2][16] = { "opiward message", "id of an event" };

    ow_buf_str(out, "MESSAGE_ID=");
    for (size_t i = 0; i < 2; i++)
        ow_buf_printf(out, "%016" PRIx64, ow_siphash(keys[i], event, strlen(event)));
    ow_buf_char(out, '\n');
}

static void add_field_name(struct ow_buf *out, const char *key)
{
    ow_buf_str(out, "OPIWARD_");
    for (; *key; key++) {
        bool lower = *key >= 'a' && *key <= 'z';
        bool plain = (*key >= 'A' && *key <= 'Z') || (*key >= '0' && *key <= '9');

        ow_buf_char(out, lower ? (char)(*key - 'a' + 'A') : plain ? *key : '_');
    }
    ow_buf_char(out, '=');
}

static void add_value(struct ow_buf *out, const struct ow_field *f)
{
    char hash[20];

    if (f->kind == OW_FIELD_INT)
        ow_buf_printf(out, "%" PRId64, f->number);
    else
        add_safe(out, field_text(f, hash), false);
}

static void build_journal(struct ow_buf *out, enum ow_level level, const char *event,
                          const char *message, const struct ow_field *fields, size_t n)
{
    ow_buf_printf(out, "MESSAGE=%s: ", event);
    add_safe(out, message, false);
    for (size_t i = 0; i < n; i++) {
        ow_buf_printf(out, " %s=", fields[i].key);
        add_value(out, &fields[i]);
    }
    ow_buf_printf(out, "\nPRIORITY=%d\nSYSLOG_IDENTIFIER=opiward\nOPIWARD_EVENT=%s\n",
                  levels[level].priority, event);
    add_message_id(out, event);
    for (size_t i = 0; i < n; i++) {
        add_field_name(out, fields[i].key);
        add_value(out, &fields[i]);
        ow_buf_char(out, '\n');
    }
}

/* --- writing --- */

static void write_stderr(const char *line, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDERR_FILENO, line, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* nobody is left to tell */
        line += n;
        len -= (size_t)n;
    }
}

static bool send_journal(const char *data, size_t len)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };

    if (logger.fd < 0)
        return false;
    memcpy(to.sun_path, journal_path, sizeof journal_path);
    return sendto(logger.fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT,
                  (const struct sockaddr *)&to, sizeof to) == (ssize_t)len;
}

static void emit(int64_t now, enum ow_level level, const char *event, const char *message,
                 const struct ow_field *fields, size_t n)
{
    struct ow_buf line;

    ow_buf_init(&line, LINE_MAX_BYTES);
    if (logger.journald)
        build_journal(&line, level, event, message, fields, n);
    else
        build_json(&line, now, level, event, message, fields, n);
    if (logger.opt.write) {
        logger.opt.write(logger.opt.arg, ow_buf_cstr(&line), line.len);
    } else if (!logger.journald) {
        write_stderr(line.data, line.len);
    } else if (!send_journal(line.data, line.len)) {
        ow_buf_reset(&line);
        build_json(&line, now, level, event, message, fields, n);
        write_stderr(line.data, line.len);
    }
    ow_buf_done(&line);
}

/* --- the limit --- */

static struct event_count *count_of(const char *event)
{
    for (size_t i = 0; i < EVENTS_MAX; i++) {
        struct event_count *c = &logger.events[i];

        if (!c->event)
            c->event = event;
        if (c->event == event || ow_streq(c->event, event))
            return c;
    }
    return NULL;
}

static void tell_suppressed(struct event_count *c, int64_t now)
{
    unsigned n = c->suppressed;

    c->suppressed = 0;
    if (n > 0)
        emit(now, OW_WARNING, "log.suppressed", "lines of one event were left out",
             (const struct ow_field[]){ OW_F("of", c->event), OW_F_INT("lines", n) }, 2);
}

/* Counts of all windows that are over. A clock that went back ends them too. */
static void tell_all_suppressed(int64_t now, bool all)
{
    for (size_t i = 0; i < EVENTS_MAX && logger.events[i].event; i++) {
        struct event_count *c = &logger.events[i];

        if (all || now < c->since || now - c->since >= LIMIT_MS)
            tell_suppressed(c, now);
    }
}

static bool may_write(const char *event, int64_t now)
{
    struct event_count *c = count_of(event);

    if (!c)
        return true;
    if (c->lines == 0 || now < c->since || now - c->since >= LIMIT_MS) {
        c->since = now;
        c->lines = 0;
    }
    if (c->lines >= LIMIT_BURST) {
        c->suppressed++;
        return false;
    }
    c->lines++;
    return true;
}

static int64_t now_ms(void)
{
    return logger.opt.now ? logger.opt.now(logger.opt.arg) : ow_clock_utc();
}

void ow_log_write(enum ow_level level, const char *event, const char *message,
                  const struct ow_field *fields, size_t n)
{
    pthread_mutex_lock(&logger.lock);
    if (level >= logger.opt.level) {
        int64_t now = now_ms();

        tell_all_suppressed(now, false);
        if (may_write(event, now))
            emit(now, level, event, message, fields, n);
    }
    pthread_mutex_unlock(&logger.lock);
}

void ow_log_close(void)
{
    pthread_mutex_lock(&logger.lock);
    tell_all_suppressed(now_ms(), true);
    if (logger.fd >= 0)
        close(logger.fd);
    logger.fd = -1;
    logger.journald = false;
    logger.keyed = false;
    memset(logger.key, 0, sizeof logger.key);
    memset(logger.events, 0, sizeof logger.events);
    logger.opt = (struct ow_log_options){ .level = OW_INFO, .format = OW_LOG_JSON };
    pthread_mutex_unlock(&logger.lock);
}
