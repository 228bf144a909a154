#!/bin/sh
# usage: publish.sh TOPIC JSON      prints the ids; the exit code says whether it is stored
# --retry tries again while the hub is away or says "later" (408, 429, 5xx): the dedupeKey makes that safe.
key=$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
curl --silent --show-error --fail-with-body --retry 5 --retry-connrefused \
  "${MILLRACE_URL:-http://127.0.0.1:3000}/events" \
  --header 'Content-Type: application/json' \
  --data "{\"topic\": \"$1\", \"data\": $2, \"dedupeKey\": \"$key\"}"
