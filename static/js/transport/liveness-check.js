/** A line that may be dead though nothing has said so: it is asked for a sign of life. */

/** @typedef {{request: (type: string, payload: object, options: {timeoutMs: number}) => Promise<any>,
 *   reconnect: () => void}} Line */

const ANSWER_MS = 2_500;

/** Lines that are being asked. @type {WeakSet<Line>} */
const doubted = new WeakSet();

/**
 * Without an answer in time a new connection takes the line's place. For when something else has
 * died: by itself a silent line is noticed only after two beats have not come.
 * @param {Line} line
 */
export const doubt = async (line) => {
  if (doubted.has(line)) return;
  doubted.add(line);
  try {
    await line.request('people', {}, { timeoutMs: ANSWER_MS });
  } catch (error) {
    if (/** @type {{code: string}} */ (error).code === 'timeout') line.reconnect();
  } finally {
    doubted.delete(line);
  }
};
