#!/bin/bash
# A lint that cannot fail is no test: plant one violation of each kind in a copy of the
# tree and see that its lint finds it, and that the copy passes without.
#
# Usage: selftest.sh SOURCE_DIR
set -u
source_dir=$(readlink -f "${1:-${OW_SOURCE_DIR:?}}")
lint=$source_dir/tests/lint
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
copy=$work/copy
n=0
bad=0

fresh() {
    rm -rf "$copy"
    mkdir -p "$copy"/{base,alerts,fhir,daemon,tests/unit}
    cp "$source_dir/.clang-format" "$copy/"
    cp "$source_dir"/base/*.[ch] "$copy/base/"
    cp "$source_dir"/alerts/*.h "$copy/alerts/"
}

# The copy's own library, built plainly whatever this build is.
archive() { # floor, sources
    local floor=$1 f
    shift
    for f in "$@"; do
        ${CC:-cc} -std=gnu11 -D_GNU_SOURCE -I"$copy" -c "$f" -o "$work/$(basename "$f").o" ||
            exit 2
        ar rc "$work/libow_$floor.a" "$work/$(basename "$f").o" || exit 2
    done
}

# lint, expected status, what it shows
run() {
    local status
    n=$((n + 1))
    bash "$lint/$1.sh" "$copy" "$work" >"$work/out" 2>&1
    status=$?
    if [ "$status" = 77 ] && [ "$1" = format ]; then
        return # no clang-format here
    fi
    if { [ "$2" = pass ] && [ "$status" != 0 ]; } || { [ "$2" = fail ] && [ "$status" != 1 ] &&
        [ "$status" != 123 ]; }; then
        printf '%s should %s with %s, but ended with %s\n' "$1" "$2" "$3" "$status"
        cat "$work/out"
        bad=1
    fi
}

# lint, file, one line of content
plant() {
    fresh
    printf '%b\n' "$3" >"$copy/$2"
    run "$1" fail "$2: $3"
}
allow() {
    fresh
    printf '%b\n' "$3" >"$copy/$2"
    run "$1" pass "$2: $3"
}

allow layers daemon/a.c '#include <uv.h>\n#include "base/err.h"\n#include "fhir/wire.h"'
allow layers fhir/a.c '#include "alerts/chart.h"\n#include "alerts/verdict.h"\n#include <cjson/cJSON.h>'
plant layers base/a.c '#include "alerts/chart.h"'
plant layers base/a.h '#include "err.h"'
plant layers base/a.c '#include <time.h>'
plant layers alerts/a.c '#include "fhir/wire.h"'
plant layers alerts/a.c '  #  include <unistd.h>'
plant layers alerts/a.h '#include "../daemon/store.h"'
plant layers fhir/a.c '#include "alerts/evaluate.h"'
plant layers fhir/a.c '#include "daemon/store.h"'
plant layers fhir/a.c '#include <uv.h>'
plant layers fhir/a.h '#include <sys/socket.h>'

allow banned daemon/a.c '/* strcpy(a, b) */ x = "sprintf(1)"; // rand()\ny = a->time(1); my_time(2); strncat(a, b, 1);'
plant banned daemon/a.c 'strcpy(a, b);'
plant banned fhir/a.c 'x = sprintf (a, b);'
plant banned alerts/a.c 'x = atoi(b);'
plant banned tests/unit/a.c 'if (rand() > 1)'
plant banned base/a.h 'localtime(&t);'
plant banned daemon/a.c 'now = time(NULL);'
plant banned fhir/a.c 'clock_gettime(0, &ts);'
allow banned daemon/clock.c 'clock_gettime(0, &ts);'

allow words daemon/store_x.c 'q = "SELECT a FROM b";'
allow words alerts/a.c '/* no float, no double */\nx = "double strength"; doubled(1);'
plant hooks_table tests/hooks-conformance.tsv '1\tdiscovery\ttests/none.mjs\tno such test'
plant words README.md 'a TODO: later'
plant words daemon/a.c '/* FIXME */'
plant words tests/unit/a.c 'open("/home/someone/a");'
plant words base/a.c 'double x;'
plant words alerts/a.h 'int f(const float *);'
plant words alerts/a.c 'x = sizeof(double);'
plant words daemon/a.c 'q = "SELECT a FROM b";'
plant words fhir/a.c 'q = "insert"; r = "INSERT INTO t VALUES (1)";'

allow format daemon/a.c 'int a;'
plant format daemon/a.c 'int  a ;'
plant format tests/unit/a.h 'int* a;'

pure() { # pass or fail, content of an object of the judgement
    fresh
    printf '%b\n' "$2" >"$copy/alerts/planted.c"
    rm -f "$work/libow_alerts.a"
    archive alerts "$copy/alerts/planted.c"
    run purity "$1" "$2"
}
fresh
archive base "$copy"/base/*.c
pure pass '#include <string.h>\nstatic const char *const t[] = { "a", "b" };\nunsigned long ow_f(int i);\nunsigned long ow_f(int i) { return strlen(t[i]); }'
pure fail '#include <time.h>\nlong ow_f(void);\nlong ow_f(void) { return time(0); }'
pure fail '#include <unistd.h>\nint ow_f(void);\nint ow_f(void) { return getpid(); }'
pure pass 'void *ow_alloc(unsigned long n);\nvoid *ow_f(void);\nvoid *ow_f(void) { return ow_alloc(9); }'
pure fail 'int ow_store_open(void);\nint ow_f(void);\nint ow_f(void) { return ow_store_open(); }'
pure fail '#include <stdlib.h>\nvoid *ow_f(void);\nvoid *ow_f(void) { return malloc(9); }'
pure fail 'int ow_f(void);\nint ow_f(void) { static int n; return ++n; }'
pure fail 'int ow_global = 7;'
pure fail 'extern const char *ow_names[];\nconst char *ow_names[] = { "a" };'
pure fail 'int ow_f(void);\nint ow_f(void) { static _Thread_local int n = 1; return ++n; }'

echo "$n plants and passes"
exit $bad
