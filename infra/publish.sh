#!/usr/bin/env bash
# Publish a package: infra/publish.sh RESOURCE_GROUP FUNCTION_APP PACKAGE. Needs az, signed in, and GNU timeout.
# One Deploy with remote build. A role that was assigned a moment ago may not be known everywhere yet (403): then it tries three
# times in all. Anything else that fails is not repeated: each upload restarts the app.
# az before 2.87 asks for ever whether the app is healthy where access rules refuse it (Azure/azure-cli, pull request 33388).
set -euo pipefail
oldest=2.87.0
minutes=20
version=$(az version --query '"azure-cli"' --output tsv)
if [ "$(printf '%s\n' "$oldest" "$version" | sort -V | head -n 1)" != "$oldest" ]; then
  echo "This needs Azure CLI $oldest or newer; az is $version. Run az upgrade." >&2
  exit 2
fi
if ! limit=$(command -v timeout || command -v gtimeout); then
  echo "This needs the program timeout of GNU coreutils; on macOS: brew install coreutils." >&2
  exit 2
fi
group=$1 app=$2 package=$3
log=$(mktemp)
trap 'rm -f "$log"' EXIT

for attempt in 1 2 3; do
  status=0
  "$limit" --kill-after=30 "${minutes}m" az functionapp deployment source config-zip \
    --resource-group "$group" --name "$app" --src "$package" --build-remote true --timeout 600 2>&1 | tee "$log" >&2 || status=$?
  case $status in
    0) exit 0 ;;
    124 | 137)
      echo "az had not finished after $minutes minutes. The package may be published all the same: see what infra/smoke.sh says." >&2
      exit 1
      ;;
  esac
  if grep -qi unhealthy "$log" || ! grep -qiE '(^|[^0-9])403([^0-9]|$)|forbidden|AuthorizationFailed|AuthorizationPermissionMismatch' "$log"; then
    echo "Publishing failed, and not because a role is still unknown (403): it is not repeated. The message above says why." >&2
    exit 1
  fi
  echo "Attempt $attempt of 3 was refused (403)." >&2
  [ "$attempt" = 3 ] || sleep 60
done
exit 1
