/** Makes the browser ask before the user leaves a page with something to lose. */

/** @param {Pick<Window, 'addEventListener' | 'removeEventListener'>} [page] */
export function createLeaveGuard(page = window) {
  let isOn = false;
  // Browsers show a text of their own, and none that a page gives.
  const ask = (/** @type {BeforeUnloadEvent} */ event) => event.preventDefault();
  return {
    /** @param {boolean} on whether to listen; a listener keeps the page out of the browser's
     * back/forward cache, so it exists only while needed. */
    set(on) {
      if (on === isOn) return;
      isOn = on;
      page[on ? 'addEventListener' : 'removeEventListener']('beforeunload', ask);
    },
  };
}
