/** Reconnects after a close, a silence, or an event of the browser. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CLOSE_CODES } from '../../../static/js/protocol/close-codes.js';
import { settled } from '../support/fake-window.js';
import { BEAT, beatFor, connect, enter, failure } from '../support/socket-fixtures.js';

test('a lost line rejects what waits, and a new one says hello again', async () => {
  const { window, socket, states, welcomes } = enter();
  const request = socket.request('new_message', { text: 'hi' });
  window.line.end(1006);
  assert.equal(await failure(request), 'disconnected');
  assert.equal(socket.state, 'reconnecting');
  window.pass(1_000);
  assert.equal(window.sockets.length, 2);
  window.line.accept();
  assert.equal(window.line.sent[0].type, 'enter_room');
  window.line.ack({ you: 'me' });
  assert.deepEqual(states, ['connecting', 'open', 'reconnecting', 'open']);
  assert.equal(welcomes.length, 2);
});

test('what an abandoned line still says is not heard, not even that it was replaced', () => {
  const { window, socket, events, closed } = enter();
  const old = window.line;
  window.goOnline();
  window.line.accept();
  window.line.ack();
  old.tell(BEAT);
  old.end(4409);
  assert.deepEqual([events, closed, socket.state], [[], [], 'open']);
});

test('waits are jittered from zero, double from one second, and end at ten', async () => {
  for (const random of [0, 0.999]) {
    const { window, socket } = connect();
    window.random = random;
    socket.start();
    for (const mostMs of [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]) {
      const { length } = window.sockets;
      await window.fail();
      window.pass(Math.floor(random * mostMs) - (random ? 1 : 0));
      assert.equal(window.sockets.length, length + (random ? 0 : 1));
      window.pass(1);
      assert.equal(window.sockets.length, length + 1);
    }
  }
});

test('those who lose a full server spread out as far as it has said', () => {
  const { window } = enter();
  window.random = 0.999;
  window.line.tell({ type: 'beat', payload: { ...BEAT.payload, return_within_ms: 4_000 } });
  window.line.end(1006);
  window.pass(3_995);
  assert.equal(window.sockets.length, 1);
  window.pass(1);
  assert.equal(window.sockets.length, 2);
});

test('a line that breaks right after each welcome does not come back ever faster', () => {
  const { window } = enter();
  window.random = 0.999;
  for (const waitMs of [999, 1_998, 3_996]) {
    const { length } = window.sockets;
    window.line.end(4500);
    window.pass(waitMs - 1);
    assert.equal(window.sockets.length, length);
    window.pass(1);
    window.line.accept();
    window.line.ack();
  }
  beatFor(window, 15_000);
  window.line.end(1006);
  const { length } = window.sockets;
  window.pass(1_000);
  assert.equal(window.sockets.length, length + 1, 'a good line starts again at the shortest wait');
});

test('twelve silent seconds are a dead line; beats keep it', () => {
  const { window, socket } = enter();
  beatFor(window, 60_000);
  assert.equal(window.sockets.length, 1);
  window.pass(10_000);
  assert.equal(socket.state, 'open');
  window.pass(4_000);
  assert.equal(socket.state, 'reconnecting');
  assert.ok(window.sockets[0].isClosed);
});

test('a server that beats seldom is given two of its own beats', () => {
  const { window, socket } = connect();
  socket.start();
  window.line.accept();
  window.line.ack({ you: 'me', timing: { beat_s: 13, lease_s: 30 } });
  window.pass(26_000);
  assert.equal(socket.state, 'open');
  window.pass(4_000);
  assert.equal(socket.state, 'reconnecting');
});

test('a handshake or a hello without an answer is given up too', async () => {
  for (const accepts of [false, true]) {
    const { window, socket } = connect();
    socket.start();
    if (accepts) window.line.accept();
    window.pass(14_000);
    await settled();
    window.pass(2_000);
    assert.equal(window.sockets.length, 2);
    assert.ok(window.sockets[0].isClosed);
  }
});

test('after a sleep the dead line is noticed at once', () => {
  const { window } = enter();
  window.random = 0;
  window.sleep(3_600_000);
  window.pass(2_000);
  assert.equal(window.sockets.length, 2);
});

test('a page that becomes visible does not wait, but leaves a living line alone', () => {
  const { window } = enter();
  window.see('hidden');
  window.see('visible');
  assert.equal(window.sockets.length, 1);
  window.line.end(1006);
  window.see('hidden');
  assert.equal(window.sockets.length, 1);
  window.see('visible');
  assert.equal(window.sockets.length, 2);
  window.line.accept();
  window.line.ack();
  window.sleep(60_000);
  window.see('visible');
  assert.equal(window.sockets.length, 3);
  window.pass(5_000);
  assert.equal(window.sockets.length, 3, 'the timer of the wait is gone');
});

test('offline is said at once, and what still comes takes it back', () => {
  const { window, socket, states } = enter();
  window.goOffline();
  assert.equal(socket.state, 'offline');
  window.line.tell({ type: 'beat', payload: {} });
  assert.equal(socket.state, 'open', 'a server on this machine is still there');
  assert.deepEqual(states, ['connecting', 'open', 'offline', 'open']);
});

test('offline is said while the line is down, and online connects at once', () => {
  const { window, socket, states } = enter();
  window.goOffline();
  window.line.end(1006);
  assert.equal(socket.state, 'offline');
  window.pass(1_000);
  assert.equal(window.sockets.length, 2, 'it may be in reach although the browser says offline');
  window.goOnline();
  assert.equal(window.sockets.length, 3);
  assert.deepEqual(states, ['connecting', 'open', 'offline', 'reconnecting']);
});

test('each code that stops, stops for good, and says so once', () => {
  const stops = Object.keys(CLOSE_CODES).filter((code) => CLOSE_CODES[code].isFinal);
  assert.deepEqual(stops, ['4400', '4401', '4403', '4404', '4405', '4409', '4426']);
  for (const code of stops.map(Number)) {
    const { window, socket, closed } = enter();
    window.line.end(code);
    window.goOnline();
    window.see('visible');
    window.pass(120_000);
    assert.deepEqual([closed, socket.state, window.sockets.length], [[code], 'closed', 1]);
    assert.equal(window.timers, 0);
  }
});

test('every other code comes back', () => {
  for (const code of [1000, 1001, 1006, 1011, 1012, 3000, 4000, 4408, 4412, 4413, 4500, 4999]) {
    const { window, closed } = enter();
    window.line.end(code);
    window.pass(1_000);
    assert.deepEqual([closed, window.sockets.length], [[], 2], `${code}`);
  }
});

test('after flooding it stays away for five seconds, whatever happens', () => {
  const { window } = enter();
  window.line.end(4429);
  window.goOnline();
  window.see('visible');
  window.pass(4_999);
  assert.equal(window.sockets.length, 1);
  window.pass(1_001);
  assert.equal(window.sockets.length, 2);
});

test('a restarting server may name how long the return is spread', () => {
  const { window } = enter();
  window.line.end(4412, '20000');
  window.pass(9_999);
  assert.equal(window.sockets.length, 1);
  window.pass(1);
  assert.equal(window.sockets.length, 2);
});

test('online starts again at the shortest wait', async () => {
  const { window } = enter();
  window.random = 0.999;
  for (const waitMs of [1_000, 2_000, 4_000]) {
    await window.fail();
    window.pass(waitMs);
  }
  window.goOnline();
  const { length } = window.sockets;
  await window.fail();
  window.pass(1_000);
  assert.equal(window.sockets.length, length + 1);
});
