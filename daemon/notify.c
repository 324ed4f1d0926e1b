/*
 * The protocol of sd_notify(3) and sd_listen_fds(3), written down: both are environment
 * variables, a datagram and numbered descriptors, and need no library.
 */
#include "daemon/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"

enum {
    FDS_START = 3,
    FDS_MAX = 64,
    USEC_PER_MS = 1000,
};

/* $NOTIFY_SOCKET as an address: a path, or with a leading @ a name of the abstract space.
 * 0 when there is none that we can use. */
static socklen_t notify_address(struct sockaddr_un *ret)
{
    const char *name = getenv("NOTIFY_SOCKET");
    size_t n = name ? strlen(name) : 0;

    if (n < 2 || n >= sizeof ret->sun_path || (name[0] != '/' && name[0] != '@'))
        return 0;
    memset(ret, 0, sizeof *ret);
    ret->sun_family = AF_UNIX;
    memcpy(ret->sun_path, name, n);
    if (name[0] == '@') {
        ret->sun_path[0] = '\0';
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    }
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + 1);
}

void ow_notify(const char *state)
{
    struct sockaddr_un to;
    socklen_t len = notify_address(&to);
    ssize_t n;
    int fd;

    if (len == 0)
        return;
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    /* Never waits: a manager that does not read must not stop the loop. */
    do
        n = sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
                   (const struct sockaddr *)&to, len);
    while (n < 0 && errno == EINTR);
    close(fd);
}

/* Is the variable absent, or our own process id? */
static bool is_for_us(const char *variable, bool when_absent)
{
    const char *text = getenv(variable);
    uint64_t pid;

    if (!text)
        return when_absent;
    return ow_parse_u64(text, &pid) && pid == (uint64_t)getpid();
}

int64_t ow_notify_watchdog_ms(void)
{
    const char *text = getenv("WATCHDOG_USEC");
    uint64_t usec, half;

    if (!text || !is_for_us("WATCHDOG_PID", true) || !ow_parse_u64(text, &usec) ||
        usec == 0 || usec > INT64_MAX)
        return 0;
    half = usec / 2 / USEC_PER_MS;
    return half > 0 ? (int64_t)half : 1;
}

/* The index of `name` in a list separated by colons, or -1. */
static int name_index(const char *names, const char *name)
{
    size_t n = strlen(name);

    for (int i = 0;; i++) {
        size_t len = strcspn(names, ":");

        if (len == n && memcmp(names, name, n) == 0)
            return i;
        if (names[len] == '\0')
            return -1;
        names += len + 1;
    }
}

static bool is_listening(int fd)
{
    int on = 0;
    socklen_t len = sizeof on;

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) == 0 && on;
}

int ow_notify_listen_fd(const char *name)
{
    const char *count = getenv("LISTEN_FDS"), *names = getenv("LISTEN_FDNAMES");
    uint64_t n;
    int i, fd;

    if (!count || !names || !is_for_us("LISTEN_PID", false) || !ow_parse_u64(count, &n) ||
        n > FDS_MAX)
        return -1;
    i = name_index(names, name);
    if (i < 0 || (uint64_t)i >= n)
        return -1;
    fd = FDS_START + i;
    if (!is_listening(fd) || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        return -1;
    return fd;
}
