"""Network namespaces that see one address of this machine and nothing else, not even each other."""

import os
import subprocess
from itertools import count
from pathlib import Path

# From the benchmark network (RFC 2544), which nobody routes; other tests may run at the same time.
NETWORK = f"198.{18 + os.getpid() // 256 % 2}.{os.getpid() % 256}"
MISSING = "" if os.geteuid() == 0 else "only root can make network namespaces"
_numbers = count()


class Namespace:
    """A namespace with one line to this machine: `own` at its end, `gate` at ours."""

    def __init__(self) -> None:
        number = next(_numbers)
        self.name = f"noom-{os.getpid()}-{number}"
        self.gate = f"{NETWORK}.{4 * number + 1}"
        self.own = f"{NETWORK}.{4 * number + 2}"
        self._link = f"nm{os.getpid()}-{number}"

    def open(self) -> None:
        _ip("netns", "add", self.name)
        peer = ("type", "veth", "peer", "name", "line", "netns", self.name)
        _ip("link", "add", self._link, *peer)
        _ip("address", "add", f"{self.gate}/30", "dev", self._link)
        _ip("link", "set", self._link, "up")
        self._inside("link", "set", "lo", "up")
        self._inside("address", "add", f"{self.own}/30", "dev", "line")
        self._inside("link", "set", "line", "up")

    def reaches(self, address: str) -> None:
        """Adds the way to one address of this machine; there is no default route."""
        if address != self.gate:
            self._inside("route", "add", f"{address}/32", "via", self.gate)

    def has_route(self, address: str) -> bool:
        """Whether a packet to this address has anywhere to go."""
        route = ["ip", "-n", self.name, "route", "get", address]
        return subprocess.run(route, capture_output=True).returncode == 0

    def command(self, *words: str) -> list[str]:
        """A command, inside."""
        return ["ip", "netns", "exec", self.name, *words]

    def cut_off(self) -> None:
        """Drops every packet on the line, both ways, as a pulled cable does."""
        for way in ("INPUT", "OUTPUT"):
            drop = self.command("iptables", "-A", way, "-j", "DROP")
            subprocess.run(drop, check=True, capture_output=True)

    def wrap(self, program: str, folder: Path) -> Path:
        """A script that starts this program inside."""
        script = folder / f"{Path(program).name}-{self.name}"
        script.write_text(f'#!/bin/sh\nexec ip netns exec {self.name} {program} "$@"\n')
        script.chmod(0o700)
        return script

    def close(self) -> None:
        """Deletes it, and with it both ends of its line."""
        subprocess.run(["ip", "link", "delete", self._link], capture_output=True)
        subprocess.run(["ip", "netns", "delete", self.name], capture_output=True)

    def _inside(self, *arguments: str) -> None:
        _ip("-n", self.name, *arguments)


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"
