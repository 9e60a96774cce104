/** Where one writes: the message, and the name one writes under. */

import { byId, mark, within } from './dom.js';

/**
 * @typedef {object} ComposerOptions
 * @property {(text: string) => void} onSend
 * @property {(on: boolean) => void} onTyping
 * @property {(name: string) => void} onNickname
 */

const TYPING_REPEAT_MS = 3_000;
const TYPING_IDLE_MS = 4_000;
const MAX_LINES_PX = 144;

/** @param {ComposerOptions} options */
export function createComposer({ onSend, onTyping, onNickname }) {
  const typing = createTyping(onTyping);
  const text = messageForm(onSend, typing);
  const nickname = nicknameForm(onNickname);
  return {
    focus: () => text.focus({ preventScroll: true }),
    /** @param {string} name */
    setNickname: (name) => nickname.set(name),
  };
}

/**
 * @param {(text: string) => void} onSend
 * @param {{touch: () => void, stop: () => void}} typing
 */
function messageForm(onSend, typing) {
  const form = byId('msg', HTMLFormElement);
  const input = within(form, '[name=text]', HTMLTextAreaElement);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (text === '') return;
    input.value = '';
    grow(input);
    typing.stop();
    onSend(text);
  });
  input.addEventListener('keydown', (event) => {
    // While a syllable is being composed (Korean, Japanese, …), Enter belongs to the input method.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  input.addEventListener('input', () => {
    grow(input);
    if (input.value === '') typing.stop();
    else typing.touch();
  });
  input.addEventListener('blur', typing.stop);
  return input;
}

/** @param {HTMLTextAreaElement} input */
function grow(input) {
  input.style.setProperty('height', 'auto');
  const border = input.offsetHeight - input.clientHeight;
  input.style.setProperty('height', `${Math.min(input.scrollHeight + border, MAX_LINES_PX)}px`);
}

/** @param {(name: string) => void} onNickname */
function nicknameForm(onNickname) {
  const form = byId('nickname', HTMLFormElement);
  const input = within(form, '[name=nickname]', HTMLInputElement);
  let current = '';
  const refresh = () => mark(form, 'changed', input.value.trim() !== current);
  const giveUp = () => {
    input.value = current;
    refresh();
  };
  const submit = () => {
    const name = input.value.trim();
    if (name === '') giveUp();
    else if (name !== current) onNickname(name);
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    submit();
    input.blur();
  });
  input.addEventListener('input', refresh);
  input.addEventListener('change', submit);
  input.addEventListener('keydown', ({ key }) => key === 'Escape' && giveUp());
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
 * Says "typing" once and again every few seconds for as long as it is true, then that it is over.
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
