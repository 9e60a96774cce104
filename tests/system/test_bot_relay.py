"""Participants in Python and the relay: ways that are missing, and credentials that end."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from call.bot.participant import Participant
from call.bot.peer import Peer
from tests.support.servers.coturn import Coturn
from tests.support.servers.dev_server import Noom, free_port
from tests.system.test_bot import meet, until

SECRET = "s" * 40


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[Coturn]:
    """A relay that serves this machine alone, which it would otherwise not reach."""
    own = ("--relay-ip=127.0.0.1", "--allow-loopback-peers", "--allowed-peer-ip=127.0.0.1")
    relay = Coturn(tmp_path, *own, "--verbose")
    relay.start()
    yield relay
    relay.stop()


def failures(noom: Noom, kind: str) -> int:
    with urlopen(f"{noom.url}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    name = f'noom_ice_failures_total{{kind="{kind}"}}'
    return next(int(float(line.split()[-1])) for line in lines if line.startswith(name))


async def test_participants_without_a_relay_are_counted_once(start_noom: Callable[..., Noom]):
    nowhere = f"turn:127.0.0.1:{free_port()}?transport=tcp"
    noom = start_noom(TURN_URLS=nowhere, TURN_SECRET=SECRET, ICE_RELAY_ONLY="1")
    async with (
        Participant(noom.url, "no-way", "Nova") as nova,
        Participant(noom.url, "no-way", "Mira"),
    ):
        await until(lambda: failures(noom, "no_relay") >= 2, "what both have told")
        tried: list[Peer] = []

        def has_tried_more() -> bool:
            assert nova._mesh
            new = [one for one in nova._mesh.peers.values() if all(one is not old for old in tried)]
            tried.extend(new)
            return len(tried) > 3

        await until(has_tried_more, "new connections", 60)
        assert failures(noom, "no_relay") == 2
    assert [failures(noom, kind) for kind in ("no_path", "lost")] == [0, 0]


async def test_connection_after_a_renewal_has_the_new_credentials(
    start_noom: Callable[..., Noom], relay: Coturn
):
    noom = start_noom(
        TURN_URLS=relay.url, TURN_SECRET=relay.secret, TURN_TTL_S="30", ICE_RELAY_ONLY="1"
    )
    async with Participant(noom.url, "renewed", "Nova") as nova:
        mesh = nova._mesh
        assert mesh
        (first,) = mesh.ice_servers
        await until(lambda: mesh.ice_servers != [first], "new credentials")
        (second,) = mesh.ice_servers
        assert first.username
        assert second.username
        assert int(first.username.split(":")[0]) < int(second.username.split(":")[0])
        async with Participant(noom.url, "renewed", "Mira") as mira:
            await meet(nova, mira)
            assert f"<{second.username}>" in relay.log
            assert f"<{first.username}>" not in relay.log
