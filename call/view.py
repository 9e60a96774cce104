"""A room and its call as a participant in Python knows them, made from answers and events. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from chat.messages import Member, Message

M = TypeVar("M", bound=Member)


@dataclass
class Roster(Generic[M]):
    """People by id. `missing`: a version was skipped, so the whole roster must be asked for."""

    people: dict[str, M] = field(default_factory=dict)
    version: int = 0
    missing: bool = False

    def replace(self, people: Iterable[M], version: int) -> None:
        self.people = {person.id: person for person in people}
        self.version, self.missing = version, False

    def put(self, person: M, version: int) -> None:
        if self._is_news(version):
            self.people[person.id] = person

    def remove(self, person: M, version: int) -> None:
        if self._is_news(version):
            self.people.pop(person.id, None)

    def heard(self, version: int) -> None:
        """A beat named the version."""
        self.missing |= version > self.version

    def _is_news(self, version: int) -> bool:
        if version <= self.version:
            return False
        self.missing |= version > self.version + 1
        self.version = version
        return True


@dataclass
class Log:
    """Messages in rising order, each once. `last` is the highest number without a hole below it,
    as far as we were there; `head` the room's last."""

    messages: list[Message] = field(default_factory=list)
    last: int | None = None
    head: int = 0

    @property
    def missing(self) -> bool:
        return self.last is not None and self.last < self.head

    def begin(self, messages: list[Message], head: int) -> None:
        """The answer to entering: the newest messages, or those after `last`."""
        if self.last is None:
            self.last = messages[0].seq - 1 if messages else head
        self.head = max(self.head, head)
        self.add(*messages)

    def add(self, *messages: Message) -> None:
        known = {message.seq: message for message in (*self.messages, *messages)}
        self.messages = [known[seq] for seq in sorted(known)]
        self.head = max(self.head, *known, 0)
        while self.last is not None and self.last + 1 in known:
            self.last += 1

    def fill(self, messages: list[Message]) -> None:
        """The answer to the question for what comes after `last`: a hole in it is there for good,
        its messages being deleted."""
        if not messages:
            self.last = self.head
        else:
            self.last = messages[0].seq - 1
            self.add(*messages)
