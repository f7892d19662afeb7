#!/bin/sh
# A worker in POSIX sh: registers, tells its two fixed profiles, claims one job at a time, runs it, reports. Needs curl and awk.
# See docs/protocol.md for the rules that the numbers in the comments name.
set -u

: "${BE_API_URL:?}" "${SERVICE_ACCOUNT_KEY:?}"
TYPE=${WORKER_TYPE:-shell-text}
# Two functions, each with one profile; jobs come with the name of the function.
describe() { printf '{"name":"%s","version":"1.0.0","description":"%s","settingsSchema":{"type":"object"},"inputSchema":{},"outputSchema":{}}' "$1" "$2"; }
FUNCTIONS="$(describe shell.upper 'Upper-cases a text.'),$(describe shell.slow-upper 'The same, in five seconds.')"
PROFILES='{"id":"01900000-0000-7000-8000-000000000001","name":"upper","function":"shell.upper","revision":1},
  {"id":"01900000-0000-7000-8000-000000000002","name":"slow-upper","function":"shell.slow-upper","revision":1}'
WORK=$(mktemp -d "${TMPDIR:-/tmp}/shell-worker.XXXXXX") || exit 1
DRAINING=0 WORKER_ID= HEARTBEAT_S=5 CLAIM_PID=
trap 'DRAINING=1; [ -z "$CLAIM_PID" ] || kill "$CLAIM_PID" 2>/dev/null' TERM INT
trap 'rm -rf "$WORK"' EXIT

say() { printf '%s %s\n' "$(date -u +%H:%M:%S)" "$*" >&2; }
new_id() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n' | sed 's/^\(.\{8\}\)\(....\).\(...\).\(...\)\(.*\)$/\1-\2-7\3-8\4-\5/'; }

# call METHOD PATH BODY [SECONDS]: the answer in $WORK/answer, its status in STATUS (000: no whole answer).
call() {
  STATUS=$(curl -sS -o "$WORK/answer" -w '%{http_code}' -m "${4:-15}" -X "$1" "$BE_API_URL$2" \
    -H "Authorization: Bearer $SERVICE_ACCOUNT_KEY" -H 'Content-Type: application/json' \
    ${LEASE:+-H "Connecta-Lease: $LEASE"} ${3:+--data-binary "$3"} 2>/dev/null) || STATUS=000
}
passes() { case $STATUS in 000 | 5?? | 429) return 0 ;; *) return 1 ;; esac; }

# field FILE NAME: the value of a top-level member of the first object that has it, as JSON text.
field() {
  awk -v name="\"$2\":" '
    { text = text $0 "\n" }
    END {
      at = index(text, name); if (!at) exit
      rest = substr(text, at + length(name)); depth = 0; quoted = 0; out = ""
      for (i = 1; i <= length(rest); i++) {
        c = substr(rest, i, 1)
        if (quoted) { out = out c; if (c == "\\") { i++; out = out substr(rest, i, 1) } else if (c == "\"") quoted = 0; continue }
        if (c == "\"") quoted = 1
        if (c == "{" || c == "[") depth++
        if (c == "}" || c == "]") { if (depth == 0) break; depth-- }
        if (c == "," && depth == 0) break
        out = out c
      }
      gsub(/^[ \n]+|[ \n]+$/, "", out); print out
    }' "$1"
}
text() { field "$1" "$2" | sed 's/^"//; s/"$//'; }

# Rules 1 and 5: registers until it is registered, then tells be-api of the profiles.
register() {
  WAIT=1 LEASE=
  while [ "$DRAINING" = 0 ]; do
    call POST /v1/workers "{\"type\":\"$TYPE\",\"role\":\"runner\",\"instance\":\"$TYPE-$$\",\"version\":\"1.0.0\",\"language\":\"sh\",\"slots\":1,\"owner\":{\"team\":\"Examples\",\"contact\":\"examples@example.org\"},\"functions\":[$FUNCTIONS],\"transport\":\"http\",\"protocolVersion\":1}"
    if [ "$STATUS" = 201 ]; then
      WORKER_ID=$(text "$WORK/answer" workerId)
      HEARTBEAT_S=$(($(field "$WORK/answer" heartbeatMs) / 1000))
      [ "$HEARTBEAT_S" -ge 1 ] || HEARTBEAT_S=1
      call PUT "/v1/worker-types/$TYPE/profiles" "{\"profiles\":[$PROFILES]}"
      [ "$STATUS" = 200 ] && { say "registered as $WORKER_ID"; return 0; }
    fi
    say "could not register: $STATUS"
    sleep "$WAIT"
    [ "$WAIT" -ge 5 ] || WAIT=$((WAIT + 1))
  done
  return 1
}

# Rule 15: says that the job is held until its end is recorded, also while bytes are on their way; a mark tells that it
# no longer counts (rules 16, 17). What runs then, if anything, is in $WORK/run.
keep_alive() {
  while sleep "$HEARTBEAT_S"; do
    curl -sS -m 10 -o "$WORK/beat" -X POST "$BE_API_URL/v1/jobs/$JOB/heartbeat" -H "Connecta-Lease: $LEASE" \
      -H "Authorization: Bearer $SERVICE_ACCOUNT_KEY" -H 'Content-Type: application/json' --data-binary '{}' 2>/dev/null &&
      grep -q '"\(cancel\|stale\)":true' "$WORK/beat" && : >"$WORK/stop" && { [ ! -e "$WORK/run" ] || kill "$(cat "$WORK/run")" 2>/dev/null; exit 0; }
  done
}

# The function: $WORK/input in, $WORK/output out. Replace it with your own program.
run_function() {
  [ "$(text "$WORK/job" function)" != shell.slow-upper ] || sleep 5
  awk '{ print toupper($0) }' "$WORK/input" >"$WORK/output"
}

# Rules 18 and 19: the input into $WORK/input, checked against its hash; or FAILURE says why not.
read_input() {
  FAILURE=
  BLOB=$(text "$WORK/job" blobId)
  case $(field "$WORK/job" blobId) in
  '"'*)
    TRIES=0
    until [ -e "$WORK/stop" ] || curl -sSf -m 300 -o "$WORK/input" "$BE_API_URL/v1/jobs/$JOB/blobs/$BLOB" \
      -H "Authorization: Bearer $SERVICE_ACCOUNT_KEY" -H "Connecta-Lease: $LEASE" 2>/dev/null; do
      TRIES=$((TRIES + 1))
      [ "$TRIES" -lt 5 ] || { FAILURE='"kind":"retryable","code":"blobs_unavailable","message":"the input could not be read"'; return 1; }
      sleep 1
    done
    [ ! -e "$WORK/stop" ] || return 1
    WANT=$(text "$WORK/job" sha256)
    [ "$(sha256sum "$WORK/input" | cut -d' ' -f1)" = "$WANT" ] && return 0
    FAILURE='"kind":"retryable","code":"blob_mismatch","message":"the input is not what its reference says"'
    return 1
    ;;
  esac
  case $(field "$WORK/job" value) in
  '"'*) printf '%b' "$(text "$WORK/job" value | sed 's/\\"/"/g; s/%/%/g')" >"$WORK/input" ;;
  *)
    FAILURE='"kind":"permanent","code":"invalid_input","message":"the input must be a text or a blob"'
    return 1
    ;;
  esac
}

# The result as JSON in VALUE: a text, or, over 8 KiB (rule 20), the reference of a blob that is stored under one id.
write_result() {
  if [ "$(wc -c <"$WORK/output")" -le 4000 ]; then
    VALUE=$(awk 'BEGIN { printf "\"" } { gsub(/\\/, "\\\\"); gsub(/"/, "\\\""); gsub(/\t/, "\\t"); gsub(/[[:cntrl:]]/, "?"); printf "%s%s", (NR > 1 ? "\\n" : ""), $0 } END { printf "\"" }' "$WORK/output")
    return 0
  fi
  OUT_ID=$(new_id) TRIES=0
  while [ "$TRIES" -lt 8 ] && [ ! -e "$WORK/stop" ]; do
    STATUS=$(curl -sS -m 300 -o "$WORK/answer" -w '%{http_code}' -X PUT "$BE_API_URL/v1/jobs/$JOB/blobs/$OUT_ID" \
      -H "Authorization: Bearer $SERVICE_ACCOUNT_KEY" -H "Connecta-Lease: $LEASE" -H 'Content-Type: text/plain' \
      --data-binary "@$WORK/output" 2>/dev/null) || STATUS=000
    case $STATUS in 20?) VALUE=$(cat "$WORK/answer"); return 0 ;; esac
    passes || break
    TRIES=$((TRIES + 1))
    sleep 1
  done
  FAILURE='"kind":"retryable","code":"blobs_unavailable","message":"the result could not be stored"'
  return 1
}

# One job out of a claim's answer: rules 8 to 14.
work() {
  JOB=$(text "$WORK/job" jobId) LEASE=$(text "$WORK/job" lease)
  rm -f "$WORK/stop" "$WORK/run"
  TRIES=0
  call POST "/v1/jobs/$JOB/start" ''
  while passes && [ "$TRIES" -lt 5 ]; do
    sleep 1
    TRIES=$((TRIES + 1))
    call POST "/v1/jobs/$JOB/start" ''
  done
  [ "$STATUS" = 200 ] || { say "job $JOB is not ours: $STATUS"; LEASE=; return; }
  keep_alive &
  BEATS=$!
  CODE=1
  if read_input && [ ! -e "$WORK/stop" ]; then
    run_function &
    RUN=$!
    echo "$RUN" >"$WORK/run"
    # The order to stop may have come just before there was something to stop.
    [ ! -e "$WORK/stop" ] || kill "$RUN" 2>/dev/null
    wait "$RUN"
    CODE=$?
    # A signal ends the waiting, not the function.
    while [ "$CODE" -gt 128 ] && kill -0 "$RUN" 2>/dev/null; do wait "$RUN"; CODE=$?; done
    rm -f "$WORK/run"
  fi
  if [ "$CODE" = 0 ] && write_result; then
    WHAT=complete BODY="{\"value\":$VALUE}"
  else
    : "${FAILURE:=\"kind\":\"retryable\",\"code\":\"function_error\",\"message\":\"the function failed\"}"
    WHAT=fail BODY="{$FAILURE}"
  fi
  # Rules 12 and 13: the same end again until it is recorded, or refused for good. A job whose end was recorded while its
  # answer got lost is told as stale: the mark counts only before the first try.
  WAIT=1
  until [ "$WAIT" = 1 ] && [ -e "$WORK/stop" ]; do
    call POST "/v1/jobs/$JOB/$WHAT" "$BODY" 20
    passes || break
    sleep "$WAIT"
    [ "$WAIT" -ge 5 ] || WAIT=$((WAIT + 1))
  done
  kill "$BEATS" 2>/dev/null
  wait "$BEATS" 2>/dev/null
  say "job $JOB: $WHAT $STATUS"
  LEASE=
}

register
REQUEST=$(new_id) WAIT=1
while [ "$DRAINING" = 0 ]; do
  # Rules 6 and 7: in the background, so that SIGTERM interrupts a claim that waits.
  LEASE=
  curl -sS -m 40 -o "$WORK/claimed" -w '%{http_code}' -X POST "$BE_API_URL/v1/jobs/claim" \
    -H "Authorization: Bearer $SERVICE_ACCOUNT_KEY" -H 'Content-Type: application/json' \
    --data-binary "{\"workerId\":\"$WORKER_ID\",\"slots\":1,\"waitMs\":20000,\"requestId\":\"$REQUEST\"}" \
    >"$WORK/status" 2>/dev/null &
  CLAIM_PID=$!
  wait "$CLAIM_PID" && STATUS=$(cat "$WORK/status") || STATUS=000
  CLAIM_PID=
  [ "$DRAINING" = 0 ] || break
  case $STATUS in
  200)
    REQUEST=$(new_id) WAIT=1
    if grep -q '"jobs":\[{' "$WORK/claimed"; then
      cp "$WORK/claimed" "$WORK/job"
      work
    fi
    # Rule 22.
    grep -q '"drain":true' "$WORK/claimed" && DRAINING=1
    ;;
  404 | 410) register && REQUEST=$(new_id) ;;
  *)
    sleep "$WAIT"
    [ "$WAIT" -ge 5 ] || WAIT=$((WAIT + 1))
    ;;
  esac
done
# Rules 22 and 23.
[ -z "$WORKER_ID" ] || call DELETE "/v1/workers/$WORKER_ID" '' 3
say 'left'
exit 0
