#!/bin/bash
# Words that do not belong in the tree: unfinished business, paths of somebody's machine,
# inexact numbers on the lower two floors, SQL outside the store.
#
# Usage: words.sh SOURCE_DIR
set -u
strip="$(dirname "$(readlink -f "$0")")/strip.pl"
cd "${1:-${OW_SOURCE_DIR:?}}" || exit 2
bad=0

# Every text file of ours; what the build or a package manager made is not.
files=$(find . \( -path './.git' -o -path './build*' -o -name node_modules -o -name target \
    -o -path './tests/fuzz/corpus' -o -path './tests/lint' \) -prune -o -type f -print |
    sed 's|^\./||' | sort | while read -r f; do
        if [ ! -s "$f" ] || grep -qI . "$f"; then printf '%s\n' "$f"; fi
    done)
[ -n "$files" ] || { echo "no files found"; exit 2; }

forbid() { # pattern, why, files
    local pattern=$1 why=$2 out
    shift 2
    [ $# -gt 0 ] || return 0
    out=$(grep -HnE "$pattern" "$@")
    [ -z "$out" ] && return 0
    printf '%s\n%s\n' "$why:" "$out"
    bad=1
}

pick() { # regex of paths to keep
    printf '%s\n' "$files" | grep -E "$1"
}

# shellcheck disable=SC2086
forbid '(^|[^A-Za-z0-9_])(TODO|FIXME|XXX|HACK)([^A-Za-z0-9_]|$)' \
    'unfinished business belongs in the tracker' \
    $(printf '%s\n' $files | grep -vE 'package-lock\.json$|\.tsv$')
# shellcheck disable=SC2046
forbid '(^|[^A-Za-z0-9_.])/(home/[a-z]+|root|Users/[A-Za-z]+)/' \
    'a path of one machine' $(printf '%s\n' $files)
# Comments and strings may speak of it; code may not.
# shellcheck disable=SC2046
out=$(perl "$strip" $(pick '^(alerts|base)/.*\.[ch]$') | grep -wE 'float|double|_Float[0-9]+x?')
if [ -n "$out" ]; then
    printf '%s\n%s\n' 'no binary floating point here, amounts are exact:' "$out"
    bad=1
fi
# shellcheck disable=SC2046
forbid '"[^"]*(SELECT [^"]* FROM|INSERT (OR [A-Z]+ )?INTO|UPDATE [a-z_]+ SET|DELETE FROM|CREATE (TABLE|INDEX|UNIQUE|VIEW|TRIGGER)|ALTER TABLE|DROP TABLE|PRAGMA |BEGIN (IMMEDIATE|EXCLUSIVE|TRANSACTION))' \
    'SQL lives in daemon/store*' \
    $(pick '^(base|alerts|fhir|daemon)/.*\.([ch]|def)$' | grep -vE '^daemon/store')

exit $bad
