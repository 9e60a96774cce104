/** Calls a socket to check its connection: every 2 s, and at browser events. */

/** @typedef {Pick<Window & typeof globalThis, 'document' | 'addEventListener'
 *   | 'removeEventListener' | 'setTimeout' | 'clearTimeout'>} Environment */
/**
 * @typedef {object} LineWatchOptions
 * @property {() => void} onTick
 * @property {() => void} onOnline
 * @property {() => void} onOffline
 * @property {() => void} onSeen the user sees the page again
 * @property {Environment} environment
 */

const TICK_MS = 2_000;

export class LineWatch {
  #options;
  /** @type {number | undefined} */
  #timer;

  /** @param {LineWatchOptions} options */
  constructor(options) {
    this.#options = options;
  }

  start() {
    this.#listen('addEventListener');
    this.#timer = this.#options.environment.setTimeout(this.#tick, TICK_MS);
  }

  stop() {
    this.#listen('removeEventListener');
    this.#options.environment.clearTimeout(this.#timer);
  }

  #tick = () => {
    this.#timer = this.#options.environment.setTimeout(this.#tick, TICK_MS);
    this.#options.onTick();
  };

  /** @param {'addEventListener' | 'removeEventListener'} change */
  #listen(change) {
    const { environment, onOnline, onOffline } = this.#options;
    environment[change]('online', onOnline);
    environment[change]('offline', onOffline);
    environment[change]('pageshow', this.#onShown);
    environment.document[change]('visibilitychange', this.#onShown);
  }

  #onShown = () => {
    const { environment, onSeen } = this.#options;
    if (environment.document.visibilityState === 'visible') onSeen();
  };
}
