/** Which participant this page speaks for: a reload for the same one, a copy of the tab for another. */

/** @typedef {Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>} Store */

/**
 * The token waits in the tab's storage only from the end of a page to the beginning of the next:
 * while the page lives it is not there, so that a duplicated tab does not find it.
 */
export class Participant {
  #fresh;
  #token;

  /**
   * @param {{key: string, token: string, storage: Store, page: Window}} options `token` is the one
   *   that the page came with
   */
  constructor({ key, token, storage, page }) {
    const name = `noom.participant.${key}`;
    this.#fresh = token;
    this.#token = storage.getItem(name) ?? token;
    storage.removeItem(name);
    page.addEventListener('pagehide', () => storage.setItem(name, this.#token));
    page.addEventListener('pageshow', () => storage.removeItem(name));
  }

  get token() {
    return this.#token;
  }

  /** Begins anew as somebody else, where the old token is no longer good; false if it was new. */
  renew() {
    if (this.#token === this.#fresh) return false;
    this.#token = this.#fresh;
    return true;
  }
}
