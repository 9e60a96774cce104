/** A socket's handshake, requests and end. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FakeWindow, settled } from '../support/fake-window.js';
import { BEAT, ENTER, connect, enter, failure } from '../support/socket-fixtures.js';

test('an address that is missing is refused at once', () => {
  assert.throws(() => connect({ url: '' }), TypeError);
});

test('nothing happens before start, and the address follows the page', () => {
  const { window, socket } = connect();
  assert.equal(window.sockets.length, 0);
  assert.equal(socket.state, 'closed');
  socket.start();
  assert.equal(window.line.url, 'wss://noom.example/ws/chat/tea/');
  socket.start();
  assert.equal(window.sockets.length, 1);
});

test('a page that came by http speaks ws', () => {
  const window = new FakeWindow();
  window.location.href = 'http://localhost:8000/rooms/tea/';
  connect({ environment: window }).socket.start();
  assert.equal(window.line.url, 'ws://localhost:8000/ws/chat/tea/');
});

test('nothing but the hello is sent before it is acknowledged', async () => {
  const { window, socket } = connect();
  socket.start();
  assert.equal(await failure(socket.request('history', {})), 'disconnected');
  window.line.accept();
  assert.equal(await failure(socket.request('history', {})), 'disconnected');
  socket.post('typing', { on: true });
  assert.deepEqual(window.line.sent, [{ ...ENTER, ref: 1 }]);
});

test('half an emoji in any field does not reach the line', () => {
  const { window, socket } = connect({ firstMessage: () => ({ type: 'enter_room', payload: { nickname: 'a\ud83d' } }) });
  socket.start();
  window.line.accept();
  assert.equal(window.line.sent[0].payload.nickname, 'a');
});

test('requests may be made from onWelcome, and open comes after it', async () => {
  const order = [];
  const { window, socket } = connect({
    onWelcome: () => order.push(['welcome', socket.request('history', {})]),
    onState: (state) => order.push([state]),
  });
  socket.start();
  window.line.accept();
  window.line.ack();
  assert.deepEqual(order.map(([name]) => name), ['connecting', 'welcome', 'open']);
  window.line.ack({ messages: [] });
  assert.deepEqual(await order[1][1], { messages: [] });
});

test('answers find their requests in any order, and errors carry code and words', async () => {
  const { window, socket } = enter();
  const first = socket.request('nickname', { nickname: 'Ann' });
  const second = socket.request('nickname', { nickname: '' });
  const [, one, two] = window.line.sent;
  window.line.refuse('empty_nickname', two);
  window.line.ack({ nickname: 'Ann' }, one);
  assert.deepEqual(await first, { nickname: 'Ann' });
  await assert.rejects(second, { code: 'empty_nickname', message: 'No: empty_nickname.' });
});

test('a request without an answer times out, and its late answer meets nobody', async () => {
  const { window, socket, events } = enter();
  const request = socket.request('history', {}, { timeoutMs: 3_000 });
  const late = window.line.sent.at(-1);
  window.pass(3_000);
  assert.equal(await failure(request), 'timeout');
  window.line.ack({}, late);
  window.line.refuse('too_fast', late);
  assert.deepEqual(events, []);
});

test('an array is unfolded, and an error without ref is an event', () => {
  const { window, events } = enter();
  const error = { type: 'error', payload: { code: 'bad_frame', message: '…' } };
  window.line.tell([BEAT, BEAT]);
  window.line.tell(error);
  assert.deepEqual(events, [BEAT, BEAT, error]);
});

test('one event that the page stumbles over does not cost the others of its batch', () => {
  const seen = [];
  const { window } = enter({
    onEvent: ({ type }) => {
      seen.push(type);
      if (type === 'bad') throw new Error('stumbled');
    },
  });
  window.line.tell([{ type: 'bad' }, BEAT]);
  assert.deepEqual(seen, ['bad', 'beat']);
  assert.deepEqual(window.reported.map(({ message }) => message), ['stumbled']);
});

test('events that come before the welcome are passed on', () => {
  const { window, socket, events } = connect();
  socket.start();
  window.line.accept();
  window.line.tell(BEAT);
  assert.deepEqual(events, [BEAT]);
});

test('a hello refused for now is tried again on the same line', () => {
  for (const code of ['not_in_room', 'too_fast', 'try_later']) {
    const { window, socket, refused } = connect();
    socket.start();
    window.line.accept();
    window.line.refuse(code);
    window.pass(999);
    assert.equal(window.line.sent.length, 1);
    window.pass(1);
    assert.equal(window.line.sent.length, 2);
    window.line.ack();
    assert.equal(socket.state, 'open');
    assert.deepEqual(refused, [{ code, message: `No: ${code}.`, willRetry: true }]);
  }
});

test('a hello that was to be tried again is not sent on another line', () => {
  const { window, socket, refused } = connect();
  window.random = 0;
  socket.start();
  window.line.accept();
  window.line.refuse('too_fast');
  window.line.end(1006);
  window.pass(1_000);
  assert.deepEqual([window.sockets.length, window.line.sent], [2, []]);
  window.line.accept();
  window.line.end(1006);
  assert.equal(refused.length, 1, 'a lost line is no refusal');
});

test('a hello that is answered twice is a welcome once', () => {
  const { window, welcomes } = enter();
  window.line.ack({ you: 'me' });
  assert.equal(welcomes.length, 1);
});

test('a hello refused for long takes a new line before the server cuts it off', () => {
  const { window, socket } = connect();
  socket.start();
  window.line.accept();
  for (let second = 0; second < 9; second += 1) {
    window.line.refuse('not_in_room');
    window.pass(1_000);
    if (window.sockets.length > 1) break;
  }
  assert.equal(window.sockets.length, 2);
  assert.ok(window.sockets[0].isClosed);
  assert.ok(window.sockets[0].sent.length >= 5);
});

test('a hello refused for good ends the line until start is called', () => {
  const { window, socket, refused, closed } = connect();
  socket.start();
  window.line.accept();
  window.line.refuse('room_full');
  assert.deepEqual(refused, [{ code: 'room_full', message: 'No: room_full.', willRetry: false }]);
  assert.equal(socket.state, 'closed');
  window.goOnline();
  window.pass(60_000);
  assert.deepEqual([window.sockets.length, window.timers, closed], [1, 0, []]);
  assert.ok(window.line.isClosed);
  socket.start();
  window.line.accept();
  window.line.ack();
  assert.equal(socket.state, 'open');
});

test('start right after a refusal makes a line that stays', () => {
  const { window, socket } = connect();
  socket.start();
  window.line.accept();
  window.line.refuse('call_full');
  socket.start();
  window.line.accept();
  window.line.ack();
  window.pass(5_000);
  assert.equal(socket.state, 'open');
  assert.ok(window.sockets[0].isClosed);
});

test('the close code that follows a refusal is told', () => {
  const { window, socket, closed } = connect();
  socket.start();
  window.line.accept();
  window.line.refuse('bad_token');
  window.line.end(4401);
  assert.deepEqual([closed, socket.state], [[4401], 'closed']);
});

test('a line that ends without a word after a refusal does not come back', () => {
  const { window, socket, closed } = connect();
  socket.start();
  window.line.accept();
  window.line.refuse('room_full');
  window.line.end(1006);
  window.pass(60_000);
  assert.deepEqual([window.sockets.length, closed, window.timers], [1, [], 0]);
});

test('a server that fails at the hello is tried again', () => {
  const { window, socket } = connect();
  socket.start();
  window.line.accept();
  window.line.refuse('server_error');
  window.line.end(4500);
  window.pass(1_000);
  assert.equal(window.sockets.length, 2);
  assert.equal(window.sockets[0].sent.length, 1);
});

test('stop ends everything that start began', async () => {
  const { window, socket, states } = enter();
  const request = socket.request('history', {});
  socket.stop();
  assert.equal(await failure(request), 'disconnected');
  window.goOnline();
  window.see('visible');
  window.pass(60_000);
  await settled();
  assert.deepEqual([window.sockets.length, window.timers], [1, 0]);
  assert.deepEqual(states, ['connecting', 'open', 'closed']);
  assert.ok(window.line.isClosed);
});

test('stopping inside onWelcome holds', () => {
  const { window, socket } = connect({ onWelcome: () => socket.stop() });
  socket.start();
  window.line.accept();
  window.line.ack();
  assert.equal(socket.state, 'closed');
});

test('without a hello it is open at once, may be silent, and is renewed when looked at', () => {
  const { window, socket, events } = connect({ firstMessage: null });
  socket.start();
  window.line.accept();
  assert.equal(socket.state, 'open');
  window.line.tell({ type: 'room_change', payload: { rooms: [] } });
  window.pass(300_000);
  assert.deepEqual([window.sockets.length, events.length], [1, 1]);
  window.see('visible');
  assert.equal(window.sockets.length, 2);
  window.pass(16_000);
  assert.equal(window.sockets.length, 3, 'a handshake without an answer is given up');
});
