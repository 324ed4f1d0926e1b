/*
 * HTTP/1: bytes to one request as a value, a response to bytes; no I/O inside
 *
 * llhttp (strict) does the parsing. In front of it stands a scanner that refuses what
 * requests are smuggled with and what llhttp 8.1 lets through: continuation lines, bare
 * CR or LF, control characters. A head reaches llhttp only once it is whole, so the
 * outcome does not depend on how the bytes were cut into pieces.
 *
 * Feed bytes until the answer is not OW_HTTP1_MORE. After OW_HTTP1_REQUEST the bytes
 * that were not used belong to the next request: ow_http1_next, then feed them. After
 * OW_HTTP1_REFUSED the stream cannot be trusted: send `status`, close.
 */
#pragma once

#include <llhttp.h>

#include "base/buf.h"
#include "fhir/wire.h"

struct ow_http1_limits {
    size_t head_bytes;   /* request line and headers */
    size_t target_bytes; /* of the request line */
    size_t body_bytes;
    unsigned headers; /* at most OW_WIRE_HEADERS */
};

enum ow_http1_state {
    OW_HTTP1_MORE,    /* all taken, feed more */
    OW_HTTP1_REQUEST, /* `request` is whole */
    OW_HTTP1_REFUSED, /* `status` and `why` say how */
};

struct ow_http1 {
    struct ow_request
        request;         /* strings live until ow_http1_next; `peer` is not set here */
    bool keep_alive;     /* may the connection live on after the answer? */
    bool wants_continue; /* head is whole, body is not, client waits for a 100 */
    bool head_done;      /* head is whole and acceptable */
    int minor;           /* HTTP/1.`minor` */
    int status;          /* of a refusal */
    const char *why;     /* one short sentence, without request content */

    /* private from here on */
    const struct ow_http1_limits *limits; /* borrowed */
    llhttp_t parser;
    struct ow_buf head, body;
    struct ow_header headers[OW_WIRE_HEADERS];
    uint32_t name_len[OW_WIRE_HEADERS], value_len[OW_WIRE_HEADERS];
    size_t n_headers;
    char *target;
    size_t target_len;
    size_t line_len, first_line_len; /* of the current line; of the request line */
    unsigned n_lines;                /* lines that have ended */
    unsigned char last;              /* byte before the current one */
    unsigned char phase;
    bool blank_seen, whole;
    size_t body_wire; /* bytes of the body as sent, framing included */
    size_t ext_len;   /* of one chunk's extensions */
};

void ow_http1_init(struct ow_http1 *h, const struct ow_http1_limits *limits);
void ow_http1_done(struct ow_http1 *h);

/* Take bytes; `used` says how many. Not after a refusal, nor before ow_http1_next. */
enum ow_http1_state ow_http1_feed(struct ow_http1 *h, const char *data, size_t len,
                                  size_t *used);

/* Forget the request that was whole and begin with the next one. */
void ow_http1_next(struct ow_http1 *h);

/* True before the first byte of a request. */
bool ow_http1_idle(const struct ow_http1 *h);

/* How to write a response: what the request decides, not the handler. */
struct ow_http1_reply {
    const char *date; /* IMF-fixdate; NULL leaves the field out */
    int minor;        /* of the request's version */
    bool head;        /* answer to HEAD: no body, its length stays */
    bool keep_alive;
};

/*
 * Append a response. Content-Length, Date and Connection are added here and dropped from
 * what the handler gave; a field with a line break or an empty name is left out.
 */
void ow_http1_write(struct ow_buf *out, const struct ow_response *resp,
                    const struct ow_http1_reply *how);

/* A response of the server itself, with an OperationOutcome. Same `how`. */
void ow_http1_write_error(struct ow_buf *out, int status, const char *why,
                          const struct ow_http1_reply *how);

const char *ow_http1_reason(int status);
