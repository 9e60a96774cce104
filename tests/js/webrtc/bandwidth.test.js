/** The division of a mesh's upload. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { budget } from '../../../static/js/webrtc/bandwidth.js';

const UPLOAD_BPS = 4_000_000;
const SIZES = [2, 3, 4, 5, 6, 8, 12];

test('however many there are, all that I send fits a home line', () => {
  for (const people of SIZES) {
    for (const screen of [false, true]) {
      const one = budget(people, { screen });
      const each = one.audioBps + one.videoBps + (screen ? one.screenBps : 0);
      assert.ok(each * (people - 1) <= UPLOAD_BPS, `${people} people, screen ${screen}: ${each}`);
    }
  }
});

test('nobody loses the sound, and nobody is sent nothing', () => {
  for (const people of [0, 1, ...SIZES, 50]) {
    for (const screen of [false, true]) {
      const one = budget(people, { screen });
      assert.ok(one.audioBps >= 24_000);
      assert.ok(one.videoBps > 0 && one.screenBps > 0);
      assert.ok(one.scaleDownBy >= 1 && one.maxFramerate >= 15);
    }
  }
});

test('more people never get more each', () => {
  const shares = SIZES.map((people) => budget(people, { screen: false }));
  for (const [index, share] of shares.slice(1).entries()) {
    assert.ok(share.videoBps <= shares[index].videoBps);
    assert.ok(share.scaleDownBy >= shares[index].scaleDownBy);
  }
});

test('a shared screen takes from the camera and not from the sound', () => {
  const [without, sharing] = [false, true].map((screen) => budget(4, { screen }));
  assert.equal(sharing.audioBps, without.audioBps);
  assert.ok(sharing.videoBps < without.videoBps);
  assert.ok(sharing.screenBps > sharing.videoBps);
});
