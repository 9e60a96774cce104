/** The log of a room: its messages by number, each once, and its gaps. Pure.
 * The server numbers messages and deletions 1, 2, 3 …; the messages that a deletion names are gone. */

import { coversAll, joinSpans, spanAt } from './spans.js';

/** @import {Deletion, Message, Span} from '../protocol/messages.js' */
/** @typedef {{messages: Message[], deletions: Deletion[]}} Entries */
/**
 * @typedef {object} Log
 * @property {Message[]} messages by rising `seq`, each once
 * @property {Span[]} deleted the numbers of deletions, and of the messages that they have deleted
 * @property {number} seq the largest number that is known to exist
 * @property {number} completeUntil up to this number nothing is missing: each entry is in the log,
 *   deleted, or older than what was loaded
 * @property {number} from the smallest number that was loaded
 * @property {number[]} gaps numbers of messages after which some are gone without a known deletion
 * @property {boolean} hasEarlier
 */

/** @type {Log} */
export const EMPTY_LOG = {
  messages: [],
  deleted: [],
  seq: 0,
  completeUntil: 0,
  from: 1,
  gaps: [],
  hasEarlier: false,
};

/**
 * The log of a newcomer: the newest entries of a room whose last number is `seq`.
 * @param {Entries} entries
 * @param {number} seq
 */
export const startLog = (entries, seq) =>
  extend({ ...EMPTY_LOG, from: entries.messages[0]?.seq ?? 1 }, entries, seq, seq);

/**
 * Adds entries, which may be known or leave a hole; the room has at least `seq`.
 * @param {Log} log
 * @param {Partial<Entries>} entries
 * @param {number} [seq]
 */
export const addEntries = (log, entries, seq = 0) => extend(log, entries, seq, log.completeUntil);

/**
 * Adds one message; if it is the next one, as mostly, the log needs no merge.
 * @param {Log} log
 * @param {Message} message
 * @returns {Log}
 */
export function addMessage(log, message) {
  const { seq } = message;
  const end = log.messages.at(-1)?.seq ?? log.completeUntil;
  const isNext = seq === log.completeUntil + 1 && end <= log.completeUntil && !spanAt(log.deleted, seq);
  if (!isNext) return addEntries(log, { messages: [message] });
  const messages = [...log.messages, message];
  return { ...log, messages, seq: Math.max(log.seq, seq), completeUntil: seq };
}

/**
 * Keeps the newest messages alone; the page can request the older ones again.
 * @param {Log} log
 * @param {number} most messages to keep
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
 * Adds all entries after the number `after`.
 * No entries mean that all up to `head`, the largest number known at the request, is gone.
 * @param {Log} log
 * @param {Entries} entries
 * @param {number} after
 * @param {number} head
 */
export function addAfter(log, entries, after, head) {
  const last = Math.max(entries.messages.at(-1)?.seq ?? 0, entries.deletions.at(-1)?.seq ?? 0);
  const end = last || head;
  return extend(log, entries, 0, after <= log.completeUntil ? Math.max(log.completeUntil, end) : log.completeUntil);
}

/**
 * Adds the messages right before the number `before`, without a hole.
 * @param {Log} log
 * @param {Entries} entries
 * @param {number} before
 */
export function addBefore(log, entries, before) {
  const from = before <= log.from ? (entries.messages[0]?.seq ?? 1) : log.from;
  return extend({ ...log, from }, entries, 0, log.completeUntil);
}

/**
 * Whether the deletions of a later log cover all messages of an earlier one.
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
 * @param {number} completeUntil
 * @returns {Log}
 */
function extend(log, { messages: added = [], deletions = [] }, seq, completeUntil) {
  const deleted = joinSpans(log.deleted, deletions.flatMap(numbersOf));
  const messages = merge(log.messages, added).filter((one) => !spanAt(deleted, one.seq));
  const known = new Set(messages.map((message) => message.seq));
  for (let end = completeUntil; ; completeUntil = end) {
    const next = completeUntil + 1;
    end = spanAt(deleted, next)?.last ?? (known.has(next) ? next : completeUntil);
    if (end === completeUntil) break;
  }
  const last = Math.max(messages.at(-1)?.seq ?? 0, deletions.at(-1)?.seq ?? 0);
  return {
    messages,
    deleted,
    seq: Math.max(log.seq, seq, last),
    completeUntil,
    from: log.from,
    gaps: gapsIn(messages, deleted, completeUntil),
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
 * @param {number} completeUntil
 */
function gapsIn(messages, deleted, completeUntil) {
  /** @type {number[]} */
  const gaps = [];
  messages.slice(1).forEach(({ seq }, index) => {
    const before = messages[index].seq;
    if (seq <= completeUntil && isHoleIn(deleted, before + 1, seq - 1)) gaps.push(before);
  });
  return gaps;
}

/**
 * Whether a number from `first` to `last` is in no span.
 * @param {Span[]} spans
 * @param {number} first
 * @param {number} last
 */
const isHoleIn = (spans, first, last) => !coversAll(spans, first, last);
