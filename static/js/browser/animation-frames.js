/** Limits drawing to once a frame, however many events arrive. */

// A hidden tab gets no animation frames; its title still counts new messages.
const UNSEEN_MS = 250;

/**
 * @param {() => void} draw
 * @param {Pick<Window, 'requestAnimationFrame' | 'cancelAnimationFrame' | 'setTimeout' | 'clearTimeout'>} [page]
 * @returns {() => void} call it after a change; it draws soon
 */
export function onceAFrame(draw, page = window) {
  let frame = 0;
  let timer = 0;
  const run = () => {
    page.cancelAnimationFrame(frame);
    page.clearTimeout(timer);
    frame = timer = 0;
    draw();
  };
  return () => {
    if (timer !== 0) return;
    frame = page.requestAnimationFrame(run);
    timer = page.setTimeout(run, UNSEEN_MS);
  };
}

/**
 * Makes a function that checks whether its values have changed since its last call.
 * @returns {(...values: unknown[]) => boolean}
 */
export function createWatch() {
  /** @type {unknown[] | null} */
  let last = null;
  return (...values) => {
    const before = last;
    last = values;
    return before === null || values.some((value, index) => value !== before[index]);
  };
}
