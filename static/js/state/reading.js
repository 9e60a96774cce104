/** The part of the log that the user has seen. Pure. */

/** @import {Message} from '../protocol/messages.js' */
/**
 * `atEnd`: the view is at the newest message. `isVisible`: the log is on the screen. `seenSeq` is the
 * number of the last entry that was seen; null before the first one.
 * @typedef {object} Reading
 * @property {boolean} atEnd
 * @property {boolean} isVisible
 * @property {number | null} seenSeq
 */

/** @type {Reading} */
export const NOTHING_SEEN = { atEnd: true, isVisible: false, seenSeq: null };

/**
 * The number of the last entry seen, in a log that goes to `seq`. The first log counts as seen.
 * @param {Reading} reading
 * @param {number} seq
 */
export const seenOf = ({ atEnd, isVisible, seenSeq }, seq) =>
  seenSeq === null || (atEnd && isVisible) ? seq : seenSeq;

/**
 * The number of messages from others that came while the user did not see the end of the log.
 * @param {Reading & {you: string | null, messages: Message[]}} room
 */
export function unread({ you, messages, seenSeq }) {
  if (seenSeq === null) return 0;
  return messages.filter(({ seq, from }) => seq > seenSeq && from !== you).length;
}
