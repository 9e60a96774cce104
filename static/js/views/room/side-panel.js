/** The side panel and its tabs. On a small screen it is a sheet over the stage. */

import { byId, isComposing } from '../dom.js';

/** @typedef {'chat' | 'people'} Tab */

const WIDE = '(width >= 56rem) and (height >= 32rem)';
/** @type {Tab[]} */
const TABS = ['chat', 'people'];
/** @type {Record<Tab, string>} */
const PANELS = { chat: 'chat', people: 'people-panel' };

export class SidePanel {
  #onPanel;
  #room = byId('room');
  #wide = matchMedia(WIDE);
  /** @type {Tab | null} */
  #open;

  /** @param {{onPanel: (open: Tab | null) => void}} options */
  constructor({ onPanel }) {
    this.#onPanel = onPanel;
    this.#open = this.#wide.matches ? 'chat' : null;
    for (const tab of TABS) {
      byId(`tab-${tab}`).addEventListener('click', () => this.show(tab));
      byId(`open-${tab}`).addEventListener('click', () => this.toggle(tab));
    }
    byId('side-close').addEventListener('click', () => this.#close());
    byId('side').addEventListener('keydown', (event) => this.#keyPressed(event));
    // The parts under a sheet are inert, so a click on them targets the room.
    this.#room.addEventListener('click', ({ target }) => target === this.#room && this.#isSheet() && this.#close());
    new ResizeObserver(() => this.#fence()).observe(this.#room);
    followKeyboard(this.#room);
    this.#draw();
  }

  /** @param {Tab} tab */
  toggle(tab) {
    this.show(this.#open === tab ? null : tab);
  }

  /** @param {Tab | null} open */
  show(open) {
    if (open === this.#open) return;
    this.#open = open;
    this.#draw();
    this.#onPanel(open);
  }

  #isSheet() {
    return this.#open !== null && !this.#wide.matches;
  }

  #close() {
    const opener = byId(`open-${this.#open ?? 'chat'}`);
    this.show(null);
    opener.focus();
  }

  /** @param {KeyboardEvent} event */
  #keyPressed(event) {
    const { key, target } = event;
    if (key === 'Escape' && !isComposing(event) && this.#isSheet()) return this.#close();
    const isTab = target instanceof HTMLElement && target.role === 'tab';
    if (!isTab || (key !== 'ArrowLeft' && key !== 'ArrowRight')) return;
    const other = this.#open === 'chat' ? 'people' : 'chat';
    this.show(other);
    byId(`tab-${other}`).focus();
  }

  /** Makes the parts under a sheet inert; the controls beside it stay usable. */
  #fence() {
    const isSheet = this.#isSheet();
    byId('call').inert = isSheet;
    const header = byId('room-header');
    const side = byId('side').getBoundingClientRect();
    header.inert = isSheet && side.top < header.getBoundingClientRect().bottom;
  }

  #draw() {
    this.#room.dataset.panel = this.#open ?? 'none';
    for (const tab of TABS) {
      const isOpen = tab === this.#open;
      byId(`open-${tab}`).ariaExpanded = String(isOpen);
      // A closed panel keeps its tab, so that its content does not change while it closes.
      if (this.#open === null) continue;
      byId(`tab-${tab}`).ariaSelected = String(isOpen);
      byId(`tab-${tab}`).tabIndex = isOpen ? 0 : -1;
      byId(PANELS[tab]).hidden = !isOpen;
    }
    this.#fence();
  }
}

/**
 * Limits the room to the space above a touch keyboard, which Safari does not.
 * @param {HTMLElement} room
 */
function followKeyboard(room) {
  const view = window.visualViewport;
  if (!view) return;
  const follow = () => {
    if (view.scale > 1) return;
    room.style.setProperty('--viewport-height', `${view.height}px`);
    room.style.setProperty('--viewport-top', `${view.offsetTop}px`);
  };
  view.addEventListener('resize', follow);
  view.addEventListener('scroll', follow);
}
