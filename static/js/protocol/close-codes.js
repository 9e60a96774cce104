/** The fate of a page after each close code; docs/protocol.md shows this table. */

const FIRST_JITTER_MS = 1_000;
const MOST_JITTER_MS = 10_000;

/** @typedef {{fate: 'stop' | 'reconnect', meaning: string, afterMs?: number, reasonIsJitterMs?: boolean}} Fate */

/**
 * By close code. `afterMs` is the shortest wait before a new connection. With `reasonIsJitterMs`,
 * the reason of the close may hold the longest wait.
 * @type {Readonly<Record<number, Fate>>}
 */
export const CLOSE_FATES = Object.freeze({
  4400: { fate: 'stop', meaning: 'broken_client' },
  4401: { fate: 'stop', meaning: 'bad_token' },
  4403: { fate: 'stop', meaning: 'removed' },
  4404: { fate: 'stop', meaning: 'room_closed' },
  4405: { fate: 'stop', meaning: 'call_ended' },
  4408: { fate: 'reconnect', meaning: 'silent' },
  4409: { fate: 'stop', meaning: 'replaced' },
  4412: { fate: 'reconnect', meaning: 'restarting', reasonIsJitterMs: true },
  4413: { fate: 'reconnect', meaning: 'too_slow' },
  4421: { fate: 'reconnect', meaning: 'misdirected', afterMs: 5_000 },
  4426: { fate: 'stop', meaning: 'old_page' },
  4429: { fate: 'reconnect', meaning: 'flooding', afterMs: 5_000 },
  4500: { fate: 'reconnect', meaning: 'server_error' },
});

/** The fate of every other close code, 1000, 1001 and 1006 included.
 * @type {Fate} */
export const RECONNECT = { fate: 'reconnect', meaning: 'lost' };

/**
 * The wait before a new connection, in milliseconds.
 * Full jitter spreads the reconnects of all pages that lost one server.
 * @param {Fate} fate
 * @param {number} attempt failures since the last stable connection, from 0
 * @param {string} reason of the close
 * @param {number} random from 0 to 1
 * @param {number} [withinMs] the reconnect window, from the server's last beat
 */
export function retryAfterMs({ afterMs = 0, reasonIsJitterMs = false }, attempt, reason, random, withinMs = 0) {
  const named = reasonIsJitterMs && /^\d{1,5}$/.test(reason);
  const firstMs = Math.max(FIRST_JITTER_MS, withinMs);
  const jitterMs = named ? Number(reason) : Math.min(firstMs * 2 ** attempt, MOST_JITTER_MS);
  return afterMs + random * jitterMs;
}
