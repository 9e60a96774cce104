/** The transports of a page: WebSocket, and HTTP where no WebSocket gets through. */

import { HttpSocket } from './http-socket.js';

/** @import {Environment as HttpEnvironment} from './http-socket.js' */
/** @typedef {HttpEnvironment & Pick<Window & typeof globalThis, 'WebSocket' | 'location'>} Environment */
/** @import {Timing} from '../protocol/messages.js' */
/** @typedef {WebSocket | HttpSocket} Connection */
/** @typedef {{timing?: Timing}} Ack the answer of a handshake */

// A proxy may leave the upgrade of a WebSocket without an answer.
const HANDSHAKE_TIMEOUT_MS = 4_000;
// A connection is dead after a silence of two beats and SPARE_MS.
const SILENT_BEATS = 2;
const SPARE_MS = 2_000;
// After this many WebSockets in a row without a frame the page falls back to HTTP; fewer suffice
// before the first WebSocket has worked.
const FAILURES_BEFORE_HTTP_AT_FIRST = 1;
const FAILURES_BEFORE_HTTP = 2;

/** Chooses the transport for all connections of a page by what has got through. */
class TransportSelector {
  #environment;
  #failures = 0;
  #hasWorked = false;
  #isFallenBack = false;
  #streams = true;
  #beatMs = 5_000;
  /** Connections that have received a frame. @type {WeakSet<Connection>} */
  #working = new WeakSet();

  /** @param {Environment} environment */
  constructor(environment) {
    this.#environment = environment;
  }

  /**
   * Opens a connection over the transport that is likely to get through.
   * @param {string} path such as `/ws/chat/<key>/`
   * @returns {Connection}
   */
  open(path) {
    if (!this.#isFallenBack) return this.openWebSocket(path);
    return new HttpSocket({
      path: path.replace('/ws/', '/http/'),
      streams: this.#streams,
      onBuffered: () => (this.#streams = false),
      environment: this.#environment,
    });
  }

  /**
   * @param {string} path
   * @returns {WebSocket}
   */
  openWebSocket(path) {
    const url = new URL(path, this.#environment.location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    return new this.#environment.WebSocket(url.href);
  }

  /** Forgets what got through, which says nothing about another network. */
  networkChanged() {
    this.#failures = 0;
    this.#hasWorked = this.#isFallenBack = false;
    this.#streams = true;
  }

  /** @param {Ack} ack has the interval of the server's beats */
  welcomed({ timing }) {
    if (timing) this.#beatMs = timing.beat_s * 1000;
  }

  /** @param {Connection} connection a connection that received a frame */
  succeeded(connection) {
    if (this.#working.has(connection)) return;
    this.#working.add(connection);
    if (connection instanceof HttpSocket) return;
    this.#failures = 0;
    this.#hasWorked = true;
    this.#isFallenBack = false;
  }

  /**
   * @param {Connection} connection a connection that ended or was given up
   * @returns {boolean} whether to try the other transport at once
   */
  failed(connection) {
    if (this.#working.has(connection)) return false;
    if (connection instanceof HttpSocket) {
      this.#isFallenBack = false;
      return false;
    }
    const most = this.#hasWorked ? FAILURES_BEFORE_HTTP : FAILURES_BEFORE_HTTP_AT_FIRST;
    this.#failures = Math.min(this.#failures + 1, most);
    this.#isFallenBack = this.#failures === most;
    return this.#isFallenBack;
  }

  /**
   * The silence after which a connection is dead, in milliseconds.
   * @param {Connection} connection
   */
  silenceMs(connection) {
    if (connection.readyState === 0 && !this.isFallback(connection)) return HANDSHAKE_TIMEOUT_MS;
    return SILENT_BEATS * this.#beatMs + SPARE_MS;
  }

  /** @param {Connection} connection */
  isFallback(connection) {
    return connection instanceof HttpSocket;
  }
}

/** @type {WeakMap<Environment, TransportSelector>} */
const selectors = new WeakMap();

/**
 * The one instance of a page.
 * @param {Environment} environment
 * @returns {TransportSelector}
 */
export function transportSelectorOf(environment) {
  const known = selectors.get(environment) ?? new TransportSelector(environment);
  selectors.set(environment, known);
  return known;
}
