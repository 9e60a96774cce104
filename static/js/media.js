/** My own camera, microphone and screen: what is on, what is muted, which device. */

import { recallDevices, rememberDevices } from './device-choice.js';
import { listDevices, open, whyNone } from './devices.js';
import { createScreenShare } from './screen-share.js';

/** @typedef {import('./devices.js').Kind} Kind */
/** @typedef {import('./devices.js').DeviceKind} DeviceKind */
/** @typedef {import('./devices.js').DeviceLists} DeviceLists */
/** @typedef {import('./devices.js').Problem} Problem */
/** @typedef {import('./devices.js').Opened} Opened */
/** @typedef {import('./devices.js').Wanted} Wanted */
/** @typedef {import('./slots.js').Tracks} Tracks */

/**
 * @typedef {object} MediaState
 * @property {boolean} audio  the microphone is open and not muted
 * @property {boolean} video
 * @property {boolean} screen
 * @property {Tracks} tracks
 * @property {DeviceLists} devices
 * @property {import('./device-choice.js').Choice} chosen  what is open, or would be
 * @property {Problem | null} problem  one of the two below, the microphone's first
 * @property {Record<Kind, Problem | null>} problems
 */

/**
 * @typedef {object} MediaOptions
 * @property {(state: MediaState) => void} onChange
 * @property {(kind: Kind | 'screen', problem: Problem) => void} onProblem
 * @property {import('./storage.js').Store} storage
 * @property {MediaDevices | undefined} [devices]
 */

/** @type {Record<Kind, {slot: 'microphone' | 'camera', input: 'audioinput' | 'videoinput'}>} */
const PLACES = {
  audio: { slot: 'microphone', input: 'audioinput' },
  video: { slot: 'camera', input: 'videoinput' },
};

/** @param {MediaOptions} options */
export const createMedia = (options) => new Media(options);

export class Media {
  #options;
  #devices;
  #queue = Promise.resolve();
  /** Counts the stops: what was asked for before a stop must not open anything after it. */
  #life = 0;
  #muted = false;
  #screen;
  /** @type {Pick<Tracks, 'microphone' | 'camera'>} */
  #tracks = { microphone: null, camera: null };
  /** @type {DeviceLists} */
  #lists = { audioinput: [], videoinput: [], audiooutput: [] };
  /** @type {import('./device-choice.js').Choice} */
  #chosen;
  /** @type {Record<Kind, Problem | null>} */
  #problems = { audio: null, video: null };
  #onDeviceChange = () => void this.#enqueue(() => this.#refreshLists());

  /** @param {MediaOptions} options */
  constructor(options) {
    this.#options = options;
    this.#devices = 'devices' in options ? options.devices : globalThis.navigator?.mediaDevices;
    this.#chosen = recallDevices(options.storage);
    this.#screen = createScreenShare({
      devices: this.#devices,
      onChange: () => this.#changed(),
      onProblem: (problem) => options.onProblem('screen', problem),
    });
  }

  /** @returns {MediaState} */
  get state() {
    const { microphone, camera } = this.#tracks;
    const shared = this.#screen.tracks;
    return {
      audio: microphone !== null && !this.#muted,
      video: camera !== null,
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

  /**
   * Open what is wanted. Resolves when it is open, or when it is known that it will not be.
   * @param {{audio: boolean, video: boolean}} wanted
   */
  start(wanted) {
    this.#devices?.addEventListener('devicechange', this.#onDeviceChange);
    const kinds = /** @type {Kind[]} */ (['audio', 'video']).filter((kind) => wanted[kind]);
    return this.#enqueue(() => this.#acquire(kinds.filter((kind) => !this.#track(kind))));
  }

  toggleMic() {
    if (this.#tracks.microphone) return this.#setMuted(!this.#muted);
    return this.#enqueue(async () => {
      if (this.#tracks.microphone) return this.#setMuted(!this.#muted);
      this.#muted = false;
      await this.#acquire(['audio']);
    });
  }

  toggleCamera() {
    return this.#enqueue(async () => {
      if (!this.#tracks.camera) return this.#acquire(['video']);
      this.#put('video', null);
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

  /** Not in the queue: it must be asked for within the click itself. */
  shareScreen() {
    return this.#screen.start();
  }

  stopScreen() {
    this.#screen.stop();
  }

  /** Release everything; `start` begins again. */
  stop() {
    this.#life += 1;
    this.#devices?.removeEventListener('devicechange', this.#onDeviceChange);
    this.#put('audio', null);
    this.#put('video', null);
    this.#screen.stop();
    this.#muted = false;
    this.#problems = { audio: null, video: null };
    this.#changed();
  }

  /**
   * One after the other, and none that was asked for before a stop.
   * @param {() => Promise<void> | void} operation
   */
  #enqueue(operation) {
    const life = this.#life;
    this.#queue = this.#queue
      .then(() => (life === this.#life ? operation() : undefined))
      .catch(() => this.#options.onProblem('audio', 'failed'));
    return this.#queue;
  }

  /** @param {Kind[]} kinds */
  async #acquire(kinds) {
    const results = await this.#open(
      Object.fromEntries(kinds.map((kind) => [kind, this.#preferred(kind)])),
    );
    if (!results) return;
    for (const kind of kinds) {
      this.#settle(kind, results[kind] ?? { track: null, problem: 'failed' });
    }
    await this.#refreshLists();
  }

  /**
   * Another device in the place of the open one; an off camera stays off. Tells whether the choice
   * stands.
   * @param {Kind} kind
   * @param {string} id
   */
  async #switch(kind, id) {
    const old = this.#track(kind);
    if (!old) return true;
    let result = (await this.#open({ [kind]: { exact: id } }))?.[kind];
    if (result?.problem === 'busy') {
      // Phones open one camera at a time: the old one has to go first.
      old.stop();
      result = (await this.#open({ [kind]: { exact: id } }))?.[kind];
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
   * A device was pulled out, or its permission taken back: another one, or none.
   * @param {Kind} kind
   * @param {MediaStreamTrack} track
   */
  async #replaceLost(kind, track) {
    if (this.#track(kind) !== track) return;
    this.#put(kind, null);
    await this.#acquire([kind]);
  }

  /**
   * @param {Wanted} wanted
   * @returns {Promise<Partial<Record<Kind, Opened>> | null>} null: it is not wanted any more
   */
  async #open(wanted) {
    const life = this.#life;
    const none = { track: null, problem: whyNone() };
    const results = this.#devices?.getUserMedia
      ? await open(this.#devices, wanted)
      : { audio: none, video: none };
    if (life === this.#life) return results;
    for (const { track } of Object.values(results)) track?.stop();
    return null;
  }

  /** @param {Kind} kind @param {Opened} opened */
  #settle(kind, { track, problem }) {
    this.#put(kind, track);
    this.#problems[kind] = problem;
    this.#changed();
    if (problem) this.#options.onProblem(kind, problem);
  }

  /** @param {Kind} kind @param {MediaStreamTrack | null} track */
  #put(kind, track) {
    const old = this.#track(kind);
    if (old) {
      old.onended = null;
      old.stop();
    }
    if (track) {
      if (kind === 'audio') track.enabled = !this.#muted;
      track.onended = () => void this.#enqueue(() => this.#replaceLost(kind, track));
    }
    this.#tracks[PLACES[kind].slot] = track;
  }

  /** @param {boolean} muted */
  #setMuted(muted) {
    this.#muted = muted;
    if (this.#tracks.microphone) this.#tracks.microphone.enabled = !muted;
    this.#changed();
  }

  /** @param {Kind} kind */
  #track(kind) {
    return this.#tracks[PLACES[kind].slot];
  }

  /** @param {Kind} kind @returns {ConstrainDOMString} */
  #preferred(kind) {
    const id = this.#chosen[PLACES[kind].input];
    return id ? { ideal: id } : '';
  }

  /** @param {DeviceKind} kind @param {string | undefined} id */
  #choose(kind, id) {
    this.#chosen = { ...this.#chosen, [kind]: id };
    rememberDevices(this.#options.storage, this.#chosen);
    this.#changed();
  }

  async #refreshLists() {
    if (!this.#devices?.enumerateDevices) return;
    this.#lists = await listDevices(this.#devices);
    this.#changed();
  }

  #changed() {
    this.#options.onChange(this.state);
  }
}

/** @param {MediaStreamTrack} track */
const idOf = (track) => track.getSettings().deviceId;
