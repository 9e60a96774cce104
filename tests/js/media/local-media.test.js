/** The user's media on a machine whose devices can be unplugged, busy or refused. */

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { LocalMedia } from '../../../static/js/media/local-media.js';
import { safeStore } from '../../../static/js/browser/storage.js';

class Track {
  readyState = 'live';
  enabled = true;
  onended = null;
  onmute = null;
  onunmute = null;
  muted = false;

  constructor(kind, deviceId) {
    Object.assign(this, { kind, deviceId });
  }

  stop() {
    this.readyState = 'ended';
  }

  /** Mutes or unmutes the track as the system does. @param {boolean} muted */
  silence(muted) {
    this.muted = muted;
    (muted ? this.onmute : this.onunmute)?.();
  }

  pullOut() {
    this.readyState = 'ended';
    this.onended?.();
  }

  getSettings() {
    return { deviceId: this.deviceId };
  }
}

class Machine extends EventTarget {
  has = { audio: ['mic1', 'mic2'], video: ['cam1', 'cam2'] };
  errors = { audio: null, video: null };
  asked = [];
  opened = [];
  gate = Promise.resolve();

  async getUserMedia(constraints) {
    const kinds = ['audio', 'video'].filter((kind) => constraints[kind]);
    this.asked.push(kinds.join('+'));
    await this.gate;
    const tracks = kinds.map((kind) => this.#open(kind, constraints[kind].deviceId ?? {}));
    this.opened.push(...tracks);
    return { getTracks: () => tracks };
  }

  async getDisplayMedia() {
    await this.gate;
    if (this.errors.screen) throw failure(this.errors.screen);
    const track = new Track('video', 'screen');
    this.opened.push(track);
    return { getTracks: () => [track] };
  }

  async enumerateDevices() {
    return Object.entries(this.has).flatMap(([kind, ids]) =>
      ids.map((deviceId) => ({ kind: `${kind}input`, deviceId, label: deviceId })),
    );
  }

  #open(kind, { exact }) {
    const error = this.errors[kind];
    if (error) throw failure(error);
    if (exact && !this.has[kind].includes(exact)) throw failure('OverconstrainedError');
    const id = exact ?? this.has[kind][0]; // browsers may ignore an ideal id
    if (!id) throw failure('NotFoundError');
    return new Track(kind, id);
  }
}

const failure = (name) => Object.assign(new Error(name), { name });
const turn = () => new Promise((resolve) => setTimeout(resolve));
/** Settles pending promises, even while time stands still. */
const settle = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

let machine;
let stored;
let media;
let problems;
let questions;

const make = (devices) =>
  new LocalMedia({
    devices,
    storage: safeStore(() => ({
      getItem: (key) => stored.get(key) ?? null,
      setItem: (key, value) => void stored.set(key, value),
      removeItem: (key) => void stored.delete(key),
    })),
    onChange: () => undefined,
    onProblem: (kind, problem) => problems.push(`${kind} ${problem}`),
    onQuestion: (stands) => questions.push(stands),
  });

beforeEach(() => {
  machine = new Machine();
  [stored, problems, questions] = [new Map(), [], []];
  media = make(machine);
});

/** Whether each opened device that is no longer in use has been released. */
const onlyInUse = () => {
  const used = Object.values(media.state.tracks).filter(Boolean);
  return machine.opened.every((track) => (track.readyState === 'live') === used.includes(track));
};

test('without any devices a person still joins, and is told why', async () => {
  media = make(undefined);
  await media.start();
  await media.toggleCamera();
  await media.shareScreen();
  media.stopScreen();
  assert.equal(media.state.audio, false);
  assert.equal(media.state.problem, 'unsupported');
  media.stop();
  assert.equal(media.state.problem, null);
});

test('a busy camera costs the camera only', async () => {
  machine.errors.video = 'NotReadableError';
  await media.start();
  assert.deepEqual(machine.asked, ['audio+video', 'audio', 'video']);
  assert.deepEqual(media.state.problems, { audio: null, video: 'busy' });
  assert.equal(media.state.audio, true);
  machine.errors.video = null;
  await media.toggleCamera();
  assert.equal(media.state.video, true);
  assert.equal(media.state.problem, null);
});

test('what is granted after a stop is released at once', async () => {
  let grant;
  machine.gate = new Promise((resolve) => { grant = resolve; });
  const started = media.start();
  const toggled = media.toggleCamera();
  const shared = media.shareScreen();
  await turn();
  media.stop();
  grant();
  await Promise.all([started, toggled, shared]);
  assert.equal(machine.opened.length, 3); // the toggle of the camera still waited
  assert.ok(onlyInUse());
  assert.equal(media.state.screen, false);
});

test('a microphone that is pulled out is replaced, and stays muted', async () => {
  await media.start();
  media.toggleMic();
  machine.has.audio = ['mic2'];
  media.state.tracks.microphone.pullOut();
  await turn();
  assert.equal(media.state.chosen.audioinput, 'mic2');
  assert.equal(media.state.tracks.microphone.enabled, false);
  machine.has.audio = [];
  media.state.tracks.microphone.pullOut();
  await turn();
  assert.equal(media.state.tracks.microphone, null);
  assert.deepEqual(problems, ['audio no_device']);
  assert.ok(onlyInUse());
});

test('another camera takes the place of the old one, which is released', async () => {
  await media.start();
  await media.chooseDevice('videoinput', 'cam2');
  assert.equal(media.state.tracks.camera.deviceId, 'cam2');
  assert.ok(onlyInUse());
  assert.equal(make(machine).state.chosen.videoinput, 'cam2');
});

test('a choice that does not work leaves the old device and the old choice', async () => {
  await media.start();
  const old = media.state.tracks.camera;
  await media.chooseDevice('videoinput', 'gone');
  assert.equal(media.state.tracks.camera, old);
  assert.equal(media.state.chosen.videoinput, 'cam1');
  assert.deepEqual(problems, ['video no_device']);
});

test('where one camera opens at a time the old one is let go first', async () => {
  await media.start();
  const old = media.state.tracks.camera;
  machine.errors.video = 'NotReadableError';
  old.stop = () => {
    old.readyState = 'ended';
    machine.errors.video = null;
  };
  await media.chooseDevice('videoinput', 'cam2');
  assert.equal(media.state.tracks.camera.deviceId, 'cam2');
  assert.deepEqual(problems, []);
});

test('choosing while it is off opens nothing', async () => {
  media.flip('video');
  await media.start();
  await media.chooseDevice('videoinput', 'cam2');
  assert.equal(media.state.video, false);
  await media.toggleCamera();
  assert.equal(media.state.tracks.camera.deviceId, 'cam2');
});

test('two quick clicks on the camera end where they began', async () => {
  await media.start();
  await Promise.all([media.toggleCamera(), media.toggleCamera()]);
  assert.equal(media.state.video, true);
  assert.ok(onlyInUse());
});

test('the list follows what is plugged in', async () => {
  await media.start();
  machine.has.video.push('cam3');
  machine.dispatchEvent(new Event('devicechange'));
  await turn();
  assert.deepEqual(media.state.devices.videoinput.map(({ id }) => id), ['cam1', 'cam2', 'cam3']);
});

test('a screen ends by the browser’s own bar; closing its picker is no problem', async () => {
  await media.shareScreen();
  assert.equal(media.state.screen, true);
  media.state.tracks.screen.pullOut();
  assert.equal(media.state.screen, false);
  machine.errors.screen = 'NotAllowedError';
  await media.shareScreen();
  assert.deepEqual(problems, []);
});

test('broken storage is no hindrance', async () => {
  stored = { get: () => '{not json', set: () => { throw new Error('full'); }, delete: () => {} };
  media = make(machine);
  await media.start();
  await media.chooseDevice('audioinput', 'mic2');
  assert.equal(media.state.chosen.audioinput, 'mic2');
});

test('what a person has switched off stays off over leaving and reloading', async () => {
  await media.start();
  media.toggleMic();
  await media.toggleCamera();
  media.stop();
  machine.asked = [];
  await media.start();
  assert.deepEqual(machine.asked, []);
  assert.deepEqual(make(machine).state.wanted, { audio: false, video: false });
  media.toggleMic();
  await turn();
  assert.deepEqual(machine.asked, ['audio']);
  assert.equal(media.state.audio, true);
});

test('a switch before the call opens nothing', async () => {
  media.flip('audio');
  assert.deepEqual(machine.asked, []);
  await media.start();
  assert.deepEqual(machine.asked, ['video']);
  assert.equal(media.state.audio, false);
});

test('the chosen devices come back whenever one is opened anew', async () => {
  await media.start();
  await media.chooseDevice('videoinput', 'cam2');
  await media.chooseDevice('audioinput', 'mic2');
  await media.toggleCamera();
  await media.toggleCamera();
  assert.equal(media.state.tracks.camera.deviceId, 'cam2');
  media.stop();
  await media.start();
  const { microphone, camera } = media.state.tracks;
  assert.deepEqual([microphone.deviceId, camera.deviceId], ['mic2', 'cam2']);
});

test('a chosen device that is gone is replaced, and comes back when it is', async () => {
  await media.start();
  await media.chooseDevice('videoinput', 'cam2');
  media.stop();
  machine.has.video = ['cam1'];
  await media.start();
  assert.equal(media.state.tracks.camera.deviceId, 'cam1');
  assert.equal(media.state.tracks.microphone.deviceId, 'mic1');
  assert.deepEqual(problems, []);
  media.stop();
  machine.has.video = ['cam1', 'cam2'];
  await media.start();
  assert.equal(media.state.tracks.camera.deviceId, 'cam2');
});

test('a question that nobody answers holds nothing up', { timeout: 30_000 }, async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  let grant;
  machine.gate = new Promise((resolve) => { grant = resolve; });
  void media.start();
  await settle();
  context.mock.timers.tick(5_000);
  assert.deepEqual(questions, [true]);
  media.toggleMic();
  void media.toggleCamera();
  assert.deepEqual(media.state.wanted, { audio: false, video: false });
  grant();
  await settle();
  assert.deepEqual(questions, [true, false]);
  assert.equal(media.state.tracks.microphone.enabled, false);
  assert.equal(media.state.video, false);
  assert.ok(onlyInUse());
});

test('leaving and joining asks anew, whatever question still stands', async () => {
  machine.gate = new Promise(() => undefined);
  void media.start();
  await settle();
  media.stop();
  machine.gate = Promise.resolve();
  await media.start();
  assert.equal(media.state.audio, true);
  assert.deepEqual(machine.asked, ['audio+video', 'audio+video']);
});

test('a microphone that the system mutes is told as one that is off', async () => {
  await media.start();
  media.state.tracks.microphone.silence(true);
  assert.equal(media.state.audio, false);
  assert.deepEqual(media.state.silenced, { audio: true, video: false });
  assert.equal(media.state.wanted.audio, true);
  media.state.tracks.microphone.silence(false);
  assert.equal(media.state.audio, true);
});

test('a list of devices that fails is no problem of the microphone', async () => {
  machine.enumerateDevices = () => Promise.reject(new Error('no'));
  await media.start();
  assert.deepEqual(problems, []);
  assert.equal(media.state.audio, true);
});
