/** One-key shortcuts, by the place of the key, so that they work in every keyboard layout. */

/**
 * @param {Record<string, () => void>} actions by `KeyboardEvent.code`
 */
export function bindShortcuts(actions) {
  document.addEventListener('keydown', (event) => {
    const action = actions[event.code];
    const hasModifier = event.ctrlKey || event.metaKey || event.altKey || event.shiftKey;
    if (!action || hasModifier || event.repeat || isForTyping(event.target)) return;
    // Without this the letter would land in the field that the action may focus.
    event.preventDefault();
    action();
  });
}

/** @param {EventTarget | null} target */
const isForTyping = (target) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.matches('input, textarea, select'));
