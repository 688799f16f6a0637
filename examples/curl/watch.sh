#!/bin/sh
# Follows an experiment to its end, one event a line, by Server-Sent Events.
#   watch.sh ID
set -eu
server=${GATELM:-http://127.0.0.1:8080}

# A pipe has the status of its last command, so an id that is not there has to fail before it.
answer=$(curl -sS --fail-with-body "$server/experiments/$1") || { printf '%s\n' "$answer" >&2; exit 1; }
curl -sSN --fail-with-body -H 'accept: text/event-stream' "$server/experiments/$1/events" | sed -n 's/^data: //p'
