/** Sets of whole numbers, as separate spans in rising order. Pure. */

/** @import {Span} from '../protocol/messages.js' */

/**
 * The union of two sets, in the fewest spans.
 * @param {Span[]} spans
 * @param {Span[]} more
 * @returns {Span[]}
 */
export function joinSpans(spans, more) {
  if (more.length === 0) return spans;
  /** @type {Span[]} */
  const joined = [];
  for (const span of [...spans, ...more].sort((a, b) => a.first - b.first)) {
    const before = joined.at(-1);
    if (before === undefined || span.first > before.last + 1) joined.push(span);
    else if (span.last > before.last) joined[joined.length - 1] = { ...before, last: span.last };
  }
  return joined;
}

/**
 * The span that holds a number, if any.
 * @param {Span[]} spans
 * @param {number} number
 */
export function spanAt(spans, number) {
  let [low, high] = [0, spans.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (spans[middle].last < number) low = middle + 1;
    else high = middle;
  }
  return low < spans.length && spans[low].first <= number ? spans[low] : undefined;
}

/**
 * Whether one span has all numbers from `first` to `last`; true for none.
 * @param {Span[]} spans
 * @param {number} first
 * @param {number} last
 */
export const coversAll = (spans, first, last) =>
  last < first || (spanAt(spans, first)?.last ?? 0) >= last;
