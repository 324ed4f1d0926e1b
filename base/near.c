#include "base/near.h"

#include <string.h>

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned ow_near_distance(const char *a, const char *b)
{
    unsigned d[OW_NEAR_BYTES + 1][OW_NEAR_BYTES + 1];
    size_t n = strlen(a), m = strlen(b);

    if (n > OW_NEAR_BYTES || m > OW_NEAR_BYTES)
        return OW_NEAR_BYTES;
    for (size_t i = 0; i <= n; i++) {
        for (size_t j = 0; j <= m; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = (unsigned)(i + j);
                continue;
            }
            d[i][j] = least(least(d[i - 1][j], d[i][j - 1]) + 1,
                            d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
        }
    }
    return d[n][m];
}

bool ow_near(unsigned distance, const char *name)
{
    return distance <= 1 + (unsigned)strlen(name) / 3 &&
           distance < (unsigned)strlen(name);
}

const char *ow_nearest(const char *name, const char *const *names, size_t n)
{
    const char *best = NULL;
    unsigned best_d = OW_NEAR_BYTES;

    for (size_t i = 0; i < n; i++) {
        unsigned d = ow_near_distance(name, names[i]);

        if (d < best_d && ow_near(d, name)) {
            best = names[i];
            best_d = d;
        }
    }
    return best;
}
