/*
 * Store and kill -9: a child stores and judges as fast as it can and tells through a pipe
 * what was acknowledged; it is killed at random moments; nothing it told may be missing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/storekit.h"

enum { ROUNDS = 50, IN_FLIGHT = 24, KILL_WITHIN_US = 25000 };

static struct storekit kit;
static struct storekit *const k = &kit;

/* What the child tells: a stored event, or one that was judged. */
struct word {
    int64_t id;
    int64_t judged;
};

/* --- the child --- */

static int words;
static uint64_t serial;

static void tell(int64_t id, int64_t judged)
{
    struct word w = { id, judged };

    if (write(words, &w, sizeof w) != sizeof w)
        _exit(2);
}

static void next(void);

static void on_judged(void *arg, enum ow_code code, const struct ow_err *err)
{
    int64_t *id = arg;

    (void)err;
    if (code != OW_OK)
        _exit(3);
    tell(*id, 1);
    free(id);
    next();
}

static void judge(int64_t event)
{
    int64_t *id = ow_alloc(sizeof *id);
    char identity[32];
    struct ow_message m;
    struct ow_record_of_verdict rec = {
        .events = id,
        .n_events = 1,
        .source = "ehr",
        .patient = "Patient/p1",
        .verdict_json = "{}",
        .verdict_len = 2,
        .messages = &m,
        .n_messages = 1,
    };

    *id = event;
    snprintf(identity, sizeof identity, "m%lld", (long long)event);
    m = storekit_message("fhir", identity, 1, identity, "card");
    ow_store_verdict(k->store, &rec, on_judged, id);
}

static void on_received(void *arg, enum ow_code code, int64_t id, bool duplicate,
                        const struct ow_err *err)
{
    (void)arg;
    (void)err;
    if (code != OW_OK || duplicate)
        _exit(4);
    tell(id, 0);
    if (id % 3 == 0)
        judge(id);
    else
        next();
}

static void next(void)
{
    char rid[40];
    struct ow_event ev;

    snprintf(rid, sizeof rid, "%ld-%llu", (long)getpid(), (unsigned long long)serial++);
    ev = storekit_event(OW_EVENT_CHANGED, rid, "1", "{\"resourceType\":\"x\"}");
    ow_store_receive(k->store, &ev, on_received, NULL);
}

static _Noreturn void child(int fd)
{
    words = fd;
    if (storekit_open(k) != OW_STORE_OPENED) {
        fprintf(stderr, "%s\n", k->err.text);
        _exit(5);
    }
    for (int i = 0; i < IN_FLIGHT; i++)
        next();
    for (;;) {
        ow_store_poll(k->store);
        usleep(20);
    }
}

/* --- the parent --- */

static struct word *told;
static size_t n_told, cap_told;

static void keep(const struct word *w)
{
    if (n_told == cap_told) {
        cap_told = cap_told ? 2 * cap_told : 4096;
        told = ow_realloc(told, cap_told * sizeof *told);
    }
    told[n_told++] = *w;
}

static uint64_t seed = 20260302;

static unsigned random_below(unsigned n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % n;
}

/* Start a child, let it work for a while, kill it, hear what it had told. */
static void one_life(void)
{
    struct word w;
    int fd[2], status;
    pid_t pid;

    assert_int_equal(pipe(fd), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(fd[0]);
        child(fd[1]);
    }
    close(fd[1]);
    if (read(fd[0], &w, sizeof w) == sizeof w)
        keep(&w);
    for (int64_t until = random_below(KILL_WITHIN_US), i = 0; i < until; i += 100) {
        struct timespec t = { .tv_nsec = 100000 };

        nanosleep(&t, NULL);
        if (i % 1000 == 0 && read(fd[0], &w, sizeof w) == sizeof w)
            keep(&w);
    }
    kill(pid, SIGKILL);
    while (read(fd[0], &w, sizeof w) == sizeof w)
        keep(&w);
    close(fd[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static bool holds(sqlite3_stmt *st, const struct word *w)
{
    bool found;

    sqlite3_bind_int64(st, 1, w->id);
    sqlite3_bind_int64(st, 2, w->judged);
    found = sqlite3_step(st) == SQLITE_ROW;
    sqlite3_reset(st);
    return found;
}

static void check_told(size_t from)
{
    static const char sql[] =
        "SELECT 1 FROM event WHERE id = ?1 AND state >= ?2 AND (?2 = 0 OR EXISTS"
        " (SELECT 1 FROM delivery WHERE identity = 'm' || ?1 AND sink = 'fhir'))";
    sqlite3 *conn;
    sqlite3_stmt *st;

    assert_int_equal(sqlite3_open(storekit_path(k, "opiward.db"), &conn), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(conn, sql, -1, &st, NULL), SQLITE_OK);
    for (size_t i = from; i < n_told; i++)
        assert_true(holds(st, &told[i]));
    sqlite3_finalize(st);
    sqlite3_close(conn);
}

static void nothing_acknowledged_is_missing_after_kill(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        size_t before = n_told;

        one_life();
        assert_true(n_told > before);
        storekit_reopen(k); /* recovers */
        check_told(before);
        storekit_close(k);
    }
    check_told(0);
    print_message("%d kills, %zu acknowledgements\n", ROUNDS, n_told);
}

/* No orderly start between two kills: each child recovers what the one before left. */
static void nor_when_the_one_that_recovers_is_killed_too(void **state)
{
    size_t before = n_told;

    (void)state;
    for (int i = 0; i < ROUNDS / 5; i++)
        one_life();
    storekit_reopen(k);
    check_told(before);
}

static int setup(void **state)
{
    (void)state;
    storekit_init(k, true);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    storekit_done(k);
    free(told);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_acknowledged_is_missing_after_kill),
        cmocka_unit_test(nor_when_the_one_that_recovers_is_killed_too),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
