"""docs/operating.md, followed word by word on a bare Debian with systemd.

`make test-deployment` runs it.

Not tried here, for want of a public name: a certificate of a public authority. Caddy signs the name
below itself, with the same Caddyfile.
"""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.architecture.source_files import ROOT
from tests.deployment.debian_machine import Machine
from tests.deployment.operating_guide import commands
from tests.support.waiting import until

NAME = "meet.localhost"
NAMES = {"YOUR_NAME": NAME, "YOUR_RELAYS_NAME": "relay.localhost"}
SIGNED_BY = "/var/lib/caddy/.local/share/caddy/pki/authorities/local/root.crt"
PASSWORD = "three-blue-lamps"
VISITOR = (
    f"cd /opt/noom; export SSL_CERT_FILE={SIGNED_BY}; "
    f".venv/bin/python -m tests.deployment.visitor https://{NAME}"
)

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The committed tree, as an operator clones it."""
    bare = tmp_path_factory.mktemp("repository") / "noom.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", str(ROOT), str(bare)], check=True)
    return bare


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[Machine]:
    """A machine on which everything up to "New versions" was done as the document says it."""
    machine = Machine(tmp_path_factory.mktemp("machine"), repository)
    try:
        machine.make()
        machine.boot()
        follow(machine)
        yield machine
    finally:
        machine.stop()


def follow(machine: Machine) -> None:
    """The document from Install to The relay, in one shell, as its variables ask for."""
    # The names of this machine stand in no name server.
    machine.run(f"echo '127.0.0.1 {NAME} relay.localhost' >>/etc/hosts")
    shell = ["export DEBIAN_FRONTEND=noninteractive"]
    shell += commands("Install", ADDRESS_OF_THIS_REPOSITORY="/srv/noom.git")
    shell += commands("PostgreSQL and Redis") + commands("Settings", **NAMES)
    start, superuser = commands("Start")
    machine.run("\n".join([*shell, start]))
    machine.run(answering(f"cd /opt/noom\n{superuser}", "admin", "", PASSWORD, PASSWORD))
    https = [*commands("https", **NAMES), *commands("The relay")]
    machine.run("\n".join(["cd /opt/noom", *https]))
    until(lambda: status(machine, f"https://{NAME}/") == 200, "a page by https", seconds=30)


def answering(script: str, *lines: str) -> str:
    """The script at a terminal, where somebody types these lines on request."""
    typed = "".join(f"sleep 5; echo '{line}'; " for line in lines)
    return f"cat >~/script <<'END'\n{script}\nEND\n({typed}) | script -qec 'bash ~/script'"


def status(machine: Machine, address: str) -> int:
    """The status of an answer; 0 if there is none."""
    curl = f"curl -so /dev/null -w '%{{http_code}}' --cacert {SIGNED_BY} {address} || true"
    return int(machine.run(curl).strip() or 0)


def main_pid(machine: Machine, unit: str) -> str:
    return machine.run(f"systemctl show -P MainPID {unit}").strip()


@contextmanager
def visitors(machine: Machine, count: int) -> Iterator[dict[str, int]]:
    """People in a room; afterwards with which codes their sockets were closed."""
    codes: dict[str, int] = {}
    visit = machine.entering(f"{VISITOR} {count}")
    process = subprocess.Popen(visit, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        assert process.stdout.readline() == "here\n", process.communicate()[1]
        yield codes
        out, errors = process.communicate(timeout=90)
        assert process.returncode == 0, errors
        codes.update(json.loads(out))
    finally:
        process.kill()
        process.wait(10)


def test_everything_runs_and_nothing_has_failed(machine: Machine):
    units = "noom@8001 noom@8002 noom.target noom-setup noom-relay caddy redis-server postgresql"
    assert set(machine.run(f"systemctl is-active {units}").split()) == {"active"}
    assert machine.run("systemctl --failed --no-legend").strip() == ""
    assert main_pid(machine, "noom@8001") != main_pid(machine, "noom@8002")
    assert machine.command("systemctl is-active coturn", check=False).stdout.strip() == "inactive"
    ask, _ = commands("Is it well?")
    assert json.loads(machine.run(ask))["ready"]


def test_setup_checks_migrates_and_gathers_static_files(machine: Machine):
    said = machine.run("journalctl -u noom-setup -o cat")
    assert "Applying chat.0001_initial... OK" in said
    assert re.search(r"static files? copied to '/opt/noom/var/static'", said)
    assert "WARNINGS" not in said, "check --deploy is not silent"
    page = machine.run(f"curl -s --cacert {SIGNED_BY} https://{NAME}/")
    files = re.findall(r'(?:src|href)="(/static/[^"#]+)', page)
    assert files
    assert {status(machine, f"https://{NAME}{path}") for path in files} == {200}


def test_http_is_sent_to_https(machine: Machine):
    answer = machine.run(f"curl -sI http://{NAME}/")
    assert f"Location: https://{NAME}/" in answer


def test_superuser_can_log_in(machine: Machine):
    login = f"https://{NAME}/admin/login/"
    curl = f"curl -s --cacert {SIGNED_BY} -b ~/jar -c ~/jar"
    page = machine.run(f"{curl} {login}")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    form = f"-d csrfmiddlewaretoken={token[1]} -d username=admin -d password={PASSWORD}"
    machine.run(f"{curl} -e {login} {form} {login}")
    assert "Log out" in machine.run(f"{curl} https://{NAME}/admin/")


def test_killed_process_is_started_again(machine: Machine):
    old = main_pid(machine, "noom@8001")
    with visitors(machine, 4) as codes:
        machine.run("kill -KILL $(systemctl show -P MainPID noom@8001 noom@8002 | xargs)")
    assert codes == {"1006": 4}
    active = "systemctl is-active noom@8001 noom@8002 | sort -u"
    until(lambda: machine.run(active).strip() == "active", "both to be back", seconds=20)
    assert main_pid(machine, "noom@8001") not in (old, "0")
    assert status(machine, f"https://{NAME}/") == 200


def test_stop_and_restart_close_every_socket_with_4412(machine: Machine):
    for order in ("stop noom.target", "start noom.target", "restart noom@8001 noom@8002"):
        if order.startswith("start"):
            machine.run(f"systemctl {order}")
            continue
        with visitors(machine, 6) as codes:
            began = time.monotonic()
            machine.run(f"systemctl {order}")
            assert time.monotonic() - began < 10
        assert codes == {"4412": 6}


def test_new_version_is_brought_in_while_pages_are_served(machine: Machine, repository: Path):
    git = ["git", "-c", "user.name=operator", "-c", "user.email=operator@noom.test"]
    git += ["-C", str(repository)]
    make = [*git, "commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "A new version"]
    new = subprocess.run(make, check=True, capture_output=True, text=True).stdout.strip()
    subprocess.run([*git, "update-ref", "HEAD", new], check=True)
    (update,) = commands("New versions")
    asking = machine.entering(
        f"while ! test -e enough; do sleep 0.1; curl -so /dev/null -m 8 -w '%{{http_code}}\\n' "
        f"--cacert {SIGNED_BY} https://{NAME}/; done"
    )
    pages = subprocess.Popen(asking, stdout=subprocess.PIPE, text=True)
    try:
        with visitors(machine, 6) as codes:
            machine.run(update)
    finally:
        machine.run("touch enough")
        answers = pages.communicate(timeout=20)[0].split()
    assert codes == {"4412": 6}
    assert machine.run("git -C /opt/noom rev-parse HEAD").strip() == new
    assert len(answers) > 10
    assert set(answers) == {"200"}


def test_backup_is_restored(machine: Machine):
    accounts = psql("SELECT count(*) FROM auth_user")
    assert int(machine.run(accounts)) == 1
    (backup, _), (restore, _) = commands("Backup"), commands("Restore")
    machine.run(backup)
    machine.run(psql("TRUNCATE auth_user CASCADE"))
    assert int(machine.run(accounts)) == 0
    machine.run(restore)
    assert int(machine.run(accounts)) == 1
    until(lambda: is_ready(machine), "Noom to be ready after the restore", seconds=60)


def psql(sql: str) -> str:
    """The command that asks Noom's database."""
    return f"cd /; su postgres -c \"psql -tA noom -c '{sql}'\""


def is_ready(machine: Machine) -> bool:
    ask, _ = commands("Is it well?")
    done = machine.command(ask, check=False)
    return done.returncode == 0 and bool(json.loads(done.stdout)["ready"])


def test_every_password_and_secret_is_changed(machine: Machine):
    before = machine.run("cat /etc/noom/noom.env")
    for block in commands("Passwords and secrets"):
        machine.run(block)
        until(lambda: is_ready(machine), "Noom to be ready after a change", seconds=60)
        assert status(machine, f"https://{NAME}/") == 200
    after = machine.run("cat /etc/noom/noom.env")
    for name in ("SECRET_KEY", "TURN_SECRET", "DATABASE_URL", "REDIS_URL"):
        old, new = (re.search(rf"^{name}=(.+)$", text, re.MULTILINE) for text in (before, after))
        assert old
        assert new
        assert old[1] != new[1], f"{name} is as it was"
    assert "SECRET_KEY_FALLBACKS" not in after


def test_relay_needs_the_secret_and_reaches_no_private_peer(machine: Machine):
    secret = machine.run("sed -n s/^TURN_SECRET=//p /etc/noom/relay.env").strip()
    assert "403 (Forbidden IP)" in relayed(machine, secret, "10.0.0.1")
    assert "Total connect time" in relayed(machine, secret, "8.8.8.8")
    assert "Cannot complete Allocation" in relayed(machine, "forged", "8.8.8.8")
    pid = main_pid(machine, "noom-relay")
    assert secret not in machine.run(f"cat /proc/{pid}/cmdline; cat /proc/{pid}/environ")


def relayed(machine: Machine, secret: str, peer: str) -> str:
    """The output of coturn's TURN client that sends one message to a peer."""
    client = f"timeout 10 turnutils_uclient -n 1 -m 1 -W {secret} -e {peer} 127.0.0.1"
    return machine.command(client, check=False).stdout


def test_everything_is_back_after_a_boot(machine: Machine):
    machine.stop()
    machine.boot()
    until(lambda: status(machine, f"https://{NAME}/") == 200, "a page after the boot", seconds=60)
    up = "systemctl is-active noom-relay"
    until(lambda: machine.command(up, check=False).returncode == 0, "the relay", seconds=30)
    test_everything_runs_and_nothing_has_failed(machine)
