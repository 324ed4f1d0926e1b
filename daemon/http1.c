#include "daemon/http1.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jw.h"
#include "base/text.h"

/*
 * One request runs through four phases:
 *
 *   HEAD     the scanner looks at each byte and copies it; at the empty line the copy
 *            goes through llhttp in one piece and the fields are judged
 *   BODY     llhttp takes the bytes as they come
 *   TRAILER  behind the last chunk there are lines again: scanner first, then llhttp
 *   WHOLE    nothing is taken until ow_http1_next
 *
 * The parser is initialised anew for each request, so nothing of one can reach into the
 * next. Its own refusals become 400 but for the few that have a status of their own.
 */

enum phase {
    PHASE_HEAD,
    PHASE_BODY,
    PHASE_TRAILER,
    PHASE_WHOLE,
};

enum {
    LINE_SLACK = 64,         /* request line beside its target: method, blanks, version */
    EXT_BYTES = 256,         /* extensions of one chunk */
    FRAME_BYTES = 16 * 1024, /* framing of a chunked body, beside 8 bytes a byte */
    KEEP_HEAD = 4096,        /* buffers above these are given back between requests */
    KEEP_BODY = 64 * 1024,
    VERSION_LEN = 8, /* HTTP/1.1 */
};

static enum ow_http1_state refuse(struct ow_http1 *h, int status, const char *why)
{
    if (h->status == 0) {
        h->status = status;
        h->why = why;
    }
    return OW_HTTP1_REFUSED;
}

/* ---- the scanner ---- */

enum byte_class {
    PLAIN = 0,
    CONTROL,
    CR,
    LF,
    BLANK,
};

static const unsigned char classes[256] = {
    [0 ... 8] = CONTROL, ['\t'] = BLANK,        ['\n'] = LF,   [11 ... 12] = CONTROL,
    ['\r'] = CR,         [14 ... 31] = CONTROL, [' '] = BLANK, [127] = CONTROL,
};

static enum ow_http1_state scan_line_end(struct ow_http1 *h)
{
    if (h->line_len > 0) {
        if (h->n_lines++ == 0)
            h->first_line_len = h->line_len;
        h->line_len = 0;
        if (h->phase == PHASE_HEAD && h->n_lines > h->limits->headers + 1)
            return refuse(h, 431, "too many header fields");
        return OW_HTTP1_MORE;
    }
    if (h->n_lines > 0 || h->phase == PHASE_TRAILER)
        return OW_HTTP1_REQUEST; /* the empty line */
    if (h->blank_seen)
        return refuse(h, 400, "empty lines before the request line");
    h->blank_seen = true;
    return OW_HTTP1_MORE;
}

/* One byte of head or trailer. OW_HTTP1_REQUEST: the empty line is complete. */
static enum ow_http1_state scan_byte(struct ow_http1 *h, unsigned char c)
{
    enum byte_class class = (enum byte_class)classes[c];

    if (h->last == '\r' && class != LF)
        return refuse(h, 400, "carriage return without line feed");
    switch (class) {
    case CONTROL:
        return refuse(h, 400, "control character in the head");
    case LF:
        if (h->last != '\r')
            return refuse(h, 400, "line feed without carriage return");
        h->last = c;
        return scan_line_end(h);
    case BLANK:
        if (h->line_len == 0)
            return refuse(h, 400, "continuation line or leading blank");
        if (c == '\t' && h->n_lines == 0 && h->phase == PHASE_HEAD)
            return refuse(h, 400, "malformed request line");
        break;
    case CR:
        h->last = c;
        return OW_HTTP1_MORE;
    case PLAIN:
        if (c == ':' && h->line_len == 0)
            return refuse(h, 400, "header field without a name");
        break;
    }
    h->last = c;
    h->line_len++;
    if (h->phase == PHASE_HEAD && h->n_lines == 0 &&
        h->line_len > h->limits->target_bytes + LINE_SLACK)
        return refuse(h, 414, "request target too long");
    return OW_HTTP1_MORE;
}

/* Step over plain bytes inside a field's line: most of a head is that. */
static size_t scan_plain(struct ow_http1 *h, const char *data, size_t len)
{
    size_t n = 0;

    if (h->line_len == 0 || h->last == '\r' ||
        (h->n_lines == 0 && h->phase == PHASE_HEAD))
        return 0;
    while (n < len && classes[(unsigned char)data[n]] == PLAIN)
        n++;
    if (n > 0) {
        h->last = (unsigned char)data[n - 1];
        h->line_len += n;
    }
    return n;
}

/* Scan up to the empty line, or all; `used` counts what was looked at. */
static enum ow_http1_state scan(struct ow_http1 *h, const char *data, size_t len,
                                size_t room, size_t *used)
{
    for (size_t i = 0; i < len; i++) {
        enum ow_http1_state state;

        i += scan_plain(h, data + i, (len < room ? len : room) - i);
        if (i >= len)
            break;
        if (i >= room)
            return refuse(h, 431, "head too large");
        state = scan_byte(h, (unsigned char)data[i]);
        if (state != OW_HTTP1_MORE) {
            *used = i + 1;
            return state;
        }
    }
    *used = len;
    return OW_HTTP1_MORE;
}

/* ---- what the fields say ---- */

/* The one field of that name into `ret` (NULL when absent); false when there are two. */
static bool single(const struct ow_http1 *h, const char *name, const char **ret)
{
    *ret = NULL;
    for (size_t i = 0; i < h->n_headers; i++) {
        if (!ow_strcaseeq(h->headers[i].name, name))
            continue;
        if (*ret)
            return false;
        *ret = h->headers[i].value;
    }
    return true;
}

static bool check_length(struct ow_http1 *h, const char *value)
{
    uint64_t n = 0;

    if (!*value || strspn(value, "0123456789") != strlen(value)) {
        refuse(h, 400, "Content-Length is no number");
        return false;
    }
    for (; *value; value++) {
        if (n > (UINT64_MAX - 9) / 10) {
            refuse(h, 400, "Content-Length out of range");
            return false;
        }
        n = n * 10 + (uint64_t)(*value - '0');
    }
    if (n > h->limits->body_bytes) {
        refuse(h, 413, "body too large");
        return false;
    }
    return true;
}

/* Only "chunked", alone: a list has more readings than one. */
static bool check_coding(struct ow_http1 *h, const char *value)
{
    if (ow_strcaseeq(value, "chunked"))
        return true;
    if (!*value || strchr(value, ',') == NULL)
        refuse(h, *value ? 501 : 400, "unknown Transfer-Encoding");
    else
        refuse(h, 400, "Transfer-Encoding must be chunked and nothing else");
    return false;
}

/* How long is the body? The one question on which two readers must never differ. */
static bool check_framing(struct ow_http1 *h)
{
    const char *length, *coding;

    if (!single(h, "content-length", &length)) {
        refuse(h, 400, "more than one Content-Length");
        return false;
    }
    if (!single(h, "transfer-encoding", &coding)) {
        refuse(h, 400, "more than one Transfer-Encoding");
        return false;
    }
    if (length && coding) {
        refuse(h, 400, "Content-Length beside Transfer-Encoding");
        return false;
    }
    if (coding && h->minor == 0) {
        refuse(h, 400, "Transfer-Encoding in HTTP/1.0");
        return false;
    }
    if (coding)
        return check_coding(h, coding);
    return !length || check_length(h, length);
}

static const char host_chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "0123456789-._~!$&'()*+;=:[]%";

static bool check_host(struct ow_http1 *h, const char **ret)
{
    if (!single(h, "host", ret)) {
        refuse(h, 400, "more than one Host");
        return false;
    }
    if (!*ret && h->minor == 0)
        return true;
    if (!*ret) {
        refuse(h, 400, "no Host");
        return false;
    }
    if (!**ret || strspn(*ret, host_chars) != strlen(*ret)) {
        refuse(h, 400, "Host is no host name");
        return false;
    }
    return true;
}

static bool check_expect(struct ow_http1 *h)
{
    const char *expect;

    if (!single(h, "expect", &expect) ||
        (expect && !ow_strcaseeq(expect, "100-continue"))) {
        refuse(h, 417, "only 100-continue can be expected");
        return false;
    }
    h->wants_continue = expect && h->minor >= 1;
    return true;
}

/* ---- the target ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Decode escapes in place. Control characters and broken UTF-8 have no place in a path.
 */
static bool path_decode(char *path)
{
    char *out = path;

    for (const char *in = path; *in; in++) {
        int hi, lo;

        if (*in != '%') {
            *out++ = *in;
            continue;
        }
        hi = hex_digit(in[1]);
        lo = hi < 0 ? -1 : hex_digit(in[2]);
        if (lo < 0 || hi * 16 + lo < 0x20 || hi * 16 + lo == 0x7f)
            return false;
        *out++ = (char)(hi * 16 + lo);
        in += 2;
    }
    *out = '\0';
    return ow_utf8_valid(path, (size_t)(out - path));
}

/* Of http://host/path: check the authority against Host and step over it. */
static bool skip_authority(char **target, const char *host)
{
    char *at = strchr(*target, ':') + 3;
    size_t n = strcspn(at, "/?");

    if (!host || strlen(host) != n || strncasecmp(at, host, n) != 0)
        return false;
    *target = at + n;
    return true;
}

static bool check_target(struct ow_http1 *h, const char *host)
{
    static char root[] = "/";
    char *target = h->target, *query;

    h->request.path = root;
    h->request.query = "";
    if (h->parser.method == HTTP_OPTIONS && ow_streq(target, "*"))
        return true;
    if ((strncasecmp(target, "http://", 7) == 0 ||
         strncasecmp(target, "https://", 8) == 0) &&
        !skip_authority(&target, host))
        return false;
    query = strchr(target, '?');
    if (query) {
        *query = '\0';
        h->request.query = query + 1;
    }
    if (*target && *target != '/')
        return false;
    if (strchr(target, '#') || strchr(h->request.query, '#') || !path_decode(target))
        return false;
    if (*target)
        h->request.path = target;
    return true;
}

/* ---- llhttp's callbacks: they keep, they do not judge ---- */

static int on_target(llhttp_t *p, const char *at, size_t n)
{
    struct ow_http1 *h = p->data;

    h->target = h->head.data + (at - h->head.data);
    h->target_len = n;
    return 0;
}

static int on_field(llhttp_t *p, const char *at, size_t n)
{
    struct ow_http1 *h = p->data;

    if (h->phase != PHASE_HEAD)
        return 0; /* trailers are read past */
    if (h->n_headers >= h->limits->headers)
        return -1;
    h->headers[h->n_headers] = (struct ow_header){ at, "" };
    h->name_len[h->n_headers] = (uint32_t)n;
    h->value_len[h->n_headers++] = 0;
    return 0;
}

static int on_value(llhttp_t *p, const char *at, size_t n)
{
    struct ow_http1 *h = p->data;

    if (h->phase != PHASE_HEAD)
        return 0;
    if (h->n_headers == 0)
        return -1;
    while (n > 0 && (at[n - 1] == ' ' || at[n - 1] == '\t'))
        n--;
    if (n > 0) {
        h->headers[h->n_headers - 1].value = at;
        h->value_len[h->n_headers - 1] = (uint32_t)n;
    }
    return 0;
}

static int on_heads(llhttp_t *p)
{
    p->upgrade = 0; /* nothing here is upgraded; the body is read as one */
    return 0;
}

static int on_body(llhttp_t *p, const char *at, size_t n)
{
    struct ow_http1 *h = p->data;

    ow_buf_add(&h->body, at, n);
    if (!h->body.failed)
        return 0;
    refuse(h, 413, "body too large");
    return -1;
}

static int on_extension(llhttp_t *p, const char *at, size_t n)
{
    struct ow_http1 *h = p->data;

    (void)at;
    h->ext_len += n;
    return h->ext_len > EXT_BYTES ? -1 : 0;
}

static int on_chunk(llhttp_t *p)
{
    struct ow_http1 *h = p->data;

    h->ext_len = 0;
    if (p->content_length > h->limits->body_bytes - h->body.len) {
        refuse(h, 413, "body too large");
        return -1;
    }
    if (p->content_length > 0)
        return 0;
    h->phase = PHASE_TRAILER;
    h->line_len = 0;
    h->last = '\n';
    return HPE_PAUSED;
}

static int on_whole(llhttp_t *p)
{
    struct ow_http1 *h = p->data;

    h->whole = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t callbacks = {
    .on_url = on_target,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_chunk_extension_name = on_extension,
    .on_chunk_extension_value = on_extension,
    .on_headers_complete = on_heads,
    .on_body = on_body,
    .on_chunk_header = on_chunk,
    .on_message_complete = on_whole,
};

/* ---- the phases ---- */

static void head_terminate(struct ow_http1 *h)
{
    char *base = h->head.data;

    if (h->target)
        h->target[h->target_len] = '\0';
    for (size_t i = 0; i < h->n_headers; i++) {
        base[h->headers[i].name - base + (ptrdiff_t)h->name_len[i]] = '\0';
        if (h->value_len[i] > 0)
            base[h->headers[i].value - base + (ptrdiff_t)h->value_len[i]] = '\0';
    }
}

/* One blank on each side of the target, and a version of the length they all have. */
static bool line_is_exact(const struct ow_http1 *h, const char *method)
{
    size_t start = (size_t)(h->target - h->head.data);
    size_t skip = h->blank_seen ? 2 : 0;

    return start == skip + strlen(method) + 1 &&
           start - skip + h->target_len + 1 + VERSION_LEN == h->first_line_len;
}

static bool head_judge(struct ow_http1 *h)
{
    const char *host, *method = llhttp_method_name((llhttp_method_t)h->parser.method);

    if (h->parser.http_major != 1 || h->parser.http_minor > 1) {
        refuse(h, 505, "HTTP/1.1 is spoken here");
        return false;
    }
    h->minor = h->parser.http_minor;
    if (!h->target || !line_is_exact(h, method)) {
        refuse(h, 400, "malformed request line");
        return false;
    }
    if (h->target_len > h->limits->target_bytes) {
        refuse(h, 414, "request target too long");
        return false;
    }
    if (h->parser.method == HTTP_CONNECT) {
        refuse(h, 501, "no proxy here");
        return false;
    }
    if (!check_host(h, &host) || !check_framing(h) || !check_expect(h))
        return false;
    if (!check_target(h, host)) {
        refuse(h, 400, "malformed request target");
        return false;
    }
    h->request.method = method;
    return true;
}

/* Does the request line end in a version, if not in ours? */
static bool line_has_version(const struct ow_http1 *h)
{
    const char *end = h->head.data + (h->blank_seen ? 2 : 0) + h->first_line_len;

    return h->first_line_len > VERSION_LEN + 1 &&
           memcmp(end - VERSION_LEN, "HTTP/", 5) == 0 && end[-3] >= '0' &&
           end[-3] <= '9' && end[-2] == '.' && end[-1] >= '0' && end[-1] <= '9';
}

static void head_refused_by_parser(struct ow_http1 *h, llhttp_errno_t e)
{
    switch (e) {
    case HPE_INVALID_METHOD:
        refuse(h, 501, "unknown method");
        break;
    case HPE_INVALID_VERSION:
    case HPE_PAUSED_H2_UPGRADE:
        if (line_has_version(h))
            refuse(h, 505, "HTTP/1.1 is spoken here");
        break;
    default:
        break;
    }
    refuse(h, 400, "malformed head"); /* unless there is a better word already */
}

static enum ow_http1_state request_whole(struct ow_http1 *h)
{
    h->phase = PHASE_WHOLE;
    h->wants_continue = false;
    h->request.headers = h->headers;
    h->request.n_headers = h->n_headers;
    h->request.body = ow_buf_cstr(&h->body);
    h->request.body_len = h->body.len;
    return OW_HTTP1_REQUEST;
}

static enum ow_http1_state head_parse(struct ow_http1 *h)
{
    llhttp_errno_t e = llhttp_execute(&h->parser, h->head.data, h->head.len);
    const char *coding;

    /* A coding we do not know has its own status, which the parser does not tell apart.
     */
    head_terminate(h);
    if (e == HPE_INVALID_TRANSFER_ENCODING && single(h, "transfer-encoding", &coding) &&
        coding)
        check_framing(h);
    if (e != HPE_OK && e != HPE_PAUSED)
        head_refused_by_parser(h, e);
    if (h->status != 0 || !head_judge(h))
        return OW_HTTP1_REFUSED;
    h->head_done = true;
    h->keep_alive = llhttp_should_keep_alive(&h->parser);
    if (h->whole)
        return request_whole(h);
    h->phase = PHASE_BODY;
    return OW_HTTP1_MORE;
}

static enum ow_http1_state feed_head(struct ow_http1 *h, const char *data, size_t len,
                                     size_t *used)
{
    enum ow_http1_state state = scan(h, data, len, h->limits->head_bytes - h->head.len,
                                     used);

    if (state == OW_HTTP1_REFUSED)
        return state;
    ow_buf_add(&h->head, data, *used);
    return state == OW_HTTP1_REQUEST ? head_parse(h) : OW_HTTP1_MORE;
}

/* Give bytes behind the head to llhttp; `used` counts what it took. */
static enum ow_http1_state body_parse(struct ow_http1 *h, const char *data, size_t len,
                                      size_t *used)
{
    llhttp_errno_t e = llhttp_execute(&h->parser, data, len);

    *used = len;
    if (e == HPE_PAUSED) {
        *used = (size_t)(llhttp_get_error_pos(&h->parser) - data);
        llhttp_resume(&h->parser);
    } else if (e != HPE_OK) {
        return refuse(h, 400, "malformed chunked body");
    }
    h->wants_continue = false; /* it did not wait */
    h->body_wire += *used;
    if (h->body_wire > FRAME_BYTES + 9 * h->body.len)
        return refuse(h, 400, "more framing than body");
    return h->whole ? request_whole(h) : OW_HTTP1_MORE;
}

static enum ow_http1_state feed_trailer(struct ow_http1 *h, const char *data, size_t len,
                                        size_t *used)
{
    size_t n;

    if (scan(h, data, len, SIZE_MAX, &n) == OW_HTTP1_REFUSED)
        return OW_HTTP1_REFUSED;
    return body_parse(h, data, n, used);
}

enum ow_http1_state ow_http1_feed(struct ow_http1 *h, const char *data, size_t len,
                                  size_t *used)
{
    enum ow_http1_state state = OW_HTTP1_MORE;

    ow_assert(h->status == 0 && h->phase != PHASE_WHOLE);
    *used = 0;
    while (*used < len && state == OW_HTTP1_MORE) {
        const char *at = data + *used;
        size_t left = len - *used, n = 0;

        if (h->phase == PHASE_HEAD)
            state = feed_head(h, at, left, &n);
        else if (h->phase == PHASE_BODY)
            state = body_parse(h, at, left, &n);
        else
            state = feed_trailer(h, at, left, &n);
        *used += n;
    }
    return state;
}

/* ---- life ---- */

static void request_begin(struct ow_http1 *h)
{
    llhttp_init(&h->parser, HTTP_REQUEST, &callbacks);
    h->parser.data = h;
    h->request = (struct ow_request){ 0 };
    h->keep_alive = h->wants_continue = h->head_done = h->whole = h->blank_seen = false;
    h->minor = 1;
    h->n_headers = h->target_len = h->line_len = h->first_line_len = 0;
    h->body_wire = h->ext_len = 0;
    h->n_lines = 0;
    h->target = NULL;
    h->last = 0;
    h->phase = PHASE_HEAD;
}

void ow_http1_init(struct ow_http1 *h, const struct ow_http1_limits *limits)
{
    ow_assert(limits->headers <= OW_WIRE_HEADERS);
    h->limits = limits;
    h->status = 0;
    h->why = NULL;
    ow_buf_init(&h->head, limits->head_bytes);
    ow_buf_init(&h->body, limits->body_bytes);
    request_begin(h);
}

void ow_http1_done(struct ow_http1 *h)
{
    ow_buf_done(&h->head);
    ow_buf_done(&h->body);
}

static void buf_recycle(struct ow_buf *b, size_t keep)
{
    if (b->cap > keep)
        ow_buf_done(b);
    else
        ow_buf_reset(b);
}

void ow_http1_next(struct ow_http1 *h)
{
    ow_assert(h->phase == PHASE_WHOLE);
    buf_recycle(&h->head, KEEP_HEAD);
    buf_recycle(&h->body, KEEP_BODY);
    request_begin(h);
}

bool ow_http1_idle(const struct ow_http1 *h)
{
    return h->phase == PHASE_HEAD && h->head.len == 0;
}
