"""The call as people in Chromium see and hear it: every picture proven by frames that grow."""

import pytest

from tests.support.browsers.media_checks import AUDIBLE, frames, hears, loudness, shows_video
from tests.support.browsers.users import join_call
from tests.support.waiting import until, until_page

PEERS = "#peers [data-participant]"
SCREENS = "#screens [data-screen] video"
# The state of the page's own peer connections, recorded before any script of the page runs.
RECORD_CONNECTIONS = """
  window.connections = [];
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...options) {
      super(...options);
      window.connections.push(this);
      this.negotiations = 0;
      this.addEventListener('signalingstatechange', () => {
        if (this.signalingState !== 'stable') this.negotiations += 1;
      });
    }
  };
"""
LIVING = "window.connections.filter(pc => pc.connectionState === 'connected')"


@pytest.fixture
def caller(people):
    """`caller(nickname, room)`: a page in the call, its peer connections recorded."""

    def enter(nickname, room, **options):
        page = people.page(nickname, **options)
        page.add_init_script(RECORD_CONNECTIONS)
        page.goto(f"/rooms/{room}/?nickname={nickname}", wait_until="domcontentloaded")
        return join_call(page)

    return enter


def named(page, nickname):
    return page.locator(f"{PEERS}:has-text('{nickname}')")


def negotiations(page):
    return page.evaluate("window.connections.reduce((sum, pc) => sum + pc.negotiations, 0)")


def test_two_callers_receive_each_others_media(people):
    nova, mira = people.enter("Nova", "two"), people.enter("Mira", "two")
    for page in (nova, mira):
        page.click("#join-call")
    for page in (nova, mira):
        shows_video(page, 1)
        hears(page, 1)
    assert named(nova, "Mira").count() == 1
    for page in (nova, mira):
        assert page.evaluate("document.querySelector('#myFace').muted")
        assert page.evaluate(
            "[...document.querySelectorAll('#tiles video')].every(video => video.playsInline)"
        )


def test_three_callers_receive_media_in_every_pair(caller):
    pages = [caller(name, "three") for name in ("Nova", "Mira", "Kim")]
    for page in pages:
        shows_video(page, 2)
        hears(page, 2)


def test_own_picture_moves_and_is_mirrored(caller):
    nova = caller("Nova", "mirror")
    shows_video(nova, 1, tiles="#myFace")
    transform = nova.evaluate("getComputedStyle(document.querySelector('#myFace')).transform")
    assert transform.startswith("matrix(-1")


def test_mute_silences_and_is_shown_and_needs_no_negotiation(caller):
    nova, mira = caller("Nova", "mute"), caller("Mira", "mute")
    hears(nova, 1)
    before = negotiations(mira)
    mira.click("#mute")
    until(lambda: loudness(nova)[0] < AUDIBLE, "silence", seconds=20)
    assert named(nova, "Mira").locator(".tile-muted").is_visible()
    mira.click("#mute")
    hears(nova, 1)
    assert named(nova, "Mira").locator(".tile-muted").is_hidden()
    assert negotiations(mira) == before


def test_camera_off_shows_an_avatar_and_camera_on_the_picture_again(caller):
    nova, mira = caller("Nova", "camera"), caller("Mira", "camera")
    shows_video(nova, 1)
    mira.click("#camera")
    until(lambda: named(nova, "Mira").locator(".tile-avatar").is_visible(), "the avatar")
    until(lambda: named(nova, "Mira").locator("video").is_hidden(), "the picture gone")
    mira.click("#camera")
    shows_video(nova, 1)


def choose(page, select, index):
    values = page.evaluate(f"[...document.querySelector('{select}').options].map(o => o.value)")
    assert len(values) > index, values
    page.evaluate(
        "([select, value]) => { const s = document.querySelector(select); s.value = value;"
        " s.dispatchEvent(new Event('change', { bubbles: true })); }",
        [select, values[index]],
    )


def test_another_camera_and_microphone_replace_the_track_and_keep_mute(caller):
    nova, mira = caller("Nova", "devices"), caller("Mira", "devices")
    shows_video(nova, 1)
    mira.click("#mute")
    before = negotiations(mira)
    old = mira.evaluate("document.querySelector('#myFace').srcObject.getVideoTracks()[0].id")
    until_page(mira, "document.querySelector('#microphones').options.length > 1")
    choose(mira, "#microphones", 1)
    mira.evaluate("window.old = document.querySelector('#myFace').srcObject.getVideoTracks()[0]")
    choose(mira, "#cameras", 2)  # Chromium's second fake camera gives 16-bit grey: no picture
    changed = "old => document.querySelector('#myFace').srcObject.getVideoTracks()[0].id !== old"
    until_page(mira, changed, old)
    until_page(mira, "window.old.readyState === 'ended'")
    shows_video(nova, 1)
    assert mira.get_attribute("#mute", "data-off") == "true"
    assert loudness(nova)[0] < AUDIBLE
    assert negotiations(mira) == before


def test_shared_screen_shows_beside_the_camera(caller):
    nova, mira = caller("Nova", "screen"), caller("Mira", "screen")
    shows_video(nova, 1)
    before = negotiations(mira)
    mira.click("#share")
    shows_video(nova, 1, tiles=SCREENS)
    shows_video(nova, 1)
    assert negotiations(mira) == before
    mira.click("#share")
    until(lambda: nova.locator(SCREENS).count() == 0, "the screen gone")
    shows_video(nova, 1)


def test_leaving_the_call_removes_the_tile_and_keeps_the_chat(caller):
    nova, mira = caller("Nova", "leave"), caller("Mira", "leave")
    shows_video(nova, 1)
    mira.click("#leave-call")
    until(lambda: nova.locator(PEERS).count() == 0, "the tile gone", seconds=3)
    assert mira.locator("#join-call").is_visible()
    mira.fill("form#msg [name=text]", "still here")
    mira.press("form#msg [name=text]", "Enter")
    until(lambda: "still here" in nova.inner_text("#messages"), "the message")
    tracks = "document.querySelector('#myFace').srcObject?.getTracks().length ?? 0"
    assert mira.evaluate(tracks) == 0
    mira.click("#join-call")
    shows_video(nova, 1)
    shows_video(mira, 1)


def test_crashed_participant_leaves_after_its_lease(caller):
    nova, mira = caller("Nova", "crash"), caller("Mira", "crash")
    shows_video(nova, 1)
    mira.context.close()
    until(lambda: nova.locator(PEERS).count() == 0, "the ghost gone", seconds=20)


def test_reloaded_page_rejoins_as_the_same_participant(caller):
    nova, mira = caller("Nova", "reload"), caller("Mira", "reload")
    shows_video(nova, 1)
    before = nova.get_attribute(PEERS, "data-participant")
    mira.reload()
    mira.click("#join-call")
    shows_video(mira, 1)
    shows_video(nova, 1)
    assert nova.get_attribute(PEERS, "data-participant") == before


def test_lost_signalling_connection_leaves_media_running(caller, noom, people):
    people.expected_errors += ["WebSocket", "ERR_CONNECTION_"]
    nova, mira = caller("Nova", "signal"), caller("Mira", "signal")
    shows_video(nova, 1)
    connections = nova.evaluate("window.connections.length")
    noom.kill()
    shows_video(nova, 1)
    noom.start()
    until_page(nova, "document.querySelector('#connection').dataset.state === 'open'", seconds=30)
    until_page(mira, "document.querySelector('#connection').dataset.state === 'open'", seconds=30)
    mira.click("#mute")
    until(lambda: named(nova, "Mira").locator(".tile-muted").is_visible(), "the mark", seconds=20)
    shows_video(nova, 1)
    assert nova.evaluate("window.connections.length") == connections


def test_ninth_caller_sees_that_the_call_is_full_and_keeps_the_chat(start_noom, browser, people):
    people.url = start_noom(CALL_CAPACITY="2").url
    people.enter("Nova", "full", call=True)
    people.enter("Mira", "full", call=True)
    late = people.enter("Late", "full")
    late.click("#join-call")
    until(lambda: "The call is full" in late.inner_text("#pre-call"), "the refusal")
    late.fill("form#msg [name=text]", "let me in")
    late.press("form#msg [name=text]", "Enter")
    until(lambda: "let me in" in late.inner_text("#messages"), "the message")


def test_tile_is_pinned_by_a_click_and_by_a_key(caller):
    pages = [caller(name, "pin") for name in ("Nova", "Mira", "Kim")]
    nova = pages[0]
    shows_video(nova, 2)
    width = "tile => tile.getBoundingClientRect().width"
    tile = named(nova, "Kim")
    before = tile.evaluate(width)
    tile.click()
    until(lambda: tile.evaluate(width) > before * 1.3, "the large tile")
    tile.locator(".tile-pin").focus()
    nova.keyboard.press("Enter")
    until(lambda: tile.evaluate(width) <= before * 1.05, "the small tile")
    shows_video(nova, 2)


def test_upload_is_divided_by_the_number_of_people(caller):
    most = f"""Promise.all({LIVING}.map(pc => pc.getSenders()[1].getParameters()))
      .then(all => Math.max(0, ...all.map(p => p.encodings[0]?.maxBitrate ?? Infinity)))"""
    nova = caller("Nova", "budget")
    caller("Mira", "budget")
    shows_video(nova, 1)
    alone = nova.evaluate(most)
    caller("Kim", "budget")
    shows_video(nova, 2)
    until(lambda: 0 < nova.evaluate(most) < alone, "a smaller share each")


def test_page_counts_frames_at_all(caller):
    """The premise of the tests above: a picture that stands still is noticed."""
    nova, mira = caller("Nova", "premise"), caller("Mira", "premise")
    shows_video(nova, 1)
    mira.evaluate(
        "Promise.all(window.connections.flatMap(pc => pc.getSenders())"
        ".map(sender => sender.replaceTrack(null)))"
    )
    until(lambda: stands_still(nova), "the picture to stand still")


def stands_still(page):
    before = frames(page)
    page.wait_for_timeout(1_000)
    return frames(page) == before
