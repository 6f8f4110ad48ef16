#!/usr/bin/env bash
# Whether a deployed app is up and lets nobody in without a key: infra/smoke.sh URL [SECONDS]. Needs curl.
# Waits SECONDS (300) for readiness: a first start installs nothing, but instances and roles take their time.
# Where access rules close the intake, run it from an address that they let in: 403 is the platform's own answer.
set -uo pipefail
url=${1%/} patience=${2:-300}

status() { curl --silent --output /dev/null --max-time 30 --write-out '%{http_code}' "$@"; }

expect() {
  local wanted=$1 what=$2 got
  shift 2
  got=$(status "$@")
  if [ "$got" != "$wanted" ]; then
    echo "FAILED $what: answered $got, not $wanted" >&2
    exit 1
  fi
  echo "ok     $what"
}

began=$SECONDS
until [ "$(status "$url/api/health")" = 200 ]; do
  if [ $((SECONDS - began)) -ge "$patience" ]; then
    echo "FAILED not ready within $patience s: $(curl --silent --max-time 30 "$url/api/health" || echo "no answer")" >&2
    exit 1
  fi
  sleep 2
done
echo "ok     ready: work queue, event hub and ledger can be reached"

json='Content-Type: application/json'
expect 401 "the webhook endpoint asks for a key" --request POST --header "$json" --data '{}' "$url/api/dataverse/webhook"
expect 401 "the plug-in endpoint asks for a key" --request POST --header "$json" --data '{}' "$url/api/events"
expect 401 "operations ask for a key" "$url/api/operations"
