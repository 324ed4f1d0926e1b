/*
 * Store: durable events a second beside what SQLite itself can do on this disk
 *
 *     bench_store [DIRECTORY [SECONDS [ROUNDS]]]
 *
 * The floor is a bare loop: inserts into one table with one unique key, 32 in one synced
 * transaction, or as many as are in flight. Store and floors run in turns, so that both
 * meet the same disk; a ratio is the median of the rounds' ratios. Events carry 1.4 KB;
 * at all times 1, 32 or 256 are in flight, each replaced as soon as it was acknowledged.
 * Latency is from call to callback.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "daemon/store.h"
#include "tests/support/storekit.h"

enum { BODY = 1400, SAMPLES = 1 << 20, ROUNDS_MOST = 16 };

static char body[BODY];
static int64_t samples[SAMPLES];
static size_t n_samples;
static uint64_t serial; /* never the same key twice */

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void sample(int64_t us)
{
    if (n_samples < SAMPLES)
        samples[n_samples++] = us;
}

struct figure {
    int64_t per_second, p50, p99;
};

static struct figure figure_of(int64_t events, int64_t us)
{
    struct figure f = { .per_second = events * 1000000 / us };

    qsort(samples, n_samples, sizeof *samples, by_value);
    if (n_samples) {
        f.p50 = samples[n_samples / 2];
        f.p99 = samples[n_samples * 99 / 100];
    }
    n_samples = 0;
    return f;
}

/* Ids that are spread like real ones, so that the index is not filled from one end. */
static void next_id(char *ret, size_t size)
{
    uint64_t n = ++serial;

    snprintf(ret, size, "%08llx-%llu", (unsigned long long)(n * 0x9e3779b97f4a7c15 >> 32),
             (unsigned long long)n);
}

/* --- the floor --- */

static void must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "bench_store: %s failed\n", what);
        exit(1);
    }
}

static sqlite3_stmt *prepared(sqlite3 *conn, const char *sql)
{
    sqlite3_stmt *st = NULL;

    must(sqlite3_prepare_v2(conn, sql, -1, &st, NULL) == SQLITE_OK, sql);
    return st;
}

static void once(sqlite3_stmt *st)
{
    must(sqlite3_step(st) == SQLITE_DONE, sqlite3_sql(st));
    sqlite3_reset(st);
}

static struct figure floor_run(const char *path, int batch, int64_t for_us)
{
    char key[128];
    sqlite3 *conn;
    int64_t start, events = 0, before;

    must(sqlite3_open(path, &conn) == SQLITE_OK, path);
    sqlite3_exec(conn, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
    sqlite3_exec(conn, "PRAGMA synchronous = FULL", NULL, NULL, NULL);
    sqlite3_exec(conn,
                 "CREATE TABLE IF NOT EXISTS inbox(seq INTEGER PRIMARY KEY, k TEXT NOT"
                 " NULL UNIQUE, source TEXT NOT NULL, state INTEGER NOT NULL DEFAULT 0,"
                 " body BLOB NOT NULL)",
                 NULL, NULL, NULL);
    sqlite3_stmt *insert =
        prepared(conn, "INSERT INTO inbox(k, source, body) VALUES(?, 'ehr', ?)");
    sqlite3_stmt *open = prepared(conn, "BEGIN IMMEDIATE");
    sqlite3_stmt *commit = prepared(conn, "COMMIT");

    start = now_us();
    while (now_us() - start < for_us) {
        before = now_us();
        once(open);
        for (int i = 0; i < batch; i++, events++) {
            char id[40];

            next_id(id, sizeof id);
            snprintf(key, sizeof key, "MedicationRequest/%s/_history/1", id);
            sqlite3_bind_text(insert, 1, key, -1, SQLITE_STATIC);
            sqlite3_bind_blob(insert, 2, body, BODY, SQLITE_STATIC);
            once(insert);
        }
        once(commit);
        sample(now_us() - before);
    }
    start = now_us() - start;
    sqlite3_finalize(insert);
    sqlite3_finalize(open);
    sqlite3_finalize(commit);
    sqlite3_close(conn);
    return figure_of(events, start);
}

/* --- the store --- */

struct flight {
    struct ow_store *store;
    int64_t until, done, open;
};

struct slot {
    struct flight *flight;
    int64_t called;
};

static void on_received(void *arg, enum ow_code code, int64_t id, bool duplicate,
                        const struct ow_err *err);

static void launch(struct slot *slot)
{
    char id[40];
    struct ow_event ev;

    next_id(id, sizeof id);
    ev = storekit_event(OW_EVENT_CHANGED, id, "1", NULL);
    ev.body = body;
    ev.body_len = BODY;
    slot->called = now_us();
    slot->flight->open++;
    ow_store_receive(slot->flight->store, &ev, on_received, slot);
}

static void on_received(void *arg, enum ow_code code, int64_t id, bool duplicate,
                        const struct ow_err *err)
{
    struct slot *slot = arg;
    int64_t now = now_us();

    (void)id;
    must(code == OW_OK && !duplicate, err->text);
    sample(now - slot->called);
    slot->flight->done++;
    slot->flight->open--;
    if (now < slot->flight->until)
        launch(slot);
}

static void wake(void *arg)
{
    uint64_t one = 1;

    must(write(*(int *)arg, &one, sizeof one) == sizeof one, "wake");
}

static struct figure store_run(const char *directory, int in_flight, int64_t for_us)
{
    int fd = eventfd(0, EFD_CLOEXEC);
    struct ow_store_options opt = {
        .directory = directory, .threaded = true, .wake = wake, .wake_arg = &fd
    };
    struct slot *slots = ow_alloc_zero((size_t)in_flight * sizeof *slots);
    struct flight flight = { 0 };
    struct ow_err err;
    int64_t start;
    uint64_t n;

    if (ow_store_open(&opt, &flight.store, &err) != OW_STORE_OPENED)
        must(false, err.text);
    start = now_us();
    flight.until = start + for_us;
    for (int i = 0; i < in_flight; i++) {
        slots[i].flight = &flight;
        launch(&slots[i]);
    }
    while (flight.open > 0) {
        must(read(fd, &n, sizeof n) == sizeof n, "read");
        ow_store_poll(flight.store);
    }
    start = now_us() - start;
    ow_store_close(flight.store);
    close(fd);
    free(slots);
    return figure_of(flight.done, start);
}

/* --- side by side --- */

static int64_t median(int64_t *v, int n)
{
    qsort(v, (size_t)n, sizeof *v, by_value);
    return v[n / 2];
}

static struct figure floor_alone(const char *directory, int batch, int64_t for_us)
{
    char name[512];
    struct figure f;

    snprintf(name, sizeof name, "%s/floor.db", directory);
    f = floor_run(name, batch, for_us);
    unlink(name);
    return f;
}

static void print_ratio(const char *what, int64_t floor, int64_t permille)
{
    printf("    %s %6lld/s, ratio %lld.%03lld\n", what, (long long)floor,
           (long long)permille / 1000, (long long)permille % 1000);
}

static void compare(const char *directory, int in_flight, int64_t for_us, int rounds)
{
    int64_t store[ROUNDS_MOST], p50[ROUNDS_MOST], p99[ROUNDS_MOST];
    int64_t same[ROUNDS_MOST], to_same[ROUNDS_MOST];
    int64_t b32[ROUNDS_MOST], to_b32[ROUNDS_MOST];

    for (int i = 0; i < rounds; i++) {
        struct storekit kit = { 0 };
        struct figure f;

        snprintf(kit.directory, sizeof kit.directory, "%s/bench-store-XXXXXX", directory);
        must(mkdtemp(kit.directory) != NULL, kit.directory);
        b32[i] = floor_alone(kit.directory, 32, for_us).per_second;
        same[i] = floor_alone(kit.directory, in_flight, for_us).per_second;
        f = store_run(kit.directory, in_flight, for_us);
        store[i] = f.per_second;
        p50[i] = f.p50;
        p99[i] = f.p99;
        to_same[i] = store[i] * 1000 / same[i];
        to_b32[i] = store[i] * 1000 / b32[i];
        storekit_remove(kit.directory);
    }
    printf("store.receive.c%d %lld events/s, p50 %lld us, p99 %lld us\n", in_flight,
           (long long)median(store, rounds), (long long)median(p50, rounds),
           (long long)median(p99, rounds));
    print_ratio("floor of 32 a commit", median(b32, rounds), median(to_b32, rounds));
    print_ratio("floor of as many as in flight", median(same, rounds),
                median(to_same, rounds));
    fflush(stdout);
}

int main(int argc, char **argv)
{
    const char *directory = argc > 1 ? argv[1] : ".";
    int64_t seconds = 2, rounds = 3;

    if ((argc > 2 && !ow_parse_i64(argv[2], &seconds)) ||
        (argc > 3 && !ow_parse_i64(argv[3], &rounds)) || seconds < 1 || rounds < 1 ||
        rounds > ROUNDS_MOST) {
        fprintf(stderr, "usage: bench_store [DIRECTORY [SECONDS [ROUNDS]]]\n");
        return 64;
    }
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (char)(' ' + i % 90);
    compare(directory, 1, seconds * 1000000, (int)rounds);
    compare(directory, 32, seconds * 1000000, (int)rounds);
    compare(directory, 256, seconds * 1000000, (int)rounds);
    return 0;
}
