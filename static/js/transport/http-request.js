/** One request to Noom where no WebSocket gets through: what goes, what comes, how long it may last. */

/** @typedef {Pick<Window & typeof globalThis, 'fetch' | 'setTimeout' | 'clearTimeout'>} Environment */

/** The code of a line that is gone without a word. */
export const LOST = 1006;
const BROKEN_CLIENT = 4400;
const MISDIRECTED = 4421;
const FORBIDDEN = 403;
/** In a 403 it names why the server takes this page for another site's. */
const REASON = 'noom-refused';
/** By status, the codes that end the line; other failures may pass. @type {Record<number, number>} */
const ENDS = { 400: BROKEN_CLIENT, 410: LOST, 413: BROKEN_CLIENT };

/** An answer that ends the line. */
export class Ended extends Error {
  /**
   * @param {number} code as a WebSocket's close has it
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
 * @param {(object | string)[]} lines a head, then frames
 * @param {RequestInit} options
 * @returns {Promise<Response>} rejects with Ended when the line is over, else with another error
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
  if (refused) throw new Ended(MISDIRECTED, refused);
  if (response.status in ENDS) throw new Ended(ENDS[response.status]);
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response;
}

/**
 * What arrives of an answer, as it arrives.
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

/** Ends a request with the line that it belongs to, or when nothing is heard of it for too long. */
export class Deadline {
  #environment;
  #line;
  #onSilence;
  #controller = new AbortController();
  #timer;

  /**
   * @param {Environment} environment
   * @param {AbortSignal} line of the line's end
   * @param {number} ms
   * @param {() => void} [onSilence]
   */
  constructor(environment, line, ms, onSilence = () => {}) {
    this.#environment = environment;
    this.#line = line;
    this.#onSilence = onSilence;
    this.#timer = environment.setTimeout(this.#giveUp, ms);
    line.addEventListener('abort', this.#end);
  }

  get signal() {
    return this.#controller.signal;
  }

  /** @param {number} ms from now */
  prolong(ms) {
    this.#environment.clearTimeout(this.#timer);
    this.#timer = this.#environment.setTimeout(this.#giveUp, ms);
  }

  /** The request has been answered. */
  over() {
    this.#environment.clearTimeout(this.#timer);
    this.#line.removeEventListener('abort', this.#end);
  }

  #giveUp = () => {
    this.#onSilence();
    this.#end();
  };

  #end = () => this.#controller.abort();
}
