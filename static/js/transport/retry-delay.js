/** The wait of a page before it connects again. */

/** @import {CloseAction} from '../protocol/close-codes.js' */

const MIN_JITTER_MS = 1_000;
const MAX_JITTER_MS = 10_000;

/** The action after a close code without one of its own, such as 1000, 1001 and 1006.
 * @type {CloseAction} */
export const RECONNECT = { isFinal: false, meaning: 'lost' };

/**
 * The wait before a new connection, in milliseconds.
 * Full jitter spreads the reconnects of all pages that lost one server.
 * @param {CloseAction} action
 * @param {number} attempt failures since the last stable connection, from 0
 * @param {string} reason of the close
 * @param {number} random from 0 to 1
 * @param {number} [withinMs] the reconnect window, from the server's last beat
 */
export function retryAfterMs({ afterMs = 0, reasonIsJitterMs = false }, attempt, reason, random, withinMs = 0) {
  const named = reasonIsJitterMs && /^\d{1,5}$/.test(reason);
  const firstMs = Math.max(MIN_JITTER_MS, withinMs);
  const jitterMs = named ? Number(reason) : Math.min(firstMs * 2 ** attempt, MAX_JITTER_MS);
  return afterMs + random * jitterMs;
}
