/** The question for a name, asked once and before anybody sees one. */

import { byId, writesOnGlass } from './dom.js';
import { t } from './words.js';

/**
 * Resolves with the name, which is never empty.
 * @returns {Promise<string>}
 */
export function askName() {
  const form = byId('ask-name', HTMLFormElement);
  const input = byId('ask-name-input', HTMLInputElement);
  const room = byId('room');
  form.hidden = false;
  room.dataset.asking = '';
  input.placeholder = t('anonymous');
  if (!writesOnGlass()) input.focus({ preventScroll: true });
  return new Promise((resolve) => {
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      form.hidden = true;
      delete room.dataset.asking;
      resolve(input.value.trim() || t('anonymous'));
    });
  });
}
