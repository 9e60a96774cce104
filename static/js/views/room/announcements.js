/** Sentences for screen readers. Pure: two states of a room in, sentences out. */

import { callers } from '../../state/call-state.js';
import { listNames, t } from '../../i18n/translate.js';

/** @import {LocalMediaState} from '../../media/local-media.js' */
/** @import {Room} from '../../state/room-state.js' */
/** @typedef {'arrived' | 'left' | 'live.joined' | 'live.left_call' | 'live.shares' | 'live.unshares'} Key */

// A screen reader would still read more of them when the next ones come.
const MOST_QUOTED = 3;
const MOST_CHARACTERS = 200;
/** @type {('audio' | 'video' | 'screen')[]} */
const OWN = ['audio', 'video', 'screen'];

/**
 * @param {Room} before
 * @param {Room} after
 * @param {() => boolean} isLogSeen whether the log, itself a live region, shows
 * @returns {string[]}
 */
export function newsOf(before, after, isLogSeen) {
  const isOneRoom = before.you !== null && after.you !== null && before.epoch === after.epoch;
  if (!isOneRoom || before === after) return [];
  const people = before.people === after.people ? [] : [...whoCame(before, after), ...whoJoined(before, after)];
  return [...people, ...whoShares(before, after), ...messages(before, after, isLogSeen)];
}

/**
 * @param {Pick<LocalMediaState, 'audio' | 'video' | 'screen'>} before
 * @param {Pick<LocalMediaState, 'audio' | 'video' | 'screen'>} after
 * @returns {string[]}
 */
export const ownNews = (before, after) =>
  OWN.filter((kind) => before[kind] !== after[kind]).map((kind) =>
    t(`live.${kind}_${after[kind] ? 'on' : 'off'}`),
  );

/**
 * @param {Room} before
 * @param {Room} after
 */
function whoCame(before, after) {
  /** @type {(these: Room, those: Room) => string[]} */
  const only = (these, those) => Object.keys(these.people).filter((id) => !those.people[id]);
  return [
    ...sentence('arrived', after, only(after, before)),
    ...sentence('left', before, only(before, after).filter((id) => id !== before.you)),
  ];
}

/**
 * @param {Room} before
 * @param {Room} after
 */
function whoJoined(before, after) {
  const stayed = Object.keys(after.people).filter((id) => before.people[id]);
  /** @type {(these: Room, those: Room) => string[]} */
  const only = (these, those) => stayed.filter((id) => these.people[id].in_call && !those.people[id].in_call);
  return [
    ...sentence('live.joined', after, only(after, before)),
    ...sentence('live.left_call', after, only(before, after)),
  ];
}

/**
 * @param {Room} before
 * @param {Room} after
 */
function whoShares(before, after) {
  if (!before.call.joined || !after.call.joined || before.call === after.call) return [];
  const [then, now] = [callers(before.call), callers(after.call)];
  /** @type {(these: typeof now, those: typeof now) => string[]} */
  const only = (these, those) =>
    Object.keys(these).filter((id) => these[id].media.screen && !those[id]?.media.screen);
  return [
    ...sentence('live.shares', after, only(now, then)),
    ...sentence('live.unshares', after, only(then, now)),
  ];
}

/**
 * @param {Room} before
 * @param {Room} after
 * @param {() => boolean} isLogSeen
 */
function messages(before, after, isLogSeen) {
  const last = Math.max(before.completeUntil, before.messages.at(-1)?.seq ?? 0);
  if (before.messages === after.messages || (after.messages.at(-1)?.seq ?? 0) <= last) return [];
  const fresh = after.messages.filter(({ seq, from }) => seq > last && from !== after.you);
  if (fresh.length === 0 || isLogSeen()) return [];
  if (fresh.length > MOST_QUOTED) return [t('unread', { count: fresh.length })];
  return fresh.map(({ nickname, text }) =>
    t('live.message', { name: nickname || t('announcement'), text: shortened(text) }),
  );
}

/** @param {string} text */
function shortened(text) {
  const characters = [...text];
  return characters.length > MOST_CHARACTERS ? `${characters.slice(0, MOST_CHARACTERS).join('')}…` : text;
}

/**
 * @param {Key} key
 * @param {Room} room a state that has their names
 * @param {string[]} ids of participants; leaves out the user's own
 */
function sentence(key, { people, you }, ids) {
  const names = ids.filter((id) => id !== you && people[id]).map((id) => people[id].nickname);
  return names.length === 0 ? [] : [t(key, { names: listNames(names), count: names.length })];
}
