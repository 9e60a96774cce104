/** One RTCPeerConnection with perfect negotiation; takes and emits signals. */

import { isSameBudget } from './bandwidth.js';
import { IceCandidates } from './ice-candidates.js';
import { RemoteStreams } from './remote-streams.js';
import { at, spaced } from '../browser/schedule.js';
import { fingerprintOf } from './sdp.js';
import { adoptSlots, limitSenders, openSlots, sendTracks } from './transceivers.js';
import { withStartBitrate } from './start-bitrate.js';

/** @import {Candidate, Description} from '../protocol/messages.js' */
/** @typedef {import('./transceivers.js').Tracks} Tracks */
/** @typedef {import('./bandwidth.js').Budget} Budget */
/** @typedef {ReturnType<typeof setTimeout> | undefined} Timer */
/** @typedef {'connecting' | 'connected' | 'reconnecting' | 'closed'} PeerState */

/** The polite side waits this long for the first offer of the other side. */
const OFFER_DELAY_MS = 4_000;
/** The waits before an unanswered offer is sent again; the last one repeats. */
const ANSWER_TIMEOUTS_MS = [4_000, 4_000, 8_000, 15_000];
/** How long each connection state may last before the peer restarts ICE. */
const STATE_TIMEOUTS_MS = { new: 8_000, connecting: 8_000, disconnected: 4_000, failed: 0 };
/** Added after each failed restart; after the last one the mesh replaces the peer. */
const RESTART_DELAYS_MS = [0, 2_000, 5_000];
/** Many restarts in a row freeze pictures for good (Firefox at six, 1.5 s apart). */
const RESTART_SPACING_MS = 5_000;
/** The impolite side restarts first, so that two restarts do not meet as a glare. */
const POLITE_DELAY_MS = 2_000;

/**
 * @typedef {object} PeerOptions
 * @property {() => boolean} polite  called at each decision: the roster may come late
 * @property {RTCConfiguration} configuration
 * @property {Tracks} tracks
 * @property {(kind: 'offer' | 'answer' | 'ice', body: Description | Candidate | null) => void} send
 * @property {(streams: import('./transceivers.js').Streams) => void} onStreams  always the same two objects
 * @property {(state: PeerState) => void} onState
 * @property {(offer: Description | null) => void} onReplace  asks for a new connection, to answer
 *   this offer, or (null) to make one
 * @property {(error: unknown) => void} onError
 * @property {() => number} nextNumber  the number of an offer; grows for the life of the page
 */

export class Peer {
  #options;
  #candidates;
  #remote = new RemoteStreams();
  #queue = Promise.resolve();
  /** Empty streams, whose ids in the descriptions group the tracks. */
  #streamIds = { camera: new MediaStream(), screen: new MediaStream() };
  /** @type {import('./transceivers.js').Slots | null} */
  #slots = null;
  /** @type {Tracks} */
  #tracks;
  /** @type {Budget | null} */
  #budget = null;
  /** The numbers of the unanswered offer; each repetition has one. @type {Set<number>} */
  #offerNumbers = new Set();
  #unanswered = 0;
  #restartWanted = false;
  #restarts = 0;
  #closed = false;
  /** @type {PeerState | null} */
  #state = null;
  /** @type {Timer} */
  #signalTimer;
  /** @type {Timer} */
  #healthTimer;

  /** @param {PeerOptions} options */
  constructor(options) {
    this.#options = options;
    this.#tracks = options.tracks;
    this.pc = new RTCPeerConnection(options.configuration);
    this.#candidates = new IceCandidates(this.pc);
    this.pc.onicecandidate = ({ candidate }) =>
      options.send('ice', candidate && /** @type {Candidate} */ (candidate.toJSON()));
    this.pc.onconnectionstatechange = () => this.#onConnectionState();
  }

  /** Offers; the polite side first waits OFFER_DELAY_MS for an offer. */
  start() {
    if (this.#options.polite()) this.#scheduleOffer(OFFER_DELAY_MS, () => this.#hasNoDescription());
    else this.#enqueue(async () => (this.#hasNoDescription() ? this.#offer() : undefined));
  }

  /** Offers now, polite or not. */
  offer() {
    this.#enqueue(() => this.#offer());
  }

  /**
   * @param {'offer' | 'answer' | 'ice'} kind
   * @param {Description | Candidate | null} body
   */
  receive(kind, body) {
    this.#enqueue(() => {
      if (kind === 'ice') return this.#candidates.take(/** @type {Candidate | null} */ (body));
      const description = /** @type {Description} */ (body);
      return kind === 'offer' ? this.#takeOffer(description) : this.#takeAnswer(description);
    });
  }

  /** @param {Tracks} tracks */
  setTracks(tracks) {
    this.#tracks = tracks;
    this.#enqueue(async () => this.#slots && sendTracks(this.#slots, this.#tracks));
  }

  /** @param {Budget} budget */
  setBudget(budget) {
    if (isSameBudget(this.#budget, budget)) return;
    this.#budget = budget;
    this.#limit();
  }

  #limit() {
    this.#enqueue(async () => this.#slots && this.#budget && limitSenders(this.#slots, this.#budget));
  }

  /** @param {{video: boolean, screen: boolean}} live the media that the other side sends, by the roster */
  setLive(live) {
    this.#remote.setLive(live);
  }

  /** Restarts ICE, as after a change of network; media flows on meanwhile. */
  restart = spaced(() => this.#restart(), RESTART_SPACING_MS);
  #restart() {
    if (this.#closed || this.#hasNoDescription()) return;
    this.#restartWanted = true;
    this.#restarts += 1;
    this.#watchHealth('connecting');
    this.pc.restartIce();
    this.offer();
  }

  /** The loudness of the other side's microphone, 0 to 1. */
  level() {
    return this.#remote.level();
  }

  /** The candidates that wait for their description. */
  get pendingCandidates() {
    return this.#candidates.held;
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#signalTimer);
    clearTimeout(this.#healthTimer);
    this.restart.stop();
    this.pc.onicecandidate = null;
    this.pc.onconnectionstatechange = null;
    this.#remote.detach();
    this.pc.close();
  }

  /**
   * Runs operations one after another, and none on a closed connection.
   * Every failure goes to `onError`.
   * @param {() => Promise<unknown> | undefined} operation
   */
  #enqueue(operation) {
    this.#queue = this.#queue
      .then(() => (this.#closed ? undefined : operation()))
      .then(
        () => undefined,
        (error) => (this.#closed ? undefined : this.#options.onError(error)),
      );
  }

  async #offer() {
    this.#slots ??= openSlots(this.pc, this.#streamIds);
    // A repeated offer has an unchanged description and a new number: both answers are valid.
    if (this.pc.signalingState === 'stable' || this.#restartWanted) {
      this.#restartWanted = false;
      this.#offerNumbers.clear();
      await this.pc.setLocalDescription();
    }
    if (this.#closed || this.pc.localDescription?.type !== 'offer') return;
    const number = this.#options.nextNumber();
    this.#offerNumbers.add(number);
    this.#options.send('offer', { number, sdp: this.pc.localDescription.sdp });
    this.#scheduleOffer(at(ANSWER_TIMEOUTS_MS, this.#unanswered), () => this.#offerNumbers.has(number));
    this.#unanswered += 1;
    this.#applyAll();
  }

  /** @param {Description} description */
  async #takeOffer(description) {
    const collision = this.pc.signalingState === 'have-local-offer';
    if (collision && !this.#options.polite()) return;
    // Chromium 156 may gather no more candidates after a rollback of its first offer.
    const initialGlare = collision && this.pc.currentRemoteDescription === null;
    if (initialGlare || this.#isNewConnection(description)) return this.#options.onReplace(description);
    await this.#setRemote('offer', description);
    if (this.#closed) return;
    this.#offerNumbers.clear();
    this.#slots = adoptSlots(this.pc, this.#streamIds);
    await this.pc.setLocalDescription();
    if (this.#closed || !this.pc.localDescription) return;
    const { sdp } = this.pc.localDescription;
    this.#options.send('answer', { number: description.number, sdp });
    await this.#settle();
  }

  /** @param {Description} description */
  async #takeAnswer(description) {
    if (!this.#offerNumbers.has(description.number)) return;
    if (this.#isNewConnection(description)) return this.#options.onReplace(null);
    await this.#setRemote('answer', description);
    if (this.#closed) return;
    this.#offerNumbers.clear();
    await this.#settle();
  }

  /** @param {'offer' | 'answer'} type @param {Description} description */
  #setRemote(type, { sdp }) {
    const told = this.#budget ? withStartBitrate(sdp, this.#budget.videoBps) : sdp;
    return this.pc.setRemoteDescription({ type, sdp: told });
  }

  /** Does the work that needs both descriptions. */
  async #settle() {
    clearTimeout(this.#signalTimer);
    this.#unanswered = 0;
    if (this.pc.connectionState === 'connected') this.#restarts = 0;
    else this.#watchHealth('connecting');
    this.#remote.attach(this.#slots ?? {});
    this.#options.onStreams(this.#remote.streams);
    await this.#candidates.flush();
    this.#applyAll();
  }

  /** Queues tracks and limits behind waiting candidates, which are more urgent. */
  #applyAll() {
    this.setTracks(this.#tracks);
    this.#limit();
  }

  /** Whether neither side has sent a description yet. */
  #hasNoDescription() {
    return this.#offerNumbers.size === 0 && this.pc.remoteDescription === null;
  }

  /**
   * Whether the other page has a new certificate, and so a new connection. It dropped this caller,
   * whose connection to the server was lost for longer than the lease, and met it again.
   * @param {Description} description
   */
  #isNewConnection(description) {
    const known = this.pc.currentRemoteDescription;
    return known !== null && fingerprintOf(known.sdp) !== fingerprintOf(description.sdp);
  }

  #onConnectionState() {
    const state = this.pc.connectionState;
    if (state === 'connected') {
      this.#restarts = 0;
      this.#report('connected');
    } else if (state !== 'closed') {
      this.#watchHealth(state);
      this.#report((this.#state ?? 'connecting') === 'connecting' ? 'connecting' : 'reconnecting');
    }
  }

  /** @param {keyof typeof STATE_TIMEOUTS_MS} state */
  #watchHealth(state) {
    const politeDelayMs = this.#options.polite() ? POLITE_DELAY_MS : 0;
    const delay = STATE_TIMEOUTS_MS[state] + at(RESTART_DELAYS_MS, this.#restarts) + politeDelayMs;
    clearTimeout(this.#healthTimer);
    this.#healthTimer = setTimeout(() => {
      if (this.pc.connectionState === 'connected') return;
      if (this.#restarts < RESTART_DELAYS_MS.length) this.restart();
      else this.#options.onReplace(null);
    }, delay);
  }

  /**
   * Offers after a delay if it is still needed then.
   * @param {number} delayMs
   * @param {() => boolean} needed
   */
  #scheduleOffer(delayMs, needed) {
    clearTimeout(this.#signalTimer);
    const remind = () => this.#enqueue(() => (needed() ? this.#offer() : undefined));
    this.#signalTimer = setTimeout(remind, delayMs);
  }

  /** @param {PeerState} state */
  #report(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onState(state);
  }
}
