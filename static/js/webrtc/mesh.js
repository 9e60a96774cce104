/** The mesh: one peer for each other caller; routes signals to peers. */

import { budget } from './bandwidth.js';
import { Peer } from './peer.js';

/** @typedef {import('../protocol/messages.d.ts').Caller} Caller */
/** @typedef {import('../protocol/messages.d.ts').IceServer} IceServer */
/** @typedef {import('../protocol/messages.d.ts').OfferEvent} OfferEvent */
/** @typedef {import('../protocol/messages.d.ts').AnswerEvent} AnswerEvent */
/** @typedef {import('../protocol/messages.d.ts').IceEvent} IceEvent */
/** @typedef {import('../protocol/messages.d.ts').Description} Description */
/** @typedef {import('../protocol/messages.d.ts').Candidate} Candidate */
/** @typedef {import('./transceivers.js').Streams} Streams */
/** @typedef {import('./transceivers.js').Tracks} Tracks */
/** @typedef {import('./peer.js').PeerState} PeerState */

/** The mesh drops a sender of signals that no roster has named by this time. */
const UNKNOWN_SENDER_TIMEOUT_MS = 10_000;

/**
 * @typedef {object} MeshOptions
 * @property {string} you  the page's participant id
 * @property {IceServer[]} iceServers
 * @property {boolean} [relayOnly]  use the relay alone
 * @property {Tracks} tracks  null for a slot without a track; see `setTracks`
 * @property {(type: 'offer' | 'answer' | 'ice', payload: object) => void} send
 * @property {(id: string, streams: Streams | null) => void} onStreams  null once they are gone
 * @property {(id: string, state: PeerState) => void} onPeerState
 * @property {(id: string, read: (() => number) | null) => void} [onLevels]  loudness, 0 to 1
 * @property {(id: string, error: unknown) => void} [onProblem]
 */

/**
 * @typedef {{peer: Peer, session: string, confirmTimer: ReturnType<typeof setTimeout> | null}} Entry
 */

/** Counts for the whole page: other callers remember a session's last number. */
let lastNumber = 0;

export class Mesh {
  #options;
  #tracks;
  /** @type {Map<string, Entry>} by participant */
  #entries = new Map();
  /** @type {Record<string, Caller>} */
  #callers = {};
  /** Sessions that a newer one has replaced. @type {Set<string>} */
  #replacedSessions = new Set();
  /** The number of the last offer, by session. @type {Map<string, number>} */
  #lastOffers = new Map();
  #closed = false;

  /** @param {MeshOptions} options */
  constructor(options) {
    this.#options = options;
    this.#tracks = options.tracks;
  }

  /** @returns {Map<string, Peer>} by participant */
  get peers() {
    return new Map([...this.#entries].map(([id, { peer }]) => [id, peer]));
  }

  /**
   * Opens and closes peers to match the server's callers, the page included.
   * @param {Record<string, Caller>} callers
   */
  setCallers(callers) {
    if (this.#closed) return;
    this.#callers = callers;
    for (const caller of Object.values(callers)) {
      if (caller.id !== this.#options.you) this.#connect(caller);
    }
    for (const [id, { confirmTimer }] of this.#entries) {
      if (!(id in callers) && confirmTimer === null) this.#drop(id);
    }
    this.#applyBudget();
  }

  /**
   * Takes a signal of another caller. An offer may come before the roster that names its sender, and
   * a candidate before its offer.
   * @param {'offer' | 'answer' | 'ice'} type
   * @param {OfferEvent | AnswerEvent | IceEvent} payload
   */
  signal(type, payload) {
    const { from, session } = payload;
    if (this.#closed || this.#replacedSessions.has(session) || from === this.#options.you) return;
    const body = 'description' in payload ? payload.description : payload.candidate;
    if (type === 'offer' && !this.#isNew(session, /** @type {Description} */ (body))) return;
    let entry = this.#entries.get(from);
    if (entry?.session !== session) {
      if (type === 'answer') return;
      entry = this.#open(from, session);
      entry.confirmTimer = setTimeout(() => this.#drop(from), UNKNOWN_SENDER_TIMEOUT_MS);
      this.#applyBudget();
    }
    entry.peer.receive(type, body);
  }

  /** @param {Tracks} tracks */
  setTracks(tracks) {
    this.#tracks = tracks;
    for (const { peer } of this.#entries.values()) peer.setTracks(tracks);
    this.#applyBudget();
  }

  /** Restarts ICE after a change of network, before the old path fails. */
  networkChanged() {
    for (const { peer } of this.#entries.values()) peer.restart();
  }

  /**
   * Restarts each unconnected peer, whose signals may be lost with the connection.
   * @param {IceServer[]} iceServers  with newer credentials
   */
  connectionReturned(iceServers) {
    this.setIceServers(iceServers);
    for (const { peer } of this.#entries.values()) {
      if (peer.pc.connectionState !== 'connected') peer.restart();
    }
  }

  /**
   * Sets the servers of new peers, and of the next ICE restart of present ones.
   * @param {IceServer[]} iceServers
   */
  setIceServers(iceServers) {
    this.#options = { ...this.#options, iceServers };
    for (const { peer } of this.#entries.values()) {
      peer.pc.setConfiguration(configurationOf(this.#options));
    }
  }

  /** Replaces the peer of a participant, whatever its state. @param {string} id */
  renew(id) {
    this.#replacePeer(id, null);
  }

  close() {
    this.#closed = true;
    for (const id of [...this.#entries.keys()]) this.#drop(id);
  }

  /** @param {Caller} caller */
  #connect({ id, session, media }) {
    if (this.#replacedSessions.has(session)) return;
    let entry = this.#entries.get(id);
    if (entry?.session !== session) {
      entry = this.#open(id, session);
      entry.peer.start();
    } else if (entry.confirmTimer !== null) {
      clearTimeout(entry.confirmTimer);
      entry.confirmTimer = null;
      entry.peer.start();
    }
    entry.peer.setLive(media);
  }

  /**
   * @param {string} id
   * @param {string} session
   * @returns {Entry}
   */
  #open(id, session) {
    const old = this.#entries.get(id);
    if (old && old.session !== session) this.#replacedSessions.add(old.session);
    this.#drop(id);
    const peer = new Peer({
      polite: () => this.#isPolite(id),
      configuration: configurationOf(this.#options),
      tracks: this.#tracks,
      send: (kind, body) => this.#send(kind, id, session, body),
      onStreams: (streams) => {
        this.#options.onStreams(id, streams);
        this.#options.onLevels?.(id, () => peer.level());
      },
      onState: (state) => this.#options.onPeerState(id, state),
      onReplace: (offer) => this.#replacePeer(id, offer),
      onError: (error) => this.#options.onProblem?.(id, error),
      nextNumber: () => (lastNumber += 1),
    });
    const entry = { peer, session, confirmTimer: null };
    this.#entries.set(id, entry);
    return entry;
  }

  /** @param {string} id */
  #drop(id) {
    const entry = this.#entries.get(id);
    if (!entry) return;
    this.#entries.delete(id);
    if (entry.confirmTimer !== null) clearTimeout(entry.confirmTimer);
    entry.peer.close();
    this.#options.onLevels?.(id, null);
    this.#options.onStreams(id, null);
    this.#options.onPeerState(id, 'closed');
  }

  /**
   * Replaces a peer within its session. The new certificate makes the other side replace its peer
   * too.
   * @param {string} id
   * @param {Description | null} offer  of the other side; null to make one
   */
  #replacePeer(id, offer) {
    const old = this.#entries.get(id);
    if (!old) return;
    const { confirmTimer, session, peer } = old;
    old.confirmTimer = null;
    const entry = this.#open(id, session);
    entry.confirmTimer = confirmTimer;
    this.#applyBudget();
    for (const candidate of peer.pendingCandidates) entry.peer.receive('ice', candidate);
    if (offer) entry.peer.receive('offer', offer);
    else entry.peer.offer();
    const media = this.#callers[id]?.media;
    if (media) entry.peer.setLive(media);
  }

  /**
   * @param {'offer' | 'answer' | 'ice'} kind
   * @param {string} to
   * @param {string} session
   * @param {Description | Candidate | null} body
   */
  #send(kind, to, session, body) {
    const name = kind === 'ice' ? 'candidate' : 'description';
    this.#options.send(kind, { to, session, [name]: body });
  }

  /**
   * @param {string} session
   * @param {Description} description
   */
  #isNew(session, { number }) {
    if (number <= (this.#lastOffers.get(session) ?? -1)) return false;
    this.#lastOffers.set(session, number);
    return true;
  }

  /**
   * Whether this page, as the later of two arrivals, is polite.
   * A caller that no roster names has just arrived.
   * @param {string} id
   */
  #isPolite(id) {
    const mine = this.#callers[this.#options.you]?.since ?? Infinity;
    const theirs = this.#callers[id]?.since ?? Infinity;
    return mine === theirs ? this.#options.you > id : mine > theirs;
  }

  /** Sets the budget of each peer by the number of peers. */
  #applyBudget() {
    const count = this.#entries.size + 1;
    const limits = budget(count, { screen: this.#tracks.screen !== null });
    for (const { peer } of this.#entries.values()) peer.setBudget(limits);
  }
}

/**
 * Bundles all media on one transport: fewest candidates, fastest first frame.
 * @param {MeshOptions} options
 * @returns {RTCConfiguration}
 */
const configurationOf = ({ iceServers, relayOnly = false }) => ({
  iceTransportPolicy: relayOnly ? 'relay' : 'all',
  iceServers: /** @type {RTCIceServer[]} */ (iceServers),
  bundlePolicy: 'max-bundle',
  rtcpMuxPolicy: 'require',
});
