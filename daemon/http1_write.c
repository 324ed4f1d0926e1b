#include <string.h>

#include "base/jw.h"
#include "daemon/http1.h"

static const struct {
    int status;
    const char *reason;
    const char *issue; /* FHIR issue-type of a refusal by the server itself */
} statuses[] = {
    {100,  "Continue",                        NULL           },
    { 200, "OK",                              NULL           },
    { 201, "Created",                         NULL           },
    { 202, "Accepted",                        NULL           },
    { 204, "No Content",                      NULL           },
    { 301, "Moved Permanently",               NULL           },
    { 302, "Found",                           NULL           },
    { 303, "See Other",                       NULL           },
    { 304, "Not Modified",                    NULL           },
    { 307, "Temporary Redirect",              NULL           },
    { 400, "Bad Request",                     "structure"    },
    { 401, "Unauthorized",                    "login"        },
    { 403, "Forbidden",                       "forbidden"    },
    { 404, "Not Found",                       "not-found"    },
    { 405, "Method Not Allowed",              "not-supported"},
    { 406, "Not Acceptable",                  "not-supported"},
    { 408, "Request Timeout",                 "timeout"      },
    { 409, "Conflict",                        "conflict"     },
    { 410, "Gone",                            "deleted"      },
    { 412, "Precondition Failed",             "conflict"     },
    { 413, "Content Too Large",               "too-long"     },
    { 414, "URI Too Long",                    "too-long"     },
    { 415, "Unsupported Media Type",          "not-supported"},
    { 417, "Expectation Failed",              "not-supported"},
    { 422, "Unprocessable Content",           "processing"   },
    { 428, "Precondition Required",           "required"     },
    { 429, "Too Many Requests",               "throttled"    },
    { 431, "Request Header Fields Too Large", "too-long"     },
    { 500, "Internal Server Error",           "exception"    },
    { 501, "Not Implemented",                 "not-supported"},
    { 502, "Bad Gateway",                     "transient"    },
    { 503, "Service Unavailable",             "throttled"    },
    { 504, "Gateway Timeout",                 "timeout"      },
    { 505, "HTTP Version Not Supported",      "not-supported"},
};

const char *ow_http1_reason(int status)
{
    for (size_t i = 0; i < OW_LEN(statuses); i++)
        if (statuses[i].status == status)
            return statuses[i].reason;
    return "Status";
}

static const char *issue_type(int status)
{
    for (size_t i = 0; i < OW_LEN(statuses); i++)
        if (statuses[i].status == status && statuses[i].issue)
            return statuses[i].issue;
    return "processing";
}

/* A decimal number without the cost of a format string. */
static void put_number(struct ow_buf *out, size_t v)
{
    char text[24], *at = text + sizeof text;

    do {
        *--at = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    ow_buf_add(out, at, (size_t)(text + sizeof text - at));
}

/* Fields that this floor writes itself, and such as would break the head apart. */
static bool is_ours_or_broken(const struct ow_header *f)
{
    return !f->name || !*f->name || !f->value || strpbrk(f->name, "\r\n: \t") ||
           strpbrk(f->value, "\r\n") || ow_strcaseeq(f->name, "content-length") ||
           ow_strcaseeq(f->name, "connection") || ow_strcaseeq(f->name, "date") ||
           ow_strcaseeq(f->name, "transfer-encoding");
}

static void put_field(struct ow_buf *out, const char *name, const char *value)
{
    ow_buf_str(out, name);
    ow_buf_add(out, ": ", 2);
    ow_buf_str(out, value);
    ow_buf_add(out, "\r\n", 2);
}

static void put_status_line(struct ow_buf *out, int status)
{
    ow_buf_str(out, "HTTP/1.1 ");
    put_number(out, (size_t)status);
    ow_buf_char(out, ' ');
    ow_buf_str(out, ow_http1_reason(status));
    ow_buf_add(out, "\r\n", 2);
}

void ow_http1_write(struct ow_buf *out, const struct ow_response *resp,
                    const struct ow_http1_reply *how)
{
    bool bodyless = resp->status < 200 || resp->status == 204 || resp->status == 304;

    ow_assert(resp->status >= 100 && resp->status <= 999);
    put_status_line(out, resp->status);
    if (how->date)
        put_field(out, "Date", how->date);
    for (size_t i = 0; i < resp->n_headers; i++)
        if (!is_ours_or_broken(&resp->headers[i]))
            put_field(out, resp->headers[i].name, resp->headers[i].value);
    if (!bodyless) {
        ow_buf_str(out, "Content-Length: ");
        put_number(out, resp->body_len);
        ow_buf_add(out, "\r\n", 2);
    }
    if (!how->keep_alive)
        put_field(out, "Connection", "close");
    else if (how->minor == 0)
        put_field(out, "Connection", "keep-alive");
    ow_buf_add(out, "\r\n", 2);
    if (!bodyless && !how->head && resp->body_len > 0)
        ow_buf_add(out, resp->body, resp->body_len);
}

void ow_http1_write_error(struct ow_buf *out, int status, const char *why,
                          const struct ow_http1_reply *how)
{
    const struct ow_header headers[] = {
        {"Content-Type",   "application/fhir+json"},
        { "Cache-Control", "no-store"             },
    };
    struct ow_buf body;
    struct ow_jw w;

    ow_buf_init(&body, 1024);
    ow_jw_init(&w, &body);
    ow_jw_object(&w);
    ow_jw_kstring(&w, "resourceType", "OperationOutcome");
    ow_jw_karray(&w, "issue");
    ow_jw_object(&w);
    ow_jw_kstring(&w, "severity", "error");
    ow_jw_kstring(&w, "code", issue_type(status));
    ow_jw_kstring_opt(&w, "diagnostics", why);
    ow_jw_end(&w);
    ow_jw_end(&w);
    ow_jw_end(&w);
    ow_http1_write(out,
                   &(struct ow_response){ .status = status,
                                          .headers = headers,
                                          .n_headers = OW_LEN(headers),
                                          .body = body.data,
                                          .body_len = body.len },
                   how);
    ow_buf_done(&body);
}
