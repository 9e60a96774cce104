/** The close codes of the sockets, and what a page does after each. */

// Written by `manage.py write_protocol` from chat/protocol/close_codes.py.

/**
 * After a final code a page makes no new connection. `afterMs` is the shortest wait before one.
 * With `reasonIsJitterMs` the reason of the close may hold the longest wait.
 * @typedef {object} CloseAction
 * @property {string} meaning
 * @property {boolean} isFinal
 * @property {number} [afterMs]
 * @property {boolean} [reasonIsJitterMs]
 */

export const BROKEN_CLIENT = 4400;
export const BAD_TOKEN = 4401;
export const REMOVED = 4403;
export const ROOM_CLOSED = 4404;
export const CALL_ENDED = 4405;
export const SILENT = 4408;
export const REPLACED = 4409;
export const RESTARTING = 4412;
export const TOO_SLOW = 4413;
export const MISDIRECTED = 4421;
export const OLD_PAGE = 4426;
export const FLOODING = 4429;
export const SERVER_ERROR = 4500;

/** By close code. @type {Readonly<Record<number, CloseAction>>} */
export const CLOSE_CODES = Object.freeze({
  [BROKEN_CLIENT]: { meaning: 'broken_client', isFinal: true },
  [BAD_TOKEN]: { meaning: 'bad_token', isFinal: true },
  [REMOVED]: { meaning: 'removed', isFinal: true },
  [ROOM_CLOSED]: { meaning: 'room_closed', isFinal: true },
  [CALL_ENDED]: { meaning: 'call_ended', isFinal: true },
  [SILENT]: { meaning: 'silent', isFinal: false },
  [REPLACED]: { meaning: 'replaced', isFinal: true },
  [RESTARTING]: { meaning: 'restarting', isFinal: false, reasonIsJitterMs: true },
  [TOO_SLOW]: { meaning: 'too_slow', isFinal: false },
  [MISDIRECTED]: { meaning: 'misdirected', isFinal: false, afterMs: 5_000 },
  [OLD_PAGE]: { meaning: 'old_page', isFinal: true },
  [FLOODING]: { meaning: 'flooding', isFinal: false, afterMs: 5_000 },
  [SERVER_ERROR]: { meaning: 'server_error', isFinal: false },
});
