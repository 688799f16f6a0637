#!/bin/sh
# Ends an experiment at its next step; the best weights so far stay.
#   cancel.sh ID
set -eu
server=${GATELM:-http://127.0.0.1:8080}

curl -sS --fail-with-body -X POST "$server/experiments/$1/cancel"
echo
