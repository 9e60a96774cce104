/** The upgrade from HTTP to a WebSocket, tried from time to time. */

import { transportSelectorOf } from './transports.js';
import { Handshake } from './handshake.js';
import { PendingRequests } from './pending-requests.js';
import { toFrame } from '../state/visible-text.js';

/** @import {Environment} from './transports.js' */
/** @import {FirstMessage} from './handshake.js' */
/**
 * @typedef {object} WebSocketUpgradeOptions
 * @property {string} path such as `/ws/chat/<key>/`
 * @property {FirstMessage | null} firstMessage
 * @property {(line: WebSocket, ack: any) => void} onConnected
 * @property {Environment} environment
 */

/** The wait before each try; the last one repeats. */
const DELAYS_MS = [10_000, 30_000, 120_000, 300_000];
const HANDSHAKE_TIMEOUT_MS = 10_000;

export class WebSocketUpgrade {
  #options;
  #tries = 0;
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {PendingRequests | undefined} */
  #requests;
  /** @type {Handshake | undefined} */
  #handshake;
  /** @type {number | undefined} */
  #timer;

  /** @param {WebSocketUpgradeOptions} options */
  constructor(options) {
    this.#options = options;
  }

  /** Whether a WebSocket is in its handshake, which ends the replaced connection. */
  get isEntering() {
    return this.#socket?.readyState === 1;
  }

  start() {
    this.stop();
    const delayMs = DELAYS_MS[Math.min(this.#tries, DELAYS_MS.length - 1)];
    this.#timer = this.#options.environment.setTimeout(() => this.#try(), delayMs);
  }

  stop() {
    this.#options.environment.clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    this.#handshake?.stop();
    this.#requests?.rejectAll();
    socket?.close();
  }

  #try() {
    this.#tries += 1;
    const { path, firstMessage, environment } = this.#options;
    const socket = transportSelectorOf(environment).openWebSocket(path);
    this.#socket = socket;
    this.#timer = environment.setTimeout(() => this.isEntering || this.start(), HANDSHAKE_TIMEOUT_MS);
    this.#requests = new PendingRequests(environment, (frame) => socket.send(toFrame(frame)));
    this.#handshake = new Handshake({
      firstMessage,
      requests: this.#requests,
      onWelcome: (ack) => this.#connected(socket, ack),
      onRefused: (_, next) => next === 'retry' || this.#failed(socket),
      environment,
    });
    socket.onopen = () => socket === this.#socket && this.#handshake?.start();
    socket.onclose = () => this.#failed(socket);
    // Before the end of its handshake a WebSocket receives answers alone.
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data);
      if (frame.ref !== undefined) this.#requests?.settle(frame.ref, frame);
    };
  }

  /**
   * @param {WebSocket} socket
   * @param {object} ack
   */
  #connected(socket, ack) {
    this.#socket = null;
    this.stop();
    this.#tries = 0;
    this.#options.onConnected(socket, ack);
  }

  /** @param {WebSocket} socket */
  #failed(socket) {
    if (socket === this.#socket) this.start();
  }
}
