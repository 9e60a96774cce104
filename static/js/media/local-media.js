/** The user's own media: which devices are open, switched on or muted. */

import { recallDevices, recallSwitches, rememberDevices, rememberSwitches } from './device-preferences.js';
import { listDevices } from './devices.js';
import { Opener } from './device-opener.js';
import { ScreenShare } from './screen-share.js';

/** @typedef {import('./devices.js').Kind} Kind */
/** @typedef {import('./devices.js').DeviceKind} DeviceKind */
/** @typedef {import('./devices.js').DeviceLists} DeviceLists */
/** @typedef {import('./devices.js').Problem} Problem */
/** @typedef {import('./devices.js').Opened} Opened */
/** @typedef {import('../webrtc/transceivers.js').Tracks} Tracks */

/**
 * @typedef {object} LocalMediaState
 * @property {boolean} audio  whether other callers can hear the user: the microphone is open, and
 *   neither the user nor the system has muted it
 * @property {boolean} video
 * @property {import('./device-preferences.js').Switches} wanted  on or off, before the call and in it
 * @property {Record<Kind, boolean>} silenced  whether the system, and not the user, has muted a device
 * @property {boolean} screen
 * @property {Tracks} tracks
 * @property {DeviceLists} devices
 * @property {import('./device-preferences.js').Choice} chosen  the devices that are open or would open
 * @property {Problem | null} problem  one of the two below, the microphone's first
 * @property {Record<Kind, Problem | null>} problems
 */

/**
 * @typedef {object} MediaOptions
 * @property {(state: LocalMediaState) => void} onChange
 * @property {(kind: Kind | 'screen', problem: Problem) => void} onProblem
 * @property {(stands: boolean) => void} [onQuestion]  whether the permission prompt waits for an answer
 * @property {import('../browser/storage.js').Store} storage
 * @property {MediaDevices | undefined} [devices]
 */

/** @type {Record<Kind, {slot: 'microphone' | 'camera', input: 'audioinput' | 'videoinput'}>} */
const SLOTS = {
  audio: { slot: 'microphone', input: 'audioinput' },
  video: { slot: 'camera', input: 'videoinput' },
};

export class LocalMedia {
  #options;
  #devices;
  #queue = Promise.resolve();
  /** Counts calls of `stop`; an earlier request must open nothing after one. */
  #generation = 0;
  #wanted;
  #opener;
  #screen;
  /** @type {Pick<Tracks, 'microphone' | 'camera'>} */
  #tracks = { microphone: null, camera: null };
  /** @type {DeviceLists} */
  #lists = { audioinput: [], videoinput: [], audiooutput: [] };
  /** @type {import('./device-preferences.js').Choice} */
  #chosen;
  /** @type {Record<Kind, Problem | null>} */
  #problems = { audio: null, video: null };
  #onDeviceChange = () => void this.#enqueue(() => this.#refreshLists());

  /** @param {MediaOptions} options */
  constructor(options) {
    this.#options = options;
    this.#devices = 'devices' in options ? options.devices : globalThis.navigator?.mediaDevices;
    this.#chosen = recallDevices(options.storage);
    this.#wanted = recallSwitches(options.storage);
    this.#opener = new Opener(this.#devices, options.onQuestion ?? (() => undefined));
    this.#screen = new ScreenShare({
      devices: this.#devices,
      onChange: () => this.#changed(),
      onProblem: (problem) => options.onProblem('screen', problem),
    });
  }

  /** @returns {LocalMediaState} */
  get state() {
    const { microphone, camera } = this.#tracks;
    const shared = this.#screen.tracks;
    return {
      audio: microphone !== null && this.#wanted.audio && !microphone.muted,
      video: camera !== null && !camera.muted,
      wanted: { ...this.#wanted },
      silenced: { audio: microphone?.muted === true, video: camera?.muted === true },
      screen: shared.screen !== null,
      tracks: { microphone, camera, ...shared },
      devices: this.#lists,
      chosen: {
        ...this.#chosen,
        ...(microphone && { audioinput: idOf(microphone) ?? this.#chosen.audioinput }),
        ...(camera && { videoinput: idOf(camera) ?? this.#chosen.videoinput }),
      },
      problem: this.#problems.audio ?? this.#problems.video,
      problems: { ...this.#problems },
    };
  }

  /** Opens the devices that are switched on; resolves once each is open or failed. */
  start() {
    this.#devices?.addEventListener('devicechange', this.#onDeviceChange);
    const kinds = /** @type {Kind[]} */ (['audio', 'video']).filter((kind) => this.#wanted[kind]);
    return this.#enqueue(() => this.#acquire(kinds.filter((kind) => !this.#track(kind))));
  }

  /**
   * Flips a switch before the call; opens nothing.
   * @param {Kind} kind
   */
  flip(kind) {
    this.#want(kind, !this.#wanted[kind]);
  }

  toggleMic() {
    const { microphone } = this.#tracks;
    if (microphone || this.#opener.isAsking('audio')) return this.#want('audio', !this.#wanted.audio);
    this.#want('audio', true);
    return this.#enqueue(() => (this.#tracks.microphone ? undefined : this.#acquire(['audio'])));
  }

  toggleCamera() {
    const isOff = !this.#tracks.camera && !this.#opener.isAsking('video');
    this.#want('video', isOff || !this.#wanted.video);
    if (this.#opener.isAsking('video')) return;
    return this.#enqueue(async () => {
      if (this.#wanted.video && !this.#tracks.camera) return this.#acquire(['video']);
      if (this.#wanted.video) return;
      this.#setTrack('video', null);
      this.#changed();
    });
  }

  /**
   * @param {DeviceKind} kind
   * @param {string} id
   */
  chooseDevice(kind, id) {
    return this.#enqueue(async () => {
      const before = this.#chosen[kind];
      this.#choose(kind, id);
      if (kind === 'audiooutput') return;
      const switched = await this.#switch(kind === 'audioinput' ? 'audio' : 'video', id);
      if (!switched) this.#choose(kind, before);
    });
  }

  /** Bypasses the queue, because browsers allow the request only within the click. */
  shareScreen() {
    return this.#screen.start();
  }

  stopScreen() {
    this.#screen.stop();
  }

  /** Releases everything; `start` works again even while a permission prompt waits. */
  stop() {
    this.#generation += 1;
    this.#queue = Promise.resolve();
    this.#opener.stop();
    this.#devices?.removeEventListener('devicechange', this.#onDeviceChange);
    this.#setTrack('audio', null);
    this.#setTrack('video', null);
    this.#screen.stop();
    this.#problems = { audio: null, video: null };
    this.#changed();
  }

  /**
   * Runs operations one after another; skips an operation from before a stop.
   * @param {() => Promise<void> | void} operation
   */
  #enqueue(operation) {
    const life = this.#generation;
    this.#queue = this.#queue
      .then(() => (life === this.#generation ? operation() : undefined))
      .catch(() => this.#options.onProblem('audio', 'failed'));
    return this.#queue;
  }

  /** @param {Kind[]} kinds */
  async #acquire(kinds) {
    const results = await this.#opener.open(
      Object.fromEntries(kinds.map((kind) => [kind, this.#chosen[SLOTS[kind].input] ?? ''])),
    );
    if (!results) return;
    for (const kind of kinds) {
      this.#settle(kind, results[kind] ?? { track: null, problem: 'failed' });
    }
    await this.#refreshLists();
  }

  /**
   * Replaces the open device by another; a camera that is off stays off.
   * Resolves with whether the choice stands.
   * @param {Kind} kind
   * @param {string} id
   */
  async #switch(kind, id) {
    const old = this.#track(kind);
    if (!old) return true;
    let result = (await this.#opener.exactly({ [kind]: id }))?.[kind];
    if (result?.problem === 'busy') {
      // Phones open one camera at a time, so the old one stops first.
      old.stop();
      result = (await this.#opener.exactly({ [kind]: id }))?.[kind];
    }
    if (!result) return true;
    if (result.track) {
      this.#settle(kind, result);
      return true;
    }
    this.#options.onProblem(kind, result.problem ?? 'failed');
    if (old.readyState === 'ended') await this.#replaceLost(kind, old);
    return false;
  }

  /**
   * Replaces a device that was unplugged, or whose permission was withdrawn.
   * @param {Kind} kind
   * @param {MediaStreamTrack} track
   */
  async #replaceLost(kind, track) {
    if (this.#track(kind) !== track) return;
    this.#setTrack(kind, null);
    await this.#acquire([kind]);
  }

  /** @param {Kind} kind @param {Opened} opened */
  #settle(kind, { track, problem }) {
    // The user may switch the camera off while the permission prompt waits.
    const isUnwanted = kind === 'video' && !this.#wanted.video;
    if (isUnwanted) track?.stop();
    this.#setTrack(kind, isUnwanted ? null : track);
    this.#problems[kind] = problem;
    this.#changed();
    if (problem) this.#options.onProblem(kind, problem);
  }

  /** @param {Kind} kind @param {MediaStreamTrack | null} track */
  #setTrack(kind, track) {
    const old = this.#track(kind);
    if (old) {
      old.onended = old.onmute = old.onunmute = null;
      old.stop();
    }
    if (track) {
      if (kind === 'audio') track.enabled = this.#wanted.audio;
      track.onmute = track.onunmute = () => this.#changed();
      track.onended = () => void this.#enqueue(() => this.#replaceLost(kind, track));
    }
    this.#tracks[SLOTS[kind].slot] = track;
  }

  /** @param {Kind} kind @param {boolean} on */
  #want(kind, on) {
    this.#wanted = { ...this.#wanted, [kind]: on };
    rememberSwitches(this.#options.storage, this.#wanted);
    if (this.#tracks.microphone) this.#tracks.microphone.enabled = this.#wanted.audio;
    this.#changed();
  }

  /** @param {Kind} kind */
  #track(kind) {
    return this.#tracks[SLOTS[kind].slot];
  }

  /** @param {DeviceKind} kind @param {string | undefined} id */
  #choose(kind, id) {
    this.#chosen = { ...this.#chosen, [kind]: id };
    rememberDevices(this.#options.storage, this.#chosen);
    this.#changed();
  }

  async #refreshLists() {
    if (!this.#devices?.enumerateDevices) return;
    // Without a list the user cannot choose a device; everything else works.
    this.#lists = await listDevices(this.#devices).catch(() => this.#lists);
    this.#changed();
  }

  #changed() {
    this.#options.onChange(this.state);
  }
}

/** @param {MediaStreamTrack} track */
const idOf = (track) => track.getSettings().deviceId;
