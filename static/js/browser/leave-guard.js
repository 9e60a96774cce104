/** Lets the browser ask before the page goes, for as long as something would be lost with it. */

/** @param {Pick<Window, 'addEventListener' | 'removeEventListener'>} [page] */
export function createLeaveGuard(page = window) {
  let isOn = false;
  // The words are the browser's own: none shows a page's.
  const ask = (/** @type {BeforeUnloadEvent} */ event) => event.preventDefault();
  return {
    /** @param {boolean} on the listener is there only while it is needed: it keeps a page out of the
     * browser's cache for Back. */
    set(on) {
      if (on === isOn) return;
      isOn = on;
      page[on ? 'addEventListener' : 'removeEventListener']('beforeunload', ask);
    },
  };
}
