"""Spans hold the same numbers as sets of numbers do."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from chat.protocol import spans

PARTS = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 10)).map(lambda p: (p[0], sum(p))))


def numbers(parts):
    return {number for first, last in parts for number in range(first, last + 1)}


@given(PARTS)
def test_joined_spans_hold_the_same_numbers_apart_and_in_order(parts):
    joined = spans.join(parts)
    assert numbers(joined) == numbers(parts)
    flat = [number for span in joined for number in span]
    assert flat == sorted(flat)
    assert all(b[0] > a[1] + 1 for a, b in pairwise(joined))


@given(PARTS, st.integers(0, 60))
def test_end_of_a_number_is_that_of_its_span(parts, number):
    joined = spans.join(parts)
    held = [last for first, last in joined if first <= number <= last]
    assert spans.end_of(joined, number) == (held[0] if held else 0)
