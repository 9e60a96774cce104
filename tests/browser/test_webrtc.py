"""Media between people, in real Chromium: meshes in one page, over a wire that can be bent."""

import functools
import json
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

STATIC = Path(__file__).parents[2] / "static"
NAMES = """Bot, World, NO_TRACKS, connected, SpeakerDetector, LocalMedia, fragment, framesGrow,
  leftovers, lines, movingPicture, peer, pictureMid, play, settled, sleep, stat, tone, trouble,
  until, withCamera"""

Run = Callable[[str], Any]


class Files(SimpleHTTPRequestHandler):
    """`static/` at the root, the tests' own script, and an empty page."""

    def do_GET(self) -> None:
        if self.path != "/":
            return super().do_GET()
        body = b"<!doctype html><title>peers</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        return None

    def translate_path(self, path: str) -> str:
        if path == "/webrtc_page.js":
            return str(Path(__file__).with_name("webrtc_page.js"))
        return super().translate_path(path)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=STATIC))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(permissions=["camera", "microphone"])
    page = context.new_page()
    page.goto(address)
    yield page
    context.close()


@pytest.fixture
def run(page: Page) -> Iterator[Run]:
    """Run a body of JavaScript that knows what `webrtc_page.js` exports. Nothing may go wrong
    unnoticed: no unhandled rejection, and no error that a peer reports."""

    def run(body: str) -> Any:
        return page.evaluate(
            f"""async () => {{
              const kit = await import('/webrtc_page.js');
              const {{ {NAMES} }} = kit;
              {body}
            }}"""
        )

    yield run
    page.wait_for_timeout(100)
    assert run("return trouble;") == []


@pytest.fixture
def two(run: Run) -> Run:
    """Ann and Bob, with camera and microphone; neither knows of the other yet."""
    setup = """
      const world = new World();
      const ann = world.join('ann', { since: 1, tracks: withCamera() });
      const bob = world.join('bob', { since: 2, tracks: withCamera() });
    """
    return lambda body: run(setup + body)


@pytest.fixture
def met(two: Run) -> Run:
    """Ann and Bob, who see each other."""
    setup = """
      world.tell('ann', 'bob');
      await framesGrow(ann, 'bob');
      await framesGrow(bob, 'ann');
    """
    return lambda body: two(setup + body)


def test_offer_before_the_roster_makes_the_peer(two: Run) -> None:
    result = two("""
        world.tell('ann');
        await framesGrow(bob, 'ann');
        world.tell('bob');
        await framesGrow(ann, 'bob');
        return [world.count('offer'), world.count('answer')];""")
    assert result == [1, 1]


def test_peer_missing_from_the_roster_is_dropped(two: Run) -> None:
    two("""
        world.tell('ann');
        await connected(bob, 'ann');
        ann.mesh.close();
        await until('bob alone', () => bob.mesh.peers.size === 0);""")


def test_candidates_may_come_before_their_description(two: Run) -> None:
    early = two("""
        const order = [];
        world.bend = ({ type }) => (type === 'ice' ? 0 : 400);
        const { deliver } = world;
        world.deliver = (message) => { order.push(message.type); deliver.call(world, message); };
        world.tell('ann', 'bob');
        await framesGrow(ann, 'bob');
        return order.indexOf('ice') < order.indexOf('offer') && world.count('offer') === 1;""")
    assert early


@pytest.mark.parametrize(("lost", "watching"), [("offer", "bob, 'ann'"), ("answer", "ann, 'bob'")])
def test_lost_description_is_sent_again(two: Run, lost: str, watching: str) -> None:
    two(f"""
        let lost = 0;
        world.bend = ({{ type }}) => (type === '{lost}' && lost++ === 0 ? null : 0);
        world.tell('ann', 'bob');
        await framesGrow({watching});""")


def test_late_answer_to_a_repeated_offer_is_accepted(two: Run) -> None:
    """Both ways together take longer than the wait before an offer is sent again."""
    counts = two("""
        world.bend = ({ type }) => (type === 'ice' ? 0 : 2_500);
        world.tell('ann', 'bob');
        await settled(ann, bob);
        return [world.count('offer', 'ann'), world.count('answer')];""")
    assert counts == [2, 1]


def test_polite_side_offers_when_the_other_cannot(two: Run) -> None:
    offers = two("""
        world.bend = ({ type, from }) => (type === 'offer' && from === 'ann' ? null : 0);
        world.tell('bob');
        await connected(bob, 'ann');
        return [world.count('offer', 'ann'), world.count('offer', 'bob')];""")
    assert offers == [0, 1]


def test_twenty_glares_end_in_one_connection_of_four_transceivers(run: Run) -> None:
    result = run("""
        const seen = [];
        for (let round = 0; round < 20; round += 1) {
          const world = new World();
          const ann = world.join('ann', { since: 1, session: `a${round}` });
          const bob = world.join('bob', { since: 2, session: `b${round}` });
          const lag = { ann: Math.random() * 30, bob: Math.random() * 30 };
          world.bend = ({ from }) => (round % 2 ? lag[from] : 0);
          world.tell('ann', 'bob');
          peer(bob, 'ann').offer();
          await settled(ann, bob);
          const glare = world.count('offer', 'ann') >= 1 && world.count('offer', 'bob') >= 1;
          const before = fragment(bob, 'ann');
          peer(ann, 'bob').restart();
          peer(bob, 'ann').restart();
          await until('a restart', () => fragment(bob, 'ann') !== before);
          await settled(ann, bob);
          seen.push([glare, lines(ann, 'bob'), lines(bob, 'ann'), leftovers(bob, 'ann')]);
          world.close();
        }
        return seen;""")
    assert result == [[True, 4, 4, 0]] * 20


def test_pictures_flow_after_a_glare(two: Run) -> None:
    two("""
        world.tell('ann', 'bob');
        peer(bob, 'ann').offer();
        await framesGrow(ann, 'bob');
        await framesGrow(bob, 'ann');""")


def test_old_numbers_are_dropped(met: Run) -> None:
    counts = met("""
        const offer = world.first('offer');
        world.deliver(offer);
        world.deliver(world.first('answer', 'bob'));
        offer.payload.description.number -= 1;
        world.deliver(offer);
        peer(ann, 'bob').restart();
        await until('the answer to the restart', () => world.count('answer') === 2);
        await framesGrow(ann, 'bob');
        return [world.count('offer'), world.count('answer')];""")
    assert counts == [2, 2]


def test_reloaded_page_replaces_its_old_self(met: Run) -> None:
    met("""
        const late = world.first('ice', 'bob');
        const old = peer(ann, 'bob');
        const stale = world.callers('ann', 'bob');
        bob.mesh.close();
        const again = world.join('bob', { since: 2, session: 'bob-2', tracks: withCamera() });
        again.mesh.setCallers(world.callers('ann', 'bob'));
        peer(again, 'ann').offer();
        await until('the new one', () => peer(ann, 'bob') !== old);
        ann.mesh.setCallers(stale);
        world.deliver(late);
        world.tell('ann');
        await framesGrow(ann, 'bob');
        await framesGrow(again, 'ann');
        if (old.pc.connectionState !== 'closed') throw new Error('the old one lives on');""")


@pytest.mark.parametrize("since", [0, 3])
def test_peer_dropped_and_added_again_receives_media(met: Run, since: int) -> None:
    """Bob was away for longer than his lease: Ann has let him go, he does not know."""
    met(f"""
        ann.mesh.setCallers({{ ann: world.callers('ann').ann }});
        bob.since = {since};
        world.tell('ann', 'bob');
        await until('streams', () => ann.streams.get('bob'));
        await framesGrow(ann, 'bob');
        await framesGrow(bob, 'ann');
        if (lines(ann, 'bob') !== 4) throw new Error('lines');""")


def test_restart_finds_a_new_path_and_frames_go_on(met: Run) -> None:
    changed = met("""
        const before = [fragment(ann, 'bob'), fragment(bob, 'ann')];
        bob.mesh.networkChanged();
        await until('answered', () => world.count('answer') === 2);
        await sleep(200);
        await framesGrow(ann, 'bob');
        await framesGrow(bob, 'ann');
        return before[0] !== fragment(ann, 'bob') && before[1] !== fragment(bob, 'ann');""")
    assert changed


def test_connection_that_lost_its_candidates_restarts(two: Run) -> None:
    two("""
        let deaf = true;
        const blind = (sdp) => sdp.replace(/^a=candidate:.*\\r\\n/gm, '');
        world.bend = (message) => {
          const { description } = message.payload;
          if (deaf && description) description.sdp = blind(description.sdp);
          return deaf && message.type === 'ice' ? null : 0;
        };
        world.tell('ann', 'bob');
        await until('answered', () => world.count('answer') === 1);
        await sleep(1000);
        deaf = false;
        await until('restarted', () => world.count('answer') === 2, 25_000);
        await framesGrow(ann, 'bob');""")


def test_another_camera_and_a_screen_need_no_negotiation(met: Run) -> None:
    result = met("""
        const before = world.descriptions();
        ann.mesh.setTracks(withCamera({ camera: movingPicture(640, 480) }));
        const width = () => stat(bob, 'ann', 'video', 'frameWidth');
        await until('the other camera', async () => (await width()) > 320, 30_000);
        const screen = { screen: movingPicture(800, 600), screenSound: tone() };
        ann.mesh.setTracks(withCamera(screen));
        await framesGrow(bob, 'ann', pictureMid(bob, 'ann', 1));
        const shown = bob.streams.get('ann').screen.getTracks().map((track) => track.kind).sort();
        ann.mesh.setTracks(withCamera());
        await framesGrow(bob, 'ann');
        return [world.descriptions() - before, shown];""")
    assert result == [0, ["audio", "video"]]


def test_tracks_may_come_after_the_connection(run: Run) -> None:
    result = run("""
        const world = new World();
        const ann = world.join('ann', { since: 1 });
        const bob = world.join('bob', { since: 2 });
        world.tell('ann', 'bob');
        await connected(ann, 'bob');
        const pictures = () => bob.streams.get('ann').camera.getVideoTracks().length;
        const before = pictures();
        ann.mesh.setTracks(withCamera());
        await framesGrow(bob, 'ann');
        return [before, pictures(), world.count('offer')];""")
    assert result == [0, 1, 1]


def test_caller_without_a_camera_sends_sound(run: Run) -> None:
    """Chromium never starts an element whose stream has a video track without frames."""
    run("""
        const world = new World();
        const ann = world.join('ann', { since: 1, tracks: { ...NO_TRACKS, microphone: tone() } });
        const bob = world.join('bob', { since: 2 });
        world.tell('ann', 'bob');
        await until('streams', () => bob.streams.get('ann'));
        const video = play(bob.streams.get('ann').camera);
        const energy = () => stat(bob, 'ann', 'audio', 'totalAudioEnergy');
        await until('sound', async () => !video.paused && (await energy()) > 0);
        ann.mesh.setTracks(withCamera());
        await until('the picture', () => video.videoWidth === 320);
        const callers = world.callers('ann', 'bob');
        callers.ann.media.video = false;
        bob.mesh.setCallers(callers);
        const another = play(bob.streams.get('ann').camera);
        await until('sound in another element', () => another.currentTime > 0.3);""")


def test_closing_at_any_moment_leaves_nothing_behind(run: Run) -> None:
    run("""
        for (let moment = 0; moment < 24; moment += 1) {
          const world = new World();
          const ann = world.join('ann', { since: 1, session: `a${moment}` });
          const bob = world.join('bob', { since: 2, session: `b${moment}` });
          world.tell('ann', 'bob');
          if (moment % 2) peer(bob, 'ann').offer();
          await sleep(moment * 3);
          ann.mesh.setTracks(NO_TRACKS);
          peer(ann, 'bob').restart();
          ann.mesh.close();
          await sleep(moment % 5);
          bob.mesh.close();
        }
        await sleep(500);""")


@pytest.mark.parametrize("offering", [True, False])
def test_foreign_peer_with_fewer_transceivers_connects(run: Run, offering: bool) -> None:
    run(
        f"const offering = {json.dumps(offering)};"
        + """
        const world = new World();
        const tracks = withCamera({ screen: movingPicture() });
        const ann = world.join('ann', { since: 2, tracks });
        const bot = new Bot(world, { since: offering ? 1 : 3 });
        world.tell('ann');
        if (offering) await bot.offer();
        await connected(ann, 'bot');
        await until('frames', () => bot.sees());
        const before = fragment(ann, 'bot');
        ann.mesh.setTracks(withCamera({ screen: movingPicture() }));
        peer(ann, 'bot').restart();
        await until('a restart', () => fragment(ann, 'bot') !== before);
        await until('stable', () => peer(ann, 'bot').pc.signalingState === 'stable');"""
    )


def test_detector_reports_start_and_end_of_speech(run: Run) -> None:
    run("""
        let speaking = new Set();
        const levels = new SpeakerDetector({ onSpeaking: (ids) => { speaking = ids; } });
        const world = new World();
        const onLevels = (id, read) => (read ? levels.listen(id, read) : levels.forget(id));
        const microphone = tone();
        const ann = world.join('ann', { since: 1, tracks: { ...NO_TRACKS, microphone } });
        const bob = world.join('bob', { since: 2, onLevels });
        world.tell('ann', 'bob');
        await until('streams', () => bob.streams.get('ann'));
        play(bob.streams.get('ann').camera);
        await until('speech', () => speaking.has('ann'));
        microphone.enabled = false;
        await until('silence', () => !speaking.has('ann'));
        levels.stop();""")


def test_device_is_switched_and_mute_is_kept(run: Run) -> None:
    run("""
        let state;
        const media = new LocalMedia({ storage: localStorage, onChange: (now) => { state = now; },
          onProblem: (kind, problem) => trouble.push(`${kind} ${problem}`) });
        await media.start({ audio: true, video: true });
        await media.toggleMic();
        const { microphone, camera } = state.tracks;
        const ids = {
          audioinput: state.devices.audioinput.find(({ id }) => id !== state.chosen.audioinput).id,
          videoinput: state.devices.videoinput.at(-1).id,
        };
        for (const [kind, id] of Object.entries(ids)) await media.chooseDevice(kind, id);
        const check = (right, what) => { if (!right) throw new Error(what); };
        check(microphone.readyState === 'ended', 'the old microphone released');
        check(camera.readyState === 'ended', 'the old camera released');
        check(!state.audio && state.video && !state.tracks.microphone.enabled, 'still muted');
        check(state.tracks.camera.getSettings().deviceId === ids.videoinput, 'the other camera');
        check(state.chosen.audioinput === ids.audioinput, 'the choice');
        await media.toggleCamera();
        check(state.tracks.camera === null && !state.video, 'camera released');
        media.stop();
        check(Object.values(state.tracks).every((track) => track === null), 'all released');""")
