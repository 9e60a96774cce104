"""Hostile nicknames, as Chromium shows them to other people."""

from contextlib import AsyncExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.support.browsers.users import Users
from tests.support.clients.bot_thread import Loop
from tests.support.clients.websocket import Wire
from tests.support.messages.hostile_nicknames import COUNT, nicknames
from tests.support.waiting import until

SETTINGS = {"ROOM_CAPACITY": "400", "CONNECTIONS_PER_S": "10000"}
HALF_A_PIXEL = 0.5

_PEOPLE = """() => [...document.querySelectorAll('#people [data-participant]')].map(row => ({
  name: row.querySelector('.person-name').textContent,
  line: row.querySelector('.person-name').getBoundingClientRect().height,
  row: row.getBoundingClientRect().height,
  badge: row.querySelector('.person-host').getBoundingClientRect().width > 0,
}))"""
_MESSAGES = """() => [...document.querySelectorAll('#messages .message[data-first]')].map(row => {
  const box = row.getBoundingClientRect();
  const at = name => row.querySelector(name).getBoundingClientRect();
  return {
    head: at('.message-head').height,
    line: at('.message-author').height,
    text: at('.message-text').top - box.top,
    left: Math.min(at('.message-text').left - box.left, 0),
    outside: Math.max(at('.message-time').right - box.right, 0),
  };
})"""
# Two names with equal pixels are equal to every reader.
_DRAWN = """names => {
  const canvas = document.createElement('canvas');
  canvas.width = 700;
  canvas.height = 60;
  const paper = canvas.getContext('2d', { willReadFrequently: true });
  paper.font = '32px ' + getComputedStyle(document.body).fontFamily;
  const drawn = new Map();
  for (const name of names) {
    paper.clearRect(0, 0, 700, 60);
    paper.fillText(name, 4, 40);
    const pixels = paper.getImageData(0, 0, 700, 60).data;
    const key = pixels.filter((_, index) => index % 4 === 3).join('');
    drawn.set(key, [...(drawn.get(key) ?? []), name]);
  }
  return [...drawn.values()].filter(names => names.length > 1);
}"""


async def crowd(stack: AsyncExitStack, url: str) -> list[str]:
    """Let everybody enter and write a word; return their nicknames."""
    given = []
    for name in nicknames():
        wire = await stack.enter_async_context(Wire(url, "/ws/chat/room/", browser="theirs"))
        await wire.enter(name)
        me = next(one for one in wire.hello["people"] if one["id"] == wire.hello["you"])
        given.append(me["nickname"])
        await wire.post("said after the name")
    return given


def odd(rows: list[dict[str, Any]], what: str) -> int:
    """Count the rows that differ in a measure from the first, whose name is plain."""
    return sum(abs(row[what] - rows[0][what]) > HALF_A_PIXEL for row in rows)


@pytest.mark.target("S14")
@pytest.mark.slow
def test_hostile_nicknames_stay_in_one_line_and_look_unlike_others(
    start_process, browser: Browser, figure
):
    noom = start_process(**SETTINGS)
    people = Users(browser, noom.url)
    page = people.enter("Plain", "room")
    page.fill("form#msg [name=text]", "said after the name")
    page.press("form#msg [name=text]", "Enter")
    loop, stack = Loop(), AsyncExitStack()
    try:
        given = loop.run(crowd(stack, noom.url))
        until(lambda: len(page.evaluate(_MESSAGES)) > COUNT * 0.9, "what they say", seconds=30)
        messages = page.evaluate(_MESSAGES)
        page.click("#tab-people")
        until(lambda: len(page.evaluate(_PEOPLE)) == COUNT + 1, "all of them", seconds=30)
        rows = page.evaluate(_PEOPLE)
    finally:
        loop.run(stack.aclose())
        loop.stop()
    for what in ("line", "row"):
        figure(f"people: another height of the {what}", odd(rows, what), limit=0)
    for what in ("head", "line", "text", "left"):
        figure(f"chat: another place or height, {what}", odd(messages, what), limit=0)
    figure("chat: times outside", sum(row["outside"] > 0 for row in messages), limit=0)
    figure("badges of a host", sum(row["badge"] for row in rows) - 1, limit=0)
    figure("names given twice", len(given) - len(set(given)), limit=0)
    alike = [group for group in page.evaluate(_DRAWN, given) if any(map(_is_drawn, group))]
    figure("names drawn alike", len(alike), limit=0)
    people.leave()


def _is_drawn(name: str) -> bool:
    """Return whether every font has its letters.

    A missing letter is a box like any other.
    """
    return all(ord(char) < 0x500 or ord(char) in range(0xAC00, 0xD7A4) for char in name)
