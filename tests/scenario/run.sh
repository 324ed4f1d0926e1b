#!/bin/bash
# Scenarios: one folder a story, no code per case.
#
#   NN-name/input.json    what `opiward evaluate` gets: a Bundle or a CDS Hooks request
#   NN-name/options       its options, at least --at; files count from this folder
#   NN-name/expect.txt    the whole text report, to the byte
#
# usage: run.sh OPIWARD [--write]      (--write: take what is printed as expected; read the diff)
set -u
here=$(cd "$(dirname "$0")" && pwd)
opiward=$(readlink -f "$1")
cd "$here" || exit 2
bad=0
n=0
for dir in "$here"/[0-9]*/; do
    name=$(basename "$dir")
    # shellcheck disable=SC2046 # options are words
    got=$("$opiward" evaluate --format text $(cat "$dir/options") "$dir/input.json" 2>&1)
    n=$((n + 1))
    if [ "${2:-}" = --write ]; then
        printf '%s\n' "$got" >"$dir/expect.txt"
    elif ! diff -u "$dir/expect.txt" <(printf '%s\n' "$got"); then
        echo "scenario $name: differs" >&2
        bad=$((bad + 1))
    fi
done
echo "$((n - bad)) passed, $bad failed"
[ "$n" -gt 0 ] && [ "$bad" -eq 0 ]
