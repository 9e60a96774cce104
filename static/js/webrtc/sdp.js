/** Reads session descriptions (RFC 8866). Pure. */

/**
 * The fingerprint of the sender's certificate, with the name of its hash.
 * @param {string} sdp
 */
export const fingerprintOf = (sdp) => /^a=fingerprint:(.+)$/m.exec(sdp)?.[1].trim().toLowerCase();
