/** What a page does after each close code; docs/protocol.md shows this table. */

const MIN_JITTER_MS = 1_000;
const MAX_JITTER_MS = 10_000;

/** @typedef {{action: 'stop' | 'reconnect', meaning: string, afterMs?: number, reasonIsJitterMs?: boolean}} CloseAction */

/**
 * By close code. `afterMs` is the shortest wait before a new connection. With `reasonIsJitterMs`,
 * the reason of the close may hold the longest wait.
 * @type {Readonly<Record<number, CloseAction>>}
 */
export const CLOSE_CODES = Object.freeze({
  4400: { action: 'stop', meaning: 'broken_client' },
  4401: { action: 'stop', meaning: 'bad_token' },
  4403: { action: 'stop', meaning: 'removed' },
  4404: { action: 'stop', meaning: 'room_closed' },
  4405: { action: 'stop', meaning: 'call_ended' },
  4408: { action: 'reconnect', meaning: 'silent' },
  4409: { action: 'stop', meaning: 'replaced' },
  4412: { action: 'reconnect', meaning: 'restarting', reasonIsJitterMs: true },
  4413: { action: 'reconnect', meaning: 'too_slow' },
  4421: { action: 'reconnect', meaning: 'misdirected', afterMs: 5_000 },
  4426: { action: 'stop', meaning: 'old_page' },
  4429: { action: 'reconnect', meaning: 'flooding', afterMs: 5_000 },
  4500: { action: 'reconnect', meaning: 'server_error' },
});

/** The action of every other close code, 1000, 1001 and 1006 included.
 * @type {CloseAction} */
export const RECONNECT = { action: 'reconnect', meaning: 'lost' };

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
