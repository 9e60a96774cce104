/** Storage in the browser that never throws.
 *
 * A browser may forbid its storage (then even its name throws), lack it, or have it full. Values
 * that the browser does not take live as long as the page.
 */

/** @typedef {Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>} Store */

/** @implements {Store} */
class SafeStore {
  #kept;
  /** Values that the browser did not take. @type {Map<string, string>} */
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
      // `removeItem` follows: the old value must not outlive the new one.
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
      // A storage that forbids this has no value to remove.
    }
  }
}

/**
 * Wraps a store that may throw in one that never throws.
 * @param {() => Store | null | undefined} find
 * @returns {Store}
 */
export const safeStore = (find) => new SafeStore(find);

/** Storage of all tabs of this browser; it outlives the browser's end. */
export const browserStore = safeStore(() => globalThis.localStorage);

/** Storage of this tab alone; it outlives a reload. */
export const tabStore = safeStore(() => globalThis.sessionStorage);

/**
 * The value kept as JSON; `fallback` if there is none or `isGood` rejects it.
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

/** @param {Store} store @param {string} key @param {unknown} value anything that JSON can hold */
export const remember = (store, key, value) => store.setItem(key, JSON.stringify(value));

/** Whether the browser keeps cookies; `navigator.cookieEnabled` may be wrong. */
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
