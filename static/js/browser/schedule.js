/** Schedules of retries, and actions with a least interval. */

/**
 * The entry of a schedule at an index; the last entry repeats.
 * @param {number[]} schedule
 * @param {number} index
 */
export const at = (schedule, index) => schedule[Math.min(index, schedule.length - 1)];

/**
 * Wraps an action: it runs at once, then at most once in `leastMs`. Calls within that time cause
 * one run at its end. `stop` cancels a run that is due.
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
