/** The welcome page: remembers the nickname, and keeps the list of open rooms live. */

import { company } from '../session/room-count.js';
import { byId, clone, keepList, setText, within } from '../views/dom.js';
import { createSocket } from '../transport/socket.js';
import { browserStore, keepsCookies, tabStore } from '../browser/storage.js';
import { t } from '../i18n/translate.js';

/** @import {OpenRoom, RoomChangeEvent} from '../protocol/messages.js' */

const NICKNAME_KEY = 'noom.nickname';
/** So long after the last letter the server is asked. */
const TYPED_MS = 400;
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

/** Without cookies the server would take the form for a forged one: it goes in the address. */
function sendWithoutCookies() {
  if (keepsCookies()) return;
  const form = byId('welcome', HTMLFormElement);
  form.method = 'get';
  within(form, '[name=csrfmiddlewaretoken]').remove();
}

/** How a name is compared with what a person typed: a dash of an address is a blank of a name.
 * @param {string} name */
const folded = (name) => name.normalize('NFKC').replace(/[\s-]+/g, ' ').trim().toLowerCase();

/** Whether the list has all open rooms: whom it does not name, the server is asked about. */
let isWhole = byId('rooms-search').hidden;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let asking;

/** Says who is in the open room of the name that is being typed, before one enters it. */
function drawPeople() {
  const form = byId('welcome', HTMLFormElement);
  const { value } = within(form, '[name=room]', HTMLInputElement);
  const isListed = within(form, '[name=listed][type=checkbox]', HTMLInputElement).checked;
  const rows = /** @type {HTMLElement[]} */ ([...byId('rooms').children]);
  const isTyped = (/** @type {HTMLElement} */ row) =>
    folded(within(row, '.room-link-name').textContent ?? '') === folded(value);
  const row = rows.find(isTyped);
  clearTimeout(asking);
  if (row && isListed) return sayPeople(Number(within(row, '[data-value=count]').textContent));
  sayPeople(0);
  if (isWhole || !isListed || folded(value) === '') return;
  const asked = (asking = setTimeout(async () => {
    const count = await company(value);
    if (asked === asking) sayPeople(count);
  }, TYPED_MS));
}

/** @param {number} count */
function sayPeople(count) {
  setText(byId('room-people'), count > 0 ? t('home.people', { count }) : '');
}

/** @param {RoomChangeEvent} change */
function drawRooms({ rooms, total }) {
  const list = byId('rooms', HTMLUListElement);
  for (const row of /** @type {HTMLElement[]} */ ([...list.children])) {
    row.dataset.key ??= row.dataset.room;
  }
  keepList(list, rooms, { key: ({ key }) => key, create: createRow, update: drawRow });
  byId('rooms-empty').hidden = rooms.length > 0;
  isWhole = total <= rooms.length;
  const search = byId('rooms-search');
  search.hidden = isWhole && !search.contains(document.activeElement);
  if (isWhole) drawPeople();
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
byId('welcome').addEventListener('submit', sendWithoutCookies, { once: true });
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
