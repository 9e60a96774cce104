/** The stage: the invitation to the call, or the tiles of the callers. */

import { callers } from '../../state/call-state.js';
import { byId, syncList, toggleData, setText, query } from '../dom.js';
import { Playback } from './playback.js';
import { nameOf } from '../../state/room-state.js';
import { layOut } from './stage-layout.js';
import { createScreenTile, createTile, drawPin, drawState, drawTile, isPlaying, videoOf, watchPicture } from './tile.js';
import { PreCall } from './pre-call.js';
import { t } from '../../i18n/translate.js';

/** @import {Caller} from '../../protocol/messages.js' */
/** @import {LocalMediaState} from '../../media/local-media.js' */
/** @import {PeerState} from '../../webrtc/peer.js' */
/** @import {Picture} from '../../webrtc/picture-watch.js' */
/** @import {Room} from '../../state/room-state.js' */
/** @import {Streams} from '../../webrtc/transceivers.js' */
/** @import {Tile} from './stage-layout.js' */

const OWN = 'own';
const SCREEN = 'screen-';

/**
 * @typedef {object} CallViewOptions
 * @property {(key: string | null) => void} [onPin]
 * @property {(kind: 'audio' | 'video') => void} [onSwitch] a switch was pressed before the call
 */

export class CallView {
  #onPin;
  #preCall;
  #playback = new Playback();
  #tiles = byId('tiles');
  #own = byId('own-tile');
  /** @type {Map<string, Streams>} */
  #streams = new Map();
  /** @type {Map<string, PeerState>} */
  #peerStates = new Map();
  /** @type {Set<string>} */
  #noWay = new Set();
  #speaking = new Set();
  /** @type {string | null} */
  #pinned = null;
  /** @type {Room | null} */
  #room = null;
  /** @type {MediaStream | null} */
  #ownStream = null;

  /** @param {CallViewOptions} [options] */
  constructor({ onPin = () => {}, onSwitch = () => {} } = {}) {
    this.#onPin = onPin;
    this.#preCall = new PreCall({ onSwitch });
    this.#tiles.addEventListener('click', ({ target }) => this.#clicked(target));
    new ResizeObserver(() => this.#arrange()).observe(this.#tiles);
    watchPicture(this.#own);
  }

  /**
   * @param {Room} room
   * @param {LocalMediaState} media the user's own
   */
  render(room, media) {
    const { joined } = room.call;
    this.#room = room;
    if (!joined) this.#pinned = null;
    byId('call').dataset.joined = String(joined);
    this.#preCall.render(room, media);
    this.#tiles.hidden = !joined;
    this.#drawOwn(room, media);
    this.#drawOthers(room);
    this.#playback.sweep();
    this.#arrange();
  }

  /**
   * @param {string} id
   * @param {Streams | null} streams null once they are gone
   */
  setStreams(id, streams) {
    if (streams) this.#streams.set(id, streams);
    else this.#streams.delete(id);
    if (this.#room) this.#drawOthers(this.#room);
  }

  /**
   * @param {string} id
   * @param {PeerState} state
   */
  setPeerState(id, state) {
    if (state === 'closed') this.#peerStates.delete(id);
    else this.#peerStates.set(id, state);
    if (this.#room) this.#drawOthers(this.#room);
  }

  /** The pictures of other callers that the user should see now. @returns {Picture[]} */
  pictures() {
    if (document.visibilityState !== 'visible') return [];
    return [...byId('screens').children, ...byId('peers').children].flatMap((tile) => {
      const video = videoOf(/** @type {HTMLElement} */ (tile));
      const { participant, screen } = /** @type {HTMLElement} */ (tile).dataset;
      return isPlaying(video) ? [{ id: participant ?? screen ?? '', video }] : [];
    });
  }

  /** @param {HTMLVideoElement} video an element whose stream to attach again */
  attach(video) {
    this.#playback.attach(video);
  }

  /** @param {Set<string>} ids of callers that ICE cannot reach */
  setNoWay(ids) {
    this.#noWay = ids;
    if (this.#room) this.#drawOthers(this.#room);
  }

  /** @param {Set<string>} ids of participants, the user's own included */
  setSpeaking(ids) {
    this.#speaking = ids;
    for (const tile of this.#allTiles()) this.#drawSpeaking(tile);
  }

  /** @param {string} deviceId */
  setSpeaker(deviceId) {
    this.#playback.setSpeaker(deviceId);
  }

  /** @param {boolean} joining whether the join waits for its answer */
  setJoining(joining) {
    this.#preCall.setJoining(joining);
  }

  /** @param {string | null} code the reason for a failed join, such as `call_full` */
  showError(code) {
    this.#preCall.showError(code);
  }

  /**
   * @param {Room} room
   * @param {LocalMediaState} media
   */
  #drawOwn(room, media) {
    const you = room.you ?? '';
    const camera = room.call.joined ? media.tracks.camera : null;
    if (camera !== (this.#ownStream?.getVideoTracks()[0] ?? null)) {
      this.#ownStream = camera && new MediaStream([camera]);
      toggleData(this.#own, 'away', camera?.getSettings().facingMode === 'environment');
      this.#playback.show(videoOf(this.#own), this.#ownStream);
    }
    drawTile(this.#own, { id: you, nickname: nameOf(room, you) }, media, t('you'));
    this.#drawSpeaking(this.#own);
  }

  /** @param {Room} room */
  #drawOthers(room) {
    const callers = others(room);
    syncList(byId('peers'), callers, {
      key: ({ id }) => id,
      create: ({ id }) => createTile(id, (video) => this.#playback.add(video)),
      update: (tile, caller) => this.#drawPeer(tile, caller, nameOf(room, caller.id)),
    });
    syncList(byId('screens'), callers.filter(({ media }) => media.screen), {
      key: ({ id }) => SCREEN + id,
      create: ({ id }) => createScreenTile(id, (video) => this.#playback.add(video)),
      update: (tile, { id }) => {
        setText(query(tile, '.tile-words'), t('tile.screen', { name: nameOf(room, id) }));
        this.#playback.show(videoOf(tile), this.#streams.get(id)?.screen ?? null);
      },
    });
    byId('alone').hidden = callers.length > 0;
  }

  /**
   * @param {HTMLElement} tile
   * @param {Caller} caller
   * @param {string} nickname
   */
  #drawPeer(tile, caller, nickname) {
    const { id, media } = caller;
    this.#playback.show(videoOf(tile), this.#streams.get(id)?.camera ?? null);
    drawTile(tile, { id, nickname }, media, nickname);
    drawState(tile, caller, this.#peerStates.get(id), this.#noWay.has(id));
    this.#drawSpeaking(tile);
  }

  /** @param {HTMLElement} tile */
  #drawSpeaking(tile) {
    const id = tile === this.#own ? this.#room?.you : tile.dataset.participant;
    toggleData(tile, 'speaking', this.#speaking.has(id));
  }

  /** @param {EventTarget | null} target */
  #clicked(target) {
    const tile = target instanceof Element ? target.closest('.tile') : null;
    if (!(tile instanceof HTMLElement)) return;
    const key = tile.dataset.key ?? null;
    this.#pinned = this.#pinned === key ? null : key;
    this.#onPin(this.#pinned);
    this.#arrange();
  }

  /** Positions the tiles by CSS alone, because a moved element stops its video. */
  #arrange() {
    const elements = this.#allTiles();
    // `#pinned` stays, so that a pinned caller who comes back is large again.
    const pinned = elements.find(({ dataset }) => dataset.key === this.#pinned) ? this.#pinned : null;
    const { clientWidth: width, clientHeight: height } = this.#tiles;
    if (width === 0 || height === 0) return;
    const boxes = layOut(elements.map(tileOf), { width, height }, pinned);
    toggleData(this.#tiles, 'floating', [...boxes.values()].some(({ floating }) => floating));
    for (const element of elements) {
      const { key = '' } = element.dataset;
      const box = boxes.get(key);
      if (!box) continue;
      element.style.setProperty('--x', `${box.x}px`);
      element.style.setProperty('--y', `${box.y}px`);
      element.style.setProperty('--w', `${box.width}px`);
      element.style.setProperty('--h', `${box.height}px`);
      toggleData(element, 'floating', box.floating === true);
      if (box.floating) this.#tiles.style.setProperty('--covered', `${box.width}px`);
      drawPin(element, query(element, '.tile-words').textContent ?? '', key === pinned);
    }
  }

  #allTiles() {
    const shown = [...byId('screens').children, ...byId('peers').children, this.#own];
    return /** @type {HTMLElement[]} */ (shown);
  }
}

/**
 * @param {HTMLElement} element
 * @returns {Tile}
 */
function tileOf({ dataset: { key = '' } }) {
  if (key === OWN) return { key, kind: 'own' };
  return { key, kind: key.startsWith(SCREEN) ? 'screen' : 'peer' };
}

/** @param {Room} room */
const others = ({ you, call }) =>
  call.joined
    ? Object.values(callers(call))
        .filter(({ id }) => id !== you)
        .sort((a, b) => a.since - b.since || (a.id < b.id ? -1 : 1))
    : [];
