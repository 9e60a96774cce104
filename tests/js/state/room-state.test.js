/** The state of a room when events come late, twice, or not at all. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { callers } from '../../../static/js/state/call-state.js';
import { count, missingRange, lastSeq, nameOf, people, reduce } from '../../../static/js/state/room-state.js';
import { ME, ackOf, after, blank, caller, deletion, enteredRoom, message, messages, person } from '../support/room-fixtures.js';

const seqs = ({ messages }) => messages.map(({ seq }) => seq);
const ids = (room) => people(room).map(({ id }) => id);
const said = (seq) => ['new_message', message(seq)];
const arrives = (id, version, at = 0) => ['welcome', { person: person(id), count: 0, version, at }];
const leaves = (id, version, at = 0) => ['bye', { person: person(id), count: 0, version, at }];

test('what is not known, or comes before the entrance, changes nothing', () => {
  const room = blank();
  assert.equal(after(room, said(1), arrives('ann', 1), ['beat', { seq: 9, version: 9 }]), room);
  assert.equal(reduce(room, { type: 'constructor', payload: {} }), room);
  assert.equal(after(enteredRoom(), ['error', { code: 'x', message: 'y' }]).missing.people, false);
  assert.equal(lastSeq(room), null);
});

test('a lost message leaves a hole that is asked for from its edge', () => {
  const room = after(enteredRoom({ messages: messages(1, 2), seq: 2 }), said(5), said(6));
  assert.deepEqual(seqs(room), [1, 2, 5, 6]);
  assert.deepEqual([room.missing.messages, lastSeq(room)], [true, 2]);
  assert.deepEqual([missingRange(room), room.gaps], [{ after: 2, head: 6 }, []]);
  const healed = after(room, ['history', { messages: messages(3, 6), after: 2, head: 6 }]);
  assert.deepEqual(seqs(healed), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual([healed.missing.messages, healed.gaps, lastSeq(healed)], [false, [], 6]);
});

test('a beat tells of the last message that got lost, an older one of nothing', () => {
  const room = enteredRoom({ messages: messages(1, 2), seq: 2 });
  const behind = after(room, ['beat', { seq: 3, version: 1 }]);
  assert.deepEqual([behind.missing.messages, behind.seq], [true, 3]);
  assert.equal(after(room, ['beat', { seq: 1, version: 1 }]), room);
  assert.equal(after(behind, said(3)).missing.messages, false);
});

test('messages that come twice or in any order are there once and in order', () => {
  const room = after(enteredRoom(), said(3), said(1), said(3), said(2), said(1));
  assert.deepEqual(seqs(room), [1, 2, 3]);
  assert.equal(room.missing.messages, false);
});

test('what was deleted for good is a gap, and is not asked for again', () => {
  const room = after(enteredRoom({ messages: messages(1, 2), seq: 2 }), said(9));
  const answered = after(room, ['history', { messages: messages(7, 9), after: 2, head: 9 }]);
  assert.deepEqual([seqs(answered), answered.gaps], [[1, 2, 7, 8, 9], [2]]);
  const again = after(answered, ['history', { messages: [], after: 2, head: 4 }]);
  assert.deepEqual([answered.missing.messages, again.missing.messages], [false, false]);
  assert.equal(after(answered, said(11)).missing.messages, true, 'a later loss is none of it');
});

test('an empty answer ends a hole up to what was known when it was asked', () => {
  const room = after(enteredRoom({ messages: messages(1, 2), seq: 2 }), ['beat', { seq: 4, version: 1 }]);
  const asked = missingRange(room);
  const answered = after(room, ['beat', { seq: 6, version: 1 }], ['history', { messages: [], ...asked }]);
  assert.deepEqual([answered.missing.messages, missingRange(answered)], [true, { after: 4, head: 6 }]);
  assert.equal(after(answered, said(5), said(6)).missing.messages, false);
});

test('a long absence is fetched page by page', () => {
  const room = after(enteredRoom({ messages: messages(1, 2), seq: 2 }), [
    'entered',
    ackOf({ messages: messages(3, 102), seq: 230 }),
  ]);
  assert.deepEqual(missingRange(room), { after: 102, head: 230 });
  const second = after(room, ['history', { messages: messages(103, 202), ...missingRange(room) }]);
  assert.equal(second.missing.messages, true);
  const third = after(second, ['history', { messages: messages(203, 230), ...missingRange(second) }]);
  assert.deepEqual([third.missing.messages, third.messages.length], [false, 230]);
});

test('coming back with only the newest messages still leaves a hole to ask for', () => {
  const room = after(enteredRoom({ messages: messages(1, 2), seq: 2 }), [
    'entered',
    ackOf({ messages: messages(90, 99), seq: 99 }),
  ]);
  assert.deepEqual(missingRange(room), { after: 2, head: 99 });
});

test('an answer to an older question fills in, but proves nothing of an earlier hole', () => {
  const room = after(enteredRoom(), said(8), ['history', { messages: [message(8)], after: 5, head: 8 }]);
  assert.deepEqual(missingRange(room), { after: 0, head: 8 });
});

test('earlier messages come before, until there are none', () => {
  const room = enteredRoom({ messages: messages(60, 99), seq: 99 });
  assert.deepEqual([room.hasEarlier, room.missing.messages], [true, false]);
  const more = after(room, ['history', { messages: messages(20, 59), before: 60 }]);
  assert.deepEqual([more.messages[0].seq, more.hasEarlier, more.gaps], [20, true, []]);
  const all = after(more, ['history', { messages: [], before: 20 }]);
  assert.equal(all.hasEarlier, false, 'the first nineteen were deleted');
  const again = after(all, ['history', { messages: messages(20, 59), before: 60 }]);
  assert.equal(again.hasEarlier, false, 'an answer that comes twice does not bring them back');
  assert.equal(enteredRoom({ messages: messages(1, 5), seq: 5 }).hasEarlier, false);
});

test('a room whose messages are all deleted is complete and empty', () => {
  const room = enteredRoom({ messages: [], seq: 50 });
  assert.deepEqual([room.missing.messages, room.hasEarlier, lastSeq(room)], [false, false, 50]);
  assert.equal(after(room, said(51)).missing.messages, false);
  assert.equal(after(room, said(52)).missing.messages, true);
});

test('what is deleted goes, is not missing, and leaves no gap', () => {
  const room = after(enteredRoom({ messages: messages(1, 4), seq: 4 }), ['deleted', deletion(5, [2, 3])]);
  assert.deepEqual([seqs(room), room.gaps, room.notices], [[1, 4], [], []]);
  assert.deepEqual([room.missing.messages, lastSeq(room)], [false, 5]);
  const late = after(room, ['history', { messages: messages(1, 4), deletions: [], before: 5 }]);
  assert.deepEqual(seqs(late), [1, 4], 'an answer from before does not bring it back');
  assert.deepEqual(seqs(after(late, said(6))), [1, 4, 6]);
});

test('a deletion that got lost leaves a hole, and is learned of as a message is', () => {
  const room = after(enteredRoom({ messages: messages(1, 4), seq: 4 }), said(6));
  assert.deepEqual(missingRange(room), { after: 4, head: 6 });
  const missed = { messages: [message(6)], deletions: [deletion(5, [1, 3])], after: 4, head: 6 };
  const healed = after(room, ['history', missed]);
  assert.deepEqual([seqs(healed), healed.missing.messages, healed.gaps], [[4, 6], false, []]);
  const back = after(room, ['entered', ackOf({ deletions: [deletion(7, [1, 6])], seq: 7 })]);
  assert.deepEqual([seqs(back), lastSeq(back), back.missing.messages], [[], 7, false]);
});

test('where all that was shown is deleted a line says so', () => {
  const room = after(enteredRoom({ messages: messages(3, 4), seq: 4 }), ['deleted', deletion(5, [1, 4])]);
  assert.deepEqual(room.notices.map(({ kind, afterSeq }) => [kind, afterSeq]), [['cleared', 4]]);
  assert.deepEqual([seqs(room), room.hasEarlier], [[], false]);
  const newcomer = enteredRoom({ messages: [], deletions: [], seq: 5 });
  assert.deepEqual(newcomer.notices, []);
});

test('earlier messages can be asked for when all that were loaded are deleted', () => {
  const room = after(enteredRoom({ messages: messages(60, 99), seq: 99 }), ['deleted', deletion(100, [60, 99])]);
  assert.deepEqual([seqs(room), room.from, room.hasEarlier], [[], 60, true]);
  const more = after(room, ['history', { messages: messages(20, 59), deletions: [], before: 60 }]);
  assert.deepEqual([more.messages.length, more.from, more.hasEarlier], [40, 20, true]);
});

test('a room that was made again is another room, though it counts as far', () => {
  const room = after(
    enteredRoom({ messages: messages(1, 3), seq: 3 }),
    arrives('ann', 2),
    ['entered', ackOf({ messages: [message(5, { text: 'other' })], seq: 5, epoch: 'second life' })],
  );
  assert.deepEqual(room.messages.map(({ text }) => text), ['other']);
  assert.deepEqual([room.notices, lastSeq(room), room.epoch], [[], 5, 'second life']);
});

test('a room that counts anew is another room', () => {
  const room = after(enteredRoom({ messages: messages(1, 30), seq: 30 }), [
    'entered',
    ackOf({ messages: [message(1, { text: 'other' })], seq: 1 }),
  ]);
  assert.deepEqual(room.messages.map(({ text }) => text), ['other']);
  assert.deepEqual([room.seq, lastSeq(room), room.missing.messages], [1, 1, false]);
});

test('roster changes count once and in their order', () => {
  const room = after(enteredRoom(), arrives('ann', 2), arrives('ben', 3));
  assert.equal(after(room, leaves('ann', 2), arrives('ann', 3), leaves('ben', 1)), room);
  assert.deepEqual([ids(room).sort(), count(room), room.version], [['ann', 'ben', ME], 3, 3]);
});

test('a hole in the versions applies what came and asks for the rest', () => {
  const room = after(enteredRoom(), arrives('cat', 4));
  assert.deepEqual([ids(room).sort(), room.missing.people], [['cat', ME], true]);
  const still = after(room, leaves('cat', 5));
  assert.equal(still.missing.people, true, 'a change in its order does not fill it');
  const answer = { people: [person(ME), person('ann')], version: 5 };
  const healed = after(still, ['people', answer]);
  assert.deepEqual([ids(healed).sort(), healed.missing.people], [['ann', ME], false]);
});

test('a beat tells of the last roster change that got lost, and of a server that counts anew', () => {
  const room = after(enteredRoom(), arrives('ann', 2));
  assert.equal(after(room, ['beat', { seq: 0, version: 2 }]), room);
  assert.equal(after(room, ['beat', { seq: 0, version: 3 }]).missing.people, true);
  assert.equal(after(room, ['beat', { seq: 0, version: 1 }]).missing.people, true);
});

test('a roster older than what is known is asked for once more', () => {
  const answer = { people: [person(ME)], version: 1 };
  const room = after(enteredRoom(), arrives('ann', 2), ['people', answer]);
  assert.equal(room.missing.people, true);
  const healed = after(room, ['people', answer]);
  assert.deepEqual([healed.missing.people, ids(healed)], [false, [ME]]);
});

test('coming back takes the roster of the answer, even of a server that counts anew', () => {
  const room = after(enteredRoom({ version: 70 }), arrives('ann', 72), [
    'entered',
    ackOf({ people: [person(ME), person('ben')], version: 3 }),
  ]);
  assert.deepEqual([ids(room).sort(), room.version, room.missing.people], [['ben', ME], 3, false]);
});

test('a person that changes keeps its place, with the name of now', () => {
  const room = after(
    enteredRoom({ people: [person(ME, { since: 5 }), person('ann', { since: 3 })] }),
    ['nickname', { person: person('ann', { since: 3, nickname: 'Anna' }), version: 2 }],
    ['person', { person: person(ME, { since: 5, here: false }), version: 3 }],
  );
  assert.deepEqual(ids(room), ['ann', ME]);
  assert.deepEqual([nameOf(room, 'ann'), room.people[ME].here], ['Anna', false]);
});

test('a name is known after its owner left, too', () => {
  const room = after(
    enteredRoom({ messages: [message(1, { from: 'dan', nickname: 'Dan' })], seq: 1 }),
    arrives('ann', 2),
    leaves('ann', 3),
  );
  assert.deepEqual(['ann', 'dan', 'eve'].map((id) => nameOf(room, id)), ['ANN', 'Dan', '']);
});

test('arrivals and departures are noted after the message that they followed', () => {
  const room = after(enteredRoom(), arrives('ann', 2, 7), said(1), leaves('ann', 3, 8));
  assert.deepEqual(after(room, ['entered', ackOf({ seq: 1 })]).notices, room.notices);
  assert.deepEqual(room.notices, [
    { kind: 'arrived', id: 'ann', nickname: 'ANN', at: 7, afterSeq: 0 },
    { kind: 'left', id: 'ann', nickname: 'ANN', at: 8, afterSeq: 1 },
  ]);
});

test('no line tells of yourself, of whom you met here, or twice of the same', () => {
  const room = enteredRoom({ people: [person(ME), person('ann')], version: 5 });
  const told = after(room, arrives(ME, 5), arrives(ME, 6), arrives('ann', 7), leaves(ME, 8));
  assert.deepEqual(told.notices, []);
  assert.equal(after(room, arrives('ben', 6), arrives('ben', 6)).notices.length, 1);
});

test('lines do not pile up', () => {
  const room = after(enteredRoom(), ...Array.from({ length: 300 }, (_, i) => arrives(`p${i}`, i + 2)));
  assert.deepEqual([room.notices.length, room.notices.at(-1).id], [200, 'p299']);
});

test('who types is shown until the message, the end, the departure, or too long a time', () => {
  const room = after(
    enteredRoom({ people: [person(ME), person('ann')] }),
    ['typing', { from: ME, on: true }],
    ['typing', { from: 'stranger', on: true }],
    ['typing', { from: 'ann', on: true }],
    ['typing', { from: 'ann', on: true }],
  );
  assert.deepEqual(room.typing, ['ann']);
  const ends = [
    said(1),
    ['typing', { from: 'ann', on: false }],
    leaves('ann', 2),
    ['typing_expired', { id: 'ann' }],
    ['people', { people: [person(ME)], version: 2 }],
    ['entered', ackOf()],
  ];
  for (const end of ends) assert.deepEqual(after(room, end).typing, [], end[0]);
});

test('the call is only followed while you are in it', () => {
  const room = enteredRoom();
  const event = { person: caller('ann'), count: 1, version: 1 };
  assert.equal(after(room, ['call.welcome', event], ['call.beat', { seq: 0, version: 4 }]), room);
  const joined = after(room, [
    'call.joined',
    { you: ME, people: [caller(ME)], ice_servers: [], topology: 'mesh', version: 3, capacity: 4 },
  ]);
  assert.deepEqual(joined.call, { joined: true, awaited: {}, people: { [ME]: caller(ME) }, version: 3, missing: false, capacity: 4 });
  const left = after(joined, ['call.welcome', { ...event, version: 9 }], ['call.left', {}]);
  assert.deepEqual(left.call, { joined: false, awaited: {}, people: {}, version: 0, missing: false, capacity: 4 });
  assert.equal(left.call.missing, false);
});

test('whom a server without memory does not name is awaited until there is news', () => {
  const ack = { you: ME, people: [caller(ME)], ice_servers: [], topology: 'mesh', version: 1, capacity: 8 };
  const full = { ...ack, people: [caller(ME), caller('ann'), caller('ben'), caller('cem')] };
  const back = after(enteredRoom(), ['call.joined', full], ['call.joined', ack]);
  assert.deepEqual(Object.keys(callers(back.call)).sort(), ['ann', 'ben', 'cem', ME].sort());
  assert.equal(callers(back.call).ann.here, false);
  const news = after(
    back,
    ['call.welcome', { person: caller('ann'), count: 2, version: 2 }],
    ['call.bye', { person: caller('ann'), count: 1, version: 3 }],
    ['call.bye', { person: caller('ben'), count: 1, version: 4 }],
  );
  assert.deepEqual(Object.keys(callers(news.call)), ['cem', ME]);
  assert.deepEqual(Object.keys(callers(after(news, ['call.awaited_over', {}]).call)), [ME]);
});

test('whom an answer about everybody leaves out is awaited, too', () => {
  const ack = { you: ME, people: [caller(ME), caller('ann')], ice_servers: [], topology: 'mesh', version: 1, capacity: 8 };
  const joined = after(enteredRoom(), ['call.joined', ack]);
  const holed = after(joined, ['call.people', { people: [caller(ME)], version: 7 }]);
  assert.equal(callers(holed.call).ann.here, false);
  const named = after(holed, ['call.people', { people: [caller(ME), caller('ann')], version: 8 }]);
  assert.deepEqual([named.call.awaited, callers(named.call).ann.here], [{}, true]);
  assert.deepEqual(Object.keys(callers(after(holed, ['call.awaited_over', {}]).call)), [ME]);
});

test('the call heals by its own versions', () => {
  const muted = caller('ann', { media: { audio: false, video: false, screen: false } });
  const ack = { you: ME, people: [caller(ME)], ice_servers: [], topology: 'mesh', version: 1, capacity: 8 };
  const room = after(
    enteredRoom({ version: 50 }),
    ['call.joined', ack],
    ['call.welcome', { person: caller('ann'), count: 2, version: 2 }],
    ['call.media', { person: muted, version: 3 }],
    ['call.person', { person: caller('ann', { session: 'old' }), version: 2 }],
  );
  assert.deepEqual([room.call.people.ann, room.call.version, room.version], [muted, 3, 50]);
  const holed = after(room, ['call.bye', { person: muted, count: 1, version: 5 }]);
  assert.deepEqual([Object.keys(holed.call.people), holed.call.missing], [[ME], true]);
  const healed = after(holed, ['call.people', { people: [caller(ME), caller('ben')], version: 5 }]);
  assert.deepEqual([Object.keys(healed.call.people), healed.call.missing], [[ME, 'ben'], false]);
  assert.equal(after(room, ['call.beat', { seq: 0, version: 4 }]).call.missing, true);
  assert.equal(after(room, ['call.joined', ack]).call.missing, false);
});
