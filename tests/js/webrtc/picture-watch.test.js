/** Tests that a still picture is attached again, then its connection renewed. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { PictureWatch } from '../../../static/js/webrtc/picture-watch.js';
import { FakeWindow, settled } from '../support/fake-window.js';

const FPS = 10;

class FakeVideo {
  isConnected = true;
  track = {};
  srcObject = { getVideoTracks: () => [this.track] };
  #callbacks = new Map();
  #last = 0;

  requestVideoFrameCallback(callback) {
    this.#callbacks.set(++this.#last, callback);
    return this.#last;
  }

  cancelVideoFrameCallback(number) {
    this.#callbacks.delete(number);
  }

  present() {
    const callbacks = [...this.#callbacks.values()];
    this.#callbacks.clear();
    for (const callback of callbacks) callback();
  }

  get waiting() {
    return this.#callbacks.size;
  }
}

class FakePage extends FakeWindow {
  frames = [];

  requestAnimationFrame(callback) {
    this.frames.push(callback);
  }
}

function call() {
  const video = new FakeVideo();
  const environment = new FakePage();
  const found = { video, environment, did: [], decoded: 0, pictures: [{ id: 'mira', video }] };
  const stats = () => new Map([['in', { type: 'inbound-rtp', framesDecoded: found.decoded }]]);
  const pc = {
    getStats: async (track) => (track === video.track ? stats() : assert.fail('another track')),
  };
  const began = environment.Date.now();
  const at = () => (environment.Date.now() - began) / 1_000;
  const watch = new PictureWatch({
    pictures: () => found.pictures,
    peers: () => new Map([['mira', { pc }]]),
    attach: () => found.did.push(['attach', at()]),
    renew: (id) => found.did.push([`renew ${id}`, at()]),
    environment,
  });
  watch.start();
  return Object.assign(found, { watch });
}

/** Lets seconds pass with this many decoded and presented frames each. */
async function pass(found, seconds, { decoded = FPS, presented = FPS, draws = true } = {}) {
  for (let second = 0; second < seconds; second += 1) {
    found.decoded += decoded;
    if (presented > 0) found.video.present();
    if (draws) for (const callback of found.environment.frames.splice(0)) callback();
    found.environment.pass(1_000);
    await settled();
  }
}

const names = ({ did }) => did.map(([name]) => name);

test('a picture that moves, or of which nothing comes, is left alone', async () => {
  const found = call();
  await pass(found, 60);
  await pass(found, 60, { decoded: 0, presented: 0 });
  assert.deepEqual(found.did, []);
});

test('a picture that stands still is attached within ten seconds, then renewed', async () => {
  const found = call();
  await pass(found, 5);
  await pass(found, 10, { presented: 0 });
  assert.deepEqual(names(found), ['attach']);
  await pass(found, 10, { presented: 0 });
  assert.deepEqual(names(found), ['attach', 'renew mira']);
});

test('a connection is renewed twice a minute at most', async () => {
  const found = call();
  await pass(found, 180, { presented: 0 });
  const times = found.did.filter(([name]) => name !== 'attach').map(([, at]) => at);
  assert.ok(times.length > 2);
  times.slice(1).forEach((at, index) => assert.ok(at - times[index] >= 30, String(times)));
});

test('one frame that comes with the stream does not hide that it stands still again', async () => {
  const found = call();
  await pass(found, 12, { presented: 0 });
  found.video.present();
  await pass(found, 12, { presented: 0 });
  assert.deepEqual(names(found), ['attach', 'renew mira']);
});

test('a shared screen with a frame now and then is no picture that stands still', async () => {
  const found = call();
  for (let minute = 0; minute < 10; minute += 1) {
    await pass(found, 20, { decoded: 0, presented: 0 });
    await pass(found, 1, { decoded: 1, presented: 1 });
  }
  assert.deepEqual(found.did, []);
});

test('nothing is judged while the browser draws no frames, or nobody sees the picture', async () => {
  const found = call();
  await pass(found, 60, { presented: 0, draws: false });
  const { pictures } = found;
  await pass(found, 6, { presented: 0 });
  found.pictures = [];
  await pass(found, 60, { presented: 0 });
  found.pictures = pictures;
  await pass(found, 6, { presented: 0 });
  assert.deepEqual(found.did, []);
});

test('the sleep of a machine is no time in which a picture stood still', async () => {
  const found = call();
  await pass(found, 6, { presented: 0 });
  found.environment.sleep(3_600_000);
  await pass(found, 6, { presented: 0 });
  assert.deepEqual(found.did, []);
});

test('one callback waits for a frame, and no look comes after the stop', async () => {
  const found = call();
  await pass(found, 5, { presented: 0 });
  assert.equal(found.video.waiting, 1);
  found.watch.stop();
  assert.equal(found.environment.timers, 0);
});
