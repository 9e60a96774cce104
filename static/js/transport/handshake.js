/** The handshake of a connection, repeated after a temporary refusal. */

/** @import {SocketError} from './pending-requests.js' */

/** @import {Requests, Timers} from './pending-requests.js' */
/** @typedef {() => {type: string, payload: object}} Hello */
/**
 * @typedef {object} GreetingOptions
 * @property {Hello | null} hello the first message; null for a connection without a handshake
 * @property {Requests} requests
 * @property {(ack: any) => void} onWelcome
 * @property {(error: SocketError, fate: 'again' | 'new line' | 'stop') => void} onRefused
 * @property {Timers & {Date: Pick<typeof Date, 'now'>}} environment
 */

const TIMEOUT_MS = 10_000;
const RETRY_MS = 1_000;
// The server closes a connection without an accepted handshake after 10 s (broken client).
const PATIENCE_MS = 6_000;
const FOR_NOW = ['not_in_room', 'server_error', 'timeout', 'too_fast', 'try_later'];

export class Greeting {
  #options;
  #startedAt = 0;
  /** @type {number | undefined} */
  #timer;

  /** @param {GreetingOptions} options */
  constructor(options) {
    this.#options = options;
  }

  /** Begins the handshake of a connection that has just opened. */
  start() {
    this.#startedAt = this.#options.environment.Date.now();
    if (this.#options.hello) this.#send();
    else this.#options.onWelcome({});
  }

  stop() {
    this.#options.environment.clearTimeout(this.#timer);
  }

  #send = () => {
    const { hello, requests, onWelcome } = this.#options;
    const { type, payload } = /** @type {Hello} */ (hello)();
    requests.ask(type, payload, TIMEOUT_MS, onWelcome, (error) => this.#refused(error));
  };

  /** @param {SocketError} error */
  #refused(error) {
    if (error.code === 'disconnected') return;
    const { environment, onRefused } = this.#options;
    const willRetry = FOR_NOW.includes(error.code);
    const isPatient = environment.Date.now() - this.#startedAt < PATIENCE_MS;
    if (willRetry && isPatient) this.#timer = environment.setTimeout(this.#send, RETRY_MS);
    onRefused(error, !willRetry ? 'stop' : isPatient ? 'again' : 'new line');
  }
}
