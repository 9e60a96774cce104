/** A self-reconnecting connection to the server; matches answers to requests.
 * Of messages it reads the envelope (`ack`, `error`) and the reconnect window of a beat. */

import { transportSelectorOf } from './transports.js';
import { CLOSE_CODES } from '../protocol/close-codes.js';
import { RECONNECT, retryAfterMs } from './retry-delay.js';
import { Handshake } from './handshake.js';
import { ConnectivityMonitor } from './connectivity.js';
import { PendingRequests, SocketError } from './pending-requests.js';
import { toFrame } from '../state/visible-text.js';
import { WebSocketUpgrade } from './websocket-upgrade.js';

export { SocketError };

/** @typedef {'connecting' | 'open' | 'reconnecting' | 'offline' | 'refused' | 'closed'} ConnectionState */
/** @import {Ack, Connection, Environment as CarriersEnvironment} from './transports.js' */
/** @import {FirstMessage} from './handshake.js' */
/** @import {Frame} from './pending-requests.js' */
/**
 * @typedef {object} SocketOptions
 * @property {string} url a path, such as `/ws/chat/<key>/`
 * @property {FirstMessage | null} firstMessage the first message of every
 *   connection; null for a socket without a handshake, whose server sends no beats either
 * @property {(ack: any) => void} [onWelcome] the handshake succeeded; requests are possible
 * @property {(event: {type: string, payload: any}) => void} onEvent
 * @property {(state: ConnectionState) => void} [onState]
 * @property {(code: number) => void} [onClosed] the server closed it for good, see CLOSE_CODES
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
const CLOSE_AFTER_REFUSAL_MS = 1_000;

/** A socket does nothing before `start()`. Its methods are bound. */
export class Socket {
  #options;
  #environment;
  #transports;
  #requests;
  #handshake;
  #upgrade;
  #connectivity;
  /** @type {Connection | null} */
  #connection = null;
  /** @type {ConnectionState} */
  #state = 'closed';
  #ready = false;
  #wasReady = false;
  #isRefused = false;
  #attempt = 0;
  #receivedAt = 0;
  #readyAt = 0;
  #notBefore = 0;
  #reconnectWindowMs = 0;
  /** @type {number | undefined} */
  #connectTimer;

  /** @param {SocketOptions} options */
  constructor({ environment = globalThis, ...options }) {
    const { url: path, firstMessage } = options;
    if (!path) throw new TypeError('Socket needs a url, such as /ws/chat/<key>/');
    this.#options = options;
    this.#environment = environment;
    this.#transports = transportSelectorOf(environment);
    this.#requests = new PendingRequests(environment, this.#send);
    this.#handshake = new Handshake({
      firstMessage,
      requests: this.#requests,
      onWelcome: (ack) => this.#welcomed(ack),
      onRefused: this.#refused,
      environment,
    });
    this.#upgrade = new WebSocketUpgrade({ path, firstMessage, onConnected: this.#switchTo, environment });
    this.#connectivity = new ConnectivityMonitor({
      onTick: () => this.#checkSilence(),
      onOnline: () => {
        this.#transports.networkChanged();
        this.reconnect();
      },
      // The connection may still work: the next frame sets the state back to `open`.
      onOffline: () => this.#setState(this.#waitingState()),
      onVisible: () => (this.#connection && !this.#isSilent()) || this.reconnect(),
      environment,
    });
  }

  /** @returns {ConnectionState} */
  get state() {
    return this.#state;
  }

  start = () => {
    if (this.#state !== 'closed') return;
    this.#wasReady = false;
    this.#attempt = 0;
    this.#notBefore = 0;
    this.#connectivity.start();
    this.#connect();
  };

  stop = () => {
    this.#connectivity.stop();
    this.#environment.clearTimeout(this.#connectTimer);
    this.#detach();
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
      if (this.#ready) this.#requests.send(type, payload, timeoutMs, resolve, reject);
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
  #send = (frame) => void (this.#connection?.readyState === 1 && this.#connection.send(toFrame(frame)));

  #connect() {
    this.#detach();
    this.#environment.clearTimeout(this.#connectTimer);
    this.#receivedAt = this.#environment.Date.now();
    const connection = this.#transports.open(this.#options.url);
    connection.onopen = () => connection === this.#connection && this.#handshake.start();
    this.#attach(connection);
    this.#setState(this.#waitingState());
  }

  /** @param {Connection} connection */
  #attach(connection) {
    this.#connection = connection;
    // Ignores frames and the close of a connection that the socket has given up.
    connection.onmessage = (/** @type {{data: string}} */ { data }) => connection === this.#connection && this.#receive(data);
    connection.onclose = (/** @type {{code: number, reason: string}} */ { code, reason }) =>
      connection === this.#connection && this.#closed(code, reason);
  }

  /** Moves to a WebSocket after its handshake; only then the old connection closes.
   * @type {(line: WebSocket, ack: object) => void} */
  #switchTo = (connection, ack) => {
    const old = this.#connection;
    this.#attach(connection);
    this.#transports.succeeded(connection);
    this.#requests.rejectAll();
    this.#welcomed(ack);
    old?.close();
  };

  /** @param {Ack} ack */
  #welcomed(ack) {
    this.#transports.welcomed(ack);
    this.#ready = this.#wasReady = true;
    this.#isRefused = false;
    if (this.#connection && this.#transports.isFallback(this.#connection)) this.#upgrade.start();
    this.#readyAt = this.#environment.Date.now();
    try {
      this.#options.onWelcome?.(ack);
    } finally {
      if (this.#ready) this.#setState('open');
    }
  }

  /** @type {(error: SocketError, next: 'retry' | 'reconnect' | 'stop') => void} */
  #refused = ({ code, message }, next) => {
    if (next === 'reconnect') {
      this.#lost();
    } else if (next === 'stop') {
      this.#connectivity.stop();
      this.#connectTimer = this.#environment.setTimeout(() => this.#detach(), CLOSE_AFTER_REFUSAL_MS);
      this.#setState('closed');
    }
    this.#options.onRefused?.(code, message, next !== 'stop');
  };

  /** @param {string} data */
  #receive(data) {
    this.#receivedAt = this.#environment.Date.now();
    this.#transports.succeeded(/** @type {Connection} */ (this.#connection));
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
    if (frame.type === 'beat') this.#reconnectWindowMs = frame.payload.return_within_ms ?? 0;
    if (frame.ref !== undefined) this.#requests.settle(frame.ref, frame);
    else if (this.#state !== 'closed') this.#options.onEvent(frame);
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #closed(code, reason) {
    const closeAction = CLOSE_CODES[code] ?? RECONNECT;
    if (closeAction.meaning === 'replaced' && this.#upgrade.isEntering) return; // by this page's WebSocket
    if (closeAction.isFinal) {
      this.stop();
      this.#options.onClosed?.(code);
    } else if (this.#state === 'closed') {
      this.#detach();
    } else {
      this.#lost(closeAction, reason);
    }
  }

  #lost(closeAction = RECONNECT, reason = '') {
    const { Date, Math } = this.#environment;
    const now = Date.now();
    if (this.#ready && now - this.#readyAt >= STABLE_MS) this.#attempt = 0;
    const isAtOnce = this.#connection !== null && this.#transports.failed(this.#connection);
    this.#detach();
    if (isAtOnce) {
      this.#connect();
      return;
    }
    this.#isRefused = closeAction.meaning === 'misdirected';
    const waitMs = retryAfterMs(closeAction, this.#attempt++, reason, Math.random(), this.#reconnectWindowMs);
    this.#notBefore = now + (closeAction.afterMs ?? 0);
    this.#connectTimer = this.#environment.setTimeout(() => this.#connect(), waitMs);
    this.#setState(this.#waitingState());
  }

  #detach() {
    const connection = this.#connection;
    this.#connection = null;
    this.#ready = false;
    this.#handshake.stop();
    this.#upgrade.stop();
    connection?.close();
    this.#requests.rejectAll();
  }

  // Browsers report no loss for a connection that falls silent, as after a sleep.
  #checkSilence() {
    const beats = this.#options.firstMessage !== null || !this.#ready;
    if (this.#connection && beats && this.#isSilent()) this.#lost();
  }

  #isSilent() {
    const mostMs = this.#connection ? this.#transports.silenceMs(this.#connection) : 0;
    return this.#environment.Date.now() - this.#receivedAt >= mostMs;
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

  /** @param {ConnectionState} state */
  #setState(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onState?.(state);
  }
}
