/** The call as this page knows it: who is in it, while one is in it oneself. Pure. */

import { byId, heard, put, remove, replace } from './roster.js';

/** @import {BeatEvent, Caller, JoinRoomAck} from './protocol.js' */
/** @import {Roster} from './roster.js' */
/** `people` are by id, and `version` is theirs; `capacity` is the most that the call takes.
 * @typedef {object} Call
 * @property {boolean} joined
 * @property {Record<string, Caller>} people
 * @property {number} version
 * @property {number} capacity */
/** @typedef {Call & Roster<Caller>} CallState */

/**
 * The call after an event by its name, an answer (`joined`, `people`) or one's own leaving (`left`).
 * @param {CallState} call
 * @param {string} type
 * @param {any} payload
 * @returns {CallState}
 */
export function reduceCall(call, type, payload) {
  if (type === 'joined') return joined(payload);
  if (type === 'left') return { ...call, joined: false, people: {}, version: 0, missing: false };
  const roster = call.joined ? (ROSTER_REDUCERS.get(type)?.(call, payload) ?? call) : call;
  return roster === call ? call : { ...call, ...roster };
}

/** @type {Map<string, (call: Roster<Caller>, payload: any) => Roster<Caller>>} */
const ROSTER_REDUCERS = new Map(
  Object.entries({ welcome: put, person: put, media: put, bye: remove, people: replace, beat }),
);

/**
 * @param {Roster<Caller>} call
 * @param {BeatEvent} event
 */
function beat(call, { version }) {
  return heard(call, version);
}

/**
 * @param {JoinRoomAck} ack
 * @returns {CallState}
 */
const joined = ({ people, version, capacity }) => ({
  joined: true,
  people: byId(people),
  version,
  capacity,
  missing: false,
});
