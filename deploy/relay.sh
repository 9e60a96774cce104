#!/bin/sh
# Starts coturn with turnserver.conf and the secret in TURN_SECRET. The secret is in no file of the
# repository and on no command line. Arguments are further options of coturn.
set -eu
: "${TURN_SECRET:?the secret that Noom and the relay share}"
umask 077
folder=$(mktemp -d)
{
	cat "$(dirname "$0")/turnserver.conf"
	printf 'static-auth-secret=%s\n' "$TURN_SECRET"
	# Its own database: the system's database might hold further secrets.
	printf 'userdb=%s\npidfile=%s\n' "$folder/turndb" "$folder/pid"
} >"$folder/turnserver.conf"
unset TURN_SECRET
exec turnserver -c "$folder/turnserver.conf" "$@"
