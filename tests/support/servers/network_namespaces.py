"""Network namespaces that reach one address of this machine and nothing else.

They do not reach each other.
"""

import os
import socket
import subprocess
from contextlib import suppress
from itertools import count
from pathlib import Path
from threading import Thread

# From the benchmark network (RFC 2544), which no router forwards; other tests may run at once.
NETWORK = f"198.{18 + os.getpid() // 256 % 2}.{os.getpid() % 256}"
# No network card accepts packets for this neighbour.
NOBODY = ("lladdr", "02:00:00:00:00:01", "nud", "permanent")
ETH_P_IP = 0x0800
MISSING = "" if os.geteuid() == 0 else "only root can make network namespaces"
_numbers = count()


class Namespace:
    """A namespace with one link to this machine.

    `own` is the address of its end, `gate` that of the machine's end.
    """

    def __init__(self) -> None:
        number = next(_numbers)
        self.name = f"noom-{os.getpid()}-{number}"
        self.gate, self.own = _addresses(number)
        self._link = f"nm{os.getpid()}-{number}"
        self.inside = ("ip", "netns", "exec", self.name)  # the beginning of a command inside
        self._watching, self._strays = True, set[str]()

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
        """Add the route to one address of this machine; there is no default route."""
        if address != self.gate:
            self._inside("route", "add", f"{address}/32", "via", self.gate)

    def tempt(self) -> None:
        """Add a default route that leads nowhere, and record the packets that take it."""
        nowhere = f"{NETWORK}.254"
        self._inside("neighbour", "add", nowhere, *NOBODY, "dev", "line")
        self._inside("route", "add", "default", "via", nowhere, "dev", "line", "onlink")
        self._watched = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_IP))
        self._watched.bind((self._link, 0))
        self._watched.settimeout(0.5)
        self._watcher = Thread(target=self._watch, name="strays")
        self._watcher.start()

    def strays(self) -> set[str]:
        """Return the addresses that received a packet since `tempt`.

        It ends the recording.
        """
        self._watching = False
        self._watcher.join()
        self._watched.close()
        return self._strays

    def _watch(self) -> None:
        while self._watching:
            with suppress(OSError):
                packet = self._watched.recv(64)
                if packet[:6] == bytes.fromhex(NOBODY[1].replace(":", "")):
                    self._strays.add(socket.inet_ntoa(packet[30:34]))

    def pull(self) -> None:
        """Pull the cable: programs inside see the link go down."""
        _ip("link", "set", self._link, "down")

    def plug(self) -> None:
        _ip("link", "set", self._link, "up")

    def silence(self) -> None:
        """Lose every packet, in and out, without a word to the senders."""
        self._inside("neighbour", "replace", self.gate, *NOBODY, "dev", "line")
        _ip("neighbour", "replace", self.own, *NOBODY, "dev", self._link)

    def speak(self) -> None:
        self._inside("neighbour", "delete", self.gate, "dev", "line")
        _ip("neighbour", "delete", self.own, "dev", self._link)

    def move(self) -> None:
        """Change the address inside, as after a change of network; the gate keeps its own."""
        old = self.own
        gate, self.own = _addresses(next(_numbers))
        _ip("address", "add", f"{gate}/30", "dev", self._link)
        self._inside("address", "delete", f"{old}/30", "dev", "line")
        self._inside("address", "add", f"{self.own}/30", "dev", "line")
        self._inside("route", "add", f"{self.gate}/32", "via", gate)

    def has_route(self, address: str) -> bool:
        """Return whether a packet to this address has a route."""
        route = ["ip", "-n", self.name, "route", "get", address]
        return subprocess.run(route, capture_output=True).returncode == 0

    def wrap(self, program: str, folder: Path) -> Path:
        """Return a script that starts this program inside."""
        script = folder / f"{Path(program).name}-{self.name}"
        script.write_text(f'#!/bin/sh\nexec {" ".join(self.inside)} {program} "$@"\n')
        script.chmod(0o700)
        return script

    def close(self) -> None:
        """Delete the namespace, and with it both ends of its link."""
        self._watching = False
        subprocess.run(["ip", "link", "delete", self._link], capture_output=True)
        subprocess.run(["ip", "netns", "delete", self.name], capture_output=True)

    def _inside(self, *arguments: str) -> None:
        _ip("-n", self.name, *arguments)


def _addresses(number: int) -> tuple[str, str]:
    return f"{NETWORK}.{4 * number + 1}", f"{NETWORK}.{4 * number + 2}"


def _ip(*arguments: str) -> None:
    _run("ip", *arguments)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout
