#!/bin/bash
# The CDS Hooks conformance table has every rule once, in order, and each test that it
# names exists.
#
# Usage: hooks_table.sh SOURCE_DIR
set -u
cd "${1:-${OW_SOURCE_DIR:?}}" || exit 2
table=tests/hooks-conformance.tsv
bad=0
expected=1

while IFS=$'\t' read -r number rule file words surplus; do
    [[ $number == \#* ]] && continue
    [ "$number" = "$expected" ] || { echo "$table: rule $expected is missing or out of place"; bad=1; }
    expected=$((number + 1))
    if [ -z "$rule" ] || [ -z "$words" ] || [ -n "$surplus" ]; then
        echo "$table: rule $number has not its four columns"
        bad=1
    elif [ "$file" != - ] && ! grep -qF -- "$words" "$file"; then
        echo "$table: rule $number names a test that is not in $file: $words"
        bad=1
    fi
done <"$table"
[ "$expected" = 47 ] || { echo "$table: ends before rule 46"; bad=1; }
exit $bad
