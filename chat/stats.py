"""What this process has counted since it started: plain numbers, read when somebody looks."""

from collections import Counter


class Counts:
    """Counting is one addition, for much of it is counted where every microsecond matters."""

    def __init__(self) -> None:
        self.messages_stored = 0
        self.deliveries = 0  # frames handed to sockets of this process
        self.publish_failures = 0
        self.readers_cut_off = 0  # of an answer over HTTP
        self.joins: Counter[str] = Counter()  # into a room or a call, by kind of socket
        self.ice_failures: Counter[str] = Counter()  # told by pages, by kind
        self.resumes = 0  # returns within the lease
        self.leases_expired: Counter[str] = Counter()  # by kind of place
        self.repairs: Counter[str] = Counter()  # by what was asked for again
        self.closes: Counter[int] = Counter()  # by code
        self.refused_origins: Counter[str] = (
            Counter()
        )  # by reason (noom_project/security/refused_requests.py)
        self.proxy_faults: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()  # by the code that the other side was told


counts = Counts()
