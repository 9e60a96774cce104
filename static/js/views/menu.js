/** Menus beside buttons, one open at a time; Escape or a click elsewhere closes it. */

import { byId, isComposing } from './dom.js';

/** Binds each `[data-menu]`, a button that names the id of its menu. */
export function bindMenus() {
  /** @type {NodeListOf<HTMLElement>} */
  const found = document.querySelectorAll('[data-menu]');
  const buttons = [...found];
  /** @param {HTMLElement} button */
  const menuOf = (button) => byId(button.dataset.menu ?? '');
  /**
   * @param {HTMLElement} button
   * @param {boolean} open
   */
  const set = (button, open) => {
    menuOf(button).hidden = !open;
    button.ariaExpanded = String(open);
  };
  for (const button of buttons) {
    button.addEventListener('click', () => {
      const opens = menuOf(button).hidden;
      for (const one of buttons) set(one, opens && one === button);
      if (opens) menuOf(button).querySelector('select')?.focus();
    });
  }
  document.addEventListener('pointerdown', ({ target }) => {
    const isOutside = !(target instanceof Element && target.closest('[data-menu], .menu'));
    if (isOutside) buttons.forEach((button) => set(button, false));
  });
  document.addEventListener('keydown', (event) => {
    const open = buttons.find((button) => !menuOf(button).hidden);
    if (event.key !== 'Escape' || isComposing(event) || !open) return;
    set(open, false);
    open.focus();
  });
}
