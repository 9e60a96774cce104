/** The chat panel: the log, the typing line, the unread count and the composer. */

import { byId, setText } from '../dom.js';
import { createWatch } from '../../browser/animation-frames.js';
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
 * @property {() => void} onEnd the reader is at the newest message
 * @property {(client_id: string) => void} onRetry
 * @property {(client_id: string) => void} onDiscard
 * @property {(name: string) => void} onNickname
 * @property {{read: () => string, write: (text: string) => void}} draft the unsent text
 * @property {(unread: number) => void} [onUnread] the number of unread messages changed
 */

const MANY = 99;

export class ChatView {
  #onUnread;
  #panel = byId('chat');
  #composer;
  #messages;
  /** @type {Room | null} */
  #room = null;
  /** @type {number | null} */
  #seenSeq = null;
  #unread = 0;
  #isNewTyping = createWatch();

  /** @param {ChatOptions} options */
  constructor({ onUnread = () => {}, onEarlier, onEnd, onRetry, onDiscard, ...writing }) {
    this.#onUnread = onUnread;
    this.#composer = createComposer(writing);
    this.#messages = new MessageList({ onEarlier, onRetry, onDiscard, onEnd: () => this.#cameToEnd(onEnd) });
    document.addEventListener('visibilitychange', () => this.#count());
  }

  /** Messages that came with the panel closed, the log scrolled up or the tab hidden. */
  get unread() {
    return this.#unread;
  }

  focus() {
    this.#composer.focus();
  }

  /** @param {boolean} open whether the panel is open */
  setOpen(open) {
    if (open && matchMedia('(hover: hover)').matches) this.focus();
    this.#count();
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
    this.#count();
  }

  /** @param {() => void} onEnd */
  #cameToEnd(onEnd) {
    this.#count();
    if (this.#room !== null) onEnd();
  }

  #count() {
    const room = this.#room;
    if (room === null || room.you === null) return;
    if (this.#seenSeq === null || this.#isLooking()) this.#seenSeq = room.seq;
    const seen = this.#seenSeq;
    const unread = room.messages.filter(({ seq, from }) => seq > seen && from !== room.you).length;
    this.#messages.showUnread(unread);
    if (unread === this.#unread) return;
    this.#unread = unread;
    this.#drawBadge();
    this.#onUnread(unread);
  }

  #isLooking() {
    const isOpen = this.#panel.getClientRects().length > 0;
    return isOpen && this.#messages.atEnd && document.visibilityState === 'visible';
  }

  #drawBadge() {
    const badge = byId('unread');
    badge.hidden = this.#unread === 0;
    setText(badge, this.#unread > MANY ? `${MANY}+` : String(this.#unread));
    badge.setAttribute('aria-label', t('unread', { count: this.#unread }));
  }
}

/** @param {Room} room */
function typingWords(room) {
  const names = room.typing.map((id) => nameOf(room, id));
  return names.length === 0 ? '' : t('typing', { names: listNames(names), count: names.length });
}
