"""The commands of docs/operating.md that move data or change secrets, typed as they stand there.

PostgreSQL and Redis are the tests' own. Stand-ins take the place of systemd, root and /etc.
"""

import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
from django.core import signing

from tests.architecture.source_files import ROOT
from tests.deployment.operating_guide import commands
from tests.support.patience import PATIENCE
from tests.support.servers.postgres import Postgres
from tests.support.servers.redis import Redis

SAID = "between us: sesame"
MAKE_ROOM = (
    "import uuid; from django.utils import timezone; from chat.models import *;"
    "room = Room.objects.create(key='tea', name='Tea', last_seq=1);"
    "Message.objects.create(room=room, seq=1, participant='a' * 12, nickname='Nova',"
    f"  text={SAID!r}, sent_at=timezone.now(), client_id=uuid.uuid4());"
    "from django.contrib.auth.models import User; User.objects.create_superuser('ada')"
)
SHOW = "from chat.models import *; print([*Message.objects.values_list('room__key', 'text')])"
PING = 'import redis, sys; print("PONG" * redis.Redis.from_url(sys.argv[1]).ping())'
# Stand-ins for programs that need root, or a systemd of this machine's own.
STAND_INS = {
    "su": 'exec sh -c "$3"' + "\n",
    "setpriv": 'while [ "$1" != env ]; do shift; done; exec "$@"' + "\n",
    "chown": "",
    # Says whether a process that is started now would reach what it needs.
    "systemctl": """
number=$(ls "$DESK/states" | wc -l)
cp "$DESK/etc/noom/noom.env" "$DESK/states/$(printf %03d "$number") $*"
for try in $TRIES; do echo "$* $($try)" >>"$DESK/tries"; done
""",
}


class Desk:
    """An operator's shell: the folders of the document below `folder`."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        for name in ("etc/noom", "etc/redis", "backups", "states", "bin", "var"):
            (folder / name).mkdir(parents=True)
        for name, script in STAND_INS.items():
            path = folder / "bin" / name
            path.write_text(f"#!/bin/sh\n{script}")
            path.chmod(0o755)
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        path_ = f"{folder / 'bin'}:{programs}:{os.environ['PATH']}"
        self.environment = {"PATH": path_, "HOME": str(folder), "DESK": str(folder), "TRIES": ""}
        self.environment |= environment

    def settings(self, **values: str) -> None:
        """Writes noom.env."""
        lines = [f"{name}={value}\n" for name, value in values.items()]
        (self.folder / "etc/noom/noom.env").write_text("".join(lines))

    def setting(self, name: str, state: Path | None = None) -> str:
        """The settings of noom.env, now or at the call of systemctl."""
        text = (state or self.folder / "etc/noom/noom.env").read_text()
        found = re.search(rf"^{name}=(.*)$", text, re.MULTILINE)
        return found[1] if found else ""

    @property
    def states(self) -> list[Path]:
        """noom.env at each call of systemctl, in their order."""
        return sorted((self.folder / "states").iterdir())

    def type(self, block: str) -> str:
        """Runs a block of the document here; returns what it printed. It fails as `set -e` does."""
        here = {
            "/etc/noom": self.folder / "etc/noom",
            "/etc/redis": self.folder / "etc/redis",
            "-C /etc ": f"-C {self.folder / 'etc'} ",
            "/var/backups/noom": self.folder / "backups",
            "/opt/noom/var/": f"{self.folder / 'var'}/",
            "cd /opt/noom": f"cd {self.folder}",
            ".venv/bin/python manage.py": f"{sys.executable} {ROOT / 'manage.py'}",
            ".venv/bin/python": sys.executable,
            "-o noom -g noom ": "",
        }
        places = "|".join(map(re.escape, here))
        block = re.sub(places, lambda found: str(here[found[0]]), block)
        done = subprocess.run(
            ["bash", "-ec", block],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=180 * PATIENCE,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def manage(self, script: str, **environment: str) -> str:
        """Runs Python inside Noom with the settings of noom.env, or with others."""
        shell = [sys.executable, str(ROOT / "manage.py"), "shell", "-v", "0", "-c", script]
        done = subprocess.run(
            shell,
            env={**self.environment, "DATABASE_URL": self.setting("DATABASE_URL"), **environment},
            capture_output=True,
            text=True,
            timeout=60 * PATIENCE,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def migrate(self, **environment: str) -> None:
        url = {"DATABASE_URL": self.setting("DATABASE_URL"), **environment}
        command = [sys.executable, str(ROOT / "manage.py"), "migrate", "-v", "0"]
        subprocess.run(command, env={**self.environment, **url}, check=True, timeout=60 * PATIENCE)


@pytest.fixture
def desk(tmp_path: Path, postgres: Postgres) -> Desk:
    """With a PostgreSQL whose role and database are as the document makes them."""
    own = {"PGHOST": "127.0.0.1", "PGPORT": str(postgres.port), "PGUSER": "noom"}
    desk = Desk(tmp_path, PGDATABASE="postgres", **own)
    desk.type("dropdb --if-exists noom; createdb --owner noom noom")
    url = f"postgres://noom:old@127.0.0.1:{postgres.port}/noom"
    desk.settings(DATABASE_URL=url, SECRET_KEY="k" * 60, DEBUG="0", ALLOWED_HOSTS="a.example")
    return desk


def blocks(section: str, count: int) -> list[str]:
    found = commands(section)
    assert len(found) == count, f"{section} has other commands than this test knows"
    return found


def test_postgresql_backup_is_restored_as_written(desk: Desk):
    desk.migrate()
    desk.manage(MAKE_ROOM)
    backup, _ = blocks("Backup", 2)
    restore, _ = blocks("Restore", 2)
    desk.type(backup)
    assert (desk.folder / "backups/noom.dump").stat().st_mode & 0o777 == 0o600
    desk.manage("from chat.models import *; Room.objects.all().delete()")
    assert desk.manage(SHOW) == "[]"
    desk.type(restore)
    assert SAID in desk.manage(SHOW)
    assert [state.name[4:] for state in desk.states] == ["stop noom.target", "start noom.target"]
    (desk.folder / "etc/noom/noom.env").unlink()
    desk.type("tar -xf /var/backups/noom/etc-noom.tar -C /etc ")
    assert desk.setting("SECRET_KEY")


def test_sqlite_backup_of_a_busy_database_is_restored_as_written(tmp_path: Path):
    desk = Desk(tmp_path)
    desk.settings(DATABASE_URL=f"sqlite:///{tmp_path}/var/noom.sqlite3")
    desk.migrate()
    _, backup = blocks("Backup", 2)
    _, restore = blocks("Restore", 2)
    # Committed rows lie in the second file while somebody reads: a copy of the first lacks it.
    reading = (
        "import subprocess, sys; from django.db import connection, transaction\n"
        "with connection.cursor() as c:\n"
        "    c.execute('PRAGMA wal_autocheckpoint=0')\n"
        f"exec({MAKE_ROOM!r})\n"
        "print('ready', flush=True); sys.stdin.read()"
    )
    shell = [sys.executable, str(ROOT / "manage.py"), "shell", "-v", "0", "-c", reading]
    environment = {**desk.environment, "DATABASE_URL": desk.setting("DATABASE_URL")}
    pipe = subprocess.PIPE
    with subprocess.Popen(shell, env=environment, text=True, stdin=pipe, stdout=pipe) as busy:
        assert busy.stdout
        assert busy.stdout.readline() == "ready\n"
        assert (tmp_path / "var/noom.sqlite3-wal").stat().st_size
        desk.type(backup)
        busy.communicate("", timeout=60 * PATIENCE)
    assert (tmp_path / "backups/noom.sqlite3").stat().st_mode & 0o777 == 0o600
    desk.manage("from chat.models import *; Room.objects.all().delete()")
    desk.type(restore)
    assert SAID in desk.manage(SHOW)


def test_sqlite_moves_to_postgresql_as_written(desk: Desk):
    old = {"DATABASE_URL": f"sqlite:///{desk.folder}/var/noom.sqlite3"}
    desk.migrate(**old)
    desk.manage(MAKE_ROOM, **old)
    (move,) = blocks("From SQLite to PostgreSQL", 1)
    desk.type(move)
    assert SAID in desk.manage(SHOW)
    assert not (desk.folder / "var/noom.jsonl").exists()
    # A sequence that was not moved would give a number twice.
    more = MAKE_ROOM.replace("'tea'", "'cake'").replace("'ada'", "'bob'")
    desk.manage(more)
    assert desk.manage("from chat.models import *; print(Room.objects.count())") == "2"
    ada = "from django.contrib.auth.models import *; print(User.objects.get(username='ada'"
    assert desk.manage(f"{ada}).is_superuser)") == "True"


def test_postgresql_password_is_changed_as_written(desk: Desk, postgres: Postgres):
    desk.type("psql -qc \"ALTER ROLE noom PASSWORD 'old'\"")
    with postgres.asking_for_passwords():
        change = commands("Passwords and secrets")[0].replace(
            "su postgres -c", "PGPASSWORD=old sh -c"
        )
        before = desk.setting("DATABASE_URL")
        desk.type(change)
        after = desk.setting("DATABASE_URL")
        assert desk.type(f"psql -tAc 'SELECT 1' {after}").strip() == "1"
        with pytest.raises(AssertionError, match="password authentication failed"):
            desk.type(f"psql -tAc 'SELECT 1' {before}")
    assert [desk.setting("DATABASE_URL", state) for state in desk.states] == [after, after]


def test_redis_password_is_changed_while_both_are_good(tmp_path: Path):
    old = secrets.token_hex(24)
    redis = Redis(tmp_path)
    redis.start()
    try:
        desk = Desk(tmp_path / "desk", TRIES="try-old try-new")
        desk.type(f"redis-cli -p {redis.port} CONFIG SET requirepass {old}")
        url = f"redis://:{old}@127.0.0.1:{redis.port}/0"
        desk.settings(REDIS_URL=url)
        (desk.folder / "etc/redis/redis.conf").write_text(f"requirepass {old}\n")
        ping = f"redis-cli --no-auth-warning -p {redis.port}"
        said = "$(sed -n s/^REDIS_URL=//p $DESK/etc/noom/noom.env)"
        scripts = {
            "try-old": f"REDISCLI_AUTH={old} {ping} ping",
            "try-new": f"{sys.executable} -c '{PING}' {said}",
        }
        for name, script in scripts.items():
            path = desk.folder / "bin" / name
            path.write_text(f"#!/bin/sh\n{script} 2>&1\n")
            path.chmod(0o755)
        change = commands("Passwords and secrets")[1]
        desk.type(change.replace("redis-cli", f"redis-cli -p {redis.port}"))
        assert set((desk.folder / "tries").read_text().splitlines()) == {
            f"restart noom@{port} PONG" for port in (8001, 8002)
        }
        assert desk.type("try-new").strip() == "PONG"
        assert "PONG" not in desk.type("try-old")
        new = re.search(r":(\w+)@", desk.setting("REDIS_URL"))
        assert new
        assert (desk.folder / "etc/redis/redis.conf").read_text() == f"requirepass {new[1]}\n"
    finally:
        redis.stop()


def test_turn_secret_is_changed_for_noom_and_the_relay_alike(tmp_path: Path):
    desk = Desk(tmp_path)
    desk.settings(TURN_SECRET="old")
    (tmp_path / "etc/noom/relay.env").write_text("TURN_SECRET=old\nTURN_OPTIONS=\n")
    desk.type(commands("Passwords and secrets")[2])
    new = desk.setting("TURN_SECRET")
    assert re.fullmatch("[0-9a-f]{64}", new)
    assert (tmp_path / "etc/noom/relay.env").read_text() == f"TURN_SECRET={new}\nTURN_OPTIONS=\n"
    assert desk.states[-1].name.endswith("restart noom-relay")


def test_secret_key_changes_without_invalidating_signatures(tmp_path: Path):
    desk = Desk(tmp_path)
    desk.settings(SECRET_KEY="o" * 60)
    with (tmp_path / "etc/noom/noom.env").open("a") as file:
        file.write("#SECRET_KEY_FALLBACKS=\n")
    change, forget = commands("Passwords and secrets")[3:5]
    runs = dict.fromkeys(("noom@8001", "noom@8002"), keys(desk))
    desk.type(change)
    for state in desk.states:
        runs[state.name.split()[-1]] = keys(desk, state)
        for signer, _ in runs.values():
            token = signing.dumps("Nova", key=signer)
            for key, former in runs.values():
                assert signing.loads(token, key=key, fallback_keys=[*former]) == "Nova"
    assert len(desk.states) == 4
    ((key, former), other) = runs.values()
    assert (key, former) == other
    assert key != "o" * 60
    assert former == ["o" * 60]
    desk.type(forget)
    assert keys(desk) == (key, [])


def keys(desk: Desk, state: Path | None = None) -> tuple[str, list[str]]:
    """The key that signs, and those that are read besides."""
    former = desk.setting("SECRET_KEY_FALLBACKS", state)
    return desk.setting("SECRET_KEY", state), former.split(",") if former else []
