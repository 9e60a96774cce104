"""The doctor's check of the relay: a real allocation, and none for strangers."""

import asyncio
import re
import ssl

from aioice import stun
from aioice.turn import create_turn_endpoint
from django.conf import settings

from call import ice_servers
from noom_project.doctor.findings import Check, Finding, skipped, words, wrong

ANSWER_S = 8.0  # for an allocation; then the check fails
SECURE_PORT, PLAIN_PORT = 5349, 3478
URL = re.compile(
    r"(?P<scheme>turns?):(?P<host>\[[^\]]+\]|[^:?]+)(?::(?P<port>\d+))?(?:\?transport=(?P<by>\w+))?"
)
LIFETIME_S = 60


def all_checks() -> list[Check]:
    """Returns one check for each address in TURN_URLS."""

    def check(url: str) -> Check:
        return lambda: _relay(url)

    async def nothing() -> Finding:
        return skipped("relay", "TURN_URLS is not set: calls need browsers that reach each other")

    return [check(url) for url in settings.TURN_URLS] or [nothing]


async def _relay(url: str) -> Finding:
    found = URL.fullmatch(url)
    if found is None:
        return wrong("relay", f"{url} is no address of a relay", "", "Write turn:HOST:PORT.")
    server = next(one for one in ice_servers.servers("doctor") if one.username)
    try:
        relayed = await _allocate(found, server.username, server.credential)
    except stun.TransactionFailed as refusal:
        return _refused(url, refusal)
    except (OSError, TimeoutError, stun.TransactionError) as error:
        why = f"Nothing answers there ({words(error)})."
        advice = "See that coturn runs, and that firewalls let 3478 UDP and TCP through."
        return wrong("relay", f"{url} gives no allocation", why, advice)
    if await _is_open(found):
        why = "It gave an allocation without a name and a password."
        advice = "Start it with deploy/turnserver.conf (use-auth-secret): anybody may use it now."
        return wrong("relay", f"{url} relays for strangers", why, advice)
    return Finding("relay", f"{url} gave the address {relayed[0]}:{relayed[1]}, and strangers none")


def _refused(url: str, refusal: stun.TransactionFailed) -> Finding:
    code, phrase = refusal.response.attributes["ERROR-CODE"]
    advice = {
        401: "Give coturn and Noom one secret: static-auth-secret and TURN_SECRET.",
        486: "The quota is used up: raise user-quota or total-quota in deploy/turnserver.conf.",
        508: "It has no address or port left: see relay-ip and the range of ports.",
    }.get(code, "See the log of coturn.")
    return wrong("relay", f"{url} refuses an allocation", f"It answered {code} {phrase}.", advice)


async def _is_open(found: re.Match[str]) -> bool:
    try:
        await _allocate(found, None, None)
    except (OSError, TimeoutError, stun.TransactionError):
        return False
    return True


async def _allocate(
    found: re.Match[str], username: str | None, password: str | None
) -> tuple[str, int]:
    """Returns the relayed address of an allocation, which it ends at once."""
    is_secure = found["scheme"] == "turns"
    host = found["host"].strip("[]")
    port = int(found["port"] or (SECURE_PORT if is_secure else PLAIN_PORT))
    by = found["by"] or ("tcp" if is_secure else "udp")
    # A certificate is valid for the name. For UDP aioice needs an address.
    address = (host, port) if by == "tcp" else await _address(host, port)
    async with asyncio.timeout(ANSWER_S):
        transport, _ = await create_turn_endpoint(
            asyncio.DatagramProtocol,
            address,
            username,
            password,
            lifetime=LIFETIME_S,
            ssl=ssl.create_default_context() if is_secure else None,
            transport=by,
        )
    relayed: tuple[str, int] = transport.get_extra_info("sockname")
    await transport._close()
    return relayed


async def _address(host: str, port: int) -> tuple[str, int]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port)
    return str(found[0][4][0]), port
