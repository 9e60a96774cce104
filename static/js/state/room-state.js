/** The state of the room: one value that only `reduce` makes. Pure: no DOM, no clock. */

import { EMPTY_CALL, reduceCall } from './call-state.js';
import { EMPTY_LOG, addAfter, addBefore, addEntries, addMessage, isAllGone, keepNewest, startLog } from './message-log.js';
import { clearedNotice, withNotice } from './notices.js';
import { NOTHING_SEEN, seenOf } from './reading.js';
import { byId, heard, put, remove, replace } from './roster.js';

/** @import {BeatEvent, ByeEvent, DeletedEvent, EnterRoomAck, HistoryAck, Message, PeopleAck, Person,
 *   WelcomeEvent} from '../protocol/messages.js' */
/** @import {Call} from './call-state.js' */
/** @import {Log} from './message-log.js' */
/** @import {Reading} from './reading.js' */
/** @import {OutboxItem} from '../session/outbox.js' */
/** @import {Roster} from './roster.js' */
/** @import {Notice} from './timeline.js' */
/** The parts of the state that the page lacks and therefore requests.
 * @typedef {{messages: boolean, people: boolean}} Missing */
/**
 * The room without its log. `you` is null before the handshake.
 * `epoch` is that of the log; `people` are by id, with their roster's `version`; `typing` excludes `you`.
 * @typedef {object} RoomFields
 * @property {string} key
 * @property {string} name
 * @property {boolean} listed
 * @property {string | null} you
 * @property {string | null} epoch
 * @property {Record<string, Person>} people
 * @property {number} version
 * @property {Notice[]} notices
 * @property {OutboxItem[]} pending
 * @property {string[]} typing
 * @property {Missing} missing
 * @property {Call} call
 */
/** @typedef {RoomFields & Reading & Log} Room */

/** Messages kept at the end of the log; a user who reads older ones keeps more. */
const KEPT_AT_END = 300;
const SLACK = 100;
const KEPT_WHILE_READING = 5_000;
const CALL = 'call.';

/**
 * @param {{key: string, name: string, listed: boolean, capacity: number}} data of the page
 * @returns {Room}
 */
export const emptyRoom = ({ key, name, listed, capacity }) => ({
  key,
  name,
  listed,
  you: null,
  epoch: null,
  people: {},
  version: 0,
  ...EMPTY_LOG,
  ...NOTHING_SEEN,
  notices: [],
  pending: [],
  typing: [],
  missing: { messages: false, people: false },
  call: { ...EMPTY_CALL, capacity },
});

/** @type {Map<string, (room: Room, payload: any) => Room>} */
const REDUCERS = new Map(
  Object.entries({
    welcome,
    bye,
    person: personChanged,
    nickname: personChanged,
    people: peopleReceived,
    new_message: newMessage,
    deleted,
    history,
    typing: (/** @type {Room} */ room, /** @type {any} */ { from, on }) => withTyping(room, from, on),
    typing_expired: (/** @type {Room} */ room, /** @type {any} */ { id }) => withTyping(room, id, false),
    beat,
  }),
);

/**
 * The room after an event; without effect the room itself. Events come from the chat (by name), the
 * call (`call.<name>`), answers (`entered`, `history`, `people`, `call.joined`, `call.people`) and the
 * page (`pending`, `viewed`, `typing_expired`, `call.left`, `call.awaited_over`).
 * @param {Room} room
 * @param {{type: string, payload: any}} event
 * @returns {Room}
 */
export function reduce(room, { type, payload }) {
  if (type === 'pending') return { ...room, pending: payload.items };
  if (type === 'viewed') return viewed(room, payload);
  if (type === 'entered') return entered(room, payload);
  if (room.you === null) return room;
  if (type.startsWith(CALL)) return callChanged(room, type.slice(CALL.length), payload);
  return REDUCERS.get(type)?.(room, payload) ?? room;
}

/** The participants in the order of their arrival.
 * @param {Room} room */
export const people = (room) =>
  Object.values(room.people).sort((a, b) => a.since - b.since || (a.id < b.id ? -1 : 1));

/** @param {Room} room */
export const count = (room) => Object.keys(room.people).length;

/**
 * The nickname of a present or former participant; empty for an unknown id.
 * @param {Room} room
 * @param {string} id
 */
export function nameOf({ people, messages, notices }, id) {
  if (people[id]) return people[id].nickname;
  const said = messages.filter(({ from }) => from === id).at(-1);
  return (said ?? notices.find((notice) => notice.id === id))?.nickname ?? '';
}

/** The `last_seq` of `enter_room`; the server sends only later entries.
 * @param {Room} room */
export const lastSeq = ({ you, completeUntil }) => (you === null ? null : completeUntil);

/**
 * The payload of the request `history {after}` while `missing.messages`.
 * Dispatch the answer as `history {messages, after, head}`.
 * @param {Room} room
 */
export const missingRange = ({ completeUntil, seq }) => ({ after: completeUntil, head: seq });

/**
 * @param {Room} room
 * @param {EnterRoomAck} ack
 */
function entered(room, ack) {
  const { you, people, version, messages, deletions = [], seq, epoch } = ack;
  // A room that was deleted and made again, or whose numbers went back (a restored backup), is
  // another room: the known messages do not belong to it.
  const isReturn = room.you !== null && epoch === room.epoch && seq >= room.completeUntil;
  const entries = { messages, deletions };
  const log = isReturn ? addEntries(room, entries, seq) : startLog(entries, seq);
  const kept = isReturn ? room : { ...room, ...EMPTY_LOG, seenSeq: null, notices: [] };
  const known = { ...kept, ...ack.room, you, epoch, typing: [] };
  const roster = { people: byId(people), version, missing: false };
  return withLog(withRoster(known, () => roster), log);
}

/**
 * @param {Room} room
 * @param {WelcomeEvent & {at: number}} event
 */
function welcome(room, event) {
  const isNew = !room.people[event.person.id];
  const after = withRoster(room, (roster) => put(roster, event));
  return isNew && after !== room ? withNotice(after, 'arrived', event) : after;
}

/**
 * @param {Room} room
 * @param {ByeEvent & {at: number}} event
 */
function bye(room, event) {
  const after = withRoster(room, (roster) => remove(roster, event));
  if (after === room) return room;
  return withNotice(withTyping(after, event.person.id, false), 'left', event);
}

/**
 * @param {Room} room
 * @param {{person: Person, version: number}} event
 */
function personChanged(room, event) {
  return withRoster(room, (roster) => put(roster, event));
}

/**
 * @param {Room} room
 * @param {PeopleAck} answer
 */
function peopleReceived(room, answer) {
  const after = withRoster(room, (roster) => replace(roster, answer));
  return { ...after, typing: after.typing.filter((id) => after.people[id]) };
}

/**
 * @param {Room} room
 * @param {Message} message
 */
function newMessage(room, message) {
  return shortened(withTyping(withLog(room, addMessage(room, message)), message.from, false));
}

/**
 * @param {Room} room
 * @param {{atEnd: boolean, isVisible: boolean}} view
 */
function viewed(room, { atEnd, isVisible }) {
  if (atEnd === room.atEnd && isVisible === room.isVisible) return room;
  const after = { ...room, atEnd, isVisible };
  return shortened(room.you === null ? after : { ...after, seenSeq: seenOf(after, room.seq) });
}

/**
 * Shortens only after SLACK messages more, because each cut moves the rows above.
 * @param {Room} room
 */
function shortened(room) {
  const most = room.atEnd ? KEPT_AT_END : KEPT_WHILE_READING;
  return room.messages.length > most + SLACK ? { ...room, ...keepNewest(room, most) } : room;
}

/**
 * @param {Room} room
 * @param {DeletedEvent} event
 */
function deleted(room, event) {
  return withLog(room, addEntries(room, { deletions: [event] }));
}

/**
 * @param {Room} room
 * @param {HistoryAck & {after?: number | null, before?: number | null, head?: number}} answer
 */
function history(room, { messages, deletions = [], after, before, head = room.seq }) {
  const entries = { messages, deletions };
  if (after != null) return withLog(room, addAfter(room, entries, after, head));
  if (before != null) return withLog(room, addBefore(room, entries, before));
  return withLog(room, addEntries(room, entries));
}

/**
 * @param {Room} room
 * @param {BeatEvent} event
 */
function beat(room, { seq, version }) {
  const after = seq > room.seq ? withLog(room, addEntries(room, {}, seq)) : room;
  return withRoster(after, (roster) => heard(roster, version));
}

/**
 * @param {Room} room
 * @param {string} type without the prefix `call.`
 * @param {any} payload
 */
function callChanged(room, type, payload) {
  const call = reduceCall(room.call, type, payload);
  return call === room.call ? room : { ...room, call };
}

/**
 * @param {Room} room
 * @param {Log} log
 * @returns {Room}
 */
function withLog(room, log) {
  const notices = isAllGone(room, log) ? [clearedNotice(room.messages)] : room.notices;
  const missing = { ...room.missing, messages: log.seq > log.completeUntil };
  return { ...room, ...log, notices, missing, seenSeq: seenOf(room, log.seq) };
}

/**
 * @param {Room} room
 * @param {(roster: Roster<Person>) => Roster<Person>} update
 * @returns {Room}
 */
function withRoster(room, update) {
  const before = { people: room.people, version: room.version, missing: room.missing.people };
  const after = update(before);
  if (after === before) return room;
  const { people, version, missing } = after;
  return { ...room, people, version, missing: { ...room.missing, people: missing } };
}

/**
 * @param {Room} room
 * @param {string} id
 * @param {boolean} on
 */
function withTyping(room, id, on) {
  if (on === room.typing.includes(id) || (on && (id === room.you || !room.people[id]))) return room;
  return { ...room, typing: on ? [...room.typing, id] : room.typing.filter((one) => one !== id) };
}
