/** Sets the start bitrate of Chromium, or a call begins with 15 blurred seconds. */

/** A higher rate floods a weak network before the congestion control measures it. */
const START_MAX_BPS = 1_000_000;

/**
 * A remote description with the start bitrate. Chromium guesses 300 kbit/s, scales the picture down
 * to fit, and recovers slowly. This codec parameter, which other browsers ignore, is the only API.
 * All browsers begin with VP8.
 *
 * @param {string} sdp
 * @param {number} bps  the camera's rate in the budget
 */
export const withStartBitrate = (sdp, bps) => {
  const parameter = `x-google-start-bitrate=${Math.floor(Math.min(bps, START_MAX_BPS) / 1_000)}`;
  return sdp.replace(/^a=rtpmap:(\d+) VP8\/90000\r\n(a=fmtp:\1 )?/gm, (line, type, known) =>
    known ? `${line}${parameter};` : `${line}a=fmtp:${type} ${parameter}\r\n`,
  );
};
