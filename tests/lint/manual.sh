#!/bin/bash
# The manual page is well-formed, and every command and exit status of the program is in it.
#
# Usage: manual.sh SOURCE_DIR BUILD_DIR
set -u
cd "${1:-${OW_SOURCE_DIR:?}}" || exit 2
build=${2:-${OW_BUILD_DIR:-}}
page=systemd/opiward.8
bad=0

if command -v mandoc >/dev/null; then
    mandoc -T lint -W warning "$page" || bad=1
elif command -v groff >/dev/null; then
    out=$(groff -mandoc -Tutf8 -ww -z "$page" 2>&1)
    [ -n "$out" ] && { echo "$out"; bad=1; }
else
    echo "neither mandoc nor groff: skipped"
    exit 77
fi

for status in $(sed -n 's/^ *OW_EXIT_[A-Z]* = \([0-9]*\),.*/\1/p' daemon/command.h); do
    grep -q "^\.It $status\$" "$page" || { echo "exit status $status is not in $page"; bad=1; }
done
if [ -x "$build/opiward" ]; then
    for name in $("$build/opiward" help | sed -n 's/^  opiward \([a-z-]*\).*/\1/p'); do
        grep -qE "^\.(It )?Cm $name\b" "$page" || { echo "command $name is not in $page"; bad=1; }
    done
    for option in $("$build/opiward" help | grep -oE -- '--[a-z]+' | sort -u); do
        grep -q -- "Fl -${option#--}" "$page" || { echo "option $option is not in $page"; bad=1; }
    done
fi
exit $bad
