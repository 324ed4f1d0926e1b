#!/bin/bash
# Includes go downstairs only, and are spelled from the root.
#
#   daemon/  everything below
#   fhir/    fhir/, alerts/chart.h, alerts/verdict.h, base/
#   alerts/  alerts/, base/
#   base/    base/
#
# Usage: layers.sh SOURCE_DIR
set -u
cd "${1:-${OW_SOURCE_DIR:?}}" || exit 2
bad=0

# floor, headers in quotes that it may name, headers in <> that it may name
check() {
    local floor=$1 ours=$2 theirs=$3 out
    [ -d "$floor" ] || return 0
    out=$(find "$floor" -name '*.[ch]' -o -name '*.def' | sort | xargs -r grep -HnE '^[[:space:]]*#[[:space:]]*include' |
        grep -vE "include[[:space:]]*\"($ours)\"" | grep -vE "include[[:space:]]*<($theirs)>")
    [ -z "$out" ] && return 0
    printf '%s/ may not include:\n%s\n' "$floor" "$out"
    bad=1
}

# The lower two know the C library, and of it nothing that reaches the world.
libc='assert|ctype|errno|inttypes|limits|stdarg|stdbool|stddef|stdint|stdio|stdlib|string'
any='[^>]+'

check base 'base/[a-z0-9_]+\.h' "($libc)\.h|sanitizer/asan_interface\.h"
check alerts '(alerts|base)/[a-z0-9_]+\.(h|def)' "($libc)\.h"
check fhir '(fhir|base)/[a-z0-9_]+\.(h|def)|alerts/(chart|verdict)\.h' \
    "($libc)\.h|cjson/cJSON\.h|openssl/[a-z0-9_]+\.h"
check daemon '(daemon|fhir|alerts|base)/[a-z0-9_/]+\.(h|def)' "$any"

exit $bad
