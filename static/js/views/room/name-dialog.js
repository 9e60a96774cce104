/** The question for a nickname, asked once before the user enters. */

import { byId, setText, writesOnGlass } from '../dom.js';
import { t } from '../../i18n/translate.js';

/**
 * Resolves with the nickname, which is never empty.
 * @param {Promise<number>} company how many are in the room
 * @returns {Promise<string>}
 */
export function askName(company) {
  const form = byId('ask-name', HTMLFormElement);
  const input = byId('ask-name-input', HTMLInputElement);
  const room = byId('room');
  form.hidden = false;
  room.dataset.asking = '';
  void company.then((count) => {
    if (count > 0) setText(byId('ask-name-people'), t('home.people', { count }));
  });
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
