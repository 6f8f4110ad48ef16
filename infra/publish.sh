#!/usr/bin/env bash
# Publish a package: infra/publish.sh RESOURCE_GROUP FUNCTION_APP PACKAGE. Needs az, signed in.
# One Deploy with remote build. A role that was assigned a moment ago may not be known everywhere yet (403): tried three times.
# az before 2.87 asks for ever whether the app is healthy where access rules refuse it (Azure/azure-cli, pull request 33388).
set -euo pipefail
oldest=2.87.0
version=$(az version --query '"azure-cli"' --output tsv)
if [ "$(printf '%s\n' "$oldest" "$version" | sort -V | head -n 1)" != "$oldest" ]; then
  echo "This needs Azure CLI $oldest or newer; az is $version. Run az upgrade." >&2
  exit 2
fi
group=$1 app=$2 package=$3

for attempt in 1 2 3; do
  if az functionapp deployment source config-zip \
    --resource-group "$group" --name "$app" --src "$package" --build-remote true --timeout 600; then
    exit 0
  fi
  echo "Attempt $attempt of 3 failed." >&2
  [ "$attempt" = 3 ] || sleep 60
done
exit 1
