/** Watches the pictures of a call: which stands still while its frames are decoded? */

/**
 * @typedef {object} Picture one that a person sees now
 * @property {string} id of the participant
 * @property {HTMLVideoElement} video
 *
 * @typedef {object} PictureWatchOptions
 * @property {() => Picture[]} pictures
 * @property {() => Map<string, {pc: Pick<RTCPeerConnection, 'getStats'>}>} peers by participant
 * @property {(video: HTMLVideoElement) => void} attach its stream once more
 * @property {(id: string) => void} renew the connection to a participant
 * @property {Window & typeof globalThis} environment
 *
 * @typedef {object} Watched a video
 * @property {boolean} moved a frame was presented since the last look
 * @property {number} callback
 * @property {number | null} since when it stands still; null: it does not
 * @property {number} decoded frames until then
 * @property {number} attached when its stream was attached last
 */

const LOOK_MS = 1_000;
/** Looks that are further apart than this say nothing: the machine slept, or the page was slow. */
const GAP_MS = 4_000;
const STILL_MS = 8_000;
/** Decoded meanwhile; a shared screen may have but a few frames, of which one is on its way. */
const FEWEST_FRAMES = 5;
/** A picture that stands still again so soon after its stream was attached needs more than that. */
const RELAPSE_MS = 60_000;
const RENEWAL_SPACING_MS = 30_000;

export class PictureWatch {
  #options;
  /** @type {number | undefined} */
  #timer;
  #lookedAt = -Infinity;
  /** The browser draws this page: a frame of it came since the last look. */
  #draws = false;
  /** @type {Map<HTMLVideoElement, Watched>} */
  #watched = new Map();
  /** When a connection was renewed last, by participant. @type {Map<string, number>} */
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
    // As if it had moved: before the first look nobody has waited for a frame.
    const watched = { moved: true, callback: 0, since: null, decoded: 0, attached: -Infinity };
    this.#watched.set(video, watched);
    return watched;
  }

  /**
   * One frame for each look: a callback for every frame would wake the page for each. Asked anew
   * at each look, for a browser may forget a callback when the element gets another stream.
   * @param {HTMLVideoElement} video
   * @param {Watched} watched
   */
  #awaitFrame(video, watched) {
    watched.moved = false;
    video.cancelVideoFrameCallback(watched.callback);
    watched.callback = video.requestVideoFrameCallback(() => (watched.moved = true));
  }

  /**
   * Frames decoded of what a video shows, or null where the browser does not know.
   * @param {string} id
   * @param {HTMLVideoElement} video
   * @returns {Promise<number | null>}
   */
  async #decoded(id, video) {
    const [track] = /** @type {MediaStream | null} */ (video.srcObject)?.getVideoTracks() ?? [];
    const pc = this.#options.peers().get(id)?.pc;
    if (!track || !pc) return null;
    // The connection may have closed meanwhile, or never had this track.
    const stats = await pc.getStats(track).catch(() => new Map());
    for (const one of stats.values()) {
      if (one.type === 'inbound-rtp') return one.framesDecoded ?? null;
    }
    return null;
  }
}
