"""Sets of whole numbers, as disjoint spans in rising order. Pure."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

Spans = list[tuple[int, int]]


def join(parts: Iterable[Sequence[int]]) -> Spans:
    """Merge spans that overlap or touch."""
    return list(_joined(sorted((first, last) for first, last in parts)))


def end_of(spans: Spans, number: int) -> int:
    """The last number of the span that holds a number; 0 if no span does."""
    at = bisect_left(spans, number, key=lambda span: span[1])
    return spans[at][1] if at < len(spans) and spans[at][0] <= number else 0


def _joined(ordered: Spans) -> Iterator[tuple[int, int]]:
    if not ordered:
        return
    start, end = ordered[0]
    for first, last in ordered[1:]:
        if first > end + 1:
            yield start, end
            start = first
        end = max(end, last)
    yield start, end
