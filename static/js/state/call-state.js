/** The call as this page knows it: who is in it, while one is in it oneself. Pure. */

import { byId, heard, put, remove, replace } from './roster.js';

/** @import {BeatEvent, Caller, CallPeopleAck, JoinRoomAck} from '../protocol/messages.js' */
/** @import {Roster} from './roster.js' */
/** `people` are by id, and `version` is theirs; `capacity` is the most that the call takes.
 * `awaited` are those whom a server that has lost its memory does not name, while they may still
 * be on their way back to it.
 * @typedef {object} Call
 * @property {boolean} joined
 * @property {Record<string, Caller>} awaited
 * @property {Record<string, Caller>} people
 * @property {number} version
 * @property {number} capacity */
/** @typedef {Call & Roster<Caller>} CallState */

export const EMPTY_CALL = { joined: false, awaited: {}, people: {}, version: 0, capacity: 0 };

/**
 * The call after an event by its name, an answer (`joined`, `people`) or one's own leaving (`left`).
 * @param {CallState} call
 * @param {string} type
 * @param {any} payload
 * @returns {CallState}
 */
export function reduceCall(call, type, payload) {
  if (type === 'joined') return joined(call, payload);
  if (type === 'people') return call.joined ? peopleCame(call, payload) : call;
  if (type === 'left') return { ...EMPTY_CALL, capacity: call.capacity, missing: false };
  if (type === 'awaited_over') return { ...call, awaited: {} };
  const roster = call.joined ? (ROSTER_REDUCERS.get(type)?.(call, payload) ?? call) : call;
  if (roster === call) return call;
  const { [payload.person?.id]: _, ...awaited } = call.awaited;
  return { ...call, ...roster, awaited };
}

/** Everybody whose media is, or may be, flowing.
 * @param {Call} call
 * @returns {Record<string, Caller>} */
export const callers = ({ awaited, people }) => ({ ...awaited, ...people });

/** @type {Map<string, (call: Roster<Caller>, payload: any) => Roster<Caller>>} */
const ROSTER_REDUCERS = new Map(
  Object.entries({ welcome: put, person: put, media: put, bye: remove, beat }),
);

/**
 * @param {Roster<Caller>} call
 * @param {BeatEvent} event
 */
function beat(call, { version }) {
  return heard(call, version);
}

/**
 * Who joins again has only lost the line, and media goes without it.
 * @param {CallState} call
 * @param {JoinRoomAck} ack
 * @returns {CallState}
 */
function joined(call, { people, version, capacity }) {
  const awaited = unnamed(call, people);
  return { joined: true, awaited, people: byId(people), version, capacity, missing: false };
}

/**
 * @param {CallState} call
 * @param {CallPeopleAck} answer
 * @returns {CallState}
 */
function peopleCame(call, answer) {
  return { ...call, ...replace(call, answer), awaited: unnamed(call, answer.people) };
}

/**
 * Who is left out of an answer may be gone; but a server that has restarted, or whose store has
 * forgotten everything, names the others as they come back to it, one by one.
 * @param {CallState} call
 * @param {Caller[]} people
 */
function unnamed(call, people) {
  const named = byId(people);
  const away = Object.values(callers(call)).filter(({ id }) => !named[id]);
  return byId(away.map((caller) => ({ ...caller, here: false })));
}
