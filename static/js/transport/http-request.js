/** One request of the HTTP transport: its frames, its answer and its deadline. */

import { BROKEN_CLIENT, MISDIRECTED } from '../protocol/close-codes.js';

/** @typedef {Pick<Window & typeof globalThis, 'fetch' | 'setTimeout' | 'clearTimeout'>} Environment */

/** The close code of a connection that ended without a close. */
export const LOST = 1006;
const FORBIDDEN = 403;
/** The header of a 403 that says why the server refuses this page's origin. */
const REASON = 'noom-refused';
/** Close codes by the statuses that end a connection. @type {Record<number, number>} */
const ENDS = { 400: BROKEN_CLIENT, 410: LOST, 413: BROKEN_CLIENT };

/** The error of an answer that ends the connection. */
export class SocketClosed extends Error {
  /**
   * @param {number} code the close code
   * @param {string} [reason]
   */
  constructor(code, reason = '') {
    super(`closed with ${code}`);
    this.code = code;
    this.reason = reason;
  }
}

/**
 * @param {Environment} environment
 * @param {string} path
 * @param {(object | string)[]} lines the head, then the frames
 * @param {RequestInit} options
 * @returns {Promise<Response>} rejects with Ended if the connection is over, else with another error
 */
export async function post(environment, path, [head, ...frames], { signal, keepalive }) {
  const response = await environment.fetch(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-ndjson' },
    body: [JSON.stringify(head), ...frames].join('\n'),
    redirect: 'error',
    cache: 'no-store',
    keepalive,
    signal,
  });
  const refused = response.status === FORBIDDEN && response.headers.get(REASON);
  if (refused) throw new SocketClosed(MISDIRECTED, refused);
  if (response.status in ENDS) throw new SocketClosed(ENDS[response.status]);
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response;
}

/**
 * The parts of a streamed answer as they arrive.
 * @param {Response} response
 */
export async function* parts(response) {
  const isOurs = response.headers.get('content-type')?.startsWith('text/event-stream');
  if (!isOurs || !response.body) throw new Error('something else answered');
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield decoder.decode(value, { stream: true });
  }
}

/** Ends a request when its connection ends, or after too long a silence. */
export class RequestTimeout {
  #environment;
  #connectionSignal;
  #onSilence;
  #controller = new AbortController();
  #timer;

  /**
   * @param {Environment} environment
   * @param {AbortSignal} line aborts at the end of the connection
   * @param {number} ms
   * @param {() => void} [onSilence]
   */
  constructor(environment, line, ms, onSilence = () => {}) {
    this.#environment = environment;
    this.#connectionSignal = line;
    this.#onSilence = onSilence;
    this.#timer = environment.setTimeout(this.#giveUp, ms);
    line.addEventListener('abort', this.#end);
  }

  get signal() {
    return this.#controller.signal;
  }

  /** @param {number} ms from now */
  extend(ms) {
    this.#environment.clearTimeout(this.#timer);
    this.#timer = this.#environment.setTimeout(this.#giveUp, ms);
  }

  /** Stops the deadline of a request that has ended. */
  done() {
    this.#environment.clearTimeout(this.#timer);
    this.#connectionSignal.removeEventListener('abort', this.#end);
  }

  #giveUp = () => {
    this.#onSilence();
    this.#end();
  };

  #end = () => this.#controller.abort();
}
