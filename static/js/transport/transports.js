/** What carries the page's lines: WebSockets, and HTTP requests where those do not get through. */

import { HttpLine } from './http-socket.js';

/** @import {Environment as HttpEnvironment} from './http-socket.js' */
/** @typedef {HttpEnvironment & Pick<Window & typeof globalThis, 'WebSocket' | 'location'>} Environment */
/** @import {Timing} from '../protocol/messages.js' */
/** @typedef {WebSocket | HttpLine} Line */
/** @typedef {{timing?: Timing}} Ack the first answer on a line */

// A proxy may also leave a handshake without an answer.
const HANDSHAKE_MS = 4_000;
// A line without a word for two beats, and a little more, is dead.
const SILENT_BEATS = 2;
const SPARE_MS = 2_000;
// WebSockets in a row that end without a word; fewer until one has shown that they get through.
const BAD_AT_FIRST = 1;
const BAD_LATER = 2;

/** All lines of a page learn from each other what gets through. */
class Carriers {
  #environment;
  #bad = 0;
  #wasGood = false;
  #isFallenBack = false;
  #streams = true;
  #beatMs = 5_000;
  /** Lines of which something was heard. @type {WeakSet<Line>} */
  #good = new WeakSet();

  /** @param {Environment} environment */
  constructor(environment) {
    this.#environment = environment;
  }

  /**
   * A new line, by what is likely to get through.
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

  /** What has got through before says nothing about another network. */
  networkChanged() {
    this.#bad = 0;
    this.#wasGood = this.#isFallenBack = false;
    this.#streams = true;
  }

  /** @param {Ack} ack says how often the server beats */
  welcomed({ timing }) {
    if (timing) this.#beatMs = timing.beat_s * 1000;
  }

  /** @param {Line} line of which something was heard */
  heard(line) {
    if (this.#good.has(line)) return;
    this.#good.add(line);
    if (line instanceof HttpLine) return;
    this.#bad = 0;
    this.#wasGood = true;
    this.#isFallenBack = false;
  }

  /**
   * @param {Line} line that has ended or was given up
   * @returns {boolean} whether to try another carrier at once
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
   * After how long without a word a line is dead.
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
 * The carriers of a page.
 * @param {Environment} environment
 * @returns {Carriers}
 */
export function carriersOf(environment) {
  const known = carriers.get(environment) ?? new Carriers(environment);
  carriers.set(environment, known);
  return known;
}
