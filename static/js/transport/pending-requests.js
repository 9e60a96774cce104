/** Pending requests and their answers. */

/** @typedef {Pick<typeof globalThis, 'setTimeout' | 'clearTimeout'>} Timers */
/** @typedef {{type: string, payload: any, ref?: number}} Frame */

/** A failed request; the code is the server's, `disconnected` or `timeout`. */
export class SocketError extends Error {
  /**
   * @param {string} code
   * @param {string} [message]
   */
  constructor(code, message = code) {
    super(message);
    this.name = 'SocketError';
    this.code = code;
  }
}

/** Matches answers to requests by a unique `ref`, so it ignores late answers. */
export class PendingRequests {
  #environment;
  #send;
  #lastRef = 0;
  /** @type {Map<number, {resolve: (payload: any) => void, reject: (error: SocketError) => void, timer: number}>} */
  #waiting = new Map();

  /**
   * @param {Timers} environment
   * @param {(frame: Frame) => void} send
   */
  constructor(environment, send) {
    this.#environment = environment;
    this.#send = send;
  }

  /**
   * @param {string} type
   * @param {object} payload
   * @param {number} timeoutMs
   * @param {(payload: any) => void} resolve
   * @param {(error: SocketError) => void} reject
   */
  send(type, payload, timeoutMs, resolve, reject) {
    const ref = ++this.#lastRef;
    const timer = this.#environment.setTimeout(
      () => this.#remove(ref)?.reject(new SocketError('timeout')),
      timeoutMs,
    );
    this.#waiting.set(ref, { resolve, reject, timer });
    this.#send({ type, payload, ref });
  }

  /**
   * @param {number} ref
   * @param {Frame} answer
   */
  settle(ref, { type, payload }) {
    const request = this.#remove(ref);
    if (type === 'ack') request?.resolve(payload);
    else request?.reject(new SocketError(payload.code, payload.message));
  }

  rejectAll() {
    for (const ref of [...this.#waiting.keys()]) {
      this.#remove(ref)?.reject(new SocketError('disconnected'));
    }
  }

  /** @param {number} ref */
  #remove(ref) {
    const request = this.#waiting.get(ref);
    this.#waiting.delete(ref);
    this.#environment.clearTimeout(request?.timer);
    return request;
  }
}
