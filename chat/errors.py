"""What the services raise when they cannot do their work; consumers tell it in a frame."""


class Unavailable(Exception):
    """Redis, which holds presence and joins the processes, does not answer."""


class LineEnded(Exception):
    """Whoever asked is told to go meanwhile, and has most likely asked again elsewhere."""
