"""From opening a link to the first picture of the other person, step by step.

`python -m bench.join` starts Noom and a Chromium with fake devices. Ana is in a call; Bo opens its
link again and again, once in a browser without a cache and once in the used browser later. For
comparison, two bare peer connections in one page show the least that any such program needs.
"""

import argparse
import os
import statistics
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from bench.machine import machine
from tests.conftest import CHROMIUMS, installed
from tests.support.browsers.page_size import PageSize
from tests.support.browsers.users import FAKE_DEVICES
from tests.support.servers.cluster import Process
from tests.support.servers.dev_server import ROOT, Noom
from tests.support.servers.production import gather_static_files
from tests.support.waiting import until, until_page

RESULTS = ROOT / "bench" / "join-results.md"
TARGET_MS, TARGET_BYTES, TARGET_REQUESTS = 900, 150_000, 15
RECORD = (ROOT / "bench" / "join_page.js").read_text()
WINDOW_MS = 1_500
FRAME = "first remote frame"
SEEN_BY_ANA = "Ana sees Bo"
# The steps that the report shows, in their expected order.
STEPS = {
    "page": "the page is here",
    "script": "its script is here",
    "camera wanted": "the script runs, and asks for the camera",
    "chat socket open": "chat socket open",
    "call socket open": "call socket open",
    "chat got ack": "in the room",
    "call got ack": "in the call",
    "call got offer": "offer of the other",
    "call sent answer": "answered",
    "ice connected": "ICE connected",
    "connected": "DTLS connected",
    FRAME: "**first frame of the other**",
    "camera open": "own camera open",
    SEEN_BY_ANA: "first frame of mine at the other",
}
TIMES = """() => {
  const [page] = performance.getEntriesByType('navigation');
  const scripts = performance.getEntriesByType('resource')
    .filter(({ initiatorType, name }) => initiatorType === 'script' || name.endsWith('.js'));
  return {
    steps: { ...joinSteps, page: page.responseEnd,
             script: Math.max(...scripts.map(({ responseEnd }) => responseEnd)) },
    began: performance.timeOrigin,
  };
}"""
REMEMBER = """async () => {
  const chosen = {};
  for (const { kind, deviceId } of await navigator.mediaDevices.enumerateDevices()) {
    chosen[kind] ??= deviceId;
  }
  localStorage.setItem('noom.devices', JSON.stringify(chosen));
}"""
BARE_PAIR = """async () => {
  const began = performance.now();
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: true, video: { width: { ideal: 1280 }, height: { ideal: 720 } },
  });
  const camera = performance.now();
  const [one, other] = [new RTCPeerConnection(), new RTCPeerConnection()];
  one.onicecandidate = ({ candidate }) => other.addIceCandidate(candidate);
  other.onicecandidate = ({ candidate }) => one.addIceCandidate(candidate);
  const video = document.createElement('video');
  video.muted = true;
  document.body.append(video);
  const presented = new Promise((resolve) => {
    video.requestVideoFrameCallback(() => resolve(performance.now()));
  });
  other.ontrack = ({ streams }) => { video.srcObject = streams[0]; void video.play(); };
  for (const track of stream.getTracks()) one.addTrack(track, stream);
  await one.setLocalDescription();
  await other.setRemoteDescription(one.localDescription);
  await other.setLocalDescription();
  await one.setRemoteDescription(other.localDescription);
  const frame = await presented;
  for (const track of stream.getTracks()) track.stop();
  one.close();
  other.close();
  return { camera: camera - began, connection: frame - camera };
}"""

Times = dict[str, float]  # milliseconds, by step


class Production(Process):
    """`manage.py serve` as in operation, with the static files collected."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, DEBUG="0", SECRET_KEY=os.urandom(32).hex())
        self.environment["ALLOWED_HOSTS"] = "127.0.0.1"

    def start(self) -> None:
        gather_static_files(self.environment)
        super().start()


class Call:
    """A room with Ana in its call, which Bo joins."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self._link = f"{url}/rooms/bench/?nickname="
        self._ana = self._open(self.visitor(), "Ana")

    def visitor(self) -> BrowserContext:
        """Return a browser without a cache, with its window open and a blank tab in it."""
        context = self._browser.new_context()
        # Chromium draws its window with hundreds of its own files, which do not belong to the
        # visit.
        context.new_page().wait_for_timeout(WINDOW_MS)
        return context

    def join(self, context: BrowserContext) -> Times:
        """Measure one visit of Bo: milliseconds from opening the link to each step."""
        before = self._ana.evaluate("remotePictures.length")
        page = self._open(context, "Bo")
        until_page(page, f"joinSteps['{FRAME}']", seconds=30)
        seen = f"remotePictures[{before}]"
        until_page(page, "joinSteps['camera open']", seconds=30)
        at = until_page(self._ana, seen, seconds=30)
        if not page.evaluate(_DECODED):
            raise RuntimeError("a picture was presented that nobody decoded")
        found = page.evaluate(TIMES)
        page.evaluate(REMEMBER)
        page.click("#leave-call")
        until(lambda: self._ana.locator("#peers [data-participant]").count() == 0, "Bo gone")
        page.close()
        steps: Times = found["steps"]
        return steps | {SEEN_BY_ANA: at - found["began"]}

    def weigh(self) -> tuple[int, int]:
        """Count the requests of a first visit, and their bytes with headers."""
        context = self.visitor()
        page = context.new_page()
        size = PageSize(page)
        page.add_init_script(RECORD)
        page.goto(self._link + "Bo", wait_until="domcontentloaded")
        until_page(page, f"joinSteps['{FRAME}']", seconds=30)
        page.wait_for_timeout(1_000)  # for requests after the picture
        context.close()
        return len(size.addresses), size.received_bytes

    def _open(self, context: BrowserContext, nickname: str) -> Page:
        page = context.new_page()
        page.add_init_script(RECORD)
        page.goto(self._link + nickname, wait_until="commit")
        return page


_DECODED = """async () => {
  const reports = await Promise.all(connections.map((pc) => pc.getStats()));
  const all = reports.flatMap((report) => [...report.values()]);
  return all.reduce((sum, { framesDecoded = 0 }) => sum + framesDecoded, 0);
}"""


def measure(noom: Noom, rounds: int) -> dict[str, Any]:
    """Measure each kind of visit once a round, so that a slow minute slows them all."""
    with sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(
            executable_path=installed(*CHROMIUMS), args=[*FAKE_DEVICES, *sandbox]
        )
        call = Call(browser, noom.url)
        requests, received = call.weigh()
        first, again, bare = [], [], []
        for number in range(rounds + 1):
            context = call.visitor()
            visits = call.join(context), call.join(context)
            pair = _bare_pair(context, noom.url)
            context.close()
            if number > 0:  # the first round warms the machine up
                first.append(visits[0])
                again.append(visits[1])
                bare.append(pair)
        version = browser.version
        browser.close()
    return {
        "requests": requests,
        "bytes": received,
        "first": _medians(first),
        "again": _medians(again),
        "bare": _medians(bare),
        "spread": sorted(times[FRAME] for times in again),
        "chromium": version,
    }


def _bare_pair(context: BrowserContext, url: str) -> Times:
    page = context.new_page()
    page.goto(url)
    times: Times = page.evaluate(BARE_PAIR)
    page.close()
    return times


def _medians(rounds: list[Times]) -> Times:
    steps = {step for times in rounds for step in times}
    return {
        step: statistics.median(times[step] for times in rounds if step in times) for step in steps
    }


def report(found: dict[str, Any], *, server: str, rounds: int) -> str:
    """Return the results as a page."""
    first, again, bare = found["first"], found["again"], found["bare"]
    rows = [
        f"| {words} | {again[step]:.0f} | {first[step]:.0f} |"
        for step, words in STEPS.items()
        if step in again
    ]
    low, high = found["spread"][0], found["spread"][-1]
    return "\n".join(
        [
            "# Into the call",
            "",
            f"Measured {datetime.now(UTC):%Y-%m-%d %H:%M} UTC by `make bench-join`, {rounds} rounds"
            f" with `manage.py {server}`; Chromium {found['chromium']} with fake devices, both"
            f" people on the machine that serves them: {machine()}.",
            "",
            "Medians in milliseconds since the link was opened, with the devices known and no"
            " question asked. *Again*: the browser has been here before. *First*: it has not.",
            "",
            "| step | again | first |",
            "|---|---|---|",
            *rows,
            "",
            "| | measured | target |",
            "|---|---|---|",
            f"| median to the first frame, again | {again[FRAME]:.0f} ms"
            f" (least {low:.0f}, most {high:.0f}) | {TARGET_MS} ms |",
            f"| requests of a first visit | {found['requests']} | {TARGET_REQUESTS} |",
            f"| bytes that they bring, headers too | {found['bytes'] / 1000:.1f} kB |"
            f" {TARGET_BYTES / 1000:.0f} kB |",
            "",
            f"The floor: two bare peer connections in one page need {bare['camera']:.0f} ms for the"
            f" camera and then {bare['connection']:.0f} ms to the first frame.",
            "",
            PEER,
            "",
        ]
    )


PEER = (
    "MiroTalk P2P, quoted and **not measured in this run** (it is not on npm): 2.1 to 2.9 s on"
    " loopback, 75 requests, 2.9 MB."
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--runserver", action="store_true", help="the development server")
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        noom = (Noom if options.runserver else Production)(Path(folder))
        noom.start()
        try:
            found = measure(noom, options.rounds)
        finally:
            noom.stop()
    server = "runserver" if options.runserver else "serve"
    text = report(found, server=server, rounds=options.rounds)
    sys.stdout.write(text)
    if not options.no_write:
        RESULTS.write_text(text)


if __name__ == "__main__":
    main()
