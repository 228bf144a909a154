#!/bin/sh
# usage: publish.sh TOPIC JSON      prints the ids; the exit code says whether it is stored
# What was not answered is sent again with the same dedupeKey, so that it is stored once.
# It waits as long as the hub asks by %header, which curl has since 7.84; an older one takes a 429 for an answer.
key=$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
why=
for wait in 1 2 4 8 16 0; do
  answer=$(curl --silent --show-error --max-time 10 --write-out '\n%{http_code} %header{retry-after}' \
    "${MILLRACE_URL:-http://127.0.0.1:3000}/events" \
    --header 'Content-Type: application/json' \
    --data "{\"topic\": \"$1\", \"data\": $2, \"dedupeKey\": \"$key\"}")
  cut=$?
  body=$(printf '%s\n' "$answer" | sed '$d')
  last=$(printf '%s\n' "$answer" | tail -n 1)
  status=${last%% *}
  later=${last#* }
  case "$cut $status $body" in
    '0 200 {"ids":'*']}') printf '%s\n' "$body" && exit 0 ;;
  esac
  [ "$cut" = 0 ] && why="$status $body"
  case "$cut $status $later" in
    '0 429 '[0-9] | '0 429 '[1-5][0-9]) ;; # less than a minute: it passes
    '0 4'*) break ;; # refused: it would be each time
  esac
  [ "$wait" = 0 ] && break
  case $later in
    '' | *[!0-9]*) sleep "$wait" ;;
    *) sleep "$later" ;;
  esac
done
printf '%s\n' "Not known to be stored: ${why:-nobody answers}" >&2
exit 1
