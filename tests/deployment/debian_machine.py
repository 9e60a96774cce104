"""A bare Debian of a test's own: made by debootstrap, booted with systemd, on a network of its own.

Needs root, debootstrap, systemd-container and slirp4netns.
"""

import shutil
import subprocess
import uuid
from pathlib import Path

from tests.support.waiting import until

RELEASE = "bookworm"
# Packages that an installed Debian has and a minimal debootstrap has not.
BARE = "systemd,systemd-sysv,dbus,ca-certificates,iproute2"
OWN_CERTIFICATES = Path("/usr/local/share/ca-certificates")  # of a network that has such
CGROUPS = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified"))
NAMESERVER = "10.0.2.3"  # of slirp4netns, which asks this machine's
NSPAWN = ["systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit"]
NSPAWN += ["--private-network", "--console=pipe", "--resolv-conf=off", "--machine=debian"]
# Two systemds in one control group would end each other's processes.
INTO_CGROUP = 'echo $$ >"$0/cgroup.procs" && exec "$@"'
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MAKE_S, BOOT_S, RUN_S = 600, 60, 600


class Machine:
    """Debian at `root`; what its boot said is in `log`."""

    def __init__(self, folder: Path, repository: Path) -> None:
        self.root, self._folder, self._repository = folder / "debian", folder, repository
        self._systemd: subprocess.Popen[bytes] | None = None
        self._network: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """Debian, as bare as it comes, that trusts what this machine trusts."""
        bare = ["debootstrap", "--variant=minbase", f"--include={BARE}", RELEASE, str(self.root)]
        subprocess.run(bare, check=True, timeout=MAKE_S, stdout=subprocess.DEVNULL)
        (self.root / "etc/hostname").write_text("debian\n")
        (self.root / "etc/hosts").write_text("127.0.0.1 localhost debian\n")
        (self.root / "etc/resolv.conf").write_text(f"nameserver {NAMESERVER}\n")
        if OWN_CERTIFICATES.is_dir():
            own = self.root / OWN_CERTIFICATES.relative_to("/")
            shutil.copytree(OWN_CERTIFICATES, own, dirs_exist_ok=True)
            subprocess.run(["chroot", str(self.root), "update-ca-certificates"], check=True)

    def boot(self) -> None:
        """Returns when systemd says that everything runs."""
        with (self._folder / "boot.log").open("ab") as log:
            self._systemd = subprocess.Popen(
                [
                    *NSPAWN,
                    f"--directory={self.root}",
                    f"--bind-ro={self._repository}:/srv/noom.git",
                ],
                env={"PATH": PATH, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            until(lambda: self._is("running"), "systemd to run everything", seconds=BOOT_S)
            self._network = subprocess.Popen(
                ["slirp4netns", "--configure", "--disable-host-loopback", self._init, "tap0"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until(lambda: "tap0" in self.run("ip address"), "a network", seconds=BOOT_S)

    def stop(self) -> None:
        """As the power button does."""
        if self._systemd:
            self.command("systemctl poweroff", check=False)
            try:
                self._systemd.wait(BOOT_S)
            except subprocess.TimeoutExpired:
                self._systemd.kill()
                self._systemd.wait(BOOT_S)
        if self._network:
            self._network.terminate()
            self._network.wait(10)

    def run(self, script: str) -> str:
        """The output of these shell commands of root's. Fails with it if one of them fails."""
        done = self.command(script, check=False)
        if done.returncode:
            journal = self.command("systemctl --failed; journalctl -n 100", check=False).stdout
            said = done.stdout[-5000:]
            raise AssertionError(f"{script}\nended with {done.returncode}:\n{said}\n{journal}")
        return done.stdout

    def command(self, script: str, *, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Runs shell commands as root does who has logged in."""
        return subprocess.run(
            self.entering(script),
            check=check,
            timeout=RUN_S,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def entering(self, script: str) -> list[str]:
        """The command line that runs shell commands inside."""
        inside = ["nsenter", "--target", self._init, "--all", "--", "env", "-i", f"PATH={PATH}"]
        return [*inside, "HOME=/root", "LANG=C.UTF-8", "bash", "-c", f"set -e; cd\n{script}"]

    @property
    def _init(self) -> str:
        """The machine's first process, by our number of it."""
        assert self._systemd, "the machine was not booted"
        pid = self._systemd.pid
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0]

    def _is(self, state: str) -> bool:
        assert self._systemd, "the machine was not booted"
        assert self._systemd.poll() is None, (self._folder / "boot.log").read_text()
        if not Path(f"/proc/{self._systemd.pid}/task/{self._systemd.pid}/children").read_text():
            return False
        return self.command("systemctl is-system-running", check=False).stdout.strip() == state


def own_cgroup() -> Path:
    """A control group (version 2) that is nobody else's."""
    ours = next(
        line for line in Path("/proc/self/cgroup").read_text().splitlines() if line[0] == "0"
    )
    mounted = next(path for path in CGROUPS if (path / "cgroup.procs").exists())
    group = mounted / ours.removeprefix("0::/") / f"noom-{uuid.uuid4().hex[:8]}"
    group.mkdir()
    return group
