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

# shellcheck disable=SC2086
code=$(perl "$strip" $files) || exit 2

ban() { # functions, why, pattern of the files that may
    local out
    out=$(grep -E "^[^:]*:[0-9]*:(|.*[^A-Za-z0-9_>.])($1)[[:space:]]*\(" <<<"$code" | grep -vE "^(${3:-none}):")
    [ -z "$out" ] && return 0
    printf '%s\n  %s\n' "$out" "$2"
    bad=1
}

ban 'strcpy|stpcpy|strcat|sprintf|vsprintf|gets' 'banned: no bound'
ban 'strtok|atoi|atol|atoll|atof|alloca' 'banned: no error, or hidden state'
ban 'rand|srand|random|localtime|gmtime|ctime|asctime|setlocale|tmpnam' \
    'banned: hidden state'
ban 'system|popen' 'banned: no shell in the daemon' 'tests/[^:]*'
# The clock has one owner; tests that compare with it may ask, too.
ban 'time|gettimeofday|clock_gettime' 'banned: only daemon/clock.c asks the time' \
    'daemon/clock\.c|tests/[^:]*'

exit $bad
