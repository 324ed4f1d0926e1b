#!/bin/bash
# Every event name of the log stands in the manual with its level, and every name in the
# manual is in the program. (The metrics are compared by their unit test.)
#
# Usage: operations.sh SOURCE_DIR
set -u
cd "${1:-${OW_SOURCE_DIR:?}}" || exit 2

code=$(perl -0777 -ne '
    # what is put off is named by who puts it off
    print "$1 warning\n" while /\bjob_retry\(\s*\w+,\s*"([a-z][a-z0-9.-]*)"\)/g;
    # an event is what stands behind the level, or behind the exit status of app_fail
    while (/\b(?:OW_LOG\(|app_fail\(\s*\w+,|emit\(\s*now,)\s*([^,]+),\s*([^,]*"[^,]*),/g) {
        my ($level, $names) = ($1, $2);
        $level = $level =~ /OW_(DEBUG|INFO|WARNING|ERROR)$/ ? lc $1 : "error";
        print "$1 $level\n" while $names =~ /"([a-z][a-z0-9.-]*)"/g;
    }' daemon/*.c | sort -u)
manual=$(sed -n '/^## Log events/,/^## /s/^| `\([a-z0-9.-]*\)` | \([a-z]*\) |.*/\1 \2/p' \
    systemd/OPERATIONS.md | sort -u)
[ -n "$code" ] && [ -n "$manual" ] || { echo "nothing found to compare"; exit 2; }

if ! out=$(diff <(echo "$manual") <(echo "$code")); then
    echo "systemd/OPERATIONS.md (<) and the program (>) differ in log events:"
    grep '^[<>]' <<<"$out"
    exit 1
fi
