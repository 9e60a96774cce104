/** The four slots of a peer, each a transceiver for both directions. */

/** @typedef {'microphone' | 'camera' | 'screen' | 'screenSound'} SlotName */
/** @typedef {Partial<Record<SlotName, RTCRtpTransceiver>>} Slots */
/** @typedef {Record<SlotName, MediaStreamTrack | null>} Tracks */
/** @typedef {{camera: MediaStream, screen: MediaStream}} Streams */
/** @typedef {import('./bandwidth.js').Budget} Budget */

/**
 * The order of the m-lines; part of the protocol between two participants.
 * @type {{name: SlotName, kind: 'audio' | 'video', stream: keyof Streams}[]}
 */
const LAYOUT = [
  { name: 'microphone', kind: 'audio', stream: 'camera' },
  { name: 'camera', kind: 'video', stream: 'camera' },
  { name: 'screen', kind: 'video', stream: 'screen' },
  { name: 'screenSound', kind: 'audio', stream: 'screen' },
];

/**
 * Makes the slots of the side that offers. All four exist at once and in both directions, so that
 * media switched on later needs no negotiation. `streams` groups tracks for lip sync.
 *
 * @param {RTCPeerConnection} pc
 * @param {Streams} streams
 * @returns {Slots}
 */
export const openSlots = (pc, streams) =>
  Object.fromEntries(
    LAYOUT.map(({ name, kind, stream }) => [
      name,
      pc.addTransceiver(kind, { direction: 'sendrecv', streams: [streams[stream]] }),
    ]),
  );

/**
 * Finds the slots of the side that answers by the order of each kind in the offer.
 *
 * @param {RTCPeerConnection} pc
 * @param {Streams} streams
 * @returns {Slots}
 */
export const adoptSlots = (pc, streams) => {
  /** @type {Slots} */
  const slots = {};
  for (const kind of ['audio', 'video']) {
    const found = pc.getTransceivers().filter((one) => one.receiver.track.kind === kind);
    LAYOUT.filter((place) => place.kind === kind).forEach(({ name, stream }, index) => {
      const transceiver = found[index];
      if (!transceiver || transceiver.direction === 'stopped') return;
      if (transceiver.direction !== 'sendrecv') transceiver.direction = 'sendrecv';
      transceiver.sender.setStreams?.(streams[stream]);
      slots[name] = transceiver;
    });
  }
  return slots;
};

/**
 * Puts the local tracks into the senders; skips a slot that the other side lacks.
 * @param {Slots} slots
 * @param {Tracks} tracks
 */
export const sendTracks = async (slots, tracks) => {
  await Promise.all(
    entriesOf(slots).map(async ([name, { sender }]) => {
      if (sender.track !== tracks[name]) await sender.replaceTrack(tracks[name]);
    }),
  );
};

/**
 * Keeps the senders within a budget.
 * @param {Slots} slots
 * @param {Budget} budget
 */
export const limitSenders = async (slots, budget) => {
  const limits = limitsOf(budget);
  await Promise.all(
    entriesOf(slots).map(async ([name, { sender }]) => {
      const parameters = sender.getParameters();
      const [encoding] = parameters.encodings ?? [];
      if (!encoding) return;
      Object.assign(encoding, limits[name].encoding);
      const preference = limits[name].degradationPreference;
      await sender.setParameters(
        preference ? Object.assign(parameters, { degradationPreference: preference }) : parameters,
      );
    }),
  );
};

/**
 * @param {Budget} budget
 * @returns {Record<SlotName, {encoding: RTCRtpEncodingParameters, degradationPreference?: string}>}
 */
const limitsOf = ({ audioBps, videoBps, scaleDownBy, maxFramerate, screenBps }) => ({
  microphone: { encoding: { maxBitrate: audioBps, priority: 'high', networkPriority: 'high' } },
  camera: {
    encoding: { maxBitrate: videoBps, scaleResolutionDownBy: scaleDownBy, maxFramerate },
    degradationPreference: 'balanced',
  },
  screen: {
    encoding: { maxBitrate: screenBps },
    degradationPreference: 'maintain-resolution',
  },
  screenSound: { encoding: { maxBitrate: 2 * audioBps } },
});

/** The slots that the other side has not refused. @param {Slots} slots */
const entriesOf = (slots) =>
  /** @type {[SlotName, RTCRtpTransceiver][]} */ (Object.entries(slots)).filter(
    ([, { direction }]) => direction !== 'stopped',
  );
