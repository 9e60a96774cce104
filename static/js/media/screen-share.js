/** The user's shared screen, which the page or the browser's own bar ends. */

import { openScreen, problemOf, unavailableReason } from './devices.js';

/** @typedef {import('./devices.js').Problem} Problem */

/**
 * @typedef {object} ScreenShareOptions
 * @property {MediaDevices | undefined} devices
 * @property {() => void} onChange
 * @property {(problem: Problem) => void} onProblem
 */

export class ScreenShare {
  #options;
  #asking = false;
  /** Counts calls of `stop`; a screen that arrives after a stop is released at once. */
  #stops = 0;
  /** @type {{screen: MediaStreamTrack | null, screenSound: MediaStreamTrack | null}} */
  #tracks = { screen: null, screenSound: null };

  /** @param {ScreenShareOptions} options */
  constructor(options) {
    this.#options = options;
  }

  get tracks() {
    return { ...this.#tracks };
  }

  /** Starts sharing; browsers allow it only within the click. */
  async start() {
    const { devices, onChange, onProblem } = this.#options;
    if (this.#asking || this.#tracks.screen) return;
    if (!devices?.getDisplayMedia) return onProblem(unavailableReason());
    const stops = this.#stops;
    this.#asking = true;
    try {
      const tracks = await openScreen(devices);
      if (stops !== this.#stops) return stopAll(tracks);
      this.#tracks = tracks;
      if (tracks.screen) tracks.screen.onended = () => this.stop();
      onChange();
    } catch (error) {
      const problem = problemOf(error);
      // A closed picker is a choice of the user and no problem.
      if (problem !== 'refused') onProblem(problem);
    } finally {
      this.#asking = false;
    }
  }

  stop() {
    this.#stops += 1;
    const tracks = this.#tracks;
    if (!tracks.screen) return;
    tracks.screen.onended = null;
    this.#tracks = { screen: null, screenSound: null };
    stopAll(tracks);
    this.#options.onChange();
  }
}

/** @param {Record<string, MediaStreamTrack | null>} tracks */
const stopAll = (tracks) => Object.values(tracks).forEach((track) => track?.stop());
