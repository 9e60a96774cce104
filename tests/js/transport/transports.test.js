/** The choice of a page's transport, and the move to a better one. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settled } from '../support/fake-window.js';
import { HttpServer } from '../support/fake-http-server.js';
import { BEAT, connect, enter, failure } from '../support/socket-fixtures.js';

async function arrived() {
  for (let step = 0; step < 12; step += 1) await settled();
}

async function pass(window, ms, server) {
  for (let passed = 0; passed < ms; passed += 500) {
    window.pass(500);
    if (server && passed % 5_000 === 0) server.tell(BEAT);
    await arrived();
  }
}

/** A page in the room whose WebSockets are refused. */
async function fallBack(options) {
  const room = connect(options);
  const server = new HttpServer(room.window);
  room.socket.start();
  room.window.line.end(1006);
  await arrived();
  if (options?.firstMessage !== null) server.ack({ you: 'me' });
  await arrived();
  return { ...room, server };
}

test('a WebSocket that is refused is followed by HTTP at once, and nothing else differs', async () => {
  const { window, server, socket, welcomes, states, events } = await fallBack();
  assert.equal(window.sockets.length, 1);
  assert.equal(server.requests[0].path, '/http/chat/tea/');
  assert.deepEqual(welcomes, [{ you: 'me' }]);
  assert.deepEqual(states, ['connecting', 'open']);
  const request = socket.request('history', {});
  await arrived();
  server.ack({ messages: [] });
  assert.deepEqual(await request, { messages: [] });
  server.tell(BEAT);
  await arrived();
  assert.deepEqual(events, [BEAT]);
  socket.stop();
  await arrived();
  assert.deepEqual([server.closedWith, window.timers], [1000, 0]);
});

test('a handshake that nobody answers is followed by HTTP after some seconds', async () => {
  const { window, socket } = connect();
  const server = new HttpServer(window);
  socket.start();
  Object.defineProperty(window.line, 'readyState', { value: 0 });
  window.pass(6_000);
  await arrived();
  assert.ok(window.line.isClosed);
  assert.equal(server.isOpen, true);
});

test('where WebSockets have worked one that fails is no reason yet, two are', async () => {
  const { window, socket } = enter();
  const server = new HttpServer(window);
  window.line.end(1006);
  window.pass(1_000);
  window.line.end(1006);
  await arrived();
  assert.equal(server.requests.length, 0);
  window.pass(4_000);
  window.line.end(1006);
  await arrived();
  assert.equal(server.isOpen, true);
  socket.stop();
});

test('while nothing gets through both are tried by turns', async () => {
  const { window, socket } = connect();
  let asked = 0;
  window.fetch = () => {
    asked += 1;
    return Promise.reject(new TypeError('no network'));
  };
  socket.start();
  for (let n = 1; n <= 3; n += 1) {
    window.line.end(1006);
    await arrived();
    assert.deepEqual([window.sockets.length, asked], [n, n]);
    window.pass(10_000);
  }
});

test('the way back: a WebSocket enters, takes over, and only then the old line goes', async () => {
  const { window, server, socket, welcomes, states, closed } = await fallBack();
  await pass(window, 10_500, server);
  assert.equal(window.sockets.length, 2);
  window.line.accept();
  assert.equal(window.line.sent[0].type, 'enter_room');
  assert.equal(server.closedWith, null);
  const request = socket.request('history', {});
  await arrived();
  server.ack({ messages: ['by HTTP'] });
  assert.deepEqual(await request, { messages: ['by HTTP'] });
  // The server closes the replaced connection before the new one receives its first frame.
  server.end(4409);
  await arrived();
  window.line.ack({ you: 'me', again: true });
  assert.equal(welcomes.length, 2);
  assert.deepEqual([states, closed], [['connecting', 'open'], []]);
  socket.post('typing', { on: true });
  assert.equal(window.line.sent.at(-1).type, 'typing');
  window.line.end(1006);
  window.pass(1_000);
  assert.equal(window.sockets.length, 3, 'WebSockets come first again');
});

test('what waits for an answer on the old line is said to be lost, so that it is sent again', async () => {
  const { window, server, socket } = await fallBack();
  await pass(window, 10_500, server);
  const request = failure(socket.request('new_message', { text: 'hi' }));
  window.line.accept();
  window.line.ack({ you: 'me' });
  assert.equal(await request, 'disconnected');
  await arrived();
  assert.equal(server.closedWith, 1000);
});

test('ways back that are closed are tried ever more rarely, and cost the line nothing', async () => {
  const { window, server, states } = await fallBack();
  for (const ms of [10_500, 30_000, 120_000]) {
    const { length } = window.sockets;
    await pass(window, ms, server);
    assert.equal(window.sockets.length, length + 1);
    window.line.end(1006);
  }
  assert.deepEqual(states, ['connecting', 'open']);
});

test('a WebSocket that opens and carries nothing is no way back', async () => {
  const { window, server, states } = await fallBack();
  await pass(window, 10_500, server);
  window.line.accept();
  await pass(window, 11_000, server);
  assert.ok(window.line.isClosed);
  assert.deepEqual(states, ['connecting', 'open']);
});

test('a line without a hello moves too', async () => {
  const { window, server, states } = await fallBack({ firstMessage: null });
  await pass(window, 10_500, server);
  window.line.accept();
  await arrived();
  assert.equal(server.closedWith, 1000);
  assert.deepEqual(states, ['connecting', 'open']);
});

test('a line that was replaced by another page still says so', async () => {
  const { server, closed } = await fallBack();
  server.end(4409);
  await arrived();
  assert.deepEqual(closed, [4409]);
});

test('on another network a WebSocket is tried first', async () => {
  const { window, server, socket } = await fallBack();
  window.goOnline();
  await arrived();
  assert.deepEqual([window.sockets.length, server.closedWith], [2, 1000]);
  window.line.accept();
  window.line.ack({ you: 'me' });
  assert.equal(socket.state, 'open');
});

test('a page whose origin the server refuses says so until it is let in', async () => {
  const { window, socket, states } = connect();
  const server = new HttpServer(window);
  const refusal = () => new Response(null, { status: 403, headers: { 'noom-refused': 'scheme' } });
  server.faults = [refusal(), refusal()];
  socket.start();
  window.line.end(1006);
  await arrived();
  assert.deepEqual(states, ['connecting', 'refused']);
  await pass(window, 20_000);
  window.line.end(1006);
  await arrived();
  assert.equal(server.requests.length, 2);
  await pass(window, 20_000);
  window.line.end(1006);
  await arrived();
  server.ack({ you: 'me' });
  await arrived();
  assert.deepEqual(states, ['connecting', 'refused', 'open']);
  socket.stop();
});
