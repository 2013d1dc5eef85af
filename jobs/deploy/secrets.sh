#!/bin/sh
# Writes the files that compose.yaml and kubernetes/ take secrets from, beside this script: passwords of this fleet's own, and Moz's
# token, which is read from standard input. What is there is left as it is. The files are for user 65532, whom the containers run as.
set -eu
umask 077
cd "$(dirname "$0")"
mkdir -p secrets
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
once() { test -s "secrets/$1" || cat >"secrets/$1"; }
random | once postgres-password
random | once temporal-password
printf 'postgres://backhaul:%s@postgres:5432/backhaul' "$(cat secrets/postgres-password)" | once database
printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n' backhaul "$(random)" | once s3-credentials
if ! test -s secrets/moz-token; then
	echo "Moz's token:" >&2
	head -n 1 | once moz-token
fi
if test "$(id -u)" = 0; then
	chown -R 65532:65532 secrets
else
	echo "note: for compose.yaml run this as root, or chown -R 65532:65532 secrets" >&2
fi
