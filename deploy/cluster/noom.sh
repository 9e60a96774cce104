#!/bin/sh
# Starts one process of the local cluster. Arguments: its port, and `first` for the one that migrates.
set -eu
export DATABASE_URL=postgres://noom@127.0.0.1:5433/postgres REDIS_URL=redis://127.0.0.1:6380
export PROCESSES=2 PYTHONUNBUFFERED=1
tries=0
until .venv/bin/python manage.py migrate --verbosity 0 --check 2>/dev/null; do
	tries=$((tries + 1))
	[ "$tries" -le 60 ] || { echo "the database did not come up" >&2; exit 1; }
	[ "${2:-}" != first ] || .venv/bin/python manage.py migrate --verbosity 0 2>/dev/null || true
	sleep 1
done
exec .venv/bin/python manage.py serve -p "$1"
