"""Camera and microphone as a person left them: off stays off, the chosen one stays chosen."""

from playwright.sync_api import Page

from tests.support.browsers.media_checks import hears, shows_video
from tests.support.browsers.users import join_call
from tests.support.waiting import until, until_page

SENT_LABEL = "document.getElementById('cameras').selectedOptions[0]?.label ?? ''"


def enter(people, nickname: str, room: str, script: str = "") -> Page:
    page: Page = people.page(nickname)
    if script:
        page.add_init_script(script)
    page.goto(f"/rooms/{room}/?nickname={nickname}", wait_until="domcontentloaded")
    until(lambda: "Connected" in page.inner_text("#connection"), "the room")
    return page


def test_switches_hold_over_leaving_and_reloading(people):
    nova = enter(people, "Nova", "switches")
    mira = enter(people, "Mira", "switches")
    nova.click("#pre-call-camera")
    join_call(nova)
    join_call(mira)
    hears(mira, 1)
    assert mira.locator("#peers .tile-avatar").is_visible()
    nova.click("#mute")
    nova.click("#leave-call")
    for _ in ("left", "reloaded"):
        assert nova.get_attribute("#pre-call-mic", "data-off") == "true"
        assert nova.get_attribute("#pre-call-camera", "data-off") == "true"
        nova.reload(wait_until="domcontentloaded")
    join_call(nova)
    until(lambda: mira.locator("#peers .tile-muted").is_visible(), "the muted mark")
    nova.click("#camera")
    shows_video(mira, 1)


def test_chosen_camera_survives_off_leave_and_reload(people):
    page = enter(people, "Nova", "chosen")
    join_call(page)
    until_page(page, "document.querySelectorAll('#cameras option').length > 2")
    label = page.evaluate("document.querySelectorAll('#cameras option')[2].label")
    page.click("[data-menu=picture-menu]")
    page.select_option("#cameras", index=2)
    until_page(
        page, f"document.querySelector('#myFace').srcObject.getTracks()[0].label === '{label}'"
    )
    page.click("#camera")
    until(lambda: page.get_attribute("#camera", "data-off") == "true", "off")
    page.click("#camera")
    until_page(
        page, f"document.querySelector('#myFace').srcObject?.getTracks()[0].label === '{label}'"
    )
    page.reload(wait_until="domcontentloaded")
    join_call(page)
    until_page(
        page, f"document.querySelector('#myFace').srcObject?.getTracks()[0].label === '{label}'"
    )


def test_meter_that_fails_costs_no_camera(people):
    broken = "window.AudioContext = class { constructor() { throw new Error('sample rates'); } };"
    nova = enter(people, "Nova", "meter", broken)
    mira = enter(people, "Mira", "meter")
    join_call(nova)
    join_call(mira)
    shows_video(mira, 1)
    nova.click("#mute")
    until(lambda: mira.locator("#peers .tile-muted").is_visible(), "the muted mark")


def test_unanswered_permission_prompt_shows_a_notice(people):
    hanging = "MediaDevices.prototype.getUserMedia = () => new Promise(() => {});"
    page = enter(people, "Nova", "question", hanging)
    join_call(page)
    until(lambda: "Your browser is asking" in page.inner_text("#notice"), "the sentence")
    page.click("#mute")
    page.click("#leave-call")
    until(lambda: page.locator("#notice").is_hidden(), "the sentence gone")
    assert page.get_attribute("#pre-call-mic", "data-off") == "true"


def test_busy_camera_notice_ends_when_the_camera_is_free(people):
    busy = """window.busy = true;
const open = MediaDevices.prototype.getUserMedia;
MediaDevices.prototype.getUserMedia = function (wanted) {
  if (wanted.video && window.busy) return Promise.reject(new DOMException('', 'NotReadableError'));
  return open.call(this, wanted);
};"""
    page = enter(people, "Nova", "busy", busy)
    join_call(page)
    page.locator("#notice").wait_for(state="visible")
    page.evaluate("window.busy = false")
    page.click("#camera")
    until(lambda: page.locator("#notice").is_hidden(), "the sentence gone")


def test_upright_picture_keeps_its_shape(people):
    upright = """const open = MediaDevices.prototype.getUserMedia;
MediaDevices.prototype.getUserMedia = async function (wanted) {
  const stream = await open.call(this, wanted);
  const canvas = Object.assign(document.createElement('canvas'), { width: 360, height: 640 });
  const pen = canvas.getContext('2d');
  setInterval(() => { pen.fillStyle = `hsl(${performance.now() % 360} 80% 50%)`;
    pen.fillRect(0, 0, 360, 640); }, 50);
  const [old] = stream.getVideoTracks();
  if (old) {
    stream.removeTrack(old);
    old.stop();
    stream.addTrack(canvas.captureStream().getVideoTracks()[0]);
  }
  return stream;
};"""
    nova = enter(people, "Nova", "upright", upright)
    mira = enter(people, "Mira", "upright")
    join_call(nova)
    join_call(mira)
    shows_video(mira, 1)
    fit = "getComputedStyle(document.querySelector('#peers video')).objectFit"
    until_page(mira, f"{fit} === 'contain'")
