/** Moves the focus along the buttons of a toolbar by arrow keys, Home and End. */

/** The next place of the focus, by key. @type {Record<string, (at: number, last: number) => number>} */
const MOVES = {
  ArrowRight: (at, last) => (at < last ? at + 1 : 0),
  ArrowDown: (at, last) => (at < last ? at + 1 : 0),
  ArrowLeft: (at, last) => (at > 0 ? at - 1 : last),
  ArrowUp: (at, last) => (at > 0 ? at - 1 : last),
  Home: () => 0,
  End: (_, last) => last,
};

/** @param {HTMLElement} bar */
export function bindToolbar(bar) {
  bar.addEventListener('keydown', (event) => {
    const { key, target, ctrlKey, metaKey, altKey, shiftKey } = event;
    const move = Object.hasOwn(MOVES, key) ? MOVES[key] : undefined;
    if (!move || ctrlKey || metaKey || altKey || shiftKey) return;
    const buttons = [...bar.querySelectorAll('button')].filter((one) => one.getClientRects().length > 0);
    const at = buttons.findIndex((one) => one === target);
    // The lists in a menu need these keys themselves.
    if (at < 0) return;
    event.preventDefault();
    buttons[move(at, buttons.length - 1)].focus();
  });
}
