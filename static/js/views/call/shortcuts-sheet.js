/** The sheet of keyboard shortcuts, and the switch that turns them off. */

import { byId } from '../dom.js';
import { bindShortcuts } from '../shortcuts.js';
import { recall, remember } from '../../browser/storage.js';

/** @import {Store} from '../../browser/storage.js' */

const STORAGE_KEY = 'noom.keys';

/**
 * @param {object} options
 * @param {Record<string, string>} options.keys the letters of buttons, by their ids
 * @param {Store} options.storage
 */
export function createKeys({ keys, storage }) {
  const sheet = byId('keys', HTMLDialogElement);
  const toggle = byId('keys-on', HTMLInputElement);
  toggle.checked = recall(storage, STORAGE_KEY, true, (kept) => typeof kept === 'boolean');
  toggle.addEventListener('change', () => remember(storage, STORAGE_KEY, toggle.checked));
  const show = () => sheet.open || sheet.showModal();
  byId('show-keys').addEventListener('click', show);
  byId('keys-close').addEventListener('click', () => sheet.close());
  const actions = Object.entries(keys).map(([id, letter]) => [letter.toLowerCase(), () => press(id)]);
  bindShortcuts({
    actions: { ...Object.fromEntries(actions), '?': show },
    places: [byId('call'), byId('controls')],
    isOn: () => toggle.checked,
  });
}

/** @param {string} id */
function press(id) {
  const button = byId(id, HTMLButtonElement);
  if (button.getClientRects().length > 0) button.click();
}
