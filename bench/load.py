"""The load.

Many clients in one thread, far cheaper than the server that they talk to.

`python -m bench.load` takes a plan as JSON on its standard input and prints its records as JSON. It
parses no JSON and no frame of the server: it counts a text that occurs once in each delivery. It
reads silent clients in rounds, many frames at a time.
"""

import contextlib
import json
import select
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from bench.client import AGAIN_S, Client
from bench.dialects import DIALECTS, SENT_AT
from bench.meters import cpu_s, published

CHUNK_BYTES = 256 * 1024
LISTENING_ROUND_S = 0.02
CONNECT_IN_A_ROUND = 50
RESTING, REST_WITHIN_S = 0.05, 20.0  # seconds of CPU in one second
# addresses of this machine, with the thousands that follow
FIRST_ADDRESS = IPv4Address("127.1.0.1")


@dataclass
class Plan:
    """The task of a load; all times in seconds."""

    dialect: str
    ports: list[int]  # the clients use them in turn
    rooms: int
    people: int  # in each room
    tokens: list[list[str]]  # for each room, for each person
    keys: list[str]
    pids: list[int] = field(default_factory=list)  # processes whose CPU time is read
    redis: int = 0  # the port of the Redis that joins them
    seconds: float = 5.0
    warm_up: float = 1.0
    rests: bool = True  # wait at the end until the servers are idle
    in_flight: int = 4  # messages in each room, at saturation
    rate: float = 0.0  # messages a second in all; 0: as many as possible
    opening: int = 64  # handshakes in progress at once
    idle: bool = False  # only connect, and stay until a line on stdin
    storm: bool = False  # after a line on stdin, reconnect all at once


class Crowd:
    """All the clients of a plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.dialect = plan, DIALECTS[plan.dialect]
        self.epoll = select.epoll()
        self.listening = select.epoll()  # silent clients, whose answers nobody awaits
        self.clients: dict[int, Client] = {}
        self.deliveries = 0
        self.latencies: list[float] | None = None
        self.lost: list[Client] = []

    def everyone(self) -> list[Client]:
        """Create the clients, room by room, on the processes in turn.

        Each client has an address of its own, as in life, because the server limits one address.
        """
        plan = self.plan
        return [
            Client(
                plan.keys[room],
                plan.tokens[room][person],
                plan.ports[person % len(plan.ports)],
                str(FIRST_ADDRESS + room * plan.people + person),
            )
            for room in range(plan.rooms)
            for person in range(plan.people)
        ]

    def enter(self, clients: list[Client]) -> list[float]:
        """Let clients enter, some at a time; return when each was in."""
        waiting, opening, times = deque(clients), 0, []
        while waiting or opening:
            for _ in range(min(len(waiting), self.plan.opening - opening, CONNECT_IN_A_ROUND)):
                client = waiting.popleft()
                client.connect(self.dialect)
                self.clients[client.socket.fileno()] = client
                self.epoll.register(client.socket.fileno(), select.EPOLLIN | select.EPOLLOUT)
                opening += 1
            for client in self.listen(0 if waiting and opening < self.plan.opening else AGAIN_S):
                if not client.step():
                    opening -= 1
                    times.append(time.monotonic())
            self.ask_again()
            if self.lost:
                raise SystemExit(f"refused: {len(self.lost)} sockets")
        return times

    def ask_again(self) -> None:
        """Repeat the request of clients that were refused because too many entered."""
        now = time.monotonic()
        for client in self.clients.values():
            if 0 < client.again_at <= now:
                client.again_at = 0
                client.say(client.said)

    def set_aside(self, speakers: list[Client]) -> None:
        """Read everyone but the speakers in rounds from now on."""
        speaking = {client.socket.fileno() for client in speakers}
        for number in self.clients.keys() - speaking:
            self.epoll.unregister(number)
            self.listening.register(number, select.EPOLLIN)

    def listen(self, timeout: float, epoll: select.epoll | None = None) -> list[Client]:
        """Read the received bytes; return the clients whose awaited text arrived."""
        heard = []
        for number, _ in (epoll or self.epoll).poll(timeout, 2048):
            client = self.clients[number]
            if client.opening:
                client.opened(self.dialect)
                self.epoll.modify(number, select.EPOLLIN)
                continue
            chunk = self.read(number, client)
            if chunk and client.hears(chunk):
                heard.append(client)
        return heard

    def read(self, number: int, client: Client) -> bytes:
        """Read and count the received bytes of a client, and answer a ping in them.

        A lost client has none.
        """
        try:
            chunk = client.socket.recv(CHUNK_BYTES)
            client.stays(chunk, self.dialect)
        except ConnectionError:
            chunk = b""
        if chunk:
            self.count(client, chunk)
        else:
            self.lose(number)
        return chunk

    def count(self, client: Client, chunk: bytes) -> None:
        found = chunk.count(self.dialect.delivery)
        if found:
            self.deliveries += found
            if self.latencies is not None:
                now = time.monotonic()
                self.latencies += [now - float(at) for at in SENT_AT.findall(chunk)]

    def lose(self, number: int) -> None:
        client = self.clients.pop(number)
        client.socket.close()  # which also removes it from its epoll
        self.lost.append(client)


def saturate(crowd: Crowd) -> dict[str, float]:
    """Keep `in_flight` messages of every room on their way; count what arrives."""
    plan, people = crowd.plan, list(crowd.clients.values())
    speakers = [
        client
        for room in range(plan.rooms)
        for client in people[room * plan.people : (room + 1) * plan.people][: plan.in_flight]
    ]
    crowd.set_aside(speakers)
    for client in speakers:
        client.say_message(crowd.dialect)
    _run(crowd, plan.warm_up)
    crowd.deliveries = 0
    asked = published(plan.redis)
    cpu, own, started = cpu_s(plan.pids), time.process_time(), time.monotonic()
    messages = _run(crowd, plan.seconds)
    wall, cpu = time.monotonic() - started, cpu_s(plan.pids) - cpu
    return {
        "published": (published(plan.redis) - asked) / max(1, messages),
        "deliveries_per_s": crowd.deliveries / wall,
        "messages_per_s": messages / wall,
        "us_per_delivery": cpu / max(1, crowd.deliveries) * 1e6,
        "wall_s": wall,
        "server_load": cpu / wall,
        "own_load": (time.process_time() - own) / wall,
        "missing": plan.people - crowd.deliveries / max(1, messages),
    }


def _run(crowd: Crowd, seconds: float) -> int:
    now = time.monotonic()
    messages, end, due = 0, now + seconds, now + LISTENING_ROUND_S
    while (now := time.monotonic()) < end:
        for client in crowd.listen(max(0.0, due - now)):
            client.say_message(crowd.dialect)
            messages += 1
        if now >= due:
            crowd.listen(0, crowd.listening)
            due = now + LISTENING_ROUND_S
    return messages


def at_rate(crowd: Crowd) -> dict[str, float]:
    """Send messages at a fixed rate from idle clients.

    Return their delays at each listener.
    """
    plan = crowd.plan
    # One client of each room after the other.
    people = list(crowd.clients.values())
    waiting = deque(c for first in range(plan.people) for c in people[first :: plan.people])
    crowd.latencies = []
    started = time.monotonic()
    due, end = started + plan.warm_up, started + plan.warm_up + plan.seconds
    while (now := time.monotonic()) < end:
        if now >= due:
            waiting[0].say_message(crowd.dialect)
            waiting.rotate(-1)
            due += 1 / plan.rate
        crowd.listen(max(0.0, min(due, end) - time.monotonic()))
    crowd.listen(0.2)
    patience = time.monotonic() + REST_WITHIN_S
    while not crowd.latencies and time.monotonic() < patience:  # for a busy machine and a short run
        crowd.listen(0.2)
    if not crowd.latencies:
        raise SystemExit("nobody heard a message")
    latencies = sorted(crowd.latencies)
    return {
        "p50_ms": latencies[len(latencies) // 2] * 1e3,
        "p99_ms": latencies[int(len(latencies) * 0.99)] * 1e3,
        "heard": len(latencies),
    }


def stay(crowd: Crowd) -> None:
    """Hold the sockets until a line arrives on the standard input, and answer pings."""
    crowd.epoll.register(sys.stdin.fileno(), select.EPOLLIN)
    while True:
        for number, _ in crowd.epoll.poll():
            if number == sys.stdin.fileno():
                crowd.epoll.unregister(number)
                return
            if number in crowd.clients:
                crowd.read(number, crowd.clients[number])


def storm(crowd: Crowd) -> float:
    """Reconnect everyone at once; return the time until all are in."""
    for number in list(crowd.clients):
        crowd.lose(number)
    crowd.lost.clear()
    started = time.monotonic()
    crowd.plan.opening = len(crowd.plan.keys) * crowd.plan.people
    times = crowd.enter(crowd.everyone())
    return max(times) - started


def leave(crowd: Crowd) -> None:
    """Disconnect everyone, and wait until the servers are idle.

    Otherwise the next load would pay for this one.
    """
    for client in crowd.clients.values():
        with contextlib.suppress(OSError):
            client.socket.sendall(crowd.dialect.leave_message())
            client.socket.close()
    if not crowd.plan.rests:
        return
    end = time.monotonic() + REST_WITHIN_S
    before, busy = cpu_s(crowd.plan.pids), 1.0
    while busy > RESTING and time.monotonic() < end:
        time.sleep(1)
        before, busy = (now := cpu_s(crowd.plan.pids)), now - before


def main() -> None:
    plan = Plan(**json.loads(sys.stdin.readline()))
    crowd = Crowd(plan)
    started = time.monotonic()
    times = crowd.enter(crowd.everyone())
    result: dict[str, float] = {"accepted_per_s": len(times) / (times[-1] - started)}
    if plan.idle or plan.storm:
        print(json.dumps(result), flush=True)
        stay(crowd)
        if plan.storm:
            result["storm_s"] = storm(crowd)
    else:
        result |= at_rate(crowd) if plan.rate else saturate(crowd)
        if crowd.lost:
            raise SystemExit(f"lost: {len(crowd.lost)} sockets")
    if not plan.storm:
        leave(crowd)
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
