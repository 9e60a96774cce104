/** Calls a socket to check its connection: every 2 s, and at browser events. */

/** @typedef {Pick<Window & typeof globalThis, 'document' | 'addEventListener'
 *   | 'removeEventListener' | 'setTimeout' | 'clearTimeout'>} Environment */
/**
 * @typedef {object} ConnectivityMonitorOptions
 * @property {() => void} onTick
 * @property {() => void} onOnline
 * @property {() => void} onOffline
 * @property {() => void} onVisible the user sees the page again
 * @property {Environment} environment
 */

const CHECK_INTERVAL_MS = 2_000;

export class ConnectivityMonitor {
  #options;
  /** @type {number | undefined} */
  #timer;

  /** @param {ConnectivityMonitorOptions} options */
  constructor(options) {
    this.#options = options;
  }

  start() {
    this.#listen('addEventListener');
    this.#timer = this.#options.environment.setTimeout(this.#tick, CHECK_INTERVAL_MS);
  }

  stop() {
    this.#listen('removeEventListener');
    this.#options.environment.clearTimeout(this.#timer);
  }

  #tick = () => {
    this.#timer = this.#options.environment.setTimeout(this.#tick, CHECK_INTERVAL_MS);
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
    const { environment, onVisible } = this.#options;
    if (environment.document.visibilityState === 'visible') onVisible();
  };
}
