#!/bin/bash
# The service unit is well-formed and its sandbox as tight as promised, as systemd sees it.
#
# Usage: unit.sh SOURCE_DIR BUILD_DIR
set -u
cd "${1:-${OW_SOURCE_DIR:?}}" || exit 2
build=${2:-${OW_BUILD_DIR:-}}
threshold=12 # tenths: an exposure of 1.2
unit=systemd/opiward.service

command -v systemd-analyze >/dev/null || { echo "systemd-analyze not found: skipped"; exit 77; }

work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
program=/bin/true # stands in for what is not installed yet
[ -x "$build/opiward" ] && program=$(readlink -f "$build/opiward")
# verify wants the program and the manual page in their installed places.
sed -e "s|/usr/bin/opiward|$program|" -e '/^Documentation=/d' "$unit" >"$work/opiward.service"

bad=0
out=$(systemd-analyze verify --man=no "$work/opiward.service" 2>&1) || bad=1
[ -n "$out" ] && { echo "$out"; bad=1; }
out=$(systemd-analyze security --offline=true --threshold=$threshold "$unit" 2>&1) || {
    echo "$out"
    bad=1
}
tail -n 1 <<<"$out"
exit $bad
