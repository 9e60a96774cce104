/** Spans of numbers: their union and their lookup. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { coversAll, joinSpans, spanAt } from '../../../static/js/state/spans.js';

const spans = (...pairs) => pairs.map(([first, last]) => ({ first, last }));

test('spans that touch or overlap become one', () => {
  const joined = joinSpans(spans([1, 2], [8, 9]), spans([3, 4], [6, 8]));
  assert.deepEqual(joined, spans([1, 4], [6, 9]));
  assert.deepEqual(joinSpans([], spans([5, 5], [1, 9])), spans([1, 9]));
});

test('joining nothing returns the very same spans', () => {
  const known = spans([1, 2]);
  assert.equal(joinSpans(known, []), known);
});

test('a number is found in its span, and nowhere else', () => {
  const known = spans([1, 4], [6, 9], [20, 20]);
  assert.deepEqual([4, 5, 6, 20].map((n) => spanAt(known, n)?.last), [4, undefined, 9, 20]);
  assert.equal(spanAt(known, 21), undefined);
});

test('numbers are covered by one span or not at all', () => {
  const known = spans([1, 4], [6, 9]);
  assert.deepEqual([coversAll(known, 2, 4), coversAll(known, 4, 6), coversAll(known, 9, 8)], [true, false, true]);
});
