"""Texts that look like code, in every field of a person.

Shown as text, and never run.
"""

import asyncio
import json
from itertools import product
from urllib.parse import quote

import pytest

from chat import tokens
from chat.names import cleaning
from tests.support.browsers.two_person_call import Figure
from tests.support.browsers.users import Users, join_call
from tests.support.clients.bot_thread import Loop
from tests.support.clients.websocket import Wire
from tests.support.waiting import until, until_page

pytestmark = [pytest.mark.target("S12"), pytest.mark.slow]

VECTORS = (
    "<script>{act}</script>",
    "<script src={url}></script>",
    "<img src=x onerror={act}>",
    "<img src={url}>",
    "<svg onload={act}>",
    "<svg><script>{act}</script></svg>",
    "<iframe srcdoc='<script>{act}</script>'></iframe>",
    "<iframe src=javascript:{act}></iframe>",
    "<body onload={act}>",
    "<video autoplay onloadstart={act} src={url}></video>",
    "<input autofocus onfocus={act}>",
    "<details open ontoggle={act}>",
    "<a href=javascript:{act}>click</a>",
    "javascript:{act}",
    "{url}'onmouseover={act}//",
    "<style>@import '{url}'</style>",
    "<link rel=stylesheet href={url}>",
    "<meta http-equiv=refresh content='0;url={url}'>",
    "<base href={url}>",
    "<form action={url}><input type=submit autofocus></form>",
    "<object data={url}></object>",
    "<math><mi xlink:href='javascript:{act}'>",
    "<template><script>{act}</script></template>",
    "<!--<img src='--><img src=x onerror={act}>'>",
    "<xss id=x tabindex=1 onfocus={act}>#x",
)
WRAPPERS = (
    "{}",
    '"{}',
    "'{}",
    '">{}',
    "'>{}",
    "</script>{}",
    "</title>{}",
    "</textarea>{}",
    "</option></select>{}",
    "</template>{}",
    "--></style>{}",
    "{{{{{}}}}}",
    "{{% {} %}}",
    "${{{}}}",
    "`{}`",
    "\\u003c{}",
    "&lt;{}",
    "%3C{}",
    "]]>{}",
    "\u202e{}",
)
STRINGS = [
    wrapper.format(vector.format(act=f"alert({number})", url=f"//stranger{number}.example/x"))
    for number, (vector, wrapper) in enumerate(product(VECTORS, WRAPPERS))
]
ROOMS = 100
AT_ONCE = 50
ADDRESSES = 20
LABEL_DEVICES = """labels => {
  const { enumerateDevices } = navigator.mediaDevices;
  const named = labels.map((label, n) => ({
    deviceId: `evil${n}`, groupId: 'evil', label,
    kind: ['audioinput', 'videoinput', 'audiooutput'][n % 3],
  }));
  navigator.mediaDevices.enumerateDevices = async () =>
    [...(await enumerateDevices.call(navigator.mediaDevices)), ...named];
}"""
WATCH = """
  window.violations = [];
  addEventListener('securitypolicyviolation', ({ blockedURI }) => violations.push(blockedURI));
"""


class Witness:
    """A page that may see no dialog and no violation.

    `Users` notices requests elsewhere.
    """

    def __init__(self, people: Users) -> None:
        self.page = people.page("Nova")
        self.dialogs: list[str] = []
        self.violations = 0
        self.page.add_init_script(WATCH)
        self.page.on("dialog", self._close)

    def _close(self, dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def visit(self, address: str) -> None:
        self.leave()
        self.page.goto(address, wait_until="domcontentloaded")

    def leave(self) -> None:
        self.violations += len(self.page.evaluate("window.violations ?? []"))


@pytest.fixture
def loop():
    loop = Loop()
    yield loop
    loop.stop()


def test_markup_in_messages_runs_no_code(start_noom, browser, loop, figure: Figure):
    assert len(set(STRINGS)) == 500
    noom = start_noom(RATE_LIMITS="0")
    people = Users(browser, noom.url)
    witness = Witness(people)
    page = witness.page
    page.add_init_script(f"({LABEL_DEVICES})({json.dumps(STRINGS)})")
    witness.visit("/rooms/evil/?nickname=Nova")
    join_call(page)
    loop.run(say_all(noom.url))
    shown = "[...document.querySelectorAll('#messages .message-text')].map(one => one.textContent)"
    until_page(page, f"{shown}.length >= 500", seconds=30)
    missing = set(map(cleaning.clean_text, STRINGS)) - set(page.evaluate(shown))
    figure("messages not shown as they are, of 500", len(missing), limit=0)
    options = "document.querySelectorAll('#cameras option, #microphones option').length"
    until_page(page, f"{options} > 300", seconds=20, what="the names of the devices")
    with_rooms = loop.run(open_rooms(noom.url))
    witness.visit("/")
    until(lambda: page.locator("#rooms [data-room]").count() >= ROOMS, "the rooms", seconds=20)
    loop.run(close_all(with_rooms))
    for text in STRINGS[:: len(STRINGS) // ADDRESSES]:
        witness.visit(f"/rooms/{quote(text, safe='')}/?nickname={quote(text)}&name={quote(text)}")
        witness.visit(f"/{quote(text)}?next={quote(text)}#{quote(text)}")
    witness.leave()
    figure("dialogs", len(witness.dialogs), limit=0)
    figure("violations of the policy", witness.violations, limit=0)
    policy = [error for error in people.errors if "Content Security Policy" in error]
    strangers = [error for error in people.errors if "request to a stranger" in error]
    figure("reports of the policy on the console", len(policy), limit=0)
    figure("requests elsewhere", len(strangers), limit=0)
    people.expected_errors += ["Failed to load resource"]  # a missing page
    people.leave()


async def say_all(url: str) -> None:
    """Take each text as a nickname, in the call too, and write it."""
    async with Wire(url, "/ws/chat/evil/") as chat:
        await chat.enter(STRINGS[0])
        async with Wire(url, "/ws/call/evil/", token=chat.token) as call:
            await call.join()
            for start in range(0, len(STRINGS), AT_ONCE):
                said = []
                for text in STRINGS[start : start + AT_ONCE]:
                    await chat.send("nickname", nickname=text)
                    said.append(asyncio.create_task(chat.post(text)))
                    await asyncio.sleep(0)
                await asyncio.gather(*said)


async def open_rooms(url: str) -> list[Wire]:
    """Open rooms of these names, for the welcome page."""
    wires = []
    for number, text in enumerate(STRINGS[:: len(STRINGS) // ROOMS]):
        key = f"evil-{number}"
        name = cleaning.room_name(text)
        token = tokens.issue(key=key, browser="evil", room_name=name)
        wire = Wire(url, f"/ws/chat/{key}/", token=token)
        await wire.__aenter__()
        await wire.enter(text)
        wires.append(wire)
    return wires


async def close_all(wires: list[Wire]) -> None:
    await asyncio.gather(*(wire.__aexit__() for wire in wires))
