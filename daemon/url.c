/* URLs in settings: enough of RFC 3986 to refuse what could not work. */
#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"
#include "daemon/address.h"
#include "daemon/setting.h"

bool ow_url_is_https(const char *url)
{
    return ow_starts_with(url, "https://");
}

/* What stands between the scheme and the path; 0 when the scheme is none of ours. */
static const char *authority(const char *url, size_t *len)
{
    const char *at = ow_url_is_https(url)             ? url + 8
                     : ow_starts_with(url, "http://") ? url + 7
                                                      : NULL;

    *len = at ? strcspn(at, "/?#") : 0;
    return at;
}

/* Length of the host: a bracketed IPv6 address or all up to the port. */
static size_t host_len(const char *at, size_t len)
{
    const char *end = memchr(at, *at == '[' ? ']' : ':', len);

    return !end ? len : *at == '[' ? (size_t)(end - at) + 1 : (size_t)(end - at);
}

static bool host_valid(const char *host, size_t n)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789-._";

    if (n > 2 && host[0] == '[')
        return host[n - 1] == ']' &&
               strspn(host + 1, "0123456789abcdefABCDEF:.") == n - 2;
    return n > 0 && n <= 253 && strspn(host, letters) >= n;
}

static bool port_valid(const char *at, size_t n)
{
    char text[8];
    uint64_t port;

    if (n == 0)
        return true;
    if (*at != ':' || n < 2 || n > 6)
        return false;
    memcpy(text, at + 1, n - 1);
    text[n - 1] = '\0';
    return ow_parse_u64(text, &port) && port >= 1 && port <= 65535;
}

bool ow_url_check(const char *url, struct ow_err *err)
{
    size_t len, host;
    const char *at = authority(url, &len);

    for (const char *c = url; *c; c++) {
        if (*c <= ' ' || *c == 0x7f || strchr("\"<>\\^`{|}", *c)) {
            ow_err_set(err, OW_CONFIG, "a character that no URL may hold");
            return false;
        }
    }
    if (!at) {
        ow_err_set(err, OW_CONFIG, "it does not begin with http:// or https://");
        return false;
    }
    if (memchr(at, '@', len)) {
        ow_err_set(err, OW_CONFIG, "user and password belong in a secret file");
        return false;
    }
    host = len ? host_len(at, len) : 0;
    if (!host_valid(at, host) || !port_valid(at + host, len - host)) {
        ow_err_set(err, OW_CONFIG, "no valid host and port");
        return false;
    }
    return true;
}

/* The host without brackets; false when there is none that fits. */
static bool host_text(const char *url, char *ret, size_t size)
{
    size_t len, n;
    const char *at = authority(url, &len);

    n = at && len ? host_len(at, len) : 0;
    if (n > 2 && *at == '[') {
        at++;
        n -= 2;
    }
    if (n == 0 || n >= size)
        return false;
    memcpy(ret, at, n);
    ret[n] = '\0';
    return true;
}

bool ow_url_is_loopback(const char *url)
{
    struct in_addr v4;
    char host[256];

    if (!host_text(url, host, sizeof host))
        return false;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return ow_strcaseeq(host, "localhost") || ow_streq(host, "::1");
}

bool ow_url_is_private(const char *url)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
    char host[256];

    if (!host_text(url, host, sizeof host))
        return false;
    if (inet_pton(AF_INET, host, &v4.sin_addr) == 1)
        return ow_address_is_private((const struct sockaddr *)&v4);
    if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1)
        return ow_address_is_private((const struct sockaddr *)&v6);
    return ow_strcaseeq(host, "localhost"); /* other names are known when asked for */
}
