/** Tests that calls within the least interval cause one later run. */

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import { at, spaced } from '../../../static/js/browser/schedule.js';

test('six calls in a row are three runs, the first at once and each a while after the last', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const runs = [];
  let nowMs = 0;
  const pass = (ms) => {
    for (let step = 0; step < ms; step += 100) {
      mock.timers.tick(100);
      nowMs += 100;
    }
  };
  const restart = spaced(() => runs.push(nowMs), 5_000);
  for (let press = 0; press < 6; press += 1) {
    restart();
    pass(1_500);
  }
  pass(20_000);
  assert.equal(runs.length, 3);
  assert.equal(runs[0], 0);
  assert.ok(runs[1] - runs[0] >= 4_900 && runs[2] - runs[1] >= 4_900, String(runs));
  restart();
  restart();
  restart.stop();
  pass(20_000);
  assert.equal(runs.length, 4, 'a stop forgets what is due');
  mock.timers.reset();
});

test('a schedule repeats its last entry', () => {
  assert.deepEqual([0, 1, 2, 9].map((index) => at([5, 6, 7], index)), [5, 6, 7, 7]);
});
