/** The transports of a page: WebSocket, and HTTP where no WebSocket gets through. */

import { HttpLine } from './http-socket.js';

/** @import {Environment as HttpEnvironment} from './http-socket.js' */
/** @typedef {HttpEnvironment & Pick<Window & typeof globalThis, 'WebSocket' | 'location'>} Environment */
/** @import {Timing} from '../protocol/messages.js' */
/** @typedef {WebSocket | HttpLine} Line */
/** @typedef {{timing?: Timing}} Ack the answer of a handshake */

// A proxy may leave the upgrade of a WebSocket without an answer.
const HANDSHAKE_MS = 4_000;
// A connection is dead after a silence of two beats and SPARE_MS.
const SILENT_BEATS = 2;
const SPARE_MS = 2_000;
// After this many WebSockets in a row without a frame the page falls back to HTTP; fewer suffice
// before the first WebSocket has worked.
const BAD_AT_FIRST = 1;
const BAD_LATER = 2;

/** Chooses the transport for all connections of a page by what has got through. */
class Carriers {
  #environment;
  #bad = 0;
  #wasGood = false;
  #isFallenBack = false;
  #streams = true;
  #beatMs = 5_000;
  /** Connections that have received a frame. @type {WeakSet<Line>} */
  #good = new WeakSet();

  /** @param {Environment} environment */
  constructor(environment) {
    this.#environment = environment;
  }

  /**
   * Opens a connection over the transport that is likely to get through.
   * @param {string} path such as `/ws/chat/<key>/`
   * @returns {Line}
   */
  open(path) {
    if (!this.#isFallenBack) return this.openWebSocket(path);
    return new HttpLine({
      path: path.replace('/ws/', '/http/'),
      streams: this.#streams,
      onHeldBack: () => (this.#streams = false),
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
    this.#bad = 0;
    this.#wasGood = this.#isFallenBack = false;
    this.#streams = true;
  }

  /** @param {Ack} ack has the interval of the server's beats */
  welcomed({ timing }) {
    if (timing) this.#beatMs = timing.beat_s * 1000;
  }

  /** @param {Line} line a connection that received a frame */
  heard(line) {
    if (this.#good.has(line)) return;
    this.#good.add(line);
    if (line instanceof HttpLine) return;
    this.#bad = 0;
    this.#wasGood = true;
    this.#isFallenBack = false;
  }

  /**
   * @param {Line} line a connection that ended or was given up
   * @returns {boolean} whether to try the other transport at once
   */
  lost(line) {
    if (this.#good.has(line)) return false;
    if (line instanceof HttpLine) {
      this.#isFallenBack = false;
      return false;
    }
    const most = this.#wasGood ? BAD_LATER : BAD_AT_FIRST;
    this.#bad = Math.min(this.#bad + 1, most);
    this.#isFallenBack = this.#bad === most;
    return this.#isFallenBack;
  }

  /**
   * The silence after which a connection is dead, in milliseconds.
   * @param {Line} line
   */
  silenceMs(line) {
    if (line.readyState === 0 && !this.isFallback(line)) return HANDSHAKE_MS;
    return SILENT_BEATS * this.#beatMs + SPARE_MS;
  }

  /** @param {Line} line */
  isFallback(line) {
    return line instanceof HttpLine;
  }
}

/** @type {WeakMap<Environment, Carriers>} */
const carriers = new WeakMap();

/**
 * The one instance of a page.
 * @param {Environment} environment
 * @returns {Carriers}
 */
export function carriersOf(environment) {
  const known = carriers.get(environment) ?? new Carriers(environment);
  carriers.set(environment, known);
  return known;
}
