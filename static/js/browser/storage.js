/** What the browser keeps for Noom, where it keeps anything.
 *
 * A browser may forbid its storage (then even the name throws), have none, or have no room left.
 * Noom works all the same: what can't be kept in the browser is kept for as long as the page lives.
 */

/** @typedef {Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>} Store */

/** @implements {Store} */
class SafeStore {
  #kept;
  /** What the browser did not take. @type {Map<string, string>} */
  #here = new Map();

  /** @param {() => Store | null | undefined} find may throw */
  constructor(find) {
    try {
      this.#kept = find() ?? null;
    } catch {
      this.#kept = null;
    }
  }

  /** @param {string} key */
  getItem(key) {
    const here = this.#here.get(key);
    if (here !== undefined) return here;
    try {
      return this.#kept?.getItem(key) ?? null;
    } catch {
      return null;
    }
  }

  /** @param {string} key @param {string} value */
  setItem(key, value) {
    try {
      if (this.#kept) {
        this.#kept.setItem(key, value);
        this.#here.delete(key);
        return;
      }
    } catch {
      // The old value must not outlive the new one, so it goes.
    }
    this.removeItem(key);
    this.#here.set(key, value);
  }

  /** @param {string} key */
  removeItem(key) {
    this.#here.delete(key);
    try {
      this.#kept?.removeItem(key);
    } catch {
      // A storage that forbids this has kept nothing.
    }
  }
}

/**
 * A store that never throws, over one that may.
 * @param {() => Store | null | undefined} find
 * @returns {Store}
 */
export const safeStore = (find) => new SafeStore(find);

/** For this browser: all its tabs, and after it was closed. */
export const browserStore = safeStore(() => globalThis.localStorage);

/** For this tab alone, over a reload. */
export const tabStore = safeStore(() => globalThis.sessionStorage);

/**
 * The value that was kept as JSON, or `fallback` where nothing or something else was.
 * @template T
 * @param {Store} store
 * @param {string} key
 * @param {T} fallback
 * @param {(value: unknown) => boolean} [isGood]
 * @returns {T}
 */
export function recall(store, key, fallback, isGood = (value) => value !== null) {
  try {
    const value = JSON.parse(store.getItem(key) ?? 'null');
    return isGood(value) ? value : fallback;
  } catch {
    return fallback;
  }
}

/** @param {Store} store @param {string} key @param {unknown} value JSON can say it */
export const remember = (store, key, value) => store.setItem(key, JSON.stringify(value));

/** Whether this browser keeps cookies; `navigator.cookieEnabled` says yes where a setting forbids. */
export function keepsCookies() {
  try {
    document.cookie = 'noom_try=1; path=/; SameSite=Lax';
    const isKept = document.cookie.includes('noom_try=1');
    document.cookie = 'noom_try=; path=/; SameSite=Lax; Max-Age=0';
    return isKept;
  } catch {
    return false;
  }
}
