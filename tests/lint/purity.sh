#!/bin/bash
# The judgement is pure: what the libraries of the lower two floors call is on a short
# list, and the judgement keeps no variable between two calls.
#
# It reads the symbols of the build. An instrumented build calls its sanitizer's or
# profiler's runtime everywhere and proves nothing, so there the test is skipped (77).
#
# Usage: purity.sh SOURCE_DIR BUILD_DIR
set -u
build=${2:-${OW_BUILD_DIR:?}}
bad=0

string='mem(cpy|move|set|cmp|chr|rchr|mem)|str(len|nlen|cmp|ncmp|chr|rchr|str|spn|cspn|pbrk)|rawmemchr|bcmp'
common="$string|qsort|bsearch|v?snprintf|__v?snprintf_chk|__(memcpy|memmove|memset)_chk|__stack_chk_fail"
# Giving back what the ground floor allocated is no secret state.
judgement="free"
# The ground floor alone may allocate, and may say a last word before it aborts. (fputs
# is what is written; fputc and fwrite are what compilers make of it.)
ground="malloc|calloc|realloc|free|abort|fput[sc]|fwrite|stderr"
# What the compiler calls for 128-bit division.
helper='__(u?div|u?mod|u?divmod)ti[34]'
pic='_GLOBAL_OFFSET_TABLE_'

symbols() { # library
    nm -A "$1" 2>&1 || { echo "$1: nm failed"; exit 2; }
}

defined() {
    nm "$build"/libow_base.a "$build"/libow_alerts.a 2>/dev/null | awk '$2 ~ /^[TDRBVW]$/ { print $3 }'
}

check() { # library, allowed undefined symbols
    local lib=$1 allowed=$2 all out
    [ -f "$lib" ] || { echo "$lib: not built"; bad=1; return; }
    all=$(symbols "$lib")
    if grep -qE ' (__asan|__ubsan|__tsan|__msan|__sanitizer|__gcov|llvm_gcov|__llvm_prof)' <<<"$all"; then
        echo "instrumented build: skipped"
        exit 77
    fi
    # What the two libraries define themselves is theirs; anything upstairs is not.
    out=$(awk '$(NF-1) == "U" || $(NF-1) == "w"' <<<"$all" | grep -vE " ($allowed)\$" |
        awk 'NR == FNR { own[$1] = 1; next } !($NF in own)' <(defined) -)
    if [ -n "$out" ]; then
        printf 'calls that are not on the list:\n%s\n' "$out"
        bad=1
    fi
}

check "$build/libow_base.a" "$common|$ground|$helper|$pic"
check "$build/libow_alerts.a" "$common|$judgement|$helper|$pic"

# Data that can change: nm calls it B, b, D, d or C. Tables of pointers are data to nm as
# well, but live in .data.rel.ro, which the loader seals; objdump tells the section.
if [ -f "$build/libow_alerts.a" ]; then
    out=$(objdump -t "$build/libow_alerts.a" | awk '
        /file format/ { object = $1; next }
        / O (\.data|\.bss)/ && !/ O \.data\.rel\.ro/ { print object, $NF }
        / \.t(data|bss)/ && !/ d +\.t/ { print object, $NF }
        / O \*COM\*/ { print object, $NF }')
    if [ -n "$out" ]; then
        printf 'variables that outlive a call:\n%s\n' "$out"
        bad=1
    fi
fi
exit $bad
