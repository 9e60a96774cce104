"""Requests of a page, and the bytes that they bring."""

from typing import Any

from playwright.sync_api import Page


class PageSize:
    """Count the HTTP requests of a page from now on, and their bytes with headers."""

    def __init__(self, page: Page) -> None:
        self._addresses: dict[str, str] = {}
        self._received: dict[str, int] = {}
        session = page.context.new_cdp_session(page)
        session.on("Network.requestWillBeSent", self._asked)
        session.on("Network.loadingFinished", self._came)
        session.send("Network.enable")

    @property
    def addresses(self) -> list[str]:
        return list(self._addresses.values())

    @property
    def received_bytes(self) -> int:
        return sum(self._received.get(request, 0) for request in self._addresses)

    def _asked(self, event: dict[str, Any]) -> None:
        address: str = event["request"]["url"]
        if address.startswith("http"):
            self._addresses[event["requestId"]] = address

    def _came(self, event: dict[str, Any]) -> None:
        self._received[event["requestId"]] = int(event["encodedDataLength"])
