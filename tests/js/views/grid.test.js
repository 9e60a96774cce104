/** Tests that the grid fits any number of tiles on any screen, at the largest size. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bestGrid } from '../../../static/js/views/call/grid.js';
import { layOut } from '../../../static/js/views/call/stage-layout.js';

const SCREENS = [
  [1280, 720],
  [390, 640],
  [844, 300],
  [320, 320],
  [2560, 400],
];
const GAP = 8;
const SLACK = 0.001;

/** @param {number} n */
const callOf = (n) =>
  Array.from({ length: n }, (_, index) => ({
    key: String(index),
    kind: /** @type {const} */ (index === n - 1 ? 'own' : 'peer'),
  }));

test('a stage without room gives tiles without size, not negative ones', () => {
  const { tileWidth, tileHeight } = bestGrid(5, 10, 0);
  assert.deepEqual([tileWidth, tileHeight], [0, 0]);
});

test('no tiles is no error', () => {
  assert.equal(bestGrid(0, 100, 100).rows, 1);
  assert.equal(layOut([], { width: 100, height: 100 }, null).size, 0);
});

test('every number of tiles fits every screen, in shape, and no number of columns is better', () => {
  for (const [width, height] of SCREENS) {
    for (let n = 1; n <= 30; n += 1) {
      const { columns, rows, tileWidth, tileHeight } = bestGrid(n, width, height, 16 / 9, GAP);
      assert.ok(columns * rows >= n && columns * (rows - 1) < n);
      assert.ok(columns * tileWidth + (columns - 1) * GAP <= width + SLACK);
      assert.ok(rows * tileHeight + (rows - 1) * GAP <= height + SLACK);
      assert.ok(Math.abs(tileWidth / tileHeight - 16 / 9) < SLACK);
      for (let other = 1; other <= n; other += 1) {
        const otherRows = Math.ceil(n / other);
        const fits = Math.min(
          (width - GAP * (other - 1)) / other,
          ((height - GAP * (otherRows - 1)) / otherRows) * (16 / 9),
        );
        assert.ok(fits <= tileWidth + SLACK, `${other} columns for ${n} on ${width}x${height}`);
      }
    }
  }
});

test('tiles lie on the stage and, but for a floating one, not on each other', () => {
  for (const [width, height] of SCREENS) {
    for (let n = 1; n <= 12; n += 1) {
      for (const pinned of [null, '0']) {
        const tiles = [...callOf(n), { key: 'screen-0', kind: /** @type {const} */ ('screen') }];
        const boxes = layOut(n % 2 ? tiles : callOf(n), { width, height }, pinned);
        assertApart([...boxes.values()], width, height);
      }
    }
  }
});

/**
 * @param {import('../../../static/js/views/call/stage-layout.js').Box[]} boxes
 * @param {number} width
 * @param {number} height
 */
function assertApart(boxes, width, height) {
  for (const box of boxes) {
    assert.ok(box.x >= -SLACK && box.x + box.width <= width + SLACK);
    assert.ok(box.y >= -SLACK && box.y + box.height <= height + SLACK);
  }
  const fixed = boxes.filter(({ floating }) => !floating);
  for (const [index, a] of fixed.entries()) {
    for (const b of fixed.slice(index + 1)) {
      const apartX = a.x + a.width <= b.x + SLACK || b.x + b.width <= a.x + SLACK;
      const apartY = a.y + a.height <= b.y + SLACK || b.y + b.height <= a.y + SLACK;
      assert.ok(apartX || apartY);
    }
  }
}

test('of two, the other is large and my own picture floats in the corner; of three, all are equal', () => {
  const two = layOut(callOf(2), { width: 1280, height: 720 }, null);
  assert.equal(two.get('1')?.floating, true);
  assert.equal(two.get('0')?.width, 1280);
  const three = [...layOut(callOf(3), { width: 1280, height: 720 }, null).values()];
  assert.equal(new Set(three.map(({ width }) => width.toFixed(3))).size, 1);
});

test('a shared screen is large by itself, and a pinned tile takes its place', () => {
  const tiles = [...callOf(3), { key: 'screen-0', kind: /** @type {const} */ ('screen') }];
  const stage = { width: 1280, height: 720 };
  for (const [pinned, large] of /** @type {const} */ ([[null, 'screen-0'], ['1', '1']])) {
    const boxes = layOut(tiles, stage, pinned);
    const widths = [...boxes].map(([key, { width }]) => ({ key, width }));
    assert.equal(widths.sort((a, b) => b.width - a.width)[0].key, large);
  }
});

test('on an upright phone two people fill the stage', () => {
  const boxes = layOut(callOf(2), { width: 374, height: 640 }, null);
  assert.equal(boxes.get('0')?.width, 374);
  assert.ok(Number(boxes.get('0')?.height) > 600);
});
