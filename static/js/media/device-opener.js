/** Opens camera and microphone: the chosen ones, or others if they are gone. */

import { open, unavailableReason } from './devices.js';

/** @typedef {import('./devices.js').Kind} Kind */
/** @typedef {import('./devices.js').Opened} Opened */
/** @typedef {Partial<Record<Kind, Opened>>} Results */

/** After this time the page points out that the browser's permission prompt waits. */
const UNANSWERED_MS = 4_000;

export class Opener {
  #devices;
  #onQuestion;
  /** Counts calls of `stop`; `exactly` releases a device requested before one. */
  #life = 0;
  /** @type {Set<Kind>} */
  #asking = new Set();

  /**
   * @param {MediaDevices | undefined} devices
   * @param {(stands: boolean) => void} onQuestion whether the browser's permission prompt waits for
   *   an answer
   */
  constructor(devices, onQuestion) {
    this.#devices = devices;
    this.#onQuestion = onQuestion;
  }

  /** @param {Kind} kind */
  isAsking(kind) {
    return this.#asking.has(kind);
  }

  /**
   * Opens the chosen devices by exact ids, because browsers may ignore ideal ids.
   * @param {Partial<Record<Kind, string>>} ids the chosen devices, '' for any
   * @returns {Promise<Results | null>} null after a stop
   */
  async open(ids) {
    const results = await this.exactly(ids);
    if (!results) return null;
    const gone = Object.entries(ids).filter(
      ([kind, id]) => id && results[/** @type {Kind} */ (kind)]?.problem === 'no_device',
    );
    if (gone.length === 0) return results;
    const others = await this.exactly(Object.fromEntries(gone.map(([kind]) => [kind, ''])));
    return others && { ...results, ...others };
  }

  /**
   * Opens these devices and no others.
   * @param {Partial<Record<Kind, string>>} ids
   * @returns {Promise<Results | null>}
   */
  async exactly(ids) {
    const life = this.#life;
    const kinds = /** @type {Kind[]} */ (Object.keys(ids));
    const answered = this.#ask(kinds);
    const wanted = Object.fromEntries(kinds.map((kind) => [kind, ids[kind] && { exact: ids[kind] }]));
    const none = { track: null, problem: unavailableReason() };
    const results = this.#devices?.getUserMedia
      ? await open(this.#devices, wanted)
      : { audio: none, video: none };
    if (life !== this.#life) {
      for (const { track } of Object.values(results)) track?.stop();
      return null;
    }
    answered();
    return results;
  }

  /** Gives up pending requests; a late answer opens nothing. */
  stop() {
    this.#life += 1;
    if (this.#asking.size > 0) this.#onQuestion(false);
    this.#asking.clear();
  }

  /**
   * @param {Kind[]} kinds
   * @returns {() => void} call it after the answer
   */
  #ask(kinds) {
    const life = this.#life;
    for (const kind of kinds) this.#asking.add(kind);
    const timer = setTimeout(() => life === this.#life && this.#onQuestion(true), UNANSWERED_MS);
    return () => {
      clearTimeout(timer);
      for (const kind of kinds) this.#asking.delete(kind);
      this.#onQuestion(false);
    };
  }
}
