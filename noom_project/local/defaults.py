"""Defaults without configuration: a secret key, and this machine's names."""

import fcntl
import os
import secrets
import socket
from pathlib import Path

import ifaddr

from noom_project.local import private_files

MIN_SECRET_CHARS = 32


def load_or_create_secret(path: Path) -> str:
    """Returns the secret in the file `path`, made on first use, private to its owner.

    It replaces a file that is empty or cut short, as a full disk may leave it. It ends the program
    if it cannot store a secret.
    """
    try:
        path.parent.mkdir(mode=private_files.FOLDER_MODE, parents=True, exist_ok=True)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            # If two processes start at once, one makes the secret and the other reads it.
            fcntl.flock(folder, fcntl.LOCK_EX)
            if len(_read(path)) < MIN_SECRET_CHARS:
                private_files.write(path, secrets.token_urlsafe(50).encode())
            return _read(path)
        finally:
            os.close(folder)
    except OSError as error:
        raise SystemExit(
            f"Noom cannot start: it cannot keep its secret key in {path} ({error.strerror});"
            " make room or let it write there, or set SECRET_KEY."
        ) from error


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except FileNotFoundError:
        return ""


def own_addresses() -> list[str]:
    """Returns this machine's IP addresses, without the link-local ones of IPv6."""
    found = [ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips]
    return [ip if isinstance(ip, str) else ip[0] for ip in found if ip[0][:4] != "fe80"]


def own_hosts() -> list[str]:
    """Returns the hosts of an embedded Noom: this machine's own names and addresses.

    A name that somebody else could point at this machine is none (DNS rebinding).
    """
    name = socket.gethostname()
    addresses = [f"[{ip}]" if ":" in ip else ip for ip in own_addresses()]
    return ["localhost", ".localhost", name, f"{name}.local", "127.0.0.1", "[::1]", *addresses]
