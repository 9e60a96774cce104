/** The participant of this page; a reload keeps it, a duplicated tab does not. */

import { recall, remember } from '../browser/storage.js';

/** @import {Store} from '../browser/storage.js' */

/**
 * The token, the reference and the numbers of connections of a page.
 *
 * The numbers tell the server the newer of two connections. They continue after a reload; the clock
 * replaces a number that got lost.
 *
 * The tab's storage holds the token only between one page and the next. While the page lives, the
 * storage is empty, so that a duplicated tab does not find the token.
 */
export class Participant {
  #fresh;
  #used;
  #renewMs;
  /** When the page received the token; 0 if an earlier page left it. */
  #since;

  /**
   * @param {{key: string, token: string, renewS: number, reference: string, storage: Store, page: Window}} options
   *   `token` and `reference` came with the page; after `renewS` seconds the page needs another
   *   token
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

  /** The reference that the page shows to the user; the server's log has it too. */
  get reference() {
    return this.#used.reference;
  }

  /** Whether to request another token, so that a lost connection finds a valid one. */
  get isOld() {
    return Date.now() - this.#since >= this.#renewMs;
  }

  /** @returns {number} the number of a new connection, larger than every earlier one */
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

  /** Replaces a kept token by the page's own; false if that was in use already. */
  renew() {
    if (this.#used.token === this.#fresh.token) return false;
    this.#used = { ...this.#fresh, connection: this.#used.connection };
    return true;
  }
}

/** @param {any} kept the value of an earlier page of this tab, perhaps of another version */
const isKept = (kept) => typeof kept?.token === 'string' && typeof kept.reference === 'string';
