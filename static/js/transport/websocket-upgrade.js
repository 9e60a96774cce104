/** The upgrade from HTTP to a WebSocket, tried from time to time. */

import { carriersOf } from './transports.js';
import { Greeting } from './handshake.js';
import { Requests } from './pending-requests.js';
import { toFrame } from '../state/visible-text.js';

/** @import {Environment} from './transports.js' */
/** @import {Hello} from './handshake.js' */
/**
 * @typedef {object} WayBackOptions
 * @property {string} path such as `/ws/chat/<key>/`
 * @property {Hello | null} hello
 * @property {(line: WebSocket, ack: any) => void} onFound
 * @property {Environment} environment
 */

/** The wait before each try; the last one repeats. */
const DELAYS_MS = [10_000, 30_000, 120_000, 300_000];
const HANDSHAKE_MS = 10_000;

export class WayBack {
  #options;
  #tries = 0;
  /** @type {WebSocket | null} */
  #line = null;
  /** @type {Requests | undefined} */
  #requests;
  /** @type {Greeting | undefined} */
  #greeting;
  /** @type {number | undefined} */
  #timer;

  /** @param {WayBackOptions} options */
  constructor(options) {
    this.#options = options;
  }

  /** Whether a WebSocket is in its handshake, which ends the replaced connection. */
  get isEntering() {
    return this.#line?.readyState === 1;
  }

  start() {
    this.stop();
    const delayMs = DELAYS_MS[Math.min(this.#tries, DELAYS_MS.length - 1)];
    this.#timer = this.#options.environment.setTimeout(() => this.#try(), delayMs);
  }

  stop() {
    this.#options.environment.clearTimeout(this.#timer);
    const line = this.#line;
    this.#line = null;
    this.#greeting?.stop();
    this.#requests?.rejectAll();
    line?.close();
  }

  #try() {
    this.#tries += 1;
    const { path, hello, environment } = this.#options;
    const line = carriersOf(environment).openWebSocket(path);
    this.#line = line;
    this.#timer = environment.setTimeout(() => this.isEntering || this.start(), HANDSHAKE_MS);
    this.#requests = new Requests(environment, (frame) => line.send(toFrame(frame)));
    this.#greeting = new Greeting({
      hello,
      requests: this.#requests,
      onWelcome: (ack) => this.#found(line, ack),
      onRefused: (_, fate) => fate === 'again' || this.#failed(line),
      environment,
    });
    line.onopen = () => line === this.#line && this.#greeting?.start();
    line.onclose = () => this.#failed(line);
    // Before the end of its handshake a WebSocket receives answers alone.
    line.onmessage = ({ data }) => {
      const frame = JSON.parse(data);
      if (frame.ref !== undefined) this.#requests?.settle(frame.ref, frame);
    };
  }

  /**
   * @param {WebSocket} line
   * @param {object} ack
   */
  #found(line, ack) {
    this.#line = null;
    this.stop();
    this.#tries = 0;
    this.#options.onFound(line, ack);
  }

  /** @param {WebSocket} line */
  #failed(line) {
    if (line === this.#line) this.start();
  }
}
