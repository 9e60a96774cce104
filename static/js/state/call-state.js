/** The state of the call; has callers only while this page is in it. Pure. */

import { byId, heard, put, remove, replace } from './roster.js';

/** @import {BeatEvent, Caller, CallPeopleAck, JoinRoomAck} from '../protocol/messages.js' */
/** @import {Roster} from './roster.js' */
/** The call: its `people` by id, their roster's `version`, the most callers (`capacity`).
 * `awaited` are callers missing from the server's last answer, who may still come back: the server
 * may have restarted or lost its store. `missing`: the page lacks a change of the roster.
 * @typedef {object} Call
 * @property {boolean} joined
 * @property {Record<string, Caller>} awaited
 * @property {Record<string, Caller>} people
 * @property {number} version
 * @property {boolean} missing
 * @property {number} capacity */

export const EMPTY_CALL = {
  joined: false,
  awaited: {},
  people: {},
  version: 0,
  missing: false,
  capacity: 0,
};

/**
 * The call after an event, an answer (`joined`, `people`) or a leave (`left`).
 * @param {Call} call
 * @param {string} type
 * @param {any} payload
 * @returns {Call}
 */
export function reduceCall(call, type, payload) {
  if (type === 'joined') return joined(call, payload);
  if (type === 'people') return call.joined ? peopleReceived(call, payload) : call;
  if (type === 'left') return { ...EMPTY_CALL, capacity: call.capacity };
  if (type === 'awaited_over') return { ...call, awaited: {} };
  const roster = call.joined ? (ROSTER_REDUCERS.get(type)?.(call, payload) ?? call) : call;
  if (roster === call) return call;
  const { [payload.person?.id]: _, ...awaited } = call.awaited;
  return { ...call, ...roster, awaited };
}

/** All callers whose media flows or may flow.
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
 * Keeps known callers as awaited, because media outlives a lost connection.
 * @param {Call} call
 * @param {JoinRoomAck} ack
 * @returns {Call}
 */
function joined(call, { people, version, capacity }) {
  const awaited = unnamed(call, people);
  return { joined: true, awaited, people: byId(people), version, capacity, missing: false };
}

/**
 * @param {Call} call
 * @param {CallPeopleAck} answer
 * @returns {Call}
 */
function peopleReceived(call, answer) {
  return { ...call, ...replace(call, answer), awaited: unnamed(call, answer.people) };
}

/**
 * The known callers missing from an answer. They may have left; but a server that restarted or lost
 * its store names them one by one as they come back.
 * @param {Call} call
 * @param {Caller[]} people
 */
function unnamed(call, people) {
  const named = byId(people);
  const away = Object.values(callers(call)).filter(({ id }) => !named[id]);
  return byId(away.map((caller) => ({ ...caller, here: false })));
}
