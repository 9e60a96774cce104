/** Tests that an unreachable caller shows after 15 s, reported once, and recovers. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CallWatch } from '../../../static/js/webrtc/connection-watch.js';
import { FakeWindow } from '../support/fake-window.js';

const RELAY = { iceServers: [{ urls: ['turn:relay.example'] }] };

function call({ configuration = {}, sdp = '' } = {}) {
  const pc = {
    connectionState: 'connecting',
    remoteDescription: {},
    localDescription: { sdp },
    getConfiguration: () => configuration,
  };
  const environment = new FakeWindow();
  const found = { pc, environment, told: [], shown: [] };
  const peers = new Map([['mira', { pc }]]);
  const watch = new CallWatch({
    peers: () => peers,
    onNoWay: (ids) => found.shown.push([...ids]),
    tell: (failure) => found.told.push(failure),
    environment,
  });
  watch.start();
  return Object.assign(found, { watch, peers });
}

for (const [failure, setup] of [
  ['no_path', {}],
  ['no_path', { configuration: RELAY, sdp: 'a=candidate:1 1 udp 1 192.0.2.1 9 typ relay' }],
  ['no_relay', { configuration: RELAY }],
]) {
  test(`a connection that never comes is told as ${failure}, once`, () => {
    const { environment, told, shown } = call(setup);
    environment.pass(14_000);
    assert.deepEqual([told, shown], [[], []]);
    environment.pass(30_000);
    assert.deepEqual([told, shown], [[failure], [['mira']]]);
  });
}

test('a way that comes back takes the words away, and its loss is another failure', () => {
  const { environment, told, shown, pc } = call();
  environment.pass(20_000);
  pc.connectionState = 'connected';
  environment.pass(2_000);
  pc.connectionState = 'failed';
  environment.pass(20_000);
  assert.deepEqual(told, ['no_path', 'lost']);
  assert.deepEqual(shown, [['mira'], [], ['mira']]);
});

test('a page that never answered has not failed at ICE', () => {
  const { environment, told, pc } = call();
  pc.remoteDescription = null;
  environment.pass(60_000);
  assert.deepEqual(told, []);
});

test('a new connection that is tried meanwhile hides nothing', () => {
  const { environment, told, shown, peers, pc } = call();
  environment.pass(20_000);
  peers.set('mira', { pc: { ...pc, remoteDescription: null, connectionState: 'new' } });
  environment.pass(20_000);
  assert.deepEqual([told, shown], [['no_path'], [['mira']]]);
});
