#!/bin/bash
# Functions that overrun, guess, keep hidden state or ask the world behind our back.
#
# Usage: banned.sh SOURCE_DIR
set -u
strip="$(dirname "$(readlink -f "$0")")/strip.pl" # comments and strings may name them
cd "${1:-${OW_SOURCE_DIR:?}}" || exit 2
bad=0

files=$(find base alerts fhir daemon tests -name '*.[ch]' -not -path '*/node_modules/*' 2>/dev/null | sort)
[ -n "$files" ] || { echo "no sources found"; exit 2; }

ban() {
    local pattern=$1 why=$2 f out
    shift 2
    for f in "$@"; do
        out=$(perl "$strip" "$f" | grep -nE "(^|[^A-Za-z0-9_>.])($pattern)[[:space:]]*\(")
        if [ -n "$out" ]; then
            printf '%s' "$out" | sed "s|^|$f:|"
            printf '\n  %s\n' "$why"
            bad=1
        fi
    done
}

# shellcheck disable=SC2086
ban 'strcpy|stpcpy|strcat|sprintf|vsprintf|gets|scanf|sscanf|fscanf' 'banned: no bound' $files
# shellcheck disable=SC2086
ban 'strtok|atoi|atol|atoll|atof|alloca' 'banned: no error, or hidden state' $files
# shellcheck disable=SC2086
ban 'rand|srand|random|localtime|gmtime|ctime|asctime|setlocale|system|popen|tmpnam' \
    'banned: hidden state or the world' $files
# The clock has one owner; the tests that compare with it may ask, too.
# shellcheck disable=SC2046
ban 'time|gettimeofday|clock_gettime' 'banned: only daemon/clock.c asks the time' \
    $(printf '%s\n' $files | grep -vE '^(daemon/clock\.c|tests/)')

exit $bad
