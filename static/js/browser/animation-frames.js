/** Draws at most once a frame, however many events a moment brings. */

// A tab that nobody sees has no frames; its title still counts what comes.
const UNSEEN_MS = 250;

/**
 * @param {() => void} draw
 * @param {Pick<Window, 'requestAnimationFrame' | 'cancelAnimationFrame' | 'setTimeout' | 'clearTimeout'>} [page]
 * @returns {() => void} something has changed: draw soon
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
 * Tells whether one of some values is another one than when it was asked last.
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
