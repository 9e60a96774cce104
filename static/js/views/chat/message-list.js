/** The log of the chat: its rows, and a scroll position that stays at the end. */

import { byId, clone, syncList, toggleData, setText, query } from '../dom.js';
import { createWatch } from '../../browser/animation-frames.js';
import { linkify } from './linkify.js';
import { rowsOf } from './message-rows.js';
import { clock, hasKey, t } from '../../i18n/translate.js';

/** @import {Room} from '../../state/room-state.js' */
/** @import {MessageRow, Row} from './message-rows.js' */
/**
 * @typedef {object} MessagesOptions
 * @property {() => void} onEarlier
 * @property {(client_id: string) => void} onRetry
 * @property {(client_id: string) => void} onDiscard
 * @property {(atEnd: boolean) => void} onMoved receives whether the newest message is in view; also
 *   after a change of the list's size
 */

const AT_END_PX = 32;
const NEAR_TOP_PX = 80;
const ONLY_EMOJI = /^(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}|\p{Emoji_Modifier}|[\u200d\ufe0f\s])+$/u;
const MAX_EMOJI_CHARS = 16;
const NEVER_SENDABLE = new Set(['too_long', 'empty_message']);

export class MessageList {
  #options;
  #scroller = byId('chat-scroll');
  #list = byId('messages', HTMLUListElement);
  #earlier = byId('earlier', HTMLButtonElement);
  #newest = byId('newest', HTMLButtonElement);
  #atEnd = true;
  /** The drawn rows. @type {Row[]} */
  #rows = [];
  #isNew = createWatch();
  #day = '';
  #askedBefore = Infinity;
  #firstSeq = Infinity;
  #isWaiting = false;

  /** @param {MessagesOptions} options */
  constructor(options) {
    this.#options = options;
    this.#scroller.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    this.#earlier.addEventListener('click', () => this.#askEarlier(true));
    this.#newest.addEventListener('click', () => this.toEnd());
    new ResizeObserver(() => {
      if (this.#atEnd) this.toEnd();
      this.#options.onMoved(this.#atEnd);
    }).observe(this.#scroller);
  }

  toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#setAtEnd(true);
  }

  /** @param {boolean} isWaiting whether messages wait for a connection */
  setWaiting(isWaiting) {
    this.#isWaiting = isWaiting;
  }

  /** @param {Room} room */
  render(room) {
    const { messages, notices, pending, gaps, hasEarlier, you } = room;
    const today = new Date().toDateString();
    if (!this.#isNew(messages, notices, pending, gaps, hasEarlier, you, this.#isWaiting, today)) return;
    // A new day changes the form of all times.
    const before = today === this.#day ? this.#rows : [];
    this.#day = today;
    const rows = rowsOf(room, this.#isWaiting);
    const fromEnd = this.#atEnd ? 0 : this.#scroller.scrollHeight - this.#scroller.scrollTop;
    this.#earlier.hidden = !room.hasEarlier;
    this.#firstSeq = room.from;
    byId('chat-empty').hidden = rows.length > 0 || you === null;
    const grewAbove = rows[0]?.key !== this.#rows[0]?.key;
    // Rows that come in above are old; a screen reader must not read them out.
    if (grewAbove) this.#scroller.ariaBusy = 'true';
    const same = this.#draw(rows, before);
    this.#rows = rows;
    const spoke = !grewAbove && rows.slice(same).some((row) => row.kind === 'message' && row.own);
    if (this.#atEnd || spoke) this.toEnd();
    else if (grewAbove) this.#scroller.scrollTop = this.#scroller.scrollHeight - fromEnd;
    if (you !== null) requestAnimationFrame(() => this.#scroller.removeAttribute('aria-busy'));
  }

  /**
   * Draws the changes. Mostly the end alone has changed; then the rows above it stay untouched.
   * @param {Row[]} rows
   * @param {Row[]} before the drawn rows that are still valid
   * @returns {number} how many rows at the beginning are unchanged
   */
  #draw(rows, before) {
    const known = new Map(before.map((row) => [row.key, row]));
    let same = 0;
    while (same < rows.length && same < before.length && isSame(rows[same], before[same])) same += 1;
    if (same === before.length && same > 0) {
      for (const row of rows.slice(same)) this.#list.append(this.#element(row));
    } else if (same < Math.max(rows.length, before.length)) {
      syncList(this.#list, rows, {
        key: (row) => row.key,
        create: (row) => this.#create(row),
        update: (element, row) => {
          const old = known.get(row.key);
          if (!old || !isSame(old, row)) update(element, row);
        },
      });
    }
    return same;
  }

  /** @param {Row} row */
  #element(row) {
    const element = this.#create(row);
    element.dataset.key = row.key;
    update(element, row);
    return element;
  }

  /** @param {number} unread */
  showUnread(unread) {
    setText(byId('newest-words'), unread > 0 ? t('newest', { count: unread }) : t('newest_none'));
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    if (clientHeight === 0) return;
    this.#setAtEnd(scrollHeight - scrollTop - clientHeight < AT_END_PX);
    if (!this.#atEnd && scrollTop < NEAR_TOP_PX) this.#askEarlier(false);
  }

  /** @param {boolean} atEnd */
  #setAtEnd(atEnd) {
    this.#newest.hidden = atEnd;
    if (atEnd === this.#atEnd) return;
    this.#atEnd = atEnd;
    this.#options.onMoved(atEnd);
  }

  /** @param {boolean} again whether to repeat a request */
  #askEarlier(again) {
    if (this.#earlier.hidden || (this.#askedBefore === this.#firstSeq && !again)) return;
    this.#askedBefore = this.#firstSeq;
    this.#options.onEarlier();
  }

  /** @param {Row} row */
  #create(row) {
    if (row.kind === 'quiet') return clone('chat-notice');
    const element = clone('message');
    query(element, '.message-text').replaceChildren(...textNodes(row.text));
    toggleData(element, 'emoji', row.text.length <= MAX_EMOJI_CHARS && ONLY_EMOJI.test(row.text));
    const { onRetry, onDiscard } = this.#options;
    query(element, '.message-retry').addEventListener('click', () => onRetry(row.key));
    query(element, '.message-discard').addEventListener('click', () => onDiscard(row.key));
    return element;
  }
}

/** @param {Row} one @param {Row} other */
function isSame(one, other) {
  const names = /** @type {(keyof Row)[]} */ (Object.keys(one));
  return names.every((name) => one[name] === other[name]);
}

/**
 * @param {HTMLElement} element
 * @param {Row} row
 */
function update(element, row) {
  if (row.kind === 'quiet') return setText(element, row.text);
  toggleData(element, 'first', row.first);
  toggleData(element, 'own', row.own);
  toggleData(element, 'announced', row.announced);
  element.dataset.state = row.state;
  setText(query(element, '.message-author'), author(row));
  drawTime(element, row);
  query(element, '.message-failed').hidden = row.state !== 'failed';
  query(element, '.message-retry').hidden = NEVER_SENDABLE.has(row.reason ?? '');
  const reason = `message.failed.${row.reason}`;
  setText(query(element, '.message-reason'), t(hasKey(reason) ? reason : 'message.failed'));
}

/** @param {MessageRow} row */
function author({ own, announced, nickname }) {
  if (announced) return t('announcement');
  return own ? t('you') : nickname;
}

/**
 * @param {HTMLElement} element
 * @param {MessageRow} row
 */
function drawTime(element, row) {
  const time = query(element, '.message-time', HTMLTimeElement);
  time.dateTime = new Date(row.at).toISOString();
  const waits = row.waits ? t('message.waiting') : t('message.sending');
  setText(time, row.state === 'sending' ? waits : clock(row.at, new Date()));
}

/** @param {string} text */
function textNodes(text) {
  return linkify(text).map((piece) => {
    if (piece.href === undefined) return document.createTextNode(piece.text);
    const link = document.createElement('a');
    Object.assign(link, { href: piece.href, textContent: piece.text });
    Object.assign(link, { target: '_blank', rel: 'noopener noreferrer nofollow' });
    return link;
  });
}
