/** What a session description (RFC 8866) says. Pure. */

/**
 * The fingerprint of the sender's certificate, with the name of its hash.
 * @param {string} sdp
 */
export const fingerprintOf = (sdp) => /^a=fingerprint:(.+)$/m.exec(sdp)?.[1].trim().toLowerCase();
