/** The list of people in the room. */

import { callers } from '../../state/call-state.js';
import { drawAvatar } from '../avatar.js';
import { byId, clone, syncList, setText, query } from '../dom.js';
import { people } from '../../state/room-state.js';
import { t } from '../../i18n/translate.js';

/** @import {Caller, Person} from '../../protocol/messages.js' */
/** @import {Room} from '../../state/room-state.js' */

export function createPeopleView() {
  const list = byId('people', HTMLUListElement);
  return {
    /** @param {Room} room */
    render(room) {
      syncList(list, people(room), {
        key: ({ id }) => id,
        create: ({ id }) => {
          const row = clone('person');
          row.dataset.participant = id;
          return row;
        },
        update: (row, person) => update(row, person, room),
      });
      setText(byId('people-count'), room.you === null ? '' : String(people(room).length));
    },
  };
}

/**
 * @param {HTMLElement} row
 * @param {Person} person
 * @param {Room} room
 */
function update(row, person, room) {
  const { id, nickname, host, here } = person;
  const caller = callers(room.call)[id];
  row.dataset.here = String(here);
  drawAvatar(query(row, '.avatar'), person);
  const isYou = id === room.you;
  setText(query(row, '.person-name'), isYou ? t('you_named', { name: nickname }) : nickname);
  setText(query(row, '.person-words'), wordsFor(person));
  query(row, '.person-host').hidden = !host;
  drawMarks(row, caller);
}

/** @param {Person} person */
function wordsFor({ here, in_call, host }) {
  if (!here) return t('person.away');
  const words = [host ? t('person.host') : '', in_call ? t('person.in_call') : ''];
  return words.filter(Boolean).join(' · ');
}

/**
 * @param {HTMLElement} row
 * @param {Caller | undefined} caller known only while the user is in the call
 */
function drawMarks(row, caller) {
  const camera = query(row, '.person-camera');
  const microphone = query(row, '.person-mic');
  camera.hidden = microphone.hidden = caller === undefined;
  query(row, '.person-screen').hidden = !caller?.media.screen;
  camera.dataset.off = String(!caller?.media.video);
  microphone.dataset.off = String(!caller?.media.audio);
}
