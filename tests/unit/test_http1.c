#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/http1.h"

static const struct ow_http1_limits limits = {
    .head_bytes = 2048,
    .target_bytes = 256,
    .body_bytes = 1000,
    .headers = 20,
};

/* Feed in pieces of `step` bytes until something is decided. Returns the state. */
static enum ow_http1_state feed(struct ow_http1 *h, const char *data, size_t len,
                                size_t step, size_t *used)
{
    enum ow_http1_state state = OW_HTTP1_MORE;

    *used = 0;
    while (*used < len && state == OW_HTTP1_MORE) {
        size_t n = len - *used < step ? len - *used : step, k = 0;
        char *piece = malloc(n); /* so that ASan sees a step beyond it */

        memcpy(piece, data + *used, n);
        state = ow_http1_feed(h, piece, n, &k);
        assert_true(k <= n);
        if (state == OW_HTTP1_MORE)
            assert_int_equal(k, n);
        *used += k;
        free(piece);
    }
    return state;
}

/* 0: more wanted, 200: whole, else the status of the refusal */
static int verdict(const char *data, size_t len, size_t step)
{
    struct ow_http1 h;
    enum ow_http1_state state;
    size_t used;
    int status;

    ow_http1_init(&h, &limits);
    state = feed(&h, data, len, step, &used);
    status = state == OW_HTTP1_MORE ? 0 : state == OW_HTTP1_REQUEST ? 200 : h.status;
    if (state == OW_HTTP1_REFUSED)
        assert_non_null(h.why);
    ow_http1_done(&h);
    return status;
}

#define GET     "GET / HTTP/1.1\r\n"
#define HOST    "Host: a\r\n"
#define POST    "POST / HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
#define X64     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X256    X64 X64 X64 X64
#define H5      "A: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\n"

static const struct hostile {
    const char *name;
    int status;
    const char *text;
    size_t len; /* 0: of the string */
} hostile[] = {
  /* two lengths */
    {"CL and TE",                         400,
     POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",                              0},
    { "TE and CL",                        400,
     POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",                              0},
    { "TE unknown and CL",                400, POST "Transfer-Encoding: x\r\nContent-Length: 1\r\n\r\na",
     0                                                                                                      },
    { "two different CL",                 400,
     POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",                                          0},
    { "two equal CL",                     400, POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde",
     0                                                                                                      },
    { "CL list",                          400, POST "Content-Length: 5, 5\r\n\r\nabcde",                   0},
    { "CL list of two",                   400, POST "Content-Length: 5, 6\r\n\r\nabcde",                   0},
    { "CL plus",                          400, POST "Content-Length: +5\r\n\r\nabcde",                     0},
    { "CL negative",                      400, POST "Content-Length: -5\r\n\r\nabcde",                     0},
    { "CL hexadecimal",                   400, POST "Content-Length: 0x5\r\n\r\nabcde",                    0},
    { "CL with a blank inside",           400, POST "Content-Length: 1 2\r\n\r\nabcde",                    0},
    { "CL with an underscore",            400, POST "Content-Length: 1_0\r\n\r\nabcde",                    0},
    { "CL empty",                         400, POST "Content-Length: \r\n\r\n",                            0},
    { "CL letters",                       400, POST "Content-Length: abc\r\n\r\n",                         0},
    { "CL above 64 bits",                 400, POST "Content-Length: 18446744073709551616\r\n\r\n",        0},
    { "CL far above 64 bits",             400,
     POST "Content-Length: 99999999999999999999999999\r\n\r\n",                                            0},
    { "CL above the ceiling",             413, POST "Content-Length: 1001\r\n\r\n",                        0},
    { "CL at 64 bits",                    400, POST "Content-Length: 18446744073709551615\r\n\r\n",        0},
    { "CL at 63 bits",                    413, POST "Content-Length: 9223372036854775807\r\n\r\n",         0},
 /* codings */
    { "TE xchunked",                      501, POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",        0},
    { "TE identity",                      501, POST "Transfer-Encoding: identity\r\n\r\n",                 0},
    { "TE gzip",                          501, POST "Transfer-Encoding: gzip\r\n\r\n",                     0},
    { "TE gzip, chunked",                 400, POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
     0                                                                                                      },
    { "TE chunked, identity",             400,
     POST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",                                         0},
    { "TE chunked twice in a list",       400,
     POST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",                                          0},
    { "TE in two fields",                 400,
     POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     0                                                                                                      },
    { "TE two fields, one unknown",       400,
     POST "Transfer-Encoding: chunked\r\nTransfer-encoding: x\r\n\r\n0\r\n\r\n",                           0},
    { "TE quoted",                        501, POST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",     0},
    { "TE with vertical tab",             400, POST "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n",
     0                                                                                                      },
    { "TE empty",                         400, POST "Transfer-Encoding: \r\n\r\n",                         0},
    { "TE in HTTP/1.0",                   400,
     "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",                          0},
    { "blank before colon in TE",         400,
     POST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",                                                  0},
 /* lines */
    { "bare LF everywhere",               400, "GET / HTTP/1.1\nHost: a\n\n",                              0},
    { "bare LF after the request line",   400, "GET / HTTP/1.1\nHost: a\r\n\r\n",                          0},
    { "bare LF after a field",            400, GET "Host: a\nB: c\r\n\r\n",                                0},
    { "bare LF as the empty line",        400, GET HOST "\n",                                              0},
    { "bare CR in a value",               400, GET HOST "B: c\rContent-Length: 5\r\n\r\n",                 0},
    { "bare CR before CRLF",              400, GET HOST "B: c\r\r\n\r\n",                                  0},
    { "bare CR in a name",                400, GET HOST "B\rc: d\r\n\r\n",                                 0},
    { "bare CR in the request line",      400, "GET /\rx HTTP/1.1\r\nHost: a\r\n\r\n",                     0},
    { "CR as line end",                   400, "GET / HTTP/1.1\rHost: a\r\r",                              0},
    { "continuation line",                400, GET HOST "B: c\r\n d\r\n\r\n",                              0},
    { "continuation line with tab",       400, GET HOST "B: c\r\n\td\r\n\r\n",                             0},
    { "continuation of Content-Length",   400, POST "Content-Length: 1\r\n 2\r\n\r\nx",                    0},
    { "blank before the first field",     400, GET " Host: a\r\n\r\n",                                     0},
    { "continuation that hides a length", 400, GET HOST " Content-Length: 5\r\n\r\nabcde",
     0                                                                                                      },
    { "blank before colon",               400, GET "Host : a\r\n\r\n",                                     0},
    { "tab before colon",                 400, GET "Host\t: a\r\n\r\n",                                    0},
    { "blank before colon in CL",         400, POST "Content-Length : 5\r\n\r\nabcde",                     0},
    { "field without colon",              400, GET HOST "novalue\r\n\r\n",                                 0},
    { "field without name",               400, GET HOST ": x\r\n\r\n",                                     0},
    { "first field without name",         400, GET ": x\r\n" HOST "\r\n",                                  0},
    { "name with a bracket",              400, GET HOST "a(b): x\r\n\r\n",                                 0},
    { "name beyond ASCII",                400, GET HOST "\xc3\xa4: x\r\n\r\n",                             0},
    { "NUL in a value",                   400, GET HOST "B: c\0d\r\n\r\n",
     sizeof(GET HOST "B: c\0d\r\n\r\n") - 1                                                                 },
    { "NUL in a name",                    400, GET HOST "B\0: c\r\n\r\n",
     sizeof(GET HOST "B\0: c\r\n\r\n") - 1                                                                  },
    { "NUL in the target",                400, "GET /\0 HTTP/1.1\r\n",
     sizeof("GET /\0 HTTP/1.1\r\n") - 1                                                                     },
    { "escape code in a value",           400, GET HOST "B: \x1b[31m\r\n\r\n",                             0},
    { "DEL in a value",                   400, GET HOST "B: \x7f\r\n\r\n",                                 0},
    { "two empty lines first",            400, "\r\n\r\n" GET HOST "\r\n",                                 0},
    { "LF first",                         400, "\n" GET HOST "\r\n",                                       0},
    { "TLS on a plain port",              400, "\x16\x03\x01\x02",                                         0},
 /* Host */
    { "no Host",                          400, GET "\r\n",                                                 0},
    { "second Host",                      400, GET "Host: a\r\nHost: b\r\n\r\n",                           0},
    { "second equal Host",                400, GET "Host: a\r\nHost: a\r\n\r\n",                           0},
    { "empty Host",                       400, GET "Host: \r\n\r\n",                                       0},
    { "Host list",                        400, GET "Host: a, b\r\n\r\n",                                   0},
    { "Host with a path",                 400, GET "Host: a/b\r\n\r\n",                                    0},
    { "Host with user",                   400, GET "Host: u@a\r\n\r\n",                                    0},
    { "absolute target of another host",  400, "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
     0                                                                                                      },
    { "absolute target, no Host",         400, "GET http://b/ HTTP/1.1\r\n\r\n",                           0},
 /* request line */
    { "unknown method",                   501, "BREW / HTTP/1.1\r\nHost: a\r\n\r\n",                       0},
    { "method in small letters",          501, "get / HTTP/1.1\r\nHost: a\r\n\r\n",                        0},
    { "CONNECT",                          501, "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n",              0},
    { "HTTP/2.0",                         505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n",                        0},
    { "HTTP/0.9 spelled out",             505, "GET / HTTP/0.9\r\nHost: a\r\n\r\n",                        0},
    { "HTTP/1.2",                         505, "GET / HTTP/1.2\r\nHost: a\r\n\r\n",                        0},
    { "HTTP/11.1",                        400, "GET / HTTP/11.1\r\nHost: a\r\n\r\n",                       0},
    { "HTTP/2 preface",                   505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",                         0},
    { "simple request",                   505, "GET /\r\n\r\n",                                            0},
    { "two blanks before the target",     400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",                       0},
    { "two blanks behind the target",     400, "GET /  HTTP/1.1\r\nHost: a\r\n\r\n",                       0},
    { "tab as separator",                 400, "GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n",                      0},
    { "blank behind the version",         400, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",                       0},
    { "blank in the target",              400, "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",                     0},
    { "other protocol",                   400, "GET / FTP/1.1\r\nHost: a\r\n\r\n",                         0},
    { "fragment",                         400, "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",                     0},
    { "relative target",                  400, "GET a HTTP/1.1\r\nHost: a\r\n\r\n",                        0},
    { "star with GET",                    400, "GET * HTTP/1.1\r\nHost: a\r\n\r\n",                        0},
    { "file target",                      400, "GET file:///etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",       0},
    { "escape cut short",                 400, "GET /a% HTTP/1.1\r\nHost: a\r\n\r\n",                      0},
    { "escape of one digit",              400, "GET /a%2 HTTP/1.1\r\nHost: a\r\n\r\n",                     0},
    { "escape without digits",            400, "GET /a%zz HTTP/1.1\r\nHost: a\r\n\r\n",                    0},
    { "escaped NUL",                      400, "GET /a%00b HTTP/1.1\r\nHost: a\r\n\r\n",                   0},
    { "escaped line feed",                400, "GET /a%0ab HTTP/1.1\r\nHost: a\r\n\r\n",                   0},
    { "escaped broken UTF-8",             400, "GET /a%c3%28 HTTP/1.1\r\nHost: a\r\n\r\n",                 0},
    { "escaped overlong slash",           400, "GET /a%c0%af HTTP/1.1\r\nHost: a\r\n\r\n",                 0},
    { "other expectation",                417, POST "Expect: miracles\r\nContent-Length: 1\r\n\r\n",       0},
 /* ceilings */
    { "target too long",                  414, "GET /" X256 " HTTP/1.1\r\nHost: a\r\n\r\n",                0},
    { "target without end",               414, "GET /" X256 X256,                                          0},
    { "head too large",                   431, GET HOST "B: " X256 X256 X256 X256 X256 X256 X256 X256,     0},
    { "too many fields",                  431, GET H5 H5 H5 H5 H5,                                         0},
    { "field lines without end",          431, GET HOST H5 H5 H5 H5 "C",                                   0},
 /* chunks */
    { "chunk above the ceiling",          413, CHUNKED "3e9\r\n",                                          0},
    { "chunks that add up above it",      413, CHUNKED "3\r\nabc\r\n3e8\r\n",                              0},
    { "chunk size above 64 bits",         400, CHUNKED "fffffffffffffffff\r\n",                            0},
    { "chunk size negative",              400, CHUNKED "-1\r\n",                                           0},
    { "chunk size with 0x",               400, CHUNKED "0x1\r\na\r\n0\r\n\r\n",                            0},
    { "chunk size empty",                 400, CHUNKED "\r\n",                                             0},
    { "chunk size after a blank",         400, CHUNKED " 1\r\na\r\n0\r\n\r\n",                             0},
    { "chunk size before a blank",        400, CHUNKED "1 \r\na\r\n0\r\n\r\n",                             0},
    { "chunk size with bare LF",          400, CHUNKED "1\na\r\n0\r\n\r\n",                                0},
    { "chunk size with bare CR",          400, CHUNKED "1\rXa\r\n0\r\n\r\n",                               0},
    { "chunk longer than its size",       400, CHUNKED "1\r\nab\r\n0\r\n\r\n",                             0},
    { "chunk end with bare LF",           400, CHUNKED "1\r\na\n0\r\n\r\n",                                0},
    { "chunk end missing",                400, CHUNKED "1\r\na0\r\n\r\n",                                  0},
    { "last chunk with bare LF",          400, CHUNKED "0\n\n",                                            0},
    { "chunk extension too long",         400, CHUNKED "1;" X256 "x\r\na\r\n0\r\n\r\n",                    0},
    { "chunk extension value too long",   400, CHUNKED "1;a=" X256 "\r\na\r\n0\r\n\r\n",
     0                                                                                                      },
    { "chunk extension with bare LF",     400, CHUNKED "1;a\nb\r\na\r\n0\r\n\r\n",                         0},
    { "chunk extension with bare CR",     400, CHUNKED "1;a\rb\r\na\r\n0\r\n\r\n",                         0},
    { "chunk extension with NUL",         400, CHUNKED "1;a\0b\r\na\r\n0\r\n\r\n",
     sizeof(CHUNKED "1;a\0b\r\na\r\n0\r\n\r\n") - 1                                                         },
    { "trailer with continuation",        400, CHUNKED "0\r\nA: b\r\n c\r\n\r\n",                          0},
    { "trailer that begins with blank",   400, CHUNKED "0\r\n A: b\r\n\r\n",                               0},
    { "trailer with bare LF",             400, CHUNKED "0\r\nA: b\n\r\n",                                  0},
    { "trailer with bare CR",             400, CHUNKED "0\r\nA: b\rc\r\n\r\n",                             0},
    { "trailer with NUL",                 400, CHUNKED "0\r\nA: \0\r\n\r\n",
     sizeof(CHUNKED "0\r\nA: \0\r\n\r\n") - 1                                                               },
    { "trailer without colon",            400, CHUNKED "0\r\nabc\r\n\r\n",                                 0},
};

static void every_hostile_input_has_its_status_however_it_is_cut(void **state)
{
    int bad = 0;

    (void)state;
    for (size_t i = 0; i < OW_LEN(hostile); i++) {
        const struct hostile *c = &hostile[i];
        size_t len = c->len ? c->len : strlen(c->text);

        for (size_t step = 1; step <= len; step = step < 8 ? step + 1 : step * 2) {
            int got = verdict(c->text, len, step);

            if (got != c->status) {
                print_error("%s: %d, not %d (pieces of %zu)\n", c->name, got, c->status,
                            step);
                bad++;
            }
        }
        if (verdict(c->text, len, len) != c->status)
            bad++;
    }
    assert_int_equal(bad, 0);
}

static void framing_without_body_has_an_end(void **state)
{
    static char zeros[40000];
    struct ow_http1 h;
    size_t used;

    (void)state;
    memset(zeros, '0', sizeof zeros);
    ow_http1_init(&h, &limits);
    assert_int_equal(feed(&h, CHUNKED, strlen(CHUNKED), 4096, &used), OW_HTTP1_MORE);
    assert_int_equal(feed(&h, zeros, sizeof zeros, 1000, &used), OW_HTTP1_REFUSED);
    assert_int_equal(h.status, 400);
    ow_http1_done(&h);
}

static const struct accepted {
    const char *name, *text, *method, *path, *query, *body;
    bool keep;
} accepted[] = {
    {"plain",                               GET HOST "\r\n",                                            "GET",     "/",    "",         "",           true },
    { "empty line first",                   "\r\n" GET HOST "\r\n",                                     "GET",     "/",    "",         "",           true },
    { "length",                             POST "Content-Length: 5\r\n\r\nhello",                      "POST",    "/",    "",         "hello",      true },
    { "length zero",                        POST "Content-Length: 0\r\n\r\n",                           "POST",    "/",    "",         "",           true },
    { "length with zeros",                  POST "Content-Length: 0005\r\n\r\nhello",                   "POST",    "/",    "",
     "hello",                                                                                                                                        true },
    { "no body",                            POST "\r\n",                                                "POST",    "/",    "",         "",           true },
    { "body at the ceiling of a small one", POST "content-length:3\r\n\r\n\r\n\n",                      "POST",
     "/",                                                                                                                  "",         "\r\n\n",     true },
    { "chunked",                            CHUNKED "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",           "POST",    "/",    "",
     "hello world",                                                                                                                                  true },
    { "chunked in capitals",
     POST "TRANSFER-ENCODING: Chunked\r\n\r\nA\r\n0123456789\r\n00\r\n\r\n",                            "POST",    "/",
     "",                                                                                                                               "0123456789", true },
    { "chunk extensions",                   CHUNKED "2;a=b\r\nhe\r\n3;a;b=\"c\"\r\nllo\r\n0;x\r\n\r\n",
     "POST",                                                                                                       "/",    "",         "hello",      true },
    { "trailers",                           CHUNKED "2\r\nhi\r\n0\r\nDigest: x\r\nB: c\r\n\r\n",        "POST",    "/",    "",
     "hi",                                                                                                                                           true },
    { "query",                              "GET /a/b?c=%20d&e HTTP/1.1\r\nHost: a\r\n\r\n",            "GET",     "/a/b", "c=%20d&e",
     "",                                                                                                                                             true },
    { "empty query",                        "GET /a? HTTP/1.1\r\nHost: a\r\n\r\n",                      "GET",     "/a",   "",         "",           true },
    { "question marks in the query",        "GET /a?b?c HTTP/1.1\r\nHost: a\r\n\r\n",                   "GET",
     "/a",                                                                                                                 "b?c",      "",           true },
    { "escapes",                            "GET /a%20%c3%a4%2Fb%25 HTTP/1.1\r\nHost: a\r\n\r\n",       "GET",
     "/a \xc3\xa4/b%",                                                                                                     "",         "",           true },
    { "absolute",                           "GET http://A:80/x?y HTTP/1.1\r\nHost: a:80\r\n\r\n",       "GET",     "/x",   "y",
     "",                                                                                                                                             true },
    { "absolute without path",              "GET https://a HTTP/1.1\r\nHost: a\r\n\r\n",                "GET",     "/",
     "",                                                                                                                               "",           true },
    { "absolute with query only",           "GET http://a?q HTTP/1.1\r\nHost: a\r\n\r\n",               "GET",
     "/",                                                                                                                  "q",        "",           true },
    { "star",                               "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",                    "OPTIONS", "/",    "",         "",           true },
    { "HEAD",                               "HEAD /x HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",               "HEAD",    "/x",   "",         "",           true },
    { "DELETE",                             "DELETE /x HTTP/1.1\r\nHost: a\r\n\r\n",                    "DELETE",  "/x",   "",         "",           true },
    { "close",                              GET HOST "Connection: close\r\n\r\n",                       "GET",     "/",    "",         "",           false},
    { "close in a list",                    GET HOST "Connection: foo, Close\r\n\r\n",                  "GET",     "/",    "",         "",
     false                                                                                                                                                },
    { "HTTP/1.0",                           "GET / HTTP/1.0\r\n\r\n",                                   "GET",     "/",    "",         "",           false},
    { "HTTP/1.0 keep-alive",                "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",         "GET",
     "/",                                                                                                                  "",         "",           true },
    { "HTTP/1.0 with a body",               "POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi",           "POST",
     "/",                                                                                                                  "",         "hi",         false},
    { "upgrade is ignored",
     POST "Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nhi",                         "POST",
     "/",                                                                                                                  "",         "hi",         true },
    { "upgrade without body",
     GET HOST "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n",                                      "GET",     "/",    "",         "",
     true                                                                                                                                                 },
};

static void check_accepted(const struct accepted *c, const struct ow_http1 *h)
{
    assert_string_equal(h->request.method, c->method);
    assert_string_equal(h->request.path, c->path);
    assert_string_equal(h->request.query, c->query);
    assert_string_equal(h->request.body, c->body);
    assert_int_equal(h->request.body_len, strlen(c->body));
    assert_int_equal(h->keep_alive, c->keep);
}

static void every_good_request_is_the_same_split_at_every_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < OW_LEN(accepted); i++) {
        const struct accepted *c = &accepted[i];
        size_t len = strlen(c->text), used;

        for (size_t cut = 0; cut <= len; cut++) {
            struct ow_http1 h;
            enum ow_http1_state got;

            ow_http1_init(&h, &limits);
            got = feed(&h, c->text, cut, cut ? cut : 1, &used);
            if (cut < len) {
                if (got != OW_HTTP1_MORE)
                    fail_msg("%s: decided after %zu bytes", c->name, cut);
                got = feed(&h, c->text + cut, len - cut, len - cut, &used);
            }
            if (got != OW_HTTP1_REQUEST)
                fail_msg("%s: cut at %zu: %d %s", c->name, cut, h.status, h.why);
            check_accepted(c, &h);
            ow_http1_done(&h);
        }
        assert_int_equal(verdict(c->text, len, 1), 200);
    }
}

static void pipelined_pairs_come_one_by_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < OW_LEN(accepted); i++) {
        for (size_t j = 0; j < OW_LEN(accepted); j++) {
            struct ow_http1 h;
            struct ow_buf both;
            size_t used, more;

            ow_buf_init(&both, 4096);
            ow_buf_str(&both, accepted[i].text);
            ow_buf_str(&both, accepted[j].text);
            ow_http1_init(&h, &limits);
            assert_int_equal(feed(&h, both.data, both.len, both.len, &used),
                             OW_HTTP1_REQUEST);
            assert_int_equal(used, strlen(accepted[i].text));
            check_accepted(&accepted[i], &h);
            ow_http1_next(&h);
            assert_true(ow_http1_idle(&h));
            assert_int_equal(feed(&h, both.data + used, both.len - used, both.len, &more),
                             OW_HTTP1_REQUEST);
            assert_int_equal(used + more, both.len);
            check_accepted(&accepted[j], &h);
            ow_http1_done(&h);
            ow_buf_done(&both);
        }
    }
}

static void headers_are_strings_without_outer_blanks(void **state)
{
    const char *text = GET HOST "A:  b c \t\r\nEmpty:\r\nBlank:   \r\nHigh: \xe4\r\n\r\n";
    struct ow_http1 h;
    size_t used;

    (void)state;
    ow_http1_init(&h, &limits);
    assert_int_equal(feed(&h, text, strlen(text), 7, &used), OW_HTTP1_REQUEST);
    assert_int_equal(h.request.n_headers, 5);
    assert_string_equal(ow_header_get(h.request.headers, 5, "a"), "b c");
    assert_string_equal(ow_header_get(h.request.headers, 5, "EMPTY"), "");
    assert_string_equal(ow_header_get(h.request.headers, 5, "blank"), "");
    assert_string_equal(ow_header_get(h.request.headers, 5, "high"), "\xe4");
    assert_null(ow_header_get(h.request.headers, 5, "b"));
    ow_http1_done(&h);
}

static void trailers_are_not_headers(void **state)
{
    const char *text = CHUNKED "1\r\na\r\n0\r\nAuthorization: x\r\n\r\n";
    struct ow_http1 h;
    size_t used;

    (void)state;
    ow_http1_init(&h, &limits);
    assert_int_equal(feed(&h, text, strlen(text), 3, &used), OW_HTTP1_REQUEST);
    assert_null(ow_header_get(h.request.headers, h.request.n_headers, "authorization"));
    ow_http1_done(&h);
}

static void a_body_may_hold_any_byte_and_reach_the_ceiling(void **state)
{
    struct ow_http1 h;
    struct ow_buf b;
    size_t used;

    (void)state;
    ow_buf_init(&b, 4096);
    ow_buf_str(&b, POST "Content-Length: 1000\r\n\r\n");
    for (int i = 0; i < 1000; i++)
        ow_buf_char(&b, (char)i);
    ow_http1_init(&h, &limits);
    assert_int_equal(feed(&h, b.data, b.len, 13, &used), OW_HTTP1_REQUEST);
    assert_int_equal(h.request.body_len, 1000);
    assert_memory_equal(h.request.body, b.data + b.len - 1000, 1000);
    assert_int_equal(h.request.body[1000], 0);
    ow_http1_done(&h);
    ow_buf_done(&b);
}

static void expectation_waits_only_while_the_body_is_missing(void **state)
{
    const char *head = POST "Expect: 100-Continue\r\nContent-Length: 2\r\n\r\n";
    const char *none = POST "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n";
    struct ow_http1 h;
    size_t used;

    (void)state;
    ow_http1_init(&h, &limits);
    assert_int_equal(feed(&h, head, strlen(head), 5, &used), OW_HTTP1_MORE);
    assert_true(h.head_done);
    assert_true(h.wants_continue);
    assert_int_equal(feed(&h, "h", 1, 1, &used), OW_HTTP1_MORE);
    assert_false(h.wants_continue);
    assert_int_equal(feed(&h, "i", 1, 1, &used), OW_HTTP1_REQUEST);
    ow_http1_next(&h);
    assert_int_equal(feed(&h, none, strlen(none), 5, &used), OW_HTTP1_REQUEST);
    assert_false(h.wants_continue);
    ow_http1_done(&h);
}

static void a_response_is_framed_here_and_nowhere_else(void **state)
{
    const struct ow_header headers[] = {
        {"Content-Type",       "text/plain"        },
        { "content-length",    "99"                },
        { "Connection",        "upgrade"           },
        { "X",                 "a\r\nSet-Cookie: b"},
        { "Transfer-Encoding", "chunked"           },
        { "",                  "x"                 },
    };
    const struct ow_response resp = { 200, headers, OW_LEN(headers), "hello", 5 };
    struct ow_buf b;

    (void)state;
    ow_buf_init(&b, 4096);
    ow_http1_write(
        &b, &resp,
        &(struct ow_http1_reply){ .date = "D", .minor = 1, .keep_alive = true });
    assert_string_equal(b.data,
                        "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Type: text/plain\r\n"
                        "Content-Length: 5\r\n\r\nhello");
    ow_buf_reset(&b);
    ow_http1_write(&b, &resp, &(struct ow_http1_reply){ .minor = 1, .head = true });
    assert_string_equal(b.data, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                                "Content-Length: 5\r\nConnection: close\r\n\r\n");
    ow_buf_reset(&b);
    ow_http1_write(&b, &(struct ow_response){ .status = 204 },
                   &(struct ow_http1_reply){ .minor = 0, .keep_alive = true });
    assert_string_equal(b.data,
                        "HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n");
    ow_buf_done(&b);
}

static void a_refusal_is_an_operation_outcome(void **state)
{
    struct ow_buf b;

    (void)state;
    ow_buf_init(&b, 4096);
    ow_http1_write_error(&b, 413, "body too large",
                         &(struct ow_http1_reply){ .minor = 1 });
    assert_non_null(strstr(b.data, "HTTP/1.1 413 Content Too Large\r\n"));
    assert_non_null(strstr(b.data, "Content-Type: application/fhir+json\r\n"));
    assert_non_null(strstr(b.data, "Connection: close\r\n"));
    assert_non_null(strstr(b.data,
                           "\r\n\r\n{\"resourceType\":\"OperationOutcome\",\"issue\":"
                           "[{\"severity\":\"error\",\"code\":\"too-long\","
                           "\"diagnostics\":\"body too large\"}]}"));
    ow_buf_done(&b);
}

static void media_types_ignore_case_and_parameters(void **state)
{
    (void)state;
    assert_true(ow_media_type_is("text/HTML; charset=utf-8", "text/html"));
    assert_true(ow_media_type_is(" text/html ", "text/html"));
    assert_false(ow_media_type_is("text/htmlx", "text/html"));
    assert_false(ow_media_type_is("text/htm", "text/html"));
    assert_false(ow_media_type_is(NULL, "text/html"));
    assert_true(ow_media_type_is_json("application/fhir+json;fhirVersion=4.0"));
    assert_true(ow_media_type_is_json("Application/JSON"));
    assert_true(ow_media_type_is_json("application/json+fhir"));
    assert_false(ow_media_type_is_json("application/fhir+xml"));
    assert_false(ow_media_type_is_json(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_hostile_input_has_its_status_however_it_is_cut),
        cmocka_unit_test(framing_without_body_has_an_end),
        cmocka_unit_test(every_good_request_is_the_same_split_at_every_byte),
        cmocka_unit_test(pipelined_pairs_come_one_by_one),
        cmocka_unit_test(headers_are_strings_without_outer_blanks),
        cmocka_unit_test(trailers_are_not_headers),
        cmocka_unit_test(a_body_may_hold_any_byte_and_reach_the_ceiling),
        cmocka_unit_test(expectation_waits_only_while_the_body_is_missing),
        cmocka_unit_test(a_response_is_framed_here_and_nowhere_else),
        cmocka_unit_test(a_refusal_is_an_operation_outcome),
        cmocka_unit_test(media_types_ignore_case_and_parameters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
