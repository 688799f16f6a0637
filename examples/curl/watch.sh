#!/bin/sh
# Follows an experiment to its end, one event a line, by Server-Sent Events.
#   watch.sh ID
set -eu
server=${GATELM:-http://127.0.0.1:8080}

curl -sSfN -H 'accept: text/event-stream' "$server/experiments/$1/events" | sed -n 's/^data: //p'
