"""How long a process waits for an answer of PostgreSQL."""

from django.conf import settings

GRACE_S = 1.0  # for the word of a server that has given a statement up itself


class Patience:
    """`answer_s` is None in a command: a migration may take as long as it needs."""

    answer_s: float | None = None

    @classmethod
    def limit(cls) -> None:
        """Bounds the waits of this process from now on: it serves people."""
        cls.answer_s = settings.DATABASE_TIMEOUT_S

    @classmethod
    def wait_s(cls) -> float | None:
        """The longest wait for anything that PostgreSQL sends."""
        return None if cls.answer_s is None else cls.answer_s + GRACE_S
