/** The notices between messages: arrivals, departures, cleared messages. Pure. */

/** @import {Message, Person} from '../protocol/messages.js' */
/** @import {Room} from './room-state.js' */
/** @import {Notice} from './timeline.js' */

const MAX_NOTICES = 200;

/**
 * @param {Message[]} messages
 * @returns {Notice}
 */
export function clearedNotice(messages) {
  const { seq, sent_at } = messages[messages.length - 1];
  return { kind: 'cleared', id: '', nickname: '', at: sent_at, afterSeq: seq };
}

/**
 * @param {Room} room
 * @param {Notice['kind']} kind
 * @param {{person: Person, at: number}} event
 */
export function withNotice(room, kind, { person: { id, nickname }, at }) {
  if (id === room.you) return room;
  const notice = { kind, id, nickname, at, afterSeq: room.seq };
  return { ...room, notices: [...room.notices, notice].slice(-MAX_NOTICES) };
}
