/** One tile of the call: a picture or an avatar, a name and marks. */

import { drawAvatar } from '../avatar.js';
import { clone, toggleData, setText, query } from '../dom.js';
import { t } from '../../i18n/translate.js';

/** @import {Caller} from '../../protocol/messages.js' */
/** @import {PeerState} from '../../webrtc/peer.js' */
/** @typedef {{id: string, nickname: string}} Named */

/**
 * @param {string} id
 * @param {(video: HTMLVideoElement) => void} onVideo prepares the new video element
 */
export function createTile(id, onVideo) {
  const tile = clone('tile');
  tile.dataset.participant = id;
  watchPicture(tile);
  onVideo(videoOf(tile));
  return tile;
}

/**
 * @param {string} id
 * @param {(video: HTMLVideoElement) => void} onVideo
 */
export function createScreenTile(id, onVideo) {
  const tile = clone('screen-tile');
  tile.dataset.screen = id;
  onVideo(videoOf(tile));
  return tile;
}

/**
 * Keeps the avatar until the first picture arrives, instead of a black box.
 * @param {HTMLElement} tile
 */
export function watchPicture(tile) {
  const video = videoOf(tile);
  const redraw = () => {
    toggleData(tile, 'upright', video.videoHeight > video.videoWidth);
    showVideo(tile, tile.dataset.camera === 'true');
  };
  video.addEventListener('resize', redraw);
}

/** @param {HTMLElement} tile */
export const videoOf = (tile) => query(tile, 'video', HTMLVideoElement);

/**
 * Whether a video plays within the window and the browser reports its frames
 * (Firefox from 132 on).
 * @param {HTMLVideoElement} video
 */
export function isPlaying(video) {
  const stream = /** @type {MediaStream | null} */ (video.srcObject);
  if (video.paused || !stream?.getVideoTracks().length) return false;
  const { top, bottom, left, right, width } = video.getBoundingClientRect();
  const isInside = bottom > 0 && right > 0 && top < innerHeight && left < innerWidth;
  return width > 0 && isInside && 'requestVideoFrameCallback' in video;
}

/**
 * @param {HTMLElement} tile
 * @param {Named} person
 * @param {{audio: boolean, video: boolean}} media
 * @param {string} words the name to show
 */
export function drawTile(tile, person, media, words) {
  drawAvatar(query(tile, '.avatar'), person);
  tile.dataset.camera = String(media.video);
  showVideo(tile, media.video);
  query(tile, '.tile-muted').hidden = media.audio;
  setText(query(tile, '.tile-words'), words);
}

/**
 * @param {HTMLElement} tile
 * @param {Caller} caller
 * @param {PeerState | undefined} state of the peer
 * @param {boolean} noWay whether ICE cannot reach the caller
 */
export function drawState(tile, { here }, state, noWay) {
  const isAway = !here || state === 'reconnecting';
  const isConnecting = state === undefined || state === 'connecting';
  query(tile, '.tile-state').hidden = !isAway && !isConnecting && !noWay;
  const words = noWay ? 'tile.no_way' : isAway ? 'tile.reconnecting' : 'tile.connecting';
  setText(query(tile, '.tile-state-words'), t(words));
}

/**
 * @param {HTMLElement} tile
 * @param {string} name
 * @param {boolean} pinned
 */
export function drawPin(tile, name, pinned) {
  const button = query(tile, '.tile-pin', HTMLButtonElement);
  toggleData(tile, 'pinned', pinned);
  button.setAttribute('aria-label', t(pinned ? 'tile.unpin' : 'tile.pin', { name }));
}

/**
 * @param {HTMLElement} tile
 * @param {boolean} isOn
 */
function showVideo(tile, isOn) {
  toggleData(tile, 'video', isOn && videoOf(tile).videoWidth > 0);
}
