"""What the services raise when they cannot do their work; consumers tell it in a frame."""


class Unavailable(Exception):
    """Redis or the database does not answer; the same may succeed in a moment."""


class Refused(Exception):
    """What a person asked for can't be: `code` for the page, `message` for the eye."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class LineEnded(Exception):
    """Whoever asked is told to go meanwhile, and has most likely asked again elsewhere."""


class Outdated(Exception):
    """A newer connection of the same page has the member on which this one wanted to act."""


class Crowded(Refused):
    """An address or a room has spent what it may. The answer waits: somebody who asks again at once
    would cost the others as much as the deed."""

    def __init__(self, message: str) -> None:
        super().__init__("too_fast", message)
