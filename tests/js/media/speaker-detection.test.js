/** Speaker detection from readings of loudness. */

import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

import { SpeakerDetector } from '../../../static/js/media/speaker-detection.js';

let said;
let levels;
let now;

beforeEach((context) => {
  mock.timers.reset();
  mock.timers.enable({ apis: ['setInterval'] });
  context.after?.(() => mock.timers.reset());
  [said, now] = [[], 0];
  levels = new SpeakerDetector({ onSpeaking: (ids) => said.push([...ids].join()), now: () => now });
});

const pass = (ms) => {
  for (let left = ms; left > 0; left -= 50) {
    now += 50;
    mock.timers.tick(50);
  }
};

test('speech is told once, and its end after a pause longer than between words', () => {
  let loudness = 0.2;
  levels.listen('ann', () => loudness);
  pass(1_000);
  loudness = 0;
  pass(300);
  assert.deepEqual(said, ['ann']);
  pass(1_000);
  assert.deepEqual(said, ['ann', '']);
});

test('the noise of a room is no speech', () => {
  levels.listen('ann', () => 0.005);
  pass(2_000);
  assert.deepEqual(said, []);
});

test('who leaves while speaking speaks no more', () => {
  levels.listen('ann', () => 0.2);
  levels.listen('bob', () => 0.2);
  pass(200);
  levels.forget('ann');
  levels.stop();
  pass(1_000);
  assert.deepEqual(said, ['ann,bob', 'bob', '']);
});
