#!/bin/sh
# Starts coturn with turnserver.conf and the secret in TURN_SECRET, which neither a file of the
# repository nor a command line shows. Arguments are further options of coturn's.
set -eu
: "${TURN_SECRET:?the secret that Noom and the relay share}"
umask 077
folder=$(mktemp -d)
{
	cat "$(dirname "$0")/turnserver.conf"
	printf 'static-auth-secret=%s\n' "$TURN_SECRET"
	# A database of its own: that of the system might hold further secrets.
	printf 'userdb=%s\npidfile=%s\n' "$folder/turndb" "$folder/pid"
} >"$folder/turnserver.conf"
unset TURN_SECRET
exec turnserver -c "$folder/turnserver.conf" "$@"
