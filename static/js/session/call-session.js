/** The session of a call: its connection, its mesh and the media that it sends. */

import { callers } from '../state/call-state.js';
import { CallWatch } from '../webrtc/connection-watch.js';
import { checkLiveness } from '../transport/liveness-check.js';
import { SpeakerDetector, measureLevel } from '../media/speaker-detection.js';
import { liveOf, sameLive } from '../state/sent-media.js';
import { Mesh } from '../webrtc/mesh.js';
import { CALL_ENDED } from '../protocol/close-codes.js';
import { PROTOCOL_VERSION } from '../protocol/version.js';
import { randomName } from '../browser/unique-name.js';
import { Socket } from '../transport/socket.js';
import { DesiredState } from './desired-state.js';

/** @import {JoinRoomAck, Media as Live} from '../protocol/messages.js' */
/** @import {LocalMedia, LocalMediaState} from '../media/local-media.js' */
/** @import {Participant} from './participant.js' */
/** @import {RoomStore} from '../state/store.js' */
/** @import {Streams} from '../webrtc/transceivers.js' */

const SERVER_ERROR = 'server_error';

/**
 * @typedef {object} CallSessionOptions
 * @property {string} key
 * @property {Participant} participant
 * @property {LocalMedia} media
 * @property {RoomStore} store
 * @property {(id: string, streams: Streams | null) => void} onStreams
 * @property {(id: string, state: import('../webrtc/peer.js').PeerState) => void} onPeerState
 * @property {(ids: Set<string>) => void} onNoWay the callers that ICE cannot reach
 * @property {(ids: Set<string>) => void} onSpeaking
 * @property {(code: string) => void} onRefused the server refused the join for good
 * @property {() => void} onServerError the server failed
 * @property {() => void} onLeft
 * @property {Window & typeof globalThis} [environment]
 */

export class CallSession {
  #options;
  #store;
  #window;
  #socket;
  #levels;
  /** @type {Mesh | null} */
  #mesh = null;
  #joined = false;
  /** The id of this session; other callers connect to the newest session alone. */
  #session = '';
  /** @type {JoinRoomAck | null} an answer that the room has not received yet */
  #ack = null;
  /** Events that followed that answer. @type {{type: string, payload: any}[]} */
  #buffered = [];
  #asking = false;
  /** @type {number | undefined} */
  #expectedTimer;
  #leaseMs = 0; // how long the server keeps a caller who lost the connection
  /** Repeats the state of the media until the roster shows it. */
  #mediaWish;
  /** @type {{track: MediaStreamTrack, stop: () => void} | null} */
  #ownMeter = null;
  #watch;

  /** @param {CallSessionOptions} options */
  constructor(options) {
    this.#options = options;
    this.#store = options.store;
    this.#window = options.environment ?? window;
    this.#levels = new SpeakerDetector({ onSpeaking: options.onSpeaking });
    this.#socket = new Socket({
      url: `/ws/call/${encodeURIComponent(options.key)}/?v=${PROTOCOL_VERSION}`,
      firstMessage: () => this.#firstMessage(),
      onWelcome: (ack) => this.#welcomed(ack),
      onEvent: ({ type, payload }) => this.#onEvent(type, payload),
      onClosed: (code) => this.#closed(code),
      onRefused: (code, _, willRetry) => this.#refused(code, willRetry),
      environment: this.#window,
    });
    this.#mediaWish = new DesiredState({
      missing: () => this.#unsentMedia(),
      ask: (live, options) => this.#socket.request('media', live, options),
      environment: this.#window,
    });
    this.#watch = new CallWatch({
      peers: () => this.#mesh?.peers ?? new Map(),
      onNoWay: options.onNoWay,
      tell: (failure) => this.#socket.post('ice_failed', { failure }),
      environment: this.#window,
    });
    this.#store.subscribe(
      ({ you }) => you,
      () => this.#enterState(),
    );
    this.#store.subscribe(
      ({ call }) => call,
      (call) => {
        if (call.joined) this.#mesh?.setCallers(callers(call));
        this.#mediaWish.check();
      },
    );
    this.#window.addEventListener('online', () => this.#mesh?.networkChanged());
  }

  get joined() {
    return this.#joined;
  }

  get mesh() {
    return this.#mesh;
  }

  /** Joins the call; opens camera and microphone while the connection opens. */
  join() {
    if (this.#joined) return;
    this.#joined = true;
    this.#session = randomName();
    this.#socket.start();
    void this.#options.media.start();
  }

  /** Leaves the call, and sends `leave_room` before the connection closes. */
  async leave() {
    if (!this.#joined) return;
    const told = this.#socket.request('leave_room', {}, { timeoutMs: 1_000 });
    this.#end();
    await told.catch(() => undefined);
    if (!this.#joined) this.#socket.stop();
  }

  /** Checks the connection after another sign that the network failed. */
  checkLiveness() {
    if (this.#joined) void checkLiveness(this.#socket);
  }

  /** @param {LocalMediaState} state */
  mediaChanged(state) {
    if (!this.#joined) return;
    this.#mesh?.setTracks(state.tracks);
    this.#monitorOwnLevel(state.tracks.microphone, state.audio);
    this.#mediaWish.check();
  }

  /** @returns {Live | null} the media that the page sends, if the roster shows other */
  #unsentMedia() {
    const { call, you } = this.#store.room;
    const told = this.#joined && call.joined ? call.people[you ?? '']?.media : undefined;
    const live = liveOf(this.#options.media.state);
    return told === undefined || sameLive(told, live) ? null : live;
  }

  #firstMessage() {
    const { participant, media } = this.#options;
    return {
      type: 'join_room',
      payload: {
        token: participant.token,
        session: this.#session,
        media: liveOf(media.state),
        connection: participant.nextConnection(),
      },
    };
  }

  /** @param {JoinRoomAck} ack */
  #welcomed(ack) {
    if (!this.#joined) return;
    // Peers outlive a lost connection, because media does not pass through it.
    if (this.#mesh) this.#mesh.connectionReturned(ack.ice_servers);
    else this.#mesh = this.#createMesh(ack);
    this.#leaseMs = ack.timing.lease_s * 1000;
    this.#ack = ack;
    this.#buffered = [];
    this.#enterState();
    this.#mediaWish.renew();
    this.#watch.start();
    this.mediaChanged(this.#options.media.state);
  }

  /** Applies the answer once the chat's answer, which may come later, has set `you`. */
  #enterState() {
    const ack = this.#ack;
    if (ack === null || this.#store.room.you === null) return;
    this.#ack = null;
    this.#store.dispatch('call.joined', ack);
    for (const { type, payload } of this.#buffered.splice(0)) this.#store.dispatch(type, payload);
    this.#expectOthers();
  }

  /** Drops callers missing from an answer once their lease has run out. */
  #expectOthers() {
    const over = () => this.#store.dispatch('call.awaited_over', {});
    this.#window.clearTimeout(this.#expectedTimer);
    this.#expectedTimer = this.#window.setTimeout(over, this.#leaseMs);
  }

  /** @param {JoinRoomAck} ack */
  #createMesh({ you, ice_servers, relay_only }) {
    return new Mesh({
      you,
      iceServers: ice_servers,
      relayOnly: relay_only,
      tracks: this.#options.media.state.tracks,
      send: (type, payload) => this.#socket.post(type, payload),
      onStreams: this.#options.onStreams,
      onPeerState: this.#options.onPeerState,
      onLevels: (id, read) => (read ? this.#levels.listen(id, read) : this.#levels.forget(id)),
    });
  }

  /**
   * @param {string} type
   * @param {any} payload
   */
  #onEvent(type, payload) {
    if (type === 'error' && payload.code === SERVER_ERROR) this.#options.onServerError();
    if (type === 'offer' || type === 'answer' || type === 'ice') this.#mesh?.signal(type, payload);
    else if (type === 'ice_servers') this.#mesh?.setIceServers(payload.ice_servers);
    else if (type !== 'beat' || payload.ok) this.#dispatch(`call.${type}`, payload);
    this.#mediaWish.check();
    if (this.#store.room.call.missing) void this.#requestCallers();
  }

  /**
   * @param {string} type
   * @param {any} payload
   */
  #dispatch(type, payload) {
    if (this.#ack === null) this.#store.dispatch(type, payload);
    else this.#buffered.push({ type, payload });
  }

  /** Requests the callers, once at a time; the next event repeats a failed request. */
  async #requestCallers() {
    if (this.#asking) return;
    this.#asking = true;
    const answer = await this.#socket.request('people', {}).catch(() => null);
    this.#asking = false;
    if (!answer) return;
    this.#store.dispatch('call.people', answer);
    this.#expectOthers();
  }

  /**
   * @param {string} code
   * @param {boolean} willRetry
   */
  #refused(code, willRetry) {
    if (code === SERVER_ERROR) this.#options.onServerError();
    if (willRetry) return;
    this.#end();
    this.#options.onRefused(code);
  }

  /** @param {number} code why the server closed the connection for good */
  #closed(code) {
    this.#end();
    if (code === CALL_ENDED) this.#options.onRefused('call_ended');
  }

  #end() {
    if (!this.#joined) return;
    this.#joined = false;
    this.#ack = null;
    this.#mediaWish.stop();
    this.#watch.stop();
    this.#buffered = [];
    this.#window.clearTimeout(this.#expectedTimer);
    this.#mesh?.close();
    this.#mesh = null;
    this.#levels.stop();
    this.#monitorOwnLevel(null, false);
    this.#options.media.stop();
    this.#store.dispatch('call.left', {});
    this.#options.onLeft();
  }

  /**
   * Measures the user's own loudness, so that their tile shows a working microphone.
   * @param {MediaStreamTrack | null} track
   * @param {boolean} on
   */
  #monitorOwnLevel(track, on) {
    const wanted = on ? track : null;
    if (this.#ownMeter?.track === wanted || (!this.#ownMeter && !wanted)) return;
    const you = this.#store.room.you ?? '';
    this.#ownMeter?.stop();
    this.#ownMeter = null;
    if (!wanted) return this.#levels.forget(you);
    const found = measureLevel(wanted);
    if (!found) return;
    this.#ownMeter = { track: wanted, stop: found.stop };
    this.#levels.listen(you, found.read);
  }
}
