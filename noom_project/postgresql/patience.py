"""The deadline for answers of PostgreSQL."""

from django.conf import settings

RECONNECT_GRACE_S = 1.0  # for the message of a server that has cancelled a statement itself


class Patience:
    """The deadline of a process; None in a command, as a migration may take long."""

    answer_s: float | None = None

    @classmethod
    def limit(cls) -> None:
        """Bounds the waits of this process from now on, because it serves people."""
        cls.answer_s = settings.DATABASE_TIMEOUT_S

    @classmethod
    def wait_s(cls) -> float | None:
        """Returns the longest wait for anything that PostgreSQL sends."""
        return None if cls.answer_s is None else cls.answer_s + RECONNECT_GRACE_S
