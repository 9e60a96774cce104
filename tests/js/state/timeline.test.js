/** The rows of the chat, each shown once. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { rowsOf } from '../../../static/js/views/chat/message-rows.js';
import { timeline } from '../../../static/js/state/timeline.js';
import { ME, after, enteredRoom, message, messages, person } from '../support/room-fixtures.js';

const waiting = (client_id, extra = {}) => ({
  client_id,
  text: client_id,
  at: 0,
  state: 'sending',
  seq: null,
  reason: null,
  ...extra,
});
const arrives = (id, version) => ['welcome', { person: person(id), count: 0, version, at: version }];
const leaves = (id, version) => ['bye', { person: person(id), count: 0, version, at: version }];

/** The timeline in short: [kind, what]. */
const short = (room) =>
  timeline(room).map((item) => {
    if (item.kind === 'run') return ['run', ...item.messages.map(({ seq }) => seq)];
    if (item.kind === 'gap') return ['gap', item.after];
    if (item.kind === 'pending') return ['pending', ...item.items.map(({ client_id }) => client_id)];
    return ['notice', ...item.steps.map(({ kind, people }) => [kind, ...people.map(({ id }) => id)])];
  });

test('an own message is pending until it is seen among the messages, not a moment longer', () => {
  const room = after(enteredRoom({ messages: messages(1, 2), seq: 2 }), ['pending', { items: [waiting('c3')] }]);
  assert.deepEqual(short(room), [['run', 1, 2], ['pending', 'c3']]);
  const seen = after(room, ['new_message', message(3, { from: ME })]);
  assert.deepEqual(short(seen), [['run', 1, 2], ['run', 3]]);
});

test('a stored one stays in sight until its event comes', () => {
  const stored = waiting('c3', { state: 'sent', seq: 3 });
  const room = after(enteredRoom({ messages: messages(1, 2), seq: 2 }), ['pending', { items: [stored] }]);
  assert.deepEqual(short(room).at(-1), ['pending', 'c3']);
  assert.deepEqual(short(after(room, ['new_message', message(3)])), [['run', 1, 2, 3]]);
});

test('one that was stored long ago is not shown below the newest', () => {
  const stored = waiting('c3', { state: 'sent', seq: 3 });
  const room = after(enteredRoom({ messages: messages(80, 81), seq: 81 }), ['pending', { items: [stored] }]);
  assert.deepEqual(short(room), [['run', 80, 81]]);
});

test('runs end with their author, the name, five minutes, a quiet line or a gap', () => {
  const at = (seq, minutes, extra) => message(seq, { sent_at: minutes * 60_000, ...extra });
  const room = enteredRoom({
    messages: [
      at(1, 0),
      at(2, 4.9),
      at(3, 5),
      at(4, 6, { nickname: 'Anna' }),
      at(5, 6, { from: ME, nickname: 'Me' }),
      at(8, 6, { from: ME, nickname: 'Me' }),
    ],
    seq: 8,
  });
  assert.deepEqual(short(room), [
    ['run', 1, 2],
    ['run', 3],
    ['run', 4],
    ['run', 5],
    ['gap', 5],
    ['run', 8],
  ]);
  assert.deepEqual(timeline(room).map(({ own }) => own), [false, false, false, true, undefined, true]);
});

test('arrivals and departures in a row are one line, in their order, each once', () => {
  const room = after(
    enteredRoom({ messages: messages(1, 1), seq: 1 }),
    arrives('ann', 2),
    arrives('ben', 3),
    leaves('ann', 4),
    arrives('ann', 5),
    leaves('ann', 6),
    ['new_message', message(2)],
    arrives('cat', 7),
  );
  assert.deepEqual(short(room), [
    ['run', 1],
    ['notice', ['arrived', 'ben', 'ann'], ['left', 'ann']],
    ['run', 2],
    ['notice', ['arrived', 'cat']],
  ]);
});

test('keys are unique, and stay when more comes', () => {
  const room = after(
    enteredRoom({ messages: [message(1), message(5), message(6)], seq: 6 }),
    arrives('ann', 2),
    ['new_message', message(7)],
    leaves('ann', 3),
  );
  const keys = timeline(room).map(({ key }) => key);
  assert.equal(new Set(keys).size, keys.length);
  const more = after(room, ['new_message', message(8)], ['pending', { items: [waiting('c9')] }]);
  assert.deepEqual(timeline(more).slice(0, keys.length).map(({ key }) => key), keys);
});

test('drawing changes nothing', () => {
  const room = after(enteredRoom({ messages: messages(1, 3), seq: 3 }), arrives('ann', 2));
  assert.deepEqual(timeline(room), timeline(room));
});

test('an announcement is what has no sender, whatever a guest is called', () => {
  const said = [message(1, { from: '', nickname: '' }), message(2, { nickname: '' }), message(3)];
  const rows = rowsOf(enteredRoom({ messages: said, seq: 3 }));
  assert.deepEqual(rows.map(({ announced, own }) => [announced, own]), [[true, false], [false, false], [false, false]]);
});
