/** The messages of a room as they come in: by number, each once, and where some are missing. Pure.
 * The server numbers them 1, 2, 3 … and may delete old ones. */

/** @import {Message} from './protocol.js' */
/**
 * @typedef {object} Log
 * @property {Message[]} messages by rising `seq`, each once
 * @property {number} seq the largest number that is known to exist
 * @property {number} through up to this number nothing is missing: it is here, or gone for good, or
 *   older than what was loaded
 * @property {number[]} gaps numbers of messages after which some are gone for good
 * @property {boolean} hasEarlier
 */

/** @type {Log} */
export const EMPTY_LOG = { messages: [], seq: 0, through: 0, gaps: [], hasEarlier: false };

/**
 * A newcomer's: the newest messages of a room whose last number is `seq`.
 * @param {Message[]} messages
 * @param {number} seq
 */
export const startLog = (messages, seq) =>
  grow({ ...EMPTY_LOG, hasEarlier: startsLate(messages) }, messages, seq, seq);

/**
 * Messages that may be here already, or leave out others; `seq` is a number that was spoken of.
 * @param {Log} log
 * @param {Message[]} messages
 * @param {number} [seq]
 */
export const addMessages = (log, messages, seq = 0) => grow(log, messages, seq, log.through);

/**
 * All there is after the number `after`, up to the last of these messages. If there are none, all
 * up to `head` is gone: the largest number that was known when the question was asked.
 * @param {Log} log
 * @param {Message[]} messages
 * @param {number} after
 * @param {number} head
 */
export function addAfter(log, messages, after, head) {
  const end = messages.at(-1)?.seq ?? head;
  return grow(log, messages, 0, after <= log.through ? Math.max(log.through, end) : log.through);
}

/**
 * The last messages before the number `before`, and all there are between the first of them and it.
 * @param {Log} log
 * @param {Message[]} messages
 * @param {number} before
 */
export function addBefore(log, messages, before) {
  const isFront = before <= (log.messages[0]?.seq ?? Infinity);
  const hasEarlier = isFront ? startsLate(messages) : log.hasEarlier;
  return grow({ ...log, hasEarlier }, messages, 0, log.through);
}

/**
 * The messages up to the number `through` were deleted: nothing of them is here or missing.
 * @param {Log} log
 * @param {number} through
 * @returns {Log}
 */
export function clearLog(log, through) {
  const messages = log.messages.filter(({ seq }) => seq > through);
  const kept = { ...log, messages, hasEarlier: false, through: Math.max(log.through, through) };
  return grow(kept, [], through, kept.through);
}

/** @param {Message[]} messages */
const startsLate = (messages) => messages.length > 0 && messages[0].seq > 1;

/**
 * @param {Log} log
 * @param {Message[]} added
 * @param {number} seq
 * @param {number} through
 * @returns {Log}
 */
function grow(log, added, seq, through) {
  const messages = merge(log.messages, added);
  for (const message of messages) {
    if (message.seq === through + 1) through = message.seq;
  }
  return {
    messages,
    seq: Math.max(log.seq, seq, messages.at(-1)?.seq ?? 0),
    through,
    gaps: gapsIn(messages, through),
    hasEarlier: log.hasEarlier,
  };
}

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
 * @param {number} through
 */
function gapsIn(messages, through) {
  /** @type {number[]} */
  const gaps = [];
  messages.slice(1).forEach(({ seq }, index) => {
    const before = messages[index].seq;
    if (seq > before + 1 && seq <= through) gaps.push(before);
  });
  return gaps;
}
