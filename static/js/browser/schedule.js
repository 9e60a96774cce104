/** When something may happen again. */

/**
 * The entry of a schedule; the last one repeats.
 * @param {number[]} schedule
 * @param {number} index
 */
export const at = (schedule, index) => schedule[Math.min(index, schedule.length - 1)];

/**
 * An action that runs at once, and again only some time after the last run: all calls in between
 * are one. `stop` forgets a run that is due.
 * @param {() => void} action
 * @param {number} leastMs between two runs
 */
export function spaced(action, leastMs) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let isDue = false;
  const run = () => {
    if (timer !== undefined) {
      isDue = true;
      return;
    }
    timer = setTimeout(() => {
      timer = undefined;
      if (isDue) run();
    }, leastMs);
    isDue = false;
    action();
  };
  const stop = () => {
    clearTimeout(timer);
    timer = undefined;
    isDue = false;
  };
  return Object.assign(run, { stop });
}
