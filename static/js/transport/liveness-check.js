/** The liveness check: a request over a connection that may be dead. */

/** @typedef {{request: (type: string, payload: object, options: {timeoutMs: number}) => Promise<any>,
 *   reconnect: () => void}} CheckedSocket */

const ANSWER_TIMEOUT_MS = 2_500;

/** Sockets with a check under way. @type {WeakSet<CheckedSocket>} */
const checking = new WeakSet();

/**
 * Replaces the connection if no answer comes in time.
 * Call it after another sign of a failure: by itself a socket notices a silent connection only after
 * two missing beats.
 * @param {CheckedSocket} socket
 */
export const checkLiveness = async (socket) => {
  if (checking.has(socket)) return;
  checking.add(socket);
  try {
    await socket.request('people', {}, { timeoutMs: ANSWER_TIMEOUT_MS });
  } catch (error) {
    if (/** @type {{code: string}} */ (error).code === 'timeout') socket.reconnect();
  } finally {
    checking.delete(socket);
  }
};
