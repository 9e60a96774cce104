/** The live region: speaks through screen readers what the rest of the page shows. */

import { byId } from '../dom.js';
import { newsOf, ownNews } from './announcements.js';

/** @import {LocalMediaState} from '../../media/local-media.js' */
/** @import {Room} from '../../state/room-state.js' */

// Long enough for a screen reader to finish its present text; then the sentence goes.
const KEPT_MS = 10_000;
const MOST_LINES = 8;
const NOTHING_SENT = { audio: false, video: false, screen: false };

export class LiveRegion {
  #region = byId('live');
  /** @type {Room | null} */
  #room = null;
  /** @type {LocalMediaState | null} */
  #media = null;

  /**
   * Adds each sentence as an element, so that a second one does not replace it.
   * @param {string} words
   */
  say(words) {
    const line = document.createElement('p');
    line.textContent = words;
    this.#region.append(line);
    if (this.#region.children.length > MOST_LINES) this.#region.firstElementChild?.remove();
    setTimeout(() => line.remove(), KEPT_MS);
  }

  /**
   * @param {Room} room
   * @param {LocalMediaState} media the user's own
   */
  render(room, media) {
    const [before, own] = [this.#room, this.#media];
    this.#room = room;
    this.#media = media;
    if (before === null || own === null) return;
    for (const words of newsOf(before, room, isLogSeen)) this.say(words);
    // Before the call the page sends no media; the join announces the media that it sends.
    if (!room.call.joined) return;
    for (const words of ownNews(before.call.joined ? own : NOTHING_SENT, media)) this.say(words);
  }
}

const isLogSeen = () => byId('chat-scroll').getClientRects().length > 0;
