#!/bin/sh
# Starts a PostgreSQL under var/, made on the first start. PostgreSQL refuses to run as root.
set -eu
data=$PWD/var/cluster/postgres
programs=$(dirname "$(ls /usr/lib/postgresql/*/bin/postgres | tail -n 1)")
as=
mkdir -p "$data"
if [ "$(id -u)" = 0 ]; then
	as='runuser -u postgres --'
	# Its user cannot enter a folder that only root may enter.
	data=$(mktemp -d)
	chown postgres "$data"
fi
[ -f "$data/PG_VERSION" ] || (cd / && $as "$programs/initdb" -D "$data" -U noom --auth=trust >/dev/null)
cd /
exec $as "$programs/postgres" -D "$data" -c port=5433 -c listen_addresses=127.0.0.1 -k "$data"
