/** The chat panel: the log, the typing line, the unread count and the composer. */

import { byId, setText } from '../dom.js';
import { createWatch } from '../../browser/animation-frames.js';
import { unread } from '../../state/reading.js';
import { nameOf } from '../../state/room-state.js';
import { createComposer } from './composer.js';
import { MessageList } from './message-list.js';
import { listNames, t } from '../../i18n/translate.js';

/** @import {Room} from '../../state/room-state.js' */
/**
 * @typedef {object} ChatOptions
 * @property {(text: string) => void} onSend
 * @property {(on: boolean) => void} onTyping
 * @property {() => void} onEarlier the reader needs older messages
 * @property {(view: {atEnd: boolean, isVisible: boolean}) => void} onView the user looks elsewhere now
 * @property {(client_id: string) => void} onRetry
 * @property {(client_id: string) => void} onDiscard
 * @property {(name: string) => void} onNickname
 * @property {{read: () => string, write: (text: string) => void}} draft the unsent text
 */

const MANY = 99;

export class ChatView {
  #onView;
  #panel = byId('chat');
  #composer;
  #messages;
  /** @type {Room | null} */
  #room = null;
  #atEnd = true;
  #isNewTyping = createWatch();

  /** @param {ChatOptions} options */
  constructor({ onView, onEarlier, onRetry, onDiscard, ...writing }) {
    this.#onView = onView;
    this.#composer = createComposer(writing);
    const onMoved = (/** @type {boolean} */ atEnd) => this.#looked(atEnd);
    this.#messages = new MessageList({ onEarlier, onRetry, onDiscard, onMoved });
    document.addEventListener('visibilitychange', () => this.#looked(this.#atEnd));
  }

  focus() {
    this.#composer.focus();
  }

  /** @param {boolean} open whether the panel is open */
  setOpen(open) {
    if (open && matchMedia('(hover: hover)').matches) this.focus();
    this.#looked(this.#atEnd);
  }

  /** @param {boolean} isOpen whether the connection is open */
  setLine(isOpen) {
    this.#messages.setWaiting(!isOpen);
    if (this.#room) this.#messages.render(this.#room);
  }

  /** Replaces a refused nickname by the current one. */
  resetNickname() {
    if (this.#room?.you) this.#composer.setNickname(nameOf(this.#room, this.#room.you));
  }

  /** @param {Room} room */
  render(room) {
    this.#room = room;
    this.#messages.render(room);
    if (room.you !== null) this.#composer.setNickname(nameOf(room, room.you));
    if (this.#isNewTyping(room.typing, room.people)) setText(byId('typing'), typingWords(room));
    const count = unread(room);
    this.#messages.showUnread(count);
    drawBadge(count);
  }

  /** @param {boolean} atEnd whether the newest message is in view, if the panel is */
  #looked(atEnd) {
    this.#atEnd = atEnd;
    const isOpen = this.#panel.getClientRects().length > 0;
    this.#onView({ atEnd, isVisible: isOpen && document.visibilityState === 'visible' });
  }
}

/** @param {number} unread */
function drawBadge(unread) {
  const badge = byId('unread');
  badge.hidden = unread === 0;
  setText(badge, unread > MANY ? `${MANY}+` : String(unread));
  badge.setAttribute('aria-label', t('unread', { count: unread }));
}

/** @param {Room} room */
function typingWords(room) {
  const names = room.typing.map((id) => nameOf(room, id));
  return names.length === 0 ? '' : t('typing', { names: listNames(names), count: names.length });
}
