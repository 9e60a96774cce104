/** A self-reconnecting connection to the server; matches answers to requests.
 * Of messages it reads the envelope (`ack`, `error`) and the reconnect window of a beat. */

import { carriersOf } from './transports.js';
import { CLOSE_FATES, RECONNECT, retryAfterMs } from '../protocol/close-codes.js';
import { Greeting } from './handshake.js';
import { LineWatch } from './connectivity.js';
import { Requests, SocketError } from './pending-requests.js';
import { toFrame } from '../state/visible-text.js';
import { WayBack } from './websocket-upgrade.js';

export { CLOSE_FATES, SocketError };

/** @typedef {'connecting' | 'open' | 'reconnecting' | 'offline' | 'refused' | 'closed'} LineState */
/** @import {Ack, Line, Environment as CarriersEnvironment} from './transports.js' */
/** @import {Hello} from './handshake.js' */
/** @import {Frame} from './pending-requests.js' */
/**
 * @typedef {object} SocketOptions
 * @property {string} url a path, such as `/ws/chat/<key>/`
 * @property {Hello | null} hello the first message of every
 *   connection; null for a socket without a handshake, whose server sends no beats either
 * @property {(ack: any) => void} [onWelcome] the handshake succeeded; requests are possible
 * @property {(event: {type: string, payload: any}) => void} onEvent
 * @property {(state: LineState) => void} [onState]
 * @property {(code: number) => void} [onClosed] the server closed it for good, see CLOSE_FATES
 * @property {(code: string, message: string, willRetry: boolean) => void} [onRefused] the
 *   handshake failed with an error; without a retry the socket has stopped
 * @property {Environment} [environment]
 */
/**
 * The parts of a browser's window that the socket needs.
 * @typedef {CarriersEnvironment & Pick<Window & typeof globalThis, 'navigator' | 'document'
 *   | 'Math' | 'reportError'>} Environment
 */

// After a connection of this age the next wait starts again at the shortest.
const STABLE_MS = 10_000;
const REQUEST_TIMEOUT_MS = 10_000;
// After a refusal the socket waits this long for a close code that says more.
const PARTING_MS = 1_000;

class Socket {
  #options;
  #environment;
  #carriers;
  #requests;
  #greeting;
  #wayBack;
  #watch;
  /** @type {Line | null} */
  #line = null;
  /** @type {LineState} */
  #state = 'closed';
  #ready = false;
  #wasReady = false;
  #isRefused = false;
  #attempt = 0;
  #heardAt = 0;
  #readyAt = 0;
  #notBefore = 0;
  #returnWithinMs = 0;
  /** @type {number | undefined} */
  #connectTimer;

  /** @param {SocketOptions} options */
  constructor({ environment = globalThis, ...options }) {
    const { url: path, hello } = options;
    if (!path) throw new TypeError('createSocket needs a url, such as /ws/chat/<key>/');
    this.#options = options;
    this.#environment = environment;
    this.#carriers = carriersOf(environment);
    this.#requests = new Requests(environment, this.#send);
    this.#greeting = new Greeting({
      hello,
      requests: this.#requests,
      onWelcome: (ack) => this.#welcomed(ack),
      onRefused: this.#refused,
      environment,
    });
    this.#wayBack = new WayBack({ path, hello, onFound: this.#moveTo, environment });
    this.#watch = new LineWatch({
      onTick: () => this.#look(),
      onOnline: () => {
        this.#carriers.networkChanged();
        this.reconnect();
      },
      // The connection may still work: the next frame sets the state back to `open`.
      onOffline: () => this.#setState(this.#waitingState()),
      onSeen: () => (this.#line && !this.#isSilent()) || this.reconnect(),
      environment,
    });
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
    this.#watch.start();
    this.#connect();
  };

  stop = () => {
    this.#watch.stop();
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
   * Sends a message without an answer; without a connection it drops the message.
   * @param {string} type
   * @param {object} payload
   */
  post = (type, payload) => {
    if (this.#ready) this.#send({ type, payload });
  };

  // Browsers complain of a frame sent while the socket closes, so it sends only while open.
  /** @param {Frame} frame */
  #send = (frame) => void (this.#line?.readyState === 1 && this.#line.send(toFrame(frame)));

  #connect() {
    this.#drop();
    this.#environment.clearTimeout(this.#connectTimer);
    this.#heardAt = this.#environment.Date.now();
    const line = this.#carriers.open(this.#options.url);
    line.onopen = () => line === this.#line && this.#greeting.start();
    this.#use(line);
    this.#setState(this.#waitingState());
  }

  /** @param {Line} line */
  #use(line) {
    this.#line = line;
    // Ignores frames and the close of a connection that the socket has given up.
    line.onmessage = (/** @type {{data: string}} */ { data }) => line === this.#line && this.#receive(data);
    line.onclose = (/** @type {{code: number, reason: string}} */ { code, reason }) =>
      line === this.#line && this.#closed(code, reason);
  }

  /** Moves to a WebSocket after its handshake; only then the old connection closes.
   * @type {(line: WebSocket, ack: object) => void} */
  #moveTo = (line, ack) => {
    const old = this.#line;
    this.#use(line);
    this.#carriers.heard(line);
    this.#requests.rejectAll();
    this.#welcomed(ack);
    old?.close();
  };

  /** @param {Ack} ack */
  #welcomed(ack) {
    this.#carriers.welcomed(ack);
    this.#ready = this.#wasReady = true;
    this.#isRefused = false;
    if (this.#line && this.#carriers.isFallback(this.#line)) this.#wayBack.start();
    this.#readyAt = this.#environment.Date.now();
    try {
      this.#options.onWelcome?.(ack);
    } finally {
      if (this.#ready) this.#setState('open');
    }
  }

  /** @type {(error: SocketError, fate: 'again' | 'new line' | 'stop') => void} */
  #refused = ({ code, message }, fate) => {
    if (fate === 'new line') {
      this.#lost();
    } else if (fate === 'stop') {
      this.#watch.stop();
      this.#connectTimer = this.#environment.setTimeout(() => this.#drop(), PARTING_MS);
      this.#setState('closed');
    }
    this.#options.onRefused?.(code, message, fate !== 'stop');
  };

  /** @param {string} data */
  #receive(data) {
    this.#heardAt = this.#environment.Date.now();
    this.#carriers.heard(/** @type {Line} */ (this.#line));
    if (this.#ready) this.#setState('open');
    for (const frame of [JSON.parse(data)].flat()) {
      // An event that makes a view throw must not lose the rest of its batch.
      try {
        this.#deliver(frame);
      } catch (error) {
        this.#environment.reportError(error);
      }
    }
  }

  /** @param {Frame} frame */
  #deliver(frame) {
    if (frame.type === 'beat') this.#returnWithinMs = frame.payload.return_within_ms ?? 0;
    if (frame.ref !== undefined) this.#requests.settle(frame.ref, frame);
    else if (this.#state !== 'closed') this.#options.onEvent(frame);
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #closed(code, reason) {
    const fate = CLOSE_FATES[code] ?? RECONNECT;
    if (fate.meaning === 'replaced' && this.#wayBack.isEntering) return; // by this page's WebSocket
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
    const isAtOnce = this.#line !== null && this.#carriers.lost(this.#line);
    this.#drop();
    if (isAtOnce) {
      this.#connect();
      return;
    }
    this.#isRefused = fate.meaning === 'misdirected';
    const waitMs = retryAfterMs(fate, this.#attempt++, reason, Math.random(), this.#returnWithinMs);
    this.#notBefore = now + (fate.afterMs ?? 0);
    this.#connectTimer = this.#environment.setTimeout(() => this.#connect(), waitMs);
    this.#setState(this.#waitingState());
  }

  #drop() {
    const line = this.#line;
    this.#line = null;
    this.#ready = false;
    this.#greeting.stop();
    this.#wayBack.stop();
    line?.close();
    this.#requests.rejectAll();
  }

  // Browsers report no loss for a connection that falls silent, as after a sleep.
  #look() {
    const beats = this.#options.hello !== null || !this.#ready;
    if (this.#line && beats && this.#isSilent()) this.#lost();
  }

  #isSilent() {
    const mostMs = this.#line ? this.#carriers.silenceMs(this.#line) : 0;
    return this.#environment.Date.now() - this.#heardAt >= mostMs;
  }

  /** Opens a new connection, as after a change of network, which breaks the old one. */
  reconnect = () => {
    this.#attempt = 0;
    if (this.#environment.Date.now() >= this.#notBefore) this.#connect();
    else this.#setState(this.#waitingState());
  };

  // `offline` only names the wait: a server on the user's own machine stays within reach.
  #waitingState() {
    if (!this.#environment.navigator.onLine) return 'offline';
    if (this.#isRefused) return 'refused';
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
 * Creates a socket; it does nothing before `start()`. Its methods are bound.
 * @param {SocketOptions} options
 */
export const createSocket = (options) => new Socket(options);
