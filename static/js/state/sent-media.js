/** The media that a participant sends into a call. Pure. */

/** @import {Media as Live} from '../protocol/messages.js' */

/**
 * @param {Live} state of media, which may have more fields
 * @returns {Live}
 */
export const liveOf = ({ audio, video, screen }) => ({ audio, video, screen });

/**
 * @param {Live} one
 * @param {Live} other
 */
export const sameLive = (one, other) =>
  one.audio === other.audio && one.video === other.video && one.screen === other.screen;
