#!/bin/sh
# Uploads a UTF-8 text as a corpus; its last parts become the valid and test splits.
#   upload-corpus.sh NAME FILE
set -eu
server=${GATELM:-http://127.0.0.1:8080}

curl -sS --fail-with-body -X POST "$server/corpora" -F "name=$1" -F "file=@$2;type=text/plain"
echo
