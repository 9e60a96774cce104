/** Which participant this page speaks for: a reload for the same one, a copy of the tab for another. */

/** @typedef {Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>} Store */

/**
 * The token waits in the tab's storage only from the end of a page to the beginning of the next:
 * while the page lives it is not there, so that a duplicated tab does not find it.
 */
export class Participant {
  #fresh;
  #used;

  /**
   * @param {{key: string, token: string, reference: string, storage: Store, page: Window}} options
   *   `token` and `reference` are those that the page came with
   */
  constructor({ key, token, reference, storage, page }) {
    const name = `noom.participant.${key}`;
    this.#fresh = { token, reference };
    this.#used = parse(storage.getItem(name)) ?? this.#fresh;
    storage.removeItem(name);
    page.addEventListener('pagehide', () => storage.setItem(name, JSON.stringify(this.#used)));
    page.addEventListener('pageshow', () => storage.removeItem(name));
  }

  get token() {
    return this.#used.token;
  }

  /** What a person can quote, and the server's log has beside whatever it says of this page. */
  get reference() {
    return this.#used.reference;
  }

  /** Begins anew as somebody else, where the old token is no longer good; false if it was new. */
  renew() {
    if (this.#used.token === this.#fresh.token) return false;
    this.#used = this.#fresh;
    return true;
  }
}

/**
 * @param {string | null} kept
 * @returns {{token: string, reference: string} | null}
 */
function parse(kept) {
  try {
    const { token, reference } = JSON.parse(kept ?? '');
    return { token, reference };
  } catch {
    return null; // nothing was kept, or by a page of another version
  }
}
