/** A state that the user set; the page requests it until the server shows it. */

/** @typedef {Pick<typeof globalThis, 'setTimeout' | 'clearTimeout'>} Timers */
/**
 * @typedef {object} WishOptions
 * @property {() => object | null} missing the state to request; null while the server shows it, or
 *   while no comparison is possible
 * @property {(payload: any, options: {timeoutMs: number}) => Promise<any>} ask
 * @property {(answer: any, payload: any) => void} [onGranted]
 * @property {(error: {code: string}) => void} [onRefused] refused for good: a repetition would not help
 * @property {Timers} [environment]
 */

const ANSWER_TIMEOUT_MS = 4_000;
const RETRY_MS = 1_000;
// The answer may come before the event that shows its effect; after this time the page asks again.
const SHOWN_AFTER_MS = 3_000;
const TRANSIENT_CODES = ['server_error', 'timeout', 'too_fast', 'try_later'];

export class DesiredState {
  #options;
  #environment;
  #isAsking = false;
  /** The state that the server granted last, as JSON; empty after SHOWN_AFTER_MS. */
  #granted = '';
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {WishOptions} options */
  constructor({ environment = globalThis, ...options }) {
    this.#options = options;
    this.#environment = environment;
  }

  /** Compares the two states after a change of either, and requests the difference. */
  check = () => {
    const payload = this.#isAsking ? null : this.#options.missing();
    if (payload === null || JSON.stringify(payload) === this.#granted) return;
    this.#environment.clearTimeout(this.#timer);
    this.#isAsking = true;
    this.#options.ask(payload, { timeoutMs: ANSWER_TIMEOUT_MS }).then(
      (answer) => this.#settled(() => this.#grant(answer, payload)),
      (error) => this.#settled(() => this.#failed(error)),
    );
  };

  /** Forgets the granted state, which a new connection may lack, and checks again. */
  renew = () => {
    this.#granted = '';
    this.check();
  };

  stop = () => {
    this.#environment.clearTimeout(this.#timer);
    this.#granted = '';
  };

  /** @param {() => void} then */
  #settled(then) {
    this.#isAsking = false;
    then();
  }

  /**
   * @param {any} answer
   * @param {object} payload
   */
  #grant(answer, payload) {
    this.#granted = JSON.stringify(payload);
    this.#timer = this.#environment.setTimeout(this.renew, SHOWN_AFTER_MS);
    this.#options.onGranted?.(answer, payload);
    this.check();
  }

  /** @param {{code: string}} error */
  #failed(error) {
    this.#granted = '';
    if (TRANSIENT_CODES.includes(error.code)) {
      this.#timer = this.#environment.setTimeout(this.check, RETRY_MS);
    } else if (error.code !== 'disconnected') {
      this.#options.onRefused?.(error);
    }
  }
}
