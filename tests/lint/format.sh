#!/bin/bash
# clang-format decides the layout; this only asks whether it has been asked.
#
# Usage: format.sh SOURCE_DIR
set -u
cd "${1:-${OW_SOURCE_DIR:?}}" || exit 2

# Version 14 is the reference: other versions differ in details.
tool=$(command -v clang-format-14) || { echo "clang-format-14 is not installed"; exit 77; }

find base alerts fhir daemon tests -name node_modules -prune -o -name '*.[ch]' -print0 2>/dev/null |
    sort -z | xargs -0 -r "$tool" --dry-run -Werror --style=file
