/** The stage before and after the call: callers, switches, join button. */

import { drawAvatar } from '../avatar.js';
import { byId, syncList, setText } from '../dom.js';
import { people } from '../../state/room-state.js';
import { hasKey, listNames, t } from '../../i18n/translate.js';

/** @import {LocalMediaState} from '../../media/local-media.js' */
/** @import {Person} from '../../protocol/messages.js' */
/** @typedef {{onSwitch: (kind: 'audio' | 'video') => void}} LobbyOptions */
/** @import {Room} from '../../state/room-state.js' */

const MAX_FACES = 5;

/** The media of each switch, and its button. @type {['audio' | 'video', string][]} */
const SWITCHES = [
  ['audio', 'pre-call-mic'],
  ['video', 'pre-call-camera'],
];

export class PreCall {
  #button = byId('join-call', HTMLButtonElement);
  #hasLeft = false;
  #wasJoined = false;
  #joining = false;
  /** @type {string | null} */
  #error = null;

  /** @param {LobbyOptions} options */
  constructor({ onSwitch }) {
    for (const [kind, id] of SWITCHES) byId(id).addEventListener('click', () => onSwitch(kind));
  }

  /**
   * @param {Room} room
   * @param {LocalMediaState} media
   */
  render(room, media) {
    drawSwitches(media.wanted);
    const { joined } = room.call;
    if (joined) this.#joining = false;
    if (joined) this.#error = null;
    if (this.#wasJoined && !joined) this.#hasLeft = true;
    this.#wasJoined = joined;
    byId('pre-call').hidden = joined;
    const you = room.you === null ? undefined : room.people[room.you];
    if (you) drawAvatar(byId('pre-call-avatar'), you);
    drawWho(people(room).filter(({ id, in_call }) => in_call && id !== room.you), you !== undefined);
    this.#drawWords();
  }

  /** @param {boolean} joining */
  setJoining(joining) {
    this.#joining = joining;
    if (joining) this.#error = null;
    this.#drawWords();
  }

  /** @param {string | null} code the reason for a failed join */
  showError(code) {
    this.#error = code;
    this.#joining = false;
    this.#drawWords();
  }

  #drawWords() {
    const key = `error.${this.#error}`;
    const error = this.#error === null ? null : t(hasKey(key) ? key : 'error.call_lost');
    byId('leave-room').hidden = !this.#hasLeft || this.#joining;
    setText(byId('pre-call-title'), t(this.#hasLeft ? 'precall.left' : 'precall.ready'));
    setText(byId('pre-call-hint'), error ?? this.#hint());
    byId('pre-call-hint').dataset.tone = error === null ? '' : 'warn';
    // `disabled` would take the focus away from the button that the user pressed.
    this.#button.ariaDisabled = String(this.#joining);
    setText(byId('join-words'), this.#joinWords());
  }

  #hint() {
    if (this.#hasLeft) return t('precall.hint_left');
    return t(window.isSecureContext ? 'precall.hint' : 'precall.hint_insecure');
  }

  #joinWords() {
    if (this.#joining) return t('precall.joining');
    return t(this.#hasLeft ? 'precall.again' : 'precall.join');
  }
}

/**
 * @param {Person[]} callers
 * @param {boolean} isKnown false before the handshake
 */
function drawWho(callers, isKnown) {
  syncList(byId('pre-call-faces'), callers.slice(0, MAX_FACES), {
    key: ({ id }) => id,
    create: () => {
      const face = document.createElement('span');
      face.className = 'avatar';
      return face;
    },
    update: drawAvatar,
  });
  const names = listNames(callers.map(({ nickname }) => nickname));
  const words = callers.length > 0 ? t('precall.who', { names, count: callers.length }) : t('precall.nobody');
  setText(byId('pre-call-words'), isKnown ? words : '');
}

/** @param {LocalMediaState['wanted']} wanted */
function drawSwitches(wanted) {
  for (const [kind, id] of SWITCHES) {
    byId(id).dataset.off = String(!wanted[kind]);
    setText(byId(`${id}-words`), t(`toggle.${kind}_${wanted[kind] ? 'off' : 'on'}`));
  }
}
