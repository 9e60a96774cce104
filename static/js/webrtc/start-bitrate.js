/** Tells Chromium at which rate to begin: left alone, a call starts with 15 blurred seconds. */

/** More would flood a weak line before the congestion control has looked at it. */
const START_MAX_BPS = 1_000_000;

/**
 * A description of the other side, with the rate at which to begin sending to it. Chromium guesses
 * 300 kbit/s, scales the picture down to fit, and takes a long time to come back; there is no API
 * for it but this parameter of a codec, which others ignore. VP8 is what all browsers begin with.
 *
 * @param {string} sdp
 * @param {number} bps  what the budget gives the camera
 */
export const startingAt = (sdp, bps) => {
  const parameter = `x-google-start-bitrate=${Math.floor(Math.min(bps, START_MAX_BPS) / 1_000)}`;
  return sdp.replace(/^a=rtpmap:(\d+) VP8\/90000\r\n(a=fmtp:\1 )?/gm, (line, type, known) =>
    known ? `${line}${parameter};` : `${line}a=fmtp:${type} ${parameter}\r\n`,
  );
};
