/** Speaker detection: reads loudness and reports each change of speakers. */

const READ_EVERY_MS = 150;
/** -36 dB of full scale: above the noise of a room, below a quiet voice. */
const SPEAKING_THRESHOLD = 0.016;
/** Speech lasts this long after a loud reading, to span pauses between words. */
const SPEECH_HOLD_MS = 700;

export class SpeakerDetector {
  #onSpeaking;
  #now;
  /** @type {Map<string, () => number>} */
  #readers = new Map();
  /** The time of the last loud reading, by id. @type {Map<string, number>} */
  #loudAt = new Map();
  /** @type {Set<string>} */
  #speaking = new Set();
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;

  /** @param {{onSpeaking: (ids: Set<string>) => void, now?: () => number}} options */
  constructor({ onSpeaking, now = () => performance.now() }) {
    this.#onSpeaking = onSpeaking;
    this.#now = now;
  }

  /**
   * @param {string} id
   * @param {() => number} read  reads the loudness, 0 to 1
   */
  listen(id, read) {
    this.#readers.set(id, read);
    this.#timer ??= setInterval(() => this.read(), READ_EVERY_MS);
  }

  /** @param {string} id */
  forget(id) {
    this.#readers.delete(id);
    this.#loudAt.delete(id);
    this.read();
    if (this.#readers.size === 0) this.stop();
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#readers.clear();
    this.#loudAt.clear();
    this.read();
  }

  /** Takes one reading of all; the timer calls it. */
  read() {
    const now = this.#now();
    for (const [id, read] of this.#readers) if (loudness(read) > SPEAKING_THRESHOLD) this.#loudAt.set(id, now);
    const loud = [...this.#loudAt].filter(([, at]) => now - at < SPEECH_HOLD_MS).map(([id]) => id);
    if (loud.length === this.#speaking.size && loud.every((id) => this.#speaking.has(id))) return;
    this.#speaking = new Set(loud);
    this.#onSpeaking(new Set(loud));
  }
}

/** A failed reading counts as silence and does not stop other readings. @param {() => number} read */
const loudness = (read) => {
  try {
    return read();
  } catch {
    return 0;
  }
};

/**
 * Measures a local track, which has no receiver with an audio level. Null if the browser cannot,
 * as Firefox with a microphone of another sample rate than the speakers.
 * @param {MediaStreamTrack} track
 * @returns {{read: () => number, stop: () => void} | null}
 */
export const measureLevel = (track) => {
  /** @type {AudioContext | null} */
  let context = null;
  try {
    context = new AudioContext();
    return { read: reader(context, track), stop: () => close(context) };
  } catch {
    close(context);
    return null;
  }
};

/** @param {AudioContext | null} context */
const close = (context) => void context?.close().catch(() => undefined);

/** @param {AudioContext} context @param {MediaStreamTrack} track */
const reader = (context, track) => {
  const source = context.createMediaStreamSource(new MediaStream([track]));
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  return () => {
    analyser.getFloatTimeDomainData(samples);
    return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
  };
};
