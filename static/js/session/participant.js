/** Which participant this page speaks for: a reload for the same one, a copy of the tab for another. */

import { recall, remember } from '../browser/storage.js';

/** @import {Store} from '../browser/storage.js' */

/**
 * A page counts its connections, so that the server knows the newer of two whichever it serves
 * first. The count goes on over reloads, and by the clock where it was lost.
 *
 * The token waits in the tab's storage only from the end of a page to the beginning of the next:
 * while the page lives it is not there, so that a duplicated tab does not find it.
 */
export class Participant {
  #fresh;
  #used;
  #renewMs;
  /** When the token was new, as far as we know. */
  #since;

  /**
   * @param {{key: string, token: string, renewS: number, reference: string, storage: Store, page: Window}} options
   *   `token` and `reference` are those that the page came with; after `renewS` seconds another
   *   token is needed
   */
  constructor({ key, token, renewS, reference, storage, page }) {
    const name = `noom.participant.${key}`;
    this.#fresh = { token, reference, connection: 0 };
    this.#used = recall(storage, name, this.#fresh, isKept);
    this.#renewMs = renewS * 1_000;
    this.#since = this.#used === this.#fresh ? Date.now() : 0;
    storage.removeItem(name);
    page.addEventListener('pagehide', () => remember(storage, name, this.#used));
    page.addEventListener('pageshow', () => storage.removeItem(name));
  }

  get token() {
    return this.#used.token;
  }

  /** What a person can quote, and the server's log has beside whatever it says of this page. */
  get reference() {
    return this.#used.reference;
  }

  /** Whether it is time to ask for another token: one must be at hand when a line is lost. */
  get isOld() {
    return Date.now() - this.#since >= this.#renewMs;
  }

  /** @returns {number} of a new connection, above that of any before */
  nextConnection() {
    const connection = Math.max((this.#used.connection ?? 0) + 1, Date.now());
    this.#used = { ...this.#used, connection };
    return connection;
  }

  /** @param {string} token another for the same participant */
  take(token) {
    this.#used = { ...this.#used, token };
    this.#since = Date.now();
  }

  /** Begins anew as somebody else, where the old token is no longer good; false if it was new. */
  renew() {
    if (this.#used.token === this.#fresh.token) return false;
    this.#used = { ...this.#fresh, connection: this.#used.connection };
    return true;
  }
}

/** @param {any} kept what an earlier page of this tab has left, perhaps of another version */
const isKept = (kept) => typeof kept?.token === 'string' && typeof kept.reference === 'string';
