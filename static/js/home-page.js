/** The welcome page: remembers the nickname, and keeps the list of open rooms live. */

import { byId, clone, keepList, setText, within } from './dom.js';
import { createSocket } from './socket.js';
import { browserStore, tabStore } from './storage.js';
import { t } from './words.js';

/** @import {OpenRoom, RoomChangeEvent} from './protocol.js' */

const NICKNAME_KEY = 'noom.nickname';
const COUNTS = /** @type {const} */ (['count', 'in_call']);

function rememberNickname() {
  const form = byId('welcome', HTMLFormElement);
  const input = within(form, '[name=nickname]', HTMLInputElement);
  if (input.value === '') {
    input.value = tabStore.getItem(NICKNAME_KEY) ?? browserStore.getItem(NICKNAME_KEY) ?? '';
  }
  // At once, and not with the form: a click on an open room takes the name along, too.
  input.addEventListener('input', () => {
    for (const store of [tabStore, browserStore]) store.setItem(NICKNAME_KEY, input.value.trim());
  });
  const wrong = form.querySelector('[aria-invalid=true]');
  const next = within(form, input.value || wrong ? '[name=room]' : '[name=nickname]');
  // On a phone this would cover half of the page with the keyboard.
  if (matchMedia('(hover: hover)').matches) next.focus();
}

/** How a name is compared with another one that a person typed. @param {string} name */
const folded = (name) => name.normalize('NFKC').trim().replace(/\s+/g, ' ').toLowerCase();

/** Says who is in the open room of the name that is being typed, before one enters it. */
function drawPeople() {
  const form = byId('welcome', HTMLFormElement);
  const typed = folded(within(form, '[name=room]', HTMLInputElement).value);
  const isListed = within(form, '[name=listed][type=checkbox]', HTMLInputElement).checked;
  const rows = /** @type {HTMLElement[]} */ ([...byId('rooms').children]);
  const row = rows.find((one) => folded(within(one, '.room-link-name').textContent ?? '') === typed);
  const count = Number(row ? within(row, '[data-value=count]').textContent : 0);
  setText(byId('room-people'), isListed && count > 0 ? t('home.people', { count }) : '');
}

/** @param {RoomChangeEvent} change */
function drawRooms({ rooms, total }) {
  const list = byId('rooms', HTMLUListElement);
  for (const row of /** @type {HTMLElement[]} */ ([...list.children])) {
    row.dataset.key ??= row.dataset.room;
  }
  keepList(list, rooms, { key: ({ key }) => key, create: createRow, update: drawRow });
  byId('rooms-empty').hidden = rooms.length > 0;
  const search = byId('rooms-search');
  search.hidden = !(total > rooms.length) && !search.contains(document.activeElement);
  drawPeople();
}

/** @param {OpenRoom} room */
function createRow({ key }) {
  const row = clone('room-link');
  row.dataset.room = key;
  within(row, 'a', HTMLAnchorElement).href = `/rooms/${encodeURIComponent(key)}/`;
  return row;
}

/**
 * @param {HTMLElement} row
 * @param {OpenRoom} room
 */
function drawRow(row, room) {
  setText(within(row, '.room-link-name'), room.name);
  for (const name of COUNTS) setText(within(row, `[data-value=${name}]`), String(room[name]));
  within(row, '[data-shown-if=in_call]').hidden = room.in_call === 0;
}

rememberNickname();
byId('welcome').addEventListener('input', drawPeople);
drawPeople();
// What was searched for stays as it is: the socket tells of the fullest rooms alone.
if (!('found' in byId('rooms').dataset)) {
  createSocket({
    url: '/ws/lobby/',
    hello: null,
    onEvent: ({ type, payload }) => {
      if (type === 'room_change') drawRooms(payload);
    },
  }).start();
}
