/** A state that a person set: asked of the server until what the server says of it agrees. */

/** @typedef {Pick<typeof globalThis, 'setTimeout' | 'clearTimeout'>} Timers */
/**
 * @typedef {object} WishOptions
 * @property {() => object | null} missing what to ask for; null while the server agrees, or cannot
 *   be compared with
 * @property {(payload: any, options: {timeoutMs: number}) => Promise<any>} ask
 * @property {(answer: any, payload: any) => void} [onGranted]
 * @property {(error: {code: string}) => void} [onRefused] for good: asking again would not help
 * @property {Timers} [environment]
 */

const ANSWER_MS = 4_000;
const AGAIN_MS = 1_000;
// An answer may overtake the event that shows what it did.
const SHOWN_AFTER_MS = 3_000;
const FOR_NOW = ['server_error', 'timeout', 'too_fast', 'try_later'];

export class Wish {
  #options;
  #environment;
  #isAsking = false;
  /** What was granted last, until it should show. */
  #granted = '';
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {WishOptions} options */
  constructor({ environment = globalThis, ...options }) {
    this.#options = options;
    this.#environment = environment;
  }

  /** The wish, or what the server says, may be another now. */
  check = () => {
    const payload = this.#isAsking ? null : this.#options.missing();
    if (payload === null || JSON.stringify(payload) === this.#granted) return;
    this.#environment.clearTimeout(this.#timer);
    this.#isAsking = true;
    this.#options.ask(payload, { timeoutMs: ANSWER_MS }).then(
      (answer) => this.#settled(() => this.#grant(answer, payload)),
      (error) => this.#settled(() => this.#failed(error)),
    );
  };

  /** Forgets what was granted: on a new line it may be otherwise. */
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
    if (FOR_NOW.includes(error.code)) {
      this.#timer = this.#environment.setTimeout(this.check, AGAIN_MS);
    } else if (error.code !== 'disconnected') {
      this.#options.onRefused?.(error);
    }
  }
}
