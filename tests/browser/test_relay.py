"""Two people who can reach only Noom and the relay see each other through the relay."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.support.browsers.home_networks import ReachableNoom, people_at, two_homes
from tests.support.browsers.media_checks import frames, shows_video
from tests.support.browsers.users import Users, join_call
from tests.support.servers.coturn import Coturn
from tests.support.servers.dev_server import Noom
from tests.support.servers.network_namespaces import MISSING, Namespace
from tests.support.waiting import until, until_page

pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)

# The page's peer connections, and what became of each; recorded before any script of the page runs.
RECORD_CONNECTIONS = """
  window.connections = [];
  window.candidates = [];
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...options) {
      super(...options);
      window.connections.push(this);
      this.began = options[0].iceServers.at(-1).username;
      this.states = [];
      this.negotiations = 0;
      this.addEventListener('signalingstatechange', () => {
        if (this.signalingState !== 'stable') this.negotiations += 1;
      });
      this.addEventListener('connectionstatechange', () => this.states.push(this.connectionState));
      this.addEventListener('icecandidate', ({ candidate }) => {
        if (candidate?.type) window.candidates.push(candidate.type);
      });
    }
  };
"""
# [type of the local candidate, type of the remote one] of each connection that lives.
CHOSEN_PAIRS = """async () => {
  const chosen = [];
  for (const connection of window.connections) {
    const stats = await connection.getStats();
    const transport = [...stats.values()].find(({ type }) => type === 'transport');
    const pair = stats.get(transport?.selectedCandidatePairId);
    if (!pair || connection.connectionState !== 'connected') continue;
    const ends = [pair.localCandidateId, pair.remoteCandidateId];
    chosen.push(ends.map(id => stats.get(id).candidateType));
  }
  return chosen;
}"""
# The page has waited as long as it waits for a connection, and has begun once more.
TRIED_AGAIN = "window.connections.some(({ negotiations }) => negotiations >= 2)"
USERNAMES = """window.connections
  .filter(({ connectionState }) => connectionState === 'connected')
  .map(connection => connection.getConfiguration().iceServers.at(-1).username)"""
CONNECTED = "window.connections.some(connection => connection.states.includes('connected'))"


@pytest.fixture(scope="module")
def home_networks() -> Iterator[list[Namespace]]:
    """Two namespaces that reach the first one's gate, where Noom and the relay are."""
    with two_homes() as both:
        yield both


@pytest.fixture(scope="module")
def relay(
    home_networks: list[Namespace], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Coturn]:
    """The relay of deploy/, at an address that it denies as a peer, like every other that is not
    public. Two people on one relay are peers of each other's relayed addresses, so here, and only
    because the relay's own address is not public either, that one address is allowed."""
    gate = home_networks[0].gate
    options = [f"--relay-ip={gate}", f"--allowed-peer-ip={gate}"]
    relay = Coturn(tmp_path_factory.mktemp("coturn"), "--verbose", *options, host=gate)
    relay.start()
    yield relay
    relay.stop()


@pytest.fixture(scope="module")
def relayed_noom(
    home_networks: list[Namespace], relay: Coturn, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Noom]:
    folder = tmp_path_factory.mktemp("noom")
    secret = relay.secret
    noom = ReachableNoom(folder, home_networks[0].gate, TURN_URLS=relay.url, TURN_SECRET=secret)
    noom.start()
    yield noom
    noom.stop()


@pytest.fixture
def call(
    home_networks: list[Namespace], relayed_noom: Noom, browser: Browser, tmp_path: Path
) -> Iterator[Callable[[str], list[Page]]]:
    """`call(room)`: Nova and Mira, each in a Chromium of her own in a namespace of her own."""
    with ExitStack() as closings:
        everyone = [
            people_at(home, relayed_noom.url, browser, folder=tmp_path, closings=closings)
            for home in home_networks
        ]

        def meet(room: str) -> list[Page]:
            names = zip(everyone, ("Nova", "Mira"), strict=True)
            return [enter(people, nickname, room) for people, nickname in names]

        yield meet


def enter(people: Users, nickname: str, room: str) -> Page:
    page = people.page(nickname)
    page.add_init_script(RECORD_CONNECTIONS)
    page.goto(f"/rooms/{room}/?nickname={nickname}")
    return join_call(page)


def test_home_networks_cannot_reach_each_other(home_networks: list[Namespace]):
    nova, mira = home_networks
    for one, other in ((nova, mira), (mira, nova)):
        assert one.has_route(nova.gate)
        assert not one.has_route(other.own)
        assert not one.has_route("1.1.1.1")


def test_callers_receive_media_only_while_the_relay_runs(
    call: Callable[[str], list[Page]], relay: Coturn
):
    pages = call("relayed")
    for page in pages:
        shows_relayed_video(page, seconds=60)
    relay.stop()
    for page in pages:
        until(partial(stands_still, page), "the picture to stop", seconds=30)
    relay.start()
    for page in pages:
        shows_relayed_video(page, seconds=90)


def test_restart_and_new_connection_use_renewed_credentials(
    call: Callable[[str], list[Page]], relay: Coturn
):
    nova, mira = call("renewed")
    shows_relayed_video(nova, seconds=60)

    def renewed(before: str) -> str:
        """The next credentials of Nova's connection, which the relay has not seen yet."""
        (name,) = until(
            lambda: [name for name in nova.evaluate(USERNAMES) if name != before],
            "new credentials",
            seconds=30,
        )
        assert int(before.partition(":")[0]) < int(name.partition(":")[0])
        assert f"<{name}>" not in relay.log
        return str(name)

    (first,) = nova.evaluate(USERNAMES)
    assert f"<{first}>" in relay.log
    second = renewed(first)
    nova.evaluate("window.dispatchEvent(new Event('online'))")
    until(lambda: f"<{second}>" in relay.log, "an allocation with the new credentials")
    third = renewed(second)
    mira.click("#leave-call")
    join_call(mira)
    shows_relayed_video(nova, seconds=60)
    began = nova.evaluate("window.connections.at(-1).began")
    assert int(began.partition(":")[0]) >= int(third.partition(":")[0])
    assert f"<{began}>" in relay.log


def shows_relayed_video(page: Page, *, seconds: float) -> None:
    """Waits for decoded frames of the other, over a pair of which both ends are the relay's."""
    shows_video(page, 1, seconds=seconds)
    relayed = [["relay", "relay"]]
    until(lambda: page.evaluate(CHOSEN_PAIRS) == relayed, f"the only pair to be {relayed}")
    shows_video(page, 1)


def stands_still(page: Page) -> bool:
    """Whether no tile shows a new frame for a while that is long for a picture."""
    before = frames(page)
    page.wait_for_timeout(2_000)
    return frames(page) == before


def test_no_media_flows_without_the_relay(call: Callable[[str], list[Page]], relay: Coturn):
    relay.stop()
    try:
        pages = call("without-relay")
        for page in pages:
            until_page(page, TRIED_AGAIN, seconds=60)
            assert not page.evaluate(CONNECTED)
            assert stands_still(page)
            assert "relay" not in page.evaluate("window.candidates")
    finally:
        relay.start()
