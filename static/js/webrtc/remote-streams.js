/** The media of another caller, as two streams that an element can always play. */

/** @typedef {import('./transceivers.js').Slots} Slots */
/** @typedef {import('./transceivers.js').Streams} Streams */

/** Adds a picture to its stream only from its first packet (`unmute`) on, while the roster shows it as
 * live. A media element stays silent for ever while its stream has a video track without any frame
 * (Chromium 156: `readyState` 0, sound not pulled). */
export class RemoteStreams {
  /** @type {Streams} */
  streams = { camera: new MediaStream(), screen: new MediaStream() };
  /** @type {Slots} */
  #slots = {};
  #live = { video: true, screen: true };
  /** @type {number | undefined} */
  #heardAt;

  /** @param {Slots} slots */
  attach(slots) {
    this.#listen(null);
    this.#slots = slots;
    this.#listen(() => this.#arrange());
    this.#arrange();
  }

  detach() {
    this.attach({});
  }

  /** @param {{video: boolean, screen: boolean}} live the media that the other side sends, by the roster */
  setLive({ video, screen }) {
    this.#live = { video, screen };
    this.#arrange();
  }

  /** The microphone's loudness; 0 without new packets, as receivers repeat old values. */
  level() {
    const [source] = this.#slots.microphone?.receiver.getSynchronizationSources() ?? [];
    const isNews = source?.timestamp !== this.#heardAt;
    this.#heardAt = source?.timestamp;
    return isNews ? (source?.audioLevel ?? 0) : 0;
  }

  /** @param {(() => void) | null} listener */
  #listen(listener) {
    for (const transceiver of [this.#slots.camera, this.#slots.screen]) {
      if (transceiver) transceiver.receiver.track.onunmute = listener;
    }
  }

  #arrange() {
    const { microphone, camera, screen, screenSound } = this.#slots;
    fill(this.streams.camera, [sound(microphone), this.#live.video && picture(camera)]);
    fill(this.streams.screen, [
      this.#live.screen && sound(screenSound),
      this.#live.screen && picture(screen),
    ]);
  }
}

/** @param {RTCRtpTransceiver | undefined} transceiver */
const sound = (transceiver) => transceiver?.receiver.track;

/** @param {RTCRtpTransceiver | undefined} transceiver */
const picture = (transceiver) =>
  transceiver?.receiver.track.muted === false && transceiver.receiver.track;

/**
 * Makes a stream hold exactly these tracks; keeps the tracks that it has already.
 * @param {MediaStream} stream
 * @param {(MediaStreamTrack | false | undefined)[]} wanted
 */
const fill = (stream, wanted) => {
  const tracks = wanted.filter((track) => track instanceof MediaStreamTrack);
  for (const track of stream.getTracks()) if (!tracks.includes(track)) stream.removeTrack(track);
  for (const track of tracks) stream.addTrack(track);
};
