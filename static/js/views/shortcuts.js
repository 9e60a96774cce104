/** Single keys for the call, and only while the focus is on the stage or its controls: letters that
 * are typed anywhere else are text. */

/**
 * @typedef {object} ShortcutOptions
 * @property {Record<string, () => void>} actions by small Latin letter, or `?`
 * @property {HTMLElement[]} places in which the focus has to be
 * @property {() => boolean} isOn
 */

/** @param {ShortcutOptions} options */
export function bindShortcuts({ actions, places, isOn }) {
  document.addEventListener('keydown', (event) => {
    const { target } = event;
    if (!isOn() || !(target instanceof Element) || isForTyping(target)) return;
    if (!places.some((place) => place.contains(target))) return;
    const action = event.repeat ? undefined : actions[letterOf(event) ?? ''];
    if (!action) return;
    // Without this the letter would land in the field that the action may focus.
    event.preventDefault();
    action();
  });
}

/**
 * The letter that a key stands for: the one on it where that is Latin, else the one at its place
 * on an English keyboard. Null with a modifier, but for Shift where the sign needs it.
 * @param {Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>} event
 */
export function letterOf({ key, code, ctrlKey, metaKey, altKey, shiftKey }) {
  if (ctrlKey || metaKey || altKey) return null;
  if (key === '?') return key;
  if (shiftKey) return null;
  if (/^[\x20-\x7e]$/.test(key)) return /^[a-z]$/i.test(key) ? key.toLowerCase() : null;
  return /^Key([A-Z])$/.exec(code)?.[1].toLowerCase() ?? null;
}

/** @param {Element} target */
const isForTyping = (target) =>
  (target instanceof HTMLElement && target.isContentEditable) ||
  target.matches('input, textarea, select');
