/** The messages of a room as they come in: by number, each once, and where some are missing. Pure.
 * The server numbers messages and their deletions 1, 2, 3 …: what a deletion names is gone for good. */

import { coversAll, joinSpans, spanAt } from './spans.js';

/** @import {Deletion, Message, Span} from '../protocol/messages.js' */
/** @typedef {{messages: Message[], deletions: Deletion[]}} Entries */
/**
 * @typedef {object} Log
 * @property {Message[]} messages by rising `seq`, each once
 * @property {Span[]} deleted the numbers of deletions, and of the messages that they have deleted
 * @property {number} seq the largest number that is known to exist
 * @property {number} through up to this number nothing is missing: it is here, or gone for good, or
 *   older than what was loaded
 * @property {number} from the smallest number that was loaded
 * @property {number[]} gaps numbers of messages after which some are gone, and no deletion is known
 * @property {boolean} hasEarlier
 */

/** @type {Log} */
export const EMPTY_LOG = {
  messages: [],
  deleted: [],
  seq: 0,
  through: 0,
  from: 1,
  gaps: [],
  hasEarlier: false,
};

/**
 * A newcomer's: the newest entries of a room whose last number is `seq`.
 * @param {Entries} entries
 * @param {number} seq
 */
export const startLog = (entries, seq) =>
  grow({ ...EMPTY_LOG, from: entries.messages[0]?.seq ?? 1 }, entries, seq, seq);

/**
 * Entries that may be here already, or leave out others; `seq` is a number that was spoken of.
 * @param {Log} log
 * @param {Partial<Entries>} entries
 * @param {number} [seq]
 */
export const addEntries = (log, entries, seq = 0) => grow(log, entries, seq, log.through);

/**
 * One more message, mostly the next one: then nothing that is here has to be looked at.
 * @param {Log} log
 * @param {Message} message
 * @returns {Log}
 */
export function addMessage(log, message) {
  const { seq } = message;
  const end = log.messages.at(-1)?.seq ?? log.through;
  const isNext = seq === log.through + 1 && end <= log.through && !spanAt(log.deleted, seq);
  if (!isNext) return addEntries(log, { messages: [message] });
  const messages = [...log.messages, message];
  return { ...log, messages, seq: Math.max(log.seq, seq), through: seq };
}

/**
 * The newest messages alone; the older ones can be fetched again.
 * @param {Log} log
 * @param {number} most how many are kept
 * @returns {Log}
 */
export function keepNewest(log, most) {
  if (log.messages.length <= most) return log;
  const messages = log.messages.slice(-most);
  const from = messages[0].seq;
  const gaps = log.gaps.filter((after) => after >= from);
  return { ...log, messages, from, gaps, hasEarlier: !coversAll(log.deleted, 1, from - 1) };
}

/**
 * All there is after the number `after`, up to the last of these entries. If there are none, all
 * up to `head` is gone: the largest number that was known when the question was asked.
 * @param {Log} log
 * @param {Entries} entries
 * @param {number} after
 * @param {number} head
 */
export function addAfter(log, entries, after, head) {
  const last = Math.max(entries.messages.at(-1)?.seq ?? 0, entries.deletions.at(-1)?.seq ?? 0);
  const end = last || head;
  return grow(log, entries, 0, after <= log.through ? Math.max(log.through, end) : log.through);
}

/**
 * The last messages before the number `before`, and all there are between the first of them and it.
 * @param {Log} log
 * @param {Entries} entries
 * @param {number} before
 */
export function addBefore(log, entries, before) {
  const from = before <= log.from ? (entries.messages[0]?.seq ?? 1) : log.from;
  return grow({ ...log, from }, entries, 0, log.through);
}

/**
 * Whether all that was in a log is deleted in a later one.
 * @param {Log} log
 * @param {Log} later
 */
export const isAllGone = ({ messages, deleted }, later) =>
  later.deleted !== deleted &&
  messages.length > 0 &&
  messages.every(({ seq }) => spanAt(later.deleted, seq));

/**
 * @param {Log} log
 * @param {Partial<Entries>} entries
 * @param {number} seq
 * @param {number} through
 * @returns {Log}
 */
function grow(log, { messages: added = [], deletions = [] }, seq, through) {
  const deleted = joinSpans(log.deleted, deletions.flatMap(numbersOf));
  const messages = merge(log.messages, added).filter((one) => !spanAt(deleted, one.seq));
  const known = new Set(messages.map((message) => message.seq));
  for (let end = through; ; through = end) {
    const next = through + 1;
    end = spanAt(deleted, next)?.last ?? (known.has(next) ? next : through);
    if (end === through) break;
  }
  const last = Math.max(messages.at(-1)?.seq ?? 0, deletions.at(-1)?.seq ?? 0);
  return {
    messages,
    deleted,
    seq: Math.max(log.seq, seq, last),
    through,
    from: log.from,
    gaps: gapsIn(messages, deleted, through),
    hasEarlier: !coversAll(deleted, 1, log.from - 1),
  };
}

/** @param {Deletion} deletion */
const numbersOf = ({ seq, spans }) => [{ first: seq, last: seq }, ...spans];

/**
 * @param {Message[]} kept
 * @param {Message[]} added
 */
function merge(kept, added) {
  const bySeq = new Map([...kept, ...added].map((message) => [message.seq, message]));
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
}

/**
 * @param {Message[]} messages
 * @param {Span[]} deleted
 * @param {number} through
 */
function gapsIn(messages, deleted, through) {
  /** @type {number[]} */
  const gaps = [];
  messages.slice(1).forEach(({ seq }, index) => {
    const before = messages[index].seq;
    if (seq <= through && isHoleIn(deleted, before + 1, seq - 1)) gaps.push(before);
  });
  return gaps;
}

/**
 * Whether one of these numbers is in no span.
 * @param {Span[]} spans
 * @param {number} first
 * @param {number} last
 */
const isHoleIn = (spans, first, last) => !coversAll(spans, first, last);
