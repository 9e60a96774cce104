"""A client of the protocol: it asks by ref, and keeps what arrives."""

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import Any

from chat import tokens
from tests.support.patience import PATIENCE

DEADLINE_S = 10.0 * PATIENCE
ALL_ON = {"audio": True, "video": True, "screen": False}


class Refusal(Exception):
    """The answer `error`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class ProtocolClient:
    """One socket to Noom; a subclass carries its frames."""

    def __init__(self, path: str, token: str | None, browser: str) -> None:
        self.key = path.split("/")[3] if path.count("/") > 3 else ""
        self.token = token or tokens.issue(
            key=self.key, browser=browser, room_name=self.key.title()
        )
        self.hello: dict[str, Any] = {}
        self.close_code: int | None = None
        self._ref = 0
        self._events: list[dict[str, Any]] = []
        self._arrived = asyncio.Condition()

    @property
    def id(self) -> str:
        """Return the participant that the token names."""
        return tokens.verify(self.token, key=self.key).participant

    def joining(self, session: str) -> dict[str, Any]:
        """Return the payload of `join_room`."""
        return {"token": self.token, "session": session, "media": ALL_ON}

    async def send_raw(self, text: str | None = None, *, binary: bytes | None = None) -> None:
        """Send one frame."""
        raise NotImplementedError

    async def send(self, kind: str, **payload: Any) -> None:
        """Send a message that wants no answer."""
        await self.send_raw(json.dumps({"type": kind, "payload": payload}))

    async def request(self, kind: str, **payload: Any) -> dict[str, Any]:
        """Send a message and return the answer.

        Raises Refusal.
        """
        self._ref += 1
        ref = self._ref
        await self.send_raw(json.dumps({"type": kind, "payload": payload, "ref": ref}))
        answer = await self._next(lambda event: event.get("ref") == ref)
        if answer["type"] == "error":
            raise Refusal(**answer["payload"])
        return dict(answer["payload"])

    async def post(self, text: str, client_id: str | None = None) -> dict[str, Any]:
        """Write a message into the room."""
        return await self.request(
            "new_message", text=text, client_id=client_id or str(uuid.uuid4())
        )

    async def event(self, kind: str, **expected: Any) -> dict[str, Any]:
        """Return the next untaken event of a type, with these fields in its payload."""
        found = await self._next(
            lambda event: (
                event["type"] == kind
                and "ref" not in event
                and expected.items() <= event["payload"].items()
            )
        )
        return dict(found["payload"])

    def waiting(self, kind: str) -> list[dict[str, Any]]:
        """Return the untaken events of a type that have arrived."""
        return [event for event in self._events if event["type"] == kind]

    def forget(self) -> None:
        """Drops the events that came and have not been taken."""
        self._events = [event for event in self._events if "ref" in event]

    async def any_event(self) -> dict[str, Any]:
        """Return the next event of any type, in the order of arrival."""
        return await self._next(lambda event: "ref" not in event)

    async def expect_none(self, kind: str, seconds: float = 0.1) -> None:
        """Fail if an event of this type arrives within the time."""
        try:
            async with asyncio.timeout(seconds):
                event = await self._next(lambda event: event["type"] == kind)
        except TimeoutError:
            return
        raise AssertionError(f"{kind} came: {event}")

    async def closing(self, seconds: float = DEADLINE_S) -> int:
        """Return the code with which the server closes the socket."""
        async with asyncio.timeout(seconds), self._arrived:
            await self._arrived.wait_for(lambda: self.close_code is not None)
        assert self.close_code is not None
        return self.close_code

    async def _next(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        def found() -> dict[str, Any] | None:
            return next((event for event in self._events if wanted(event)), None)

        async with asyncio.timeout(DEADLINE_S), self._arrived:
            await self._arrived.wait_for(lambda: found() or self.close_code is not None)
            event = found()
            if event is None:
                raise ConnectionError(f"closed with {self.close_code}")
            self._events.remove(event)
            return event

    async def _take(self, text: str) -> None:
        """Process a received frame."""
        events = json.loads(text)
        async with self._arrived:
            self._events += events if isinstance(events, list) else [events]
            self._arrived.notify_all()

    async def _end(self, code: int) -> None:
        """Process the end of the socket."""
        async with self._arrived:
            self.close_code = code
            self._arrived.notify_all()
