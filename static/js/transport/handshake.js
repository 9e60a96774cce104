/** The handshake of a connection, repeated after a temporary refusal. */

/** @import {SocketError} from './pending-requests.js' */

/** @import {PendingRequests, Timers} from './pending-requests.js' */
/** @typedef {() => {type: string, payload: object}} FirstMessage */
/**
 * @typedef {object} HandshakeOptions
 * @property {FirstMessage | null} firstMessage the first message; null for a connection without a handshake
 * @property {PendingRequests} requests
 * @property {(ack: any) => void} onWelcome
 * @property {(error: SocketError, next: 'retry' | 'reconnect' | 'stop') => void} onRefused
 * @property {Timers & {Date: Pick<typeof Date, 'now'>}} environment
 */

const TIMEOUT_MS = 10_000;
const RETRY_MS = 1_000;
// The server closes a connection without an accepted handshake after 10 s (broken client).
const GIVE_UP_MS = 6_000;
const TRANSIENT_CODES = ['not_in_room', 'server_error', 'timeout', 'too_fast', 'try_later'];

export class Handshake {
  #options;
  #startedAt = 0;
  /** @type {number | undefined} */
  #timer;

  /** @param {HandshakeOptions} options */
  constructor(options) {
    this.#options = options;
  }

  /** Begins the handshake of a connection that has just opened. */
  start() {
    this.#startedAt = this.#options.environment.Date.now();
    if (this.#options.firstMessage) this.#send();
    else this.#options.onWelcome({});
  }

  stop() {
    this.#options.environment.clearTimeout(this.#timer);
  }

  #send = () => {
    const { firstMessage, requests, onWelcome } = this.#options;
    const { type, payload } = /** @type {FirstMessage} */ (firstMessage)();
    requests.send(type, payload, TIMEOUT_MS, onWelcome, (error) => this.#refused(error));
  };

  /** @param {SocketError} error */
  #refused(error) {
    if (error.code === 'disconnected') return;
    const { environment, onRefused } = this.#options;
    const willRetry = TRANSIENT_CODES.includes(error.code);
    const isPatient = environment.Date.now() - this.#startedAt < GIVE_UP_MS;
    if (willRetry && isPatient) this.#timer = environment.setTimeout(this.#send, RETRY_MS);
    onRefused(error, !willRetry ? 'stop' : isPatient ? 'retry' : 'reconnect');
  }
}
