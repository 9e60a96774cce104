"""A participant in Python notices holes in its room, and fills them."""

from collections.abc import Callable

import pytest

from call.bot.state import MessageLog, RosterReplica
from chat.protocol.messages import (
    Deletion,
    EnterRoomAck,
    HistoryAck,
    Member,
    Message,
    RoomInfo,
    Span,
    Timing,
)


def member(id: str) -> Member:
    return Member(id=id, here=True, since=0)


def said(*numbers: int) -> list[Message]:
    return [Message(n, "sender", "Nova", f"text {n}", 0, "client") for n in numbers]


def entered(messages: list[Message], seq: int, epoch: str = "one") -> EnterRoomAck:
    room = RoomInfo("room", "Room", True)
    return EnterRoomAck("sender", Timing(5, 15), room, [], 1, messages, [], seq, epoch)


def came(*messages: Message, deletions: list[Deletion] | None = None) -> HistoryAck:
    return HistoryAck(list(messages), deletions or [])


def deletion(seq: int, *spans: tuple[int, int]) -> Deletion:
    return Deletion(seq, [Span(first, last) for first, last in spans])


def numbers(log: MessageLog) -> list[int]:
    return [message.seq for message in log.messages]


def test_roster_follows_welcome_and_bye():
    roster: RosterReplica[Member] = RosterReplica()
    roster.replace([member("a")], 4)
    roster.put(member("b"), 5)
    roster.remove(member("a"), 6)
    assert roster.people.keys() == {"b"}
    assert not roster.missing


def test_late_event_changes_nothing():
    roster: RosterReplica[Member] = RosterReplica()
    roster.replace([member("a")], 4)
    roster.remove(member("a"), 4)
    assert roster.people.keys() == {"a"}


@pytest.mark.parametrize(
    "notice",
    [lambda roster: roster.put(member("c"), 6), lambda roster: roster.check_version(5)],
    ids=["event", "beat"],
)
def test_lost_change_is_reported_until_the_roster_is_repaired(
    notice: Callable[[RosterReplica[Member]], None],
):
    roster: RosterReplica[Member] = RosterReplica()
    roster.replace([member("a")], 4)
    roster.check_version(4)
    assert not roster.missing
    notice(roster)
    assert roster.missing
    roster.replace([member("a"), member("b")], 6)
    assert not roster.missing


def test_messages_stand_in_their_order_and_once():
    log = MessageLog()
    log.begin(entered(said(3, 4), 4))
    log.add(*said(6))
    assert log.missing
    log.add(*said(5))
    log.add(*said(4))
    assert numbers(log) == [3, 4, 5, 6]
    assert not log.missing


def test_messages_before_entry_are_not_missing():
    log = MessageLog()
    log.begin(entered(said(101, 102), 102))
    assert not log.missing
    empty = MessageLog()
    empty.begin(entered([], 7))
    assert not empty.missing


def test_beat_reveals_a_lost_last_message():
    log = MessageLog()
    log.begin(entered(said(1), 1))
    log.head = 2
    assert log.missing
    log.fill(came(*said(2)))
    assert not log.missing


def test_deleted_messages_are_not_requested_forever():
    log = MessageLog()
    log.begin(entered(said(1), 1))
    log.add(*said(9))
    log.fill(came(*said(5, 6)))
    assert log.missing
    log.fill(came(*said(9)))
    assert not log.missing
    assert numbers(log) == [1, 5, 6, 9]
    log.head = 12
    log.fill(came())
    assert not log.missing


def test_deletion_removes_its_messages_and_fills_their_numbers():
    log = MessageLog()
    log.begin(entered(said(1, 2, 3), 3))
    log.add(deletions=[deletion(4, (1, 2))])
    log.add(*said(2))
    assert numbers(log) == [3]
    assert not log.missing
    log.head = 6
    log.fill(came(deletions=[deletion(6, (3, 5))]))
    assert numbers(log) == []
    assert not log.missing


def test_room_that_was_made_again_begins_anew():
    log = MessageLog()
    log.begin(entered(said(1, 2), 2))
    log.begin(entered(said(1, 2, 3), 3, epoch="two"))
    assert numbers(log) == [1, 2, 3]
    log.begin(entered([], 1, epoch="three"))
    assert (numbers(log), log.last, log.head) == ([], 1, 1)
