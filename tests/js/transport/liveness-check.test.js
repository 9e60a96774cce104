/** The liveness check: the connection answers, or another replaces it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { checkLiveness } from '../../../static/js/transport/liveness-check.js';
import { settled } from '../support/fake-window.js';
import { enter } from '../support/socket-fixtures.js';

const asked = ({ line }) => line.sent.filter(({ type }) => type === 'people').length;

test('a line that answers stays, and is asked once at a time', async () => {
  const { window, socket } = enter();
  const doubts = [checkLiveness(socket), checkLiveness(socket)];
  assert.equal(asked(window), 1);
  window.line.ack({ people: [], version: 1 });
  await Promise.all(doubts);
  window.pass(3_000);
  assert.equal(window.sockets.length, 1);
  void checkLiveness(socket);
  assert.equal(asked(window), 2);
});

test('a line that does not answer is left for a new one', async () => {
  const { window, socket } = enter();
  void checkLiveness(socket);
  window.pass(2_500);
  await settled();
  assert.equal(window.sockets.length, 2);
  assert.equal(window.sockets[0].isClosed, true);
  assert.equal(socket.state, 'reconnecting');
});

test('a line that refuses to answer lives', async () => {
  const { window, socket } = enter();
  const over = checkLiveness(socket);
  window.line.refuse('too_fast');
  await over;
  window.pass(3_000);
  assert.equal(window.sockets.length, 1);
});

test('one that is lost meanwhile comes back in its own time', async () => {
  const { window, socket } = enter();
  window.random = 0.999;
  const over = checkLiveness(socket);
  window.line.end(1006);
  await over;
  assert.equal(window.sockets.length, 1);
});
