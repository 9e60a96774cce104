/** The room's header: the title, the number of people and the link's buttons. */

import { byId, toggleData, setText, query } from '../dom.js';
import { unread } from '../../state/reading.js';
import { count } from '../../state/room-state.js';
import { t } from '../../i18n/translate.js';

/** @import {Room} from '../../state/room-state.js' */

const COPIED_MS = 2_000;

/**
 * @param {object} [options]
 * @param {(words: string) => void} [options.onProblem]
 * @param {(words: string) => void} [options.say] speaks through a screen reader
 */
export function createHeader({ onProblem = () => {}, say = () => {} } = {}) {
  const button = byId('copy-link', HTMLButtonElement);
  button.addEventListener('click', async () => {
    if (!(await copy(roomLink()))) return onProblem('copy');
    showCopied(button);
    say(t('copied'));
  });
  bindShare();
  return {
    /** @param {Room} room */
    render(room) {
      if (room.you === null) return;
      const title = t('room_title', { name: room.name, count: count(room) });
      setText(byId('room-title'), title);
      const missed = unread(room);
      const tabTitle = `${missed > 0 ? `[${missed}] ` : ''}${title} · Noom`;
      if (document.title !== tabTitle) document.title = tabTitle;
    },
  };
}

/** The link of the room, without a query. */
const roomLink = () => new URL(location.pathname, location.href).href;

/** Binds the system's share sheet, if there is one; a closed sheet is no failure. */
function bindShare() {
  const button = byId('share-link', HTMLButtonElement);
  button.hidden = typeof navigator.share !== 'function';
  button.addEventListener('click', () => {
    navigator.share({ title: byId('room-title').textContent ?? '', url: roomLink() }).catch(() => {});
  });
}

/** @param {HTMLElement} button */
function showCopied(button) {
  toggleData(button, 'done', true);
  setText(query(button, '.copy-link-words'), t('copied'));
  setTimeout(() => {
    toggleData(button, 'done', false);
    setText(query(button, '.copy-link-words'), t('copy_link'));
  }, COPIED_MS);
}

/** @param {string} text */
async function copy(text) {
  if (!navigator.clipboard) return copyBySelection(text);
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/**
 * Copies on plain http, where browsers give no clipboard.
 * @param {string} text
 */
function copyBySelection(text) {
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'visually-hidden';
  document.body.append(field);
  field.select();
  const isDone = document.execCommand('copy');
  field.remove();
  return isDone;
}
