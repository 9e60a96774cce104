/** The composer: the field of the message, and the field of the nickname. */

import { byId, isComposing, toggleData, setText, query, writesOnGlass } from '../dom.js';
import { MAX_TEXT_CHARS } from '../../protocol/limits.js';
import { hasInk } from '../../state/visible-text.js';
import { t } from '../../i18n/translate.js';

/**
 * @typedef {object} ComposerOptions
 * @property {(text: string) => void} onSend
 * @property {(on: boolean) => void} onTyping
 * @property {(name: string) => void} onNickname
 * @property {{read: () => string, write: (text: string) => void}} draft the unsent text
 */

const TYPING_REPEAT_MS = 3_000;
const TYPING_IDLE_MS = 4_000;
const MAX_LINES_PX = 144;

/** @param {ComposerOptions} options */
export function createComposer({ onSend, onTyping, onNickname, draft }) {
  const typing = createTyping(onTyping);
  const message = messageForm({ onSend, typing, draft });
  const nickname = nicknameForm(onNickname, message.focus);
  return {
    focus: message.focus,
    /** @param {string} name */
    setNickname: (name) => nickname.set(name),
  };
}

/**
 * @param {Pick<ComposerOptions, 'onSend' | 'draft'> & {typing: ReturnType<typeof createTyping>}} options
 */
function messageForm({ onSend, typing, draft }) {
  const form = byId('msg', HTMLFormElement);
  const input = query(form, '[name=text]', HTMLTextAreaElement);
  const focus = () => input.focus({ preventScroll: true });
  const changed = () => {
    grow(input);
    showExcess(input);
    draft.write(input.value);
  };
  // Text typed before the script loaded is newer than the draft.
  if (input.value === '') input.value = draft.read();
  if (input.value !== '') changed();
  if (writesOnGlass()) input.enterKeyHint = 'enter';
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const text = withoutBlankEnds(input.value);
    focus();
    if (!hasInk(text) || excess(text) > 0) return;
    input.value = '';
    changed();
    typing.stop();
    onSend(text);
  });
  input.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || isComposing(event) || writesOnGlass()) return;
    event.preventDefault();
    form.requestSubmit();
  });
  input.addEventListener('input', () => {
    changed();
    if (input.value === '') typing.stop();
    else typing.touch();
  });
  input.addEventListener('blur', typing.stop);
  return { focus };
}

/**
 * A text without blank lines at its ends; the first line keeps its indentation.
 * @param {string} text
 */
const withoutBlankEnds = (text) => text.replace(/^(?:[^\S\n]*\n)+/, '').trimEnd();

/**
 * The number of characters above the limit.
 * @param {string} text
 */
const excess = (text) => (text.length > MAX_TEXT_CHARS ? [...text].length - MAX_TEXT_CHARS : 0);

/** @param {HTMLTextAreaElement} input */
function showExcess(input) {
  const over = excess(withoutBlankEnds(input.value));
  const words = byId('msg-over');
  words.hidden = over <= 0;
  setText(words, over > 0 ? t('message.over', { over, limit: MAX_TEXT_CHARS, count: over }) : '');
  input.ariaInvalid = String(over > 0);
}

/** @param {HTMLTextAreaElement} input */
function grow(input) {
  input.style.setProperty('height', 'auto');
  const border = input.offsetHeight - input.clientHeight;
  input.style.setProperty('height', `${Math.min(input.scrollHeight + border, MAX_LINES_PX)}px`);
}

/**
 * @param {(name: string) => void} onNickname
 * @param {() => void} goOn moves the focus to the field of the message
 */
function nicknameForm(onNickname, goOn) {
  const form = byId('nickname', HTMLFormElement);
  const input = query(form, '[name=nickname]', HTMLInputElement);
  let current = '';
  const refresh = () => toggleData(form, 'changed', input.value.trim() !== current);
  const giveUp = () => {
    input.value = current;
    refresh();
  };
  const submit = () => {
    const name = input.value.trim();
    if (!hasInk(name)) giveUp();
    else if (name !== current) onNickname(name);
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    submit();
    if (writesOnGlass()) input.blur();
    else goOn();
  });
  input.addEventListener('input', refresh);
  input.addEventListener('change', submit);
  input.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || isComposing(event)) return;
    // The first Escape restores the name; only the next one closes the panel.
    if (input.value.trim() !== current) event.stopPropagation();
    giveUp();
  });
  return {
    /** @param {string} name */
    set(name) {
      current = name;
      if (document.activeElement !== input) input.value = name;
      refresh();
    },
  };
}

/**
 * Reports typing at its start and every few seconds, then its end.
 * @param {(on: boolean) => void} onTyping
 */
function createTyping(onTyping) {
  let saidAt = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let idle;
  const stop = () => {
    clearTimeout(idle);
    if (saidAt !== -Infinity) onTyping(false);
    saidAt = -Infinity;
  };
  const touch = () => {
    clearTimeout(idle);
    idle = setTimeout(stop, TYPING_IDLE_MS);
    if (performance.now() - saidAt < TYPING_REPEAT_MS) return;
    saidAt = performance.now();
    onTyping(true);
  };
  return { touch, stop };
}
