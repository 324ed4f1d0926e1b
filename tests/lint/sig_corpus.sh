#!/bin/bash
# The generated half of the corpus of sigs is what its generator writes.
#
# Usage: sig_corpus.sh SOURCE_DIR
set -u
cd "${1:-${OW_SOURCE_DIR:?}}" || exit 2
command -v python3 >/dev/null || { echo "no python3: skipped"; exit 77; }
python3 tests/sig/generate.py --check tests/sig/corpus.tsv ||
    { echo "tests/sig/corpus.tsv: run tests/sig/generate.py tests/sig/corpus.tsv"; exit 1; }
