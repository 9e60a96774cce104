"""A room and its call as a participant in Python knows them. Pure.

Answers and events of the server change them.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from chat.protocol import spans
from chat.protocol.messages import Deletion, EnterRoomAck, HistoryAck, Member, Message
from chat.protocol.spans import Spans

M = TypeVar("M", bound=Member)


@dataclass
class RosterReplica(Generic[M]):
    """Members by id; `missing` means that a version was skipped.

    The participant then requests the whole roster.
    """

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

    def check_version(self, version: int) -> None:
        """Compare the version in a heartbeat."""
        self.missing |= version > self.version

    def _is_news(self, version: int) -> bool:
        if version <= self.version:
            return False
        self.missing |= version > self.version + 1
        self.version = version
        return True


@dataclass
class MessageLog:
    """Messages in rising order, each once.

    `last` is the highest number without a gap below it since the participant came. `head` is the
    last number of the room. `gone` are the numbers of deletions and of deleted messages.
    """

    messages: list[Message] = field(default_factory=list)
    last: int | None = None
    head: int = 0
    epoch: str | None = None
    gone: Spans = field(default_factory=list)

    @property
    def missing(self) -> bool:
        return self.last is not None and self.last < self.head

    def begin(self, answer: EnterRoomAck) -> None:
        """Take the answer to entering: the newest messages, or those after `last`.

        The log of a room that was made again begins anew.
        """
        if answer.epoch != self.epoch:
            self.messages, self.gone, self.last, self.head = [], [], None, 0
            self.epoch = answer.epoch
        if self.last is None:
            self.last = answer.messages[0].seq - 1 if answer.messages else answer.seq
        self.head = max(self.head, answer.seq)
        self.add(*answer.messages, deletions=answer.deletions)

    def add(self, *messages: Message, deletions: Iterable[Deletion] = ()) -> None:
        for deletion in deletions:
            self._forget(deletion)
        for message in messages:
            self._put(message)
        while self.last is not None and (end := self._end_of(self.last + 1)):
            self.last = end

    def fill(self, answer: HistoryAck) -> None:
        """Take the entries after `last`.

        A gap among them stays, because its messages are deleted.
        """
        entries = [*(m.seq for m in answer.messages), *(d.seq for d in answer.deletions)]
        if not entries:
            self.last = self.head
        else:
            self.last = min(entries) - 1
            self.add(*answer.messages, deletions=answer.deletions)

    # The cost of each grows with the new entries alone, because a log of 100,000 messages is
    # deleted in hundreds of pieces.
    def _forget(self, deletion: Deletion) -> None:
        told = [(span.first, span.last) for span in deletion.spans]
        for first, last in told:
            del self.messages[self._place(first) : self._place(last + 1)]
        self.gone = spans.join([*self.gone, *told, (deletion.seq, deletion.seq)])
        self.head = max(self.head, deletion.seq)

    def _put(self, message: Message) -> None:
        self.head = max(self.head, message.seq)
        if not spans.end_of(self.gone, message.seq):
            place = self._place(message.seq)
            self.messages[place : place + self._is_at(place, message.seq)] = [message]

    def _end_of(self, seq: int) -> int:
        """The last of the known numbers in a row from `seq` on; 0 if `seq` is unknown."""
        end = spans.end_of(self.gone, seq)
        return end or (seq if self._is_at(self._place(seq), seq) else 0)

    def _place(self, seq: int) -> int:
        """The index of the message with this number, or the index where it belongs."""
        return bisect_left(self.messages, seq, key=lambda message: message.seq)

    def _is_at(self, place: int, seq: int) -> bool:
        return place < len(self.messages) and self.messages[place].seq == seq
