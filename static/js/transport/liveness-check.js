/** The liveness check: a request over a connection that may be dead. */

/** @typedef {{request: (type: string, payload: object, options: {timeoutMs: number}) => Promise<any>,
 *   reconnect: () => void}} Line */

const ANSWER_MS = 2_500;

/** Sockets with a check under way. @type {WeakSet<Line>} */
const doubted = new WeakSet();

/**
 * Replaces the connection if no answer comes in time.
 * Call it after another sign of a failure: by itself a socket notices a silent connection only after
 * two missing beats.
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
