/** Watches for pictures that stand still while their frames are decoded. */

/**
 * @typedef {object} Picture a picture that the user sees now
 * @property {string} id of the participant
 * @property {HTMLVideoElement} video
 *
 * @typedef {object} PictureWatchOptions
 * @property {() => Picture[]} pictures
 * @property {() => Map<string, {pc: Pick<RTCPeerConnection, 'getStats'>}>} peers by participant
 * @property {(video: HTMLVideoElement) => void} attach attaches the stream of a video again
 * @property {(id: string) => void} renew replaces the connection to a participant
 * @property {Window & typeof globalThis} environment
 *
 * @typedef {object} Watched the state of a video
 * @property {boolean} moved whether a frame was presented since the last check
 * @property {number} callback
 * @property {number | null} since the time since which it stands still; null if it moves
 * @property {number} decoded frames decoded until then
 * @property {number} attached the time of its last attachment
 */

const LOOK_MS = 1_000;
/** Checks further apart than this prove nothing: the machine slept or was slow. */
const GAP_MS = 4_000;
const STILL_MS = 8_000;
/** Frames decoded meanwhile that prove a fault; a shared screen may have few. */
const FEWEST_FRAMES = 5;
/** A picture that stops within this time of an attachment needs a new connection. */
const RELAPSE_MS = 60_000;
const RENEWAL_SPACING_MS = 30_000;

export class PictureWatch {
  #options;
  /** @type {number | undefined} */
  #timer;
  #lookedAt = -Infinity;
  /** Whether the browser has drawn a frame of this page since the last check. */
  #draws = false;
  /** @type {Map<HTMLVideoElement, Watched>} */
  #watched = new Map();
  /** The time of the last renewal, by participant. @type {Map<string, number>} */
  #renewed = new Map();

  /** @param {PictureWatchOptions} options */
  constructor(options) {
    this.#options = options;
  }

  start() {
    const { environment } = this.#options;
    const look = () => {
      this.#timer = environment.setTimeout(look, LOOK_MS);
      void this.#look().catch((error) => environment.reportError(error));
    };
    if (this.#timer === undefined) look();
  }

  stop() {
    this.#options.environment.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#watched.clear();
    this.#renewed.clear();
  }

  async #look() {
    const now = this.#options.environment.Date.now();
    const isBlind = !this.#draws || now - this.#lookedAt > GAP_MS;
    this.#lookedAt = now;
    this.#draws = false;
    this.#options.environment.requestAnimationFrame(() => (this.#draws = true));
    const pictures = this.#options.pictures();
    const shown = new Set(pictures.map(({ video }) => video));
    for (const [video, watched] of this.#watched) {
      if (!video.isConnected) this.#watched.delete(video);
      else if (isBlind || !shown.has(video)) watched.since = null;
    }
    await Promise.all(pictures.map((picture) => this.#judge(picture, now, isBlind)));
  }

  /**
   * @param {Picture} picture
   * @param {number} now
   * @param {boolean} isBlind
   */
  async #judge({ id, video }, now, isBlind) {
    const watched = this.#watched.get(video) ?? this.#begin(video);
    const { moved } = watched;
    this.#awaitFrame(video, watched);
    if (moved || isBlind) {
      watched.since = null;
      return;
    }
    const decoded = await this.#decoded(id, video);
    if (decoded === null || watched.moved) return;
    if (watched.since === null || decoded < watched.decoded) {
      Object.assign(watched, { since: now, decoded });
    } else if (now - watched.since >= STILL_MS && decoded - watched.decoded >= FEWEST_FRAMES) {
      watched.since = null;
      this.#help(id, video, watched, now);
    }
  }

  /**
   * @param {string} id
   * @param {HTMLVideoElement} video
   * @param {Watched} watched
   * @param {number} now
   */
  #help(id, video, watched, now) {
    if (now - watched.attached > RELAPSE_MS) {
      watched.attached = now;
      this.#options.attach(video);
    } else if (now - (this.#renewed.get(id) ?? -Infinity) >= RENEWAL_SPACING_MS) {
      this.#renewed.set(id, now);
      this.#options.renew(id);
    }
  }

  /** @param {HTMLVideoElement} video */
  #begin(video) {
    // Counts as moved: before its first check no callback waited for a frame.
    const watched = { moved: true, callback: 0, since: null, decoded: 0, attached: -Infinity };
    this.#watched.set(video, watched);
    return watched;
  }

  /**
   * Requests one frame for each check, because a callback for every frame wastes power.
   * Renews the request at each check, because a browser may drop it when the stream changes.
   * @param {HTMLVideoElement} video
   * @param {Watched} watched
   */
  #awaitFrame(video, watched) {
    watched.moved = false;
    video.cancelVideoFrameCallback(watched.callback);
    watched.callback = video.requestVideoFrameCallback(() => (watched.moved = true));
  }

  /**
   * The number of decoded frames of a video's track, or null if unknown.
   * @param {string} id
   * @param {HTMLVideoElement} video
   * @returns {Promise<number | null>}
   */
  async #decoded(id, video) {
    const [track] = /** @type {MediaStream | null} */ (video.srcObject)?.getVideoTracks() ?? [];
    const pc = this.#options.peers().get(id)?.pc;
    if (!track || !pc) return null;
    // The connection may have closed, or may lack this track.
    const stats = await pc.getStats(track).catch(() => new Map());
    for (const one of stats.values()) {
      if (one.type === 'inbound-rtp') return one.framesDecoded ?? null;
    }
    return null;
  }
}
