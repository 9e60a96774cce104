/** One WebSocket to Noom: comes back by itself, and matches answers to requests by their `ref`.
 * Of the messages it knows only the envelope: `ack` and `error`. */

import { CLOSE_FATES, RECONNECT, retryAfterMs } from './close-fates.js';
import { Requests, SocketError } from './requests.js';

export { CLOSE_FATES, SocketError };

/** @typedef {'connecting' | 'open' | 'reconnecting' | 'offline' | 'closed'} LineState */
/** @import {Frame} from './requests.js' */
/** @typedef {() => {type: string, payload: object}} Hello */
/**
 * @typedef {object} SocketOptions
 * @property {string} url a path, such as `/ws/chat/<key>/`
 * @property {Hello | null} hello the first message of every
 *   connection; null for a socket that needs none, and whose server then does not beat either
 * @property {(ack: any) => void} [onWelcome] the hello was acknowledged; requests may be made
 * @property {(event: {type: string, payload: any}) => void} onEvent
 * @property {(state: LineState) => void} [onState]
 * @property {(code: number) => void} [onClosed] the server ended it for good, see CLOSE_FATES
 * @property {(code: string, message: string, willRetry: boolean) => void} [onRefused] the hello was
 *   answered with an error; unless it will retry, the socket has stopped
 * @property {Environment} [environment]
 */
/**
 * What the socket needs of a browser's window.
 * @typedef {Pick<Window & typeof globalThis, 'WebSocket' | 'location' | 'navigator' | 'document'
 *   | 'addEventListener' | 'removeEventListener' | 'setTimeout' | 'clearTimeout' | 'Date' | 'Math'
 *   | 'reportError'>} Environment
 */

// A line that lived this long was a good one: the next loss starts again at the shortest wait.
const STABLE_MS = 10_000;
// The server beats every 5 s: two beats and a little more.
const SILENCE_MS = 12_000;
const WATCH_MS = 2_000;
const REQUEST_TIMEOUT_MS = 10_000;
const HELLO_RETRY_MS = 1_000;
// The server cuts off a line without a hello that it accepts after 10 s, as a broken client's.
const HELLO_PATIENCE_MS = 6_000;
const HELLO_RETRY = ['not_in_room', 'server_error', 'timeout', 'too_fast', 'try_later'];
// A refusal may be followed by a close code that says more.
const PARTING_MS = 1_000;

class Socket {
  #options;
  #environment;
  #url;
  #requests;
  /** @type {WebSocket | null} */
  #line = null;
  /** @type {LineState} */
  #state = 'closed';
  #ready = false;
  #wasReady = false;
  #attempt = 0;
  #heardAt = 0;
  #greetedAt = 0;
  #readyAt = 0;
  #notBefore = 0;
  /** @type {number | undefined} */
  #connectTimer;
  /** @type {number | undefined} */
  #helloTimer;
  /** @type {number | undefined} */
  #watchTimer;

  /** @param {SocketOptions} options */
  constructor({ environment = globalThis, ...options }) {
    if (!options.url) throw new TypeError('createSocket needs a url, such as /ws/chat/<key>/');
    this.#options = options;
    this.#environment = environment;
    this.#requests = new Requests(environment, this.#send);
    this.#url = new URL(options.url, environment.location.href);
    this.#url.protocol = this.#url.protocol === 'https:' ? 'wss:' : 'ws:';
  }

  /** @returns {LineState} */
  get state() {
    return this.#state;
  }

  start = () => {
    if (this.#state !== 'closed') return;
    this.#wasReady = false;
    this.#attempt = 0;
    this.#notBefore = 0;
    this.#listen('addEventListener');
    this.#watch();
    this.#connect();
  };

  stop = () => {
    this.#unwatch();
    this.#environment.clearTimeout(this.#connectTimer);
    this.#drop();
    this.#setState('closed');
  };

  /**
   * @param {string} type
   * @param {object} payload
   * @param {{timeoutMs?: number}} [options]
   * @returns {Promise<any>} the payload of the answer; rejects with a SocketError
   */
  request = (type, payload, { timeoutMs = REQUEST_TIMEOUT_MS } = {}) =>
    new Promise((resolve, reject) => {
      if (this.#ready) this.#requests.ask(type, payload, timeoutMs, resolve, reject);
      else reject(new SocketError('disconnected'));
    });

  /**
   * Sends what nobody misses: while the line is down it is dropped.
   * @param {string} type
   * @param {object} payload
   */
  post = (type, payload) => {
    if (this.#ready) this.#send({ type, payload });
  };

  /** @param {Frame} frame */
  #send = (frame) => {
    // While the other side closes, a browser complains of what is sent; the close settles it.
    if (this.#line && this.#line.readyState === 1) this.#line.send(JSON.stringify(frame));
  };

  #connect() {
    this.#drop();
    this.#environment.clearTimeout(this.#connectTimer);
    this.#heardAt = this.#environment.Date.now();
    const line = new this.#environment.WebSocket(this.#url.href);
    this.#line = line;
    // A line that was given up may still speak, of its own end too: nobody listens.
    line.onopen = () => line === this.#line && this.#greet();
    line.onmessage = ({ data }) => line === this.#line && this.#receive(data);
    line.onclose = ({ code, reason }) => line === this.#line && this.#closed(code, reason);
    this.#setState(this.#waitingState());
  }

  #greet() {
    this.#greetedAt = this.#environment.Date.now();
    if (this.#options.hello) this.#sendHello();
    else this.#welcomed({});
  }

  #sendHello = () => {
    const { type, payload } = /** @type {Hello} */ (this.#options.hello)();
    this.#requests.ask(
      type,
      payload,
      REQUEST_TIMEOUT_MS,
      (ack) => this.#welcomed(ack),
      (error) => this.#refused(error),
    );
  };

  /** @param {object} ack */
  #welcomed(ack) {
    this.#ready = this.#wasReady = true;
    this.#readyAt = this.#environment.Date.now();
    try {
      this.#options.onWelcome?.(ack);
    } finally {
      if (this.#ready) this.#setState('open');
    }
  }

  /** @param {SocketError} error */
  #refused({ code, message }) {
    if (code === 'disconnected') return;
    const willRetry = HELLO_RETRY.includes(code);
    const isPatient = this.#environment.Date.now() - this.#greetedAt < HELLO_PATIENCE_MS;
    if (willRetry && isPatient) {
      this.#helloTimer = this.#environment.setTimeout(this.#sendHello, HELLO_RETRY_MS);
    } else if (willRetry) {
      this.#lost();
    } else {
      this.#unwatch();
      this.#connectTimer = this.#environment.setTimeout(() => this.#drop(), PARTING_MS);
      this.#setState('closed');
    }
    this.#options.onRefused?.(code, message, willRetry);
  }

  /** @param {string} data */
  #receive(data) {
    this.#heardAt = this.#environment.Date.now();
    const frames = JSON.parse(data);
    for (const frame of Array.isArray(frames) ? frames : [frames]) {
      // One event that a view stumbles over must not take the rest of its batch along.
      try {
        this.#deliver(frame);
      } catch (error) {
        this.#environment.reportError(error);
      }
    }
  }

  /** @param {Frame} frame */
  #deliver(frame) {
    if (frame.ref !== undefined) this.#requests.settle(frame.ref, frame);
    else if (this.#state !== 'closed') this.#options.onEvent(frame);
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #closed(code, reason) {
    const fate = CLOSE_FATES[code] ?? RECONNECT;
    if (fate.fate === 'stop') {
      this.stop();
      this.#options.onClosed?.(code);
    } else if (this.#state === 'closed') {
      this.#drop();
    } else {
      this.#lost(fate, reason);
    }
  }

  #lost(fate = RECONNECT, reason = '') {
    const { Date, Math } = this.#environment;
    const now = Date.now();
    if (this.#ready && now - this.#readyAt >= STABLE_MS) this.#attempt = 0;
    this.#drop();
    const waitMs = retryAfterMs(fate, this.#attempt++, reason, Math.random());
    this.#notBefore = now + (fate.afterMs ?? 0);
    this.#connectTimer = this.#environment.setTimeout(() => this.#connect(), waitMs);
    this.#setState(this.#waitingState());
  }

  #drop() {
    const line = this.#line;
    this.#line = null;
    this.#ready = false;
    this.#environment.clearTimeout(this.#helloTimer);
    line?.close();
    this.#requests.rejectAll();
  }

  // A browser does not tell of a line that just falls silent: a network that went, a sleep.
  #watch = () => {
    this.#watchTimer = this.#environment.setTimeout(this.#watch, WATCH_MS);
    const beats = this.#options.hello !== null || !this.#ready;
    if (this.#line && beats && this.#isSilent()) this.#lost();
  };

  #unwatch() {
    this.#listen('removeEventListener');
    this.#environment.clearTimeout(this.#watchTimer);
  }

  #isSilent() {
    return this.#environment.Date.now() - this.#heardAt >= SILENCE_MS;
  }

  /** @param {'addEventListener' | 'removeEventListener'} change */
  #listen(change) {
    this.#environment[change]('online', this.#connectNow);
    this.#environment[change]('offline', this.#onOffline);
    this.#environment[change]('pageshow', this.#onSeen);
    this.#environment.document[change]('visibilitychange', this.#onSeen);
  }

  // The network is another one now: what looks like a living line most likely is none.
  #connectNow = () => {
    this.#attempt = 0;
    if (this.#environment.Date.now() >= this.#notBefore) this.#connect();
    else this.#setState(this.#waitingState());
  };

  // Only a word for the wait: without a network a server on this machine can still be reached.
  #onOffline = () => {
    if (!this.#ready) this.#setState(this.#waitingState());
  };

  #onSeen = () => {
    if (this.#environment.document.visibilityState !== 'visible') return;
    if (!this.#line || this.#isSilent()) this.#connectNow();
  };

  #waitingState() {
    if (!this.#environment.navigator.onLine) return 'offline';
    return this.#wasReady ? 'reconnecting' : 'connecting';
  }

  /** @param {LineState} state */
  #setState(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onState?.(state);
  }
}

/**
 * One line to Noom; it does nothing before `start()`. Its methods may be handed on by themselves.
 * @param {SocketOptions} options
 */
export const createSocket = (options) => new Socket(options);
