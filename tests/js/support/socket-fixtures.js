/** Sockets for tests, on a clock and a network that the test controls. */

import assert from 'node:assert/strict';

import { Socket } from '../../../static/js/transport/socket.js';
import { FakeWindow } from './fake-window.js';

export const BEAT = { type: 'beat', payload: { seq: 0, version: 0, ok: true, return_within_ms: 1_000 } };
export const ENTER = { type: 'enter_room', payload: { token: 't' } };

/** A socket, and all that it reports. */
export function connect(options = {}) {
  const window = new FakeWindow();
  const seen = { states: [], events: [], welcomes: [], closed: [], refused: [] };
  const socket = new Socket({
    url: '/ws/chat/tea/',
    firstMessage: () => ENTER,
    onWelcome: (ack) => seen.welcomes.push(ack),
    onEvent: (event) => seen.events.push(event),
    onState: (state) => seen.states.push(state),
    onClosed: (code) => seen.closed.push(code),
    onRefused: (code, message, willRetry) => seen.refused.push({ code, message, willRetry }),
    environment: window,
    ...options,
  });
  return { window, socket, ...seen };
}

/** A socket after its handshake. */
export function enter(options) {
  const room = connect(options);
  room.socket.start();
  room.window.line.accept();
  room.window.line.ack({ you: 'me' });
  return room;
}

/** Lets time pass on a connection whose server sends beats. */
export function beatFor(window, ms) {
  for (let passed = 0; passed < ms; passed += 5_000) {
    window.pass(5_000);
    window.line.tell(BEAT);
  }
}

/** The code with which a request fails. */
export const failure = (promise) => promise.then(() => assert.fail('was answered'), ({ code }) => code);
