/*
 * Fuzz: rows of a release file. The first byte is how many fields a row should have.
 * Whatever comes, each row that is handed out has all its fields, and each other line is
 * reported.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/rrf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_report(void *arg, const char *file, unsigned line, unsigned column,
                      const char *text)
{
    size_t *n = arg;

    ow_assert(file != NULL && line > 0 && column > 0 && text[0] != '\0');
    ++*n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t reports = 0, rows = 0, lines = 0, fields;
    struct ow_err err;
    struct ow_rrf r;
    char path[64];
    int fd;

    if (size == 0)
        return 0;
    fields = 1 + data[0] % OW_RRF_FIELDS;
    fd = memfd_create("rrf", MFD_CLOEXEC);
    ow_assert(fd >= 0 && write(fd, data + 1, size - 1) == (ssize_t)size - 1);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ow_assert(ow_rrf_open(&r, path, fields, on_report, &reports, &err) == OW_OK);
    while (ow_rrf_next(&r)) {
        rows++;
        for (size_t i = 1; i <= fields; i++)
            ow_assert(strchr(ow_rrf_field(&r, i), '|') == NULL);
    }
    for (size_t i = 1; i < size; i++)
        lines += data[i] == '\n' || i + 1 == size;
    ow_assert(r.malformed <= OW_RRF_REPORTS ? reports == r.malformed
                                            : reports == OW_RRF_REPORTS);
    ow_assert(rows + r.malformed == lines || size > OW_RRF_ROW);
    ow_rrf_close(&r);
    close(fd);
    return 0;
}
