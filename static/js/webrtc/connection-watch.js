/** Watches the peers of a call for callers that ICE cannot reach. */

/**
 * @typedef {'no_path' | 'no_relay' | 'lost'} Failure
 * @typedef {Pick<RTCPeerConnection,
 *   'connectionState' | 'remoteDescription' | 'localDescription' | 'getConfiguration'>} Connection
 * @typedef {object} CallWatchOptions
 * @property {() => Map<string, {pc: Connection}>} peers by participant
 * @property {(ids: Set<string>) => void} onNoWay the callers that ICE cannot reach
 * @property {(failure: Failure) => void} tell sends a failure to the server, once for each outage
 * @property {Window & typeof globalThis} environment
 */

const LOOK_MS = 1_000;
/** ICE finds an existing path in seconds; by this time it has restarted twice. */
const NO_WAY_AFTER_MS = 15_000;

export class CallWatch {
  #options;
  /** @type {number | undefined} */
  #timer;
  /** The time since which a participant has no connection. @type {Map<string, number>} */
  #since = new Map();
  /** Participants that had a connection before. @type {Set<string>} */
  #met = new Set();
  /** @type {Set<string>} */
  #noWay = new Set();

  /** @param {CallWatchOptions} options */
  constructor(options) {
    this.#options = options;
  }

  start() {
    const look = () => {
      this.#timer = this.#options.environment.setTimeout(look, LOOK_MS);
      this.#look();
    };
    if (this.#timer === undefined) look();
  }

  stop() {
    this.#options.environment.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#since.clear();
    this.#met.clear();
    this.#show(new Set());
  }

  /** Counts by participant: a new connection that ICE tries meanwhile is no success. */
  #look() {
    const peers = this.#options.peers();
    const now = this.#options.environment.Date.now();
    for (const id of this.#since.keys()) if (!peers.has(id)) this.#since.delete(id);
    for (const id of this.#met) if (!peers.has(id)) this.#met.delete(id);
    for (const [id, { pc }] of peers) {
      if (pc.connectionState === 'connected') {
        this.#met.add(id);
        this.#since.delete(id);
      } else if (!this.#since.has(id)) this.#since.set(id, now);
    }
    const isLong = (/** @type {number} */ since) => now - since >= NO_WAY_AFTER_MS;
    const found = [...this.#since].filter(([, since]) => isLong(since)).map(([id]) => id);
    // Before the other side answers, ICE has nothing to fail at.
    const isKnown = (/** @type {string} */ id) =>
      this.#noWay.has(id) || (peers.get(id)?.pc.remoteDescription ?? null) !== null;
    const noWay = new Set(found.filter(isKnown));
    for (const id of noWay) if (!this.#noWay.has(id)) this.#tell(id, peers.get(id)?.pc);
    this.#show(noWay);
  }

  /**
   * @param {string} id
   * @param {Connection | undefined} pc
   */
  #tell(id, pc) {
    if (pc) this.#options.tell(this.#met.has(id) ? 'lost' : failureOf(pc));
  }

  /** @param {Set<string>} noWay */
  #show(noWay) {
    const isSame = noWay.size === this.#noWay.size && [...noWay].every((id) => this.#noWay.has(id));
    this.#noWay = noWay;
    if (!isSame) this.#options.onNoWay(noWay);
  }
}

/**
 * @param {Connection} pc
 * @returns {Failure}
 */
const failureOf = (pc) => {
  const urls = (pc.getConfiguration().iceServers ?? []).flatMap(({ urls }) => urls);
  const hasRelay = urls.some((url) => /^turns?:/.test(url));
  return hasRelay && !pc.localDescription?.sdp.includes(' typ relay') ? 'no_relay' : 'no_path';
};
