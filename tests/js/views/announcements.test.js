/** The announcements of a room to a screen reader. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { newsOf, ownNews } from '../../../static/js/views/room/announcements.js';
import { ME, after, blank, caller, enteredRoom, message, person } from '../support/room-fixtures.js';

const unseen = () => false;
const seen = () => true;
const arrives = (id, version) => ['welcome', { person: person(id), count: 0, version, at: 0 }];
const changes = (id, version, extra) => ['person', { person: person(id, extra), version }];
const joined = (...people) => ['call.joined', { people: [caller(ME), ...people], version: 1, capacity: 8 }];
const shares = (id, version) => [
  'call.media',
  { person: caller(id, { media: { audio: true, video: true, screen: true } }), version },
];

test('entering says nothing, and neither does what changes nothing', () => {
  const room = enteredRoom();
  assert.deepEqual(newsOf(blank(), room, unseen), []);
  assert.deepEqual(newsOf(room, room, unseen), []);
});

test('arrivals and departures are one sentence each', () => {
  const room = enteredRoom();
  const two = after(room, arrives('ann', 2), arrives('bob', 3));
  assert.deepEqual(newsOf(room, two, seen), ['ANN and BOB arrived']);
  const one = after(two, ['bye', { person: person('ann'), count: 0, version: 4, at: 0 }]);
  assert.deepEqual(newsOf(two, one, seen), ['ANN left']);
});

test('joining and leaving the call is said, also to those outside', () => {
  const room = after(enteredRoom(), arrives('ann', 2));
  const inCall = after(room, changes('ann', 3, { in_call: true }));
  assert.deepEqual(newsOf(room, inCall, seen), ['ANN joined the call']);
  assert.deepEqual(newsOf(inCall, after(inCall, changes('ann', 4)), seen), ['ANN left the call']);
});

test('a shared screen is said, and its end', () => {
  const room = after(enteredRoom(), arrives('ann', 2), joined(caller('ann')));
  const shared = after(room, shares('ann', 2));
  assert.deepEqual(newsOf(room, shared, seen), ['ANN is sharing the screen']);
  assert.deepEqual(newsOf(shared, room, seen), ['ANN stopped sharing the screen']);
});

test('messages are said while the log is not seen, few of them in full', () => {
  const room = after(enteredRoom(), arrives('ann', 2));
  const one = after(room, ['new_message', message(1, { text: 'x'.repeat(300) })]);
  assert.deepEqual(newsOf(room, one, seen), []);
  assert.deepEqual(newsOf(room, one, unseen), [`ANN: ${'x'.repeat(200)}…`]);
  const many = after(one, ...[2, 3, 4, 5].map((seq) => ['new_message', message(seq)]));
  assert.deepEqual(newsOf(one, many, unseen), ['4 unread messages']);
  const own = after(many, ['new_message', message(6, { from: ME })]);
  assert.deepEqual(newsOf(many, own, unseen), []);
});

test('what becomes of one’s own devices is said', () => {
  const open = { audio: true, video: true, screen: false };
  assert.deepEqual(ownNews(open, { ...open, audio: false }), ['Muted']);
  assert.deepEqual(ownNews({ ...open, audio: false }, { ...open, screen: true }), [
    'Unmuted',
    'You are sharing your screen',
  ]);
});
