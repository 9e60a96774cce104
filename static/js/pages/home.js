/** The welcome page: keeps the nickname and the list of open rooms. */

import { company } from '../session/room-count.js';
import { byId, clone, syncList, setText, query } from '../views/dom.js';
import { Socket } from '../transport/socket.js';
import { browserStore, keepsCookies, tabStore } from '../browser/storage.js';
import { t } from '../i18n/translate.js';

/** @import {OpenRoom, RoomChangeEvent} from '../protocol/messages.js' */

const NICKNAME_KEY = 'noom.nickname';
/** The page queries the server this long after the last keystroke. */
const TYPED_MS = 400;
const COUNTS = /** @type {const} */ (['count', 'in_call']);

function rememberNickname() {
  const form = byId('welcome', HTMLFormElement);
  const input = query(form, '[name=nickname]', HTMLInputElement);
  if (input.value === '') {
    input.value = tabStore.getItem(NICKNAME_KEY) ?? browserStore.getItem(NICKNAME_KEY) ?? '';
  }
  // Saves at each keystroke, because a click on an open room submits no form.
  input.addEventListener('input', () => {
    for (const store of [tabStore, browserStore]) store.setItem(NICKNAME_KEY, input.value.trim());
  });
  const wrong = form.querySelector('[aria-invalid=true]');
  const next = query(form, input.value || wrong ? '[name=room]' : '[name=nickname]');
  // On a phone the focus would open the keyboard over half of the page.
  if (matchMedia('(hover: hover)').matches) next.focus();
}

/** Submits the form by GET if cookies are off; the CSRF check would refuse a POST. */
function sendWithoutCookies() {
  if (keepsCookies()) return;
  const form = byId('welcome', HTMLFormElement);
  form.method = 'get';
  query(form, '[name=csrfmiddlewaretoken]').remove();
}

/** A name in the form for comparison: a dash of an address equals a blank.
 * @param {string} name */
const folded = (name) => name.normalize('NFKC').replace(/[\s-]+/g, ' ').trim().toLowerCase();

/** Whether the list has all open rooms; if not, the server knows more. */
let isWhole = byId('rooms-search').hidden;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let asking;

/** Shows how many people are in the room whose name the user types. */
function drawPeople() {
  const form = byId('welcome', HTMLFormElement);
  const { value } = query(form, '[name=room]', HTMLInputElement);
  const isListed = query(form, '[name=listed][type=checkbox]', HTMLInputElement).checked;
  const rows = /** @type {HTMLElement[]} */ ([...byId('rooms').children]);
  const isTyped = (/** @type {HTMLElement} */ row) =>
    folded(query(row, '.room-link-name').textContent ?? '') === folded(value);
  const row = rows.find(isTyped);
  clearTimeout(asking);
  if (row && isListed) return sayPeople(Number(query(row, '[data-value=count]').textContent));
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
  syncList(list, rooms, { key: ({ key }) => key, create: createRow, update: drawRow });
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
  query(row, 'a', HTMLAnchorElement).href = `/rooms/${encodeURIComponent(key)}/`;
  return row;
}

/**
 * @param {HTMLElement} row
 * @param {OpenRoom} room
 */
function drawRow(row, room) {
  setText(query(row, '.room-link-name'), room.name);
  for (const name of COUNTS) setText(query(row, `[data-value=${name}]`), String(room[name]));
  query(row, '[data-shown-if=in_call]').hidden = room.in_call === 0;
}

rememberNickname();
byId('welcome').addEventListener('submit', sendWithoutCookies, { once: true });
byId('welcome').addEventListener('input', drawPeople);
drawPeople();
// The result of a search stays, because the socket sends the fullest rooms alone.
if (!('found' in byId('rooms').dataset)) {
  new Socket({
    url: '/ws/lobby/',
    firstMessage: null,
    onEvent: ({ type, payload }) => {
      if (type === 'room_change') drawRooms(payload);
    },
  }).start();
}
