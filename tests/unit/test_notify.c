/*
 * Readiness, watchdog and handed-over sockets, against real sockets
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base.h"
#include "daemon/notify.h"

static int forget(void **state)
{
    static const char *const names[] = { "NOTIFY_SOCKET", "WATCHDOG_USEC",
                                         "WATCHDOG_PID",  "LISTEN_FDS",
                                         "LISTEN_PID",    "LISTEN_FDNAMES" };

    (void)state;
    for (size_t i = 0; i < OW_LEN(names); i++)
        unsetenv(names[i]);
    return 0;
}

/* A bound socket; a leading @ means the abstract space. */
static int bound(const char *name, int type)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    int fd = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);

    memcpy(a.sun_path, name, strlen(name));
    if (*name == '@')
        a.sun_path[0] = '\0';
    else
        len++;
    assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
    return fd;
}

static void hears(int fd, const char *expected)
{
    char text[256] = "";
    ssize_t n = recv(fd, text, sizeof text - 1, 0);

    assert_int_equal(n, strlen(expected));
    assert_string_equal(text, expected);
}

static void a_state_reaches_a_socket_by_its_path(void **state)
{
    char folder[] = "/tmp/opiward-notify-XXXXXX", path[64];
    int fd;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/s", folder);
    fd = bound(path, SOCK_DGRAM);
    setenv("NOTIFY_SOCKET", path, 1);
    ow_notify("READY=1\nSTATUS=here");
    ow_notify("WATCHDOG=1");
    hears(fd, "READY=1\nSTATUS=here");
    hears(fd, "WATCHDOG=1");
    close(fd);
    unlink(path);
    rmdir(folder);
}

static void a_state_reaches_an_abstract_socket(void **state)
{
    char name[64];
    int fd;

    (void)state;
    snprintf(name, sizeof name, "@opiward-test-%d", (int)getpid());
    fd = bound(name, SOCK_DGRAM);
    setenv("NOTIFY_SOCKET", name, 1);
    ow_notify("STOPPING=1");
    hears(fd, "STOPPING=1");
    close(fd);
}

static void without_a_usable_socket_nothing_happens(void **state)
{
    char longer[300];

    (void)state;
    ow_notify("READY=1");
    memset(longer, 'x', sizeof longer);
    longer[0] = '/';
    longer[sizeof longer - 1] = '\0';
    for (size_t i = 0; i < 4; i++) {
        const char *const names[] = { "", "relative", "/nonexistent/socket", longer };

        setenv("NOTIFY_SOCKET", names[i], 1);
        ow_notify("READY=1");
    }
}

static void a_manager_that_does_not_read_stops_nobody(void **state)
{
    char name[64];
    int fd;

    (void)state;
    snprintf(name, sizeof name, "@opiward-full-%d", (int)getpid());
    fd = bound(name, SOCK_DGRAM);
    setenv("NOTIFY_SOCKET", name, 1);
    for (int i = 0; i < 5000; i++) /* far beyond what the queue holds */
        ow_notify("WATCHDOG=1");
    hears(fd, "WATCHDOG=1");
    close(fd);
}

static void the_watchdog_is_fed_at_half_its_interval(void **state)
{
    char pid[32];

    (void)state;
    assert_int_equal(ow_notify_watchdog_ms(), 0);
    setenv("WATCHDOG_USEC", "30000000", 1);
    assert_int_equal(ow_notify_watchdog_ms(), 15000);
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("WATCHDOG_PID", pid, 1);
    assert_int_equal(ow_notify_watchdog_ms(), 15000);
    setenv("WATCHDOG_PID", "1", 1);
    assert_int_equal(ow_notify_watchdog_ms(), 0); /* another process is watched */
    unsetenv("WATCHDOG_PID");
    setenv("WATCHDOG_USEC", "1", 1);
    assert_int_equal(ow_notify_watchdog_ms(), 1); /* 0 would mean off */
    setenv("WATCHDOG_USEC", "0", 1);
    assert_int_equal(ow_notify_watchdog_ms(), 0);
    setenv("WATCHDOG_USEC", "soon", 1);
    assert_int_equal(ow_notify_watchdog_ms(), 0);
}

/* In a child, whose descriptors are ours to lay out: 3 listens, 4 does not. */
static int child_with_sockets(void)
{
    char name[64], pid[32];
    int listening, deaf;

    snprintf(name, sizeof name, "@opiward-listen-%d", (int)getpid());
    listening = bound(name, SOCK_STREAM);
    if (listen(listening, 1) != 0)
        return 1;
    deaf = socket(AF_UNIX, SOCK_STREAM, 0);
    if (dup2(listening, 30) < 0 || dup2(deaf, 31) < 0)
        return 2;
    if (dup2(30, 3) < 0 || dup2(31, 4) < 0 || dup2(30, 5) < 0)
        return 3;
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("LISTEN_FDS", "3", 1);
    setenv("LISTEN_FDNAMES", "http:deaf:operations:beyond", 1);
    if (ow_notify_listen_fd("http") != -1)
        return 4; /* not without LISTEN_PID */
    setenv("LISTEN_PID", "1", 1);
    if (ow_notify_listen_fd("http") != -1)
        return 5;
    setenv("LISTEN_PID", pid, 1);
    if (ow_notify_listen_fd("http") != 3 || !(fcntl(3, F_GETFD) & FD_CLOEXEC))
        return 6;
    if (ow_notify_listen_fd("operations") != 5)
        return 7;
    if (ow_notify_listen_fd("deaf") != -1 || ow_notify_listen_fd("htt") != -1)
        return 8;
    if (ow_notify_listen_fd("beyond") != -1)
        return 9; /* a name more than descriptors */
    setenv("LISTEN_FDS", "99999", 1);
    return ow_notify_listen_fd("http") == -1 ? 0 : 10;
}

static void a_listening_socket_is_found_by_its_name(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    assert_int_equal(ow_notify_listen_fd("http"), -1);
    pid = fork();
    if (pid == 0)
        _exit(child_with_sockets());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, forget, forget)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_state_reaches_a_socket_by_its_path),
        TEST(a_state_reaches_an_abstract_socket),
        TEST(without_a_usable_socket_nothing_happens),
        TEST(a_manager_that_does_not_read_stops_nobody),
        TEST(the_watchdog_is_fed_at_half_its_interval),
        TEST(a_listening_socket_is_found_by_its_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
