/** Keyboard shortcuts, active while the focus is on the stage or its controls.
 * Letters typed anywhere else are text. */

/**
 * @typedef {object} ShortcutOptions
 * @property {Record<string, () => void>} actions by lower-case Latin letter, or `?`
 * @property {HTMLElement[]} places elements that must have the focus
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
    // Without this the letter would go into a field that the action may focus.
    event.preventDefault();
    action();
  });
}

/**
 * The letter of a key: its own if Latin, else by its place on an English keyboard.
 * Null with a modifier, except Shift if the character needs it.
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
