/** The subscribers of the page's store. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { unread } from '../../../static/js/state/reading.js';
import { RoomStore } from '../../../static/js/state/store.js';
import { ME, ackOf, blank, caller, message, person } from '../support/room-fixtures.js';

const callAck = { you: ME, people: [caller(ME)], ice_servers: [], topology: 'mesh', version: 1, capacity: 8 };

/** A store whose page has entered. */
function entered(extra) {
  const store = new RoomStore(blank());
  store.dispatch('entered', ackOf({ people: [person(ME), person('ann')], ...extra }));
  return store;
}

test('what does not touch the call tells nobody who asked for the call', () => {
  const store = entered();
  store.dispatch('call.joined', callAck);
  const calls = [];
  const rooms = [];
  store.subscribe(({ call }) => call, (call) => calls.push(call));
  store.subscribe((room) => room, (room) => rooms.push(room));
  store.dispatch('new_message', message(1));
  store.dispatch('typing', { from: 'ann', on: true });
  store.dispatch('beat', { seq: 1, version: 1 });
  assert.deepEqual([calls.length, rooms.length], [0, 2]);
  store.dispatch('call.welcome', { person: caller('ann'), count: 2, version: 2 });
  assert.deepEqual(calls, [store.room.call]);
});

test('a subscriber that dispatches leaves nobody with an older state', () => {
  const store = new RoomStore(blank());
  const seen = [];
  store.subscribe(({ you }) => you, () => store.dispatch('call.joined', callAck));
  store.subscribe((room) => room, ({ you, call }) => seen.push([you, call.joined]));
  store.dispatch('entered', ackOf());
  assert.deepEqual(seen, [[ME, true]]);
});

test('messages are unread that others wrote while the end of the log was not seen', () => {
  const store = entered({ messages: [message(1)], seq: 1 });
  const view = (atEnd, isVisible) => store.dispatch('viewed', { atEnd, isVisible });
  assert.equal(unread(store.room), 0, 'what was there before is read');
  store.dispatch('new_message', message(2));
  assert.equal(unread(store.room), 1);
  view(false, true);
  store.dispatch('new_message', message(3));
  store.dispatch('new_message', message(4, { from: ME }));
  assert.equal(unread(store.room), 2, 'own messages do not count');
  view(true, true);
  assert.equal(unread(store.room), 0);
  store.dispatch('new_message', message(5));
  assert.equal(unread(store.room), 0);
  view(true, false);
  store.dispatch('new_message', message(6));
  assert.equal(unread(store.room), 1);
  store.dispatch('entered', ackOf({ epoch: 'second life', messages: [message(1)], seq: 1 }));
  assert.equal(unread(store.room), 0);
  store.dispatch('new_message', message(2));
  assert.equal(unread(store.room), 1, 'the numbers of another life count anew');
});
