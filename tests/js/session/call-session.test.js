/** A call's connection beside its room's connection: either may be quicker. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CallSession } from '../../../static/js/session/call-session.js';
import { emptyRoom } from '../../../static/js/state/room-state.js';
import { RoomStore } from '../../../static/js/state/store.js';
import { FakeWindow, settled } from '../support/fake-window.js';
import { ME, ackOf, caller } from '../support/room-fixtures.js';

const NOTHING = { microphone: null, camera: null, screen: null, screenSound: null };
const MEDIA = {
  state: { audio: false, video: false, screen: false, tracks: NOTHING },
  start: async () => {},
  stop: () => {},
};
const LIVE = { audio: true, video: true, screen: false };
const SILENT = { audio: false, video: false, screen: false };
const ACK = { you: ME, timing: { beat_s: 13, lease_s: 30 }, people: [], ice_servers: [], relay_only: false, version: 7 };

/** A call that has joined while its room still waits for its answer. */
async function join({ people = [], ...options } = {}) {
  const window = new FakeWindow();
  const told = [];
  const store = new RoomStore(emptyRoom({ key: 'tea', name: 'Tea', listed: true, capacity: 8 }));
  const { dispatch } = store;
  const enter = () => dispatch('entered', ackOf());
  store.dispatch = (type, payload) => {
    told.push([type, payload.version]);
    dispatch(type, payload);
  };
  const call = new CallSession({
    key: 'tea',
    participant: { token: 't', nextConnection: () => 1 },
    media: MEDIA,
    store,
    onStreams: () => {},
    onPeerState: () => {},
    onSpeaking: () => {},
    onRefused: () => {},
    onServerError: () => {},
    onLeft: () => {},
    environment: window,
    ...options,
  });
  call.join();
  await settled();
  window.line.accept();
  window.line.ack({ ...ACK, people });
  return { window, call, enter, told };
}

const welcome = (version) => ({ type: 'welcome', payload: { person: caller(ME), count: 1, version } });

test('what happens before the room has answered is told after the answer of the call', async () => {
  const { window, enter, told } = await join();
  window.line.tell(welcome(8));
  assert.deepEqual(told, []);
  enter();
  window.line.tell(welcome(9));
  assert.deepEqual(told, [['call.joined', 7], ['call.welcome', 8], ['call.welcome', 9]]);
});

test('a newer answer of the call has what happened before it', async () => {
  const { window, enter, told } = await join();
  window.line.tell(welcome(8));
  window.line.end(1006);
  window.pass(1_000);
  await settled();
  window.line.accept();
  window.line.ack({ ...ACK, version: 8 });
  enter();
  assert.deepEqual(told, [['call.joined', 8]]);
});

test('whom an answer leaves out is expected for as long as the server keeps a lost caller', async () => {
  const { window, enter, told } = await join();
  enter();
  window.pass(20_000);
  window.line.tell({ type: 'beat', payload: { seq: 0, version: 7, ok: true } });
  window.pass(9_000);
  const types = () => told.map(([type]) => type);
  assert.ok(!types().includes('call.awaited_over'));
  window.pass(1_000);
  assert.ok(types().includes('call.awaited_over'));
});

test('a call that an administrator has ended is over, with the reason', async () => {
  const refused = [];
  const { window, call } = await join({ onRefused: (code) => refused.push(code) });
  window.line.end(4405);
  assert.equal(call.joined, false);
  assert.deepEqual(refused, ['call_ended']);
});

test('a call that ends with its room gives no reason of its own', async () => {
  const refused = [];
  const { window, call } = await join({ onRefused: (code) => refused.push(code) });
  window.line.end(4404);
  assert.equal(call.joined, false);
  assert.deepEqual(refused, []);
});

test('a mute that the server refused for now is told again until the roster has it', async () => {
  const { window, enter } = await join({ people: [caller(ME, { media: LIVE })] });
  enter();
  const muted = () => window.line.sent.filter(({ type }) => type === 'media');
  assert.equal(muted().length, 1, 'the page sends nothing, and the roster says that it does');
  window.line.refuse('try_later', muted()[0]);
  await settled();
  window.pass(1_000);
  assert.equal(muted().length, 2);
  window.line.ack({}, muted()[1]);
  await settled();
  window.line.tell({ type: 'media', payload: { person: caller(ME, { media: SILENT }), version: 8 } });
  window.pass(10_000);
  assert.deepEqual(muted().map(({ payload }) => payload), [SILENT, SILENT]);
});
