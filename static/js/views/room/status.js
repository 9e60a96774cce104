/** Shows problems: by a dot in the header, a notice on the stage, or a whole page. */

import { CLOSE_CODES } from '../../protocol/close-codes.js';
import { byId, setText, query } from '../dom.js';
import { hasKey, t } from '../../i18n/translate.js';

/** @import {ConnectionState} from '../../transport/socket.js' */
/** @import {LocalMediaState} from '../../media/local-media.js' */
/** @typedef {'person' | 'devices' | 'question' | 'way'} Cause */

// A connection that comes back within this time causes no notice.
const CONNECTION_TEXT_DELAY_MS = 4_000;
/** The text of the whole page's button, by meaning.
 * @type {Record<string, 'fatal.reload' | 'fatal.here' | 'fatal.retry'>} */
const FATAL_ACTIONS = {
  bad_token: 'fatal.reload',
  old_page: 'fatal.reload',
  broken_client: 'fatal.reload',
  unknown: 'fatal.reload',
  replaced: 'fatal.here',
  room_full: 'fatal.retry',
  too_many_rooms: 'fatal.retry',
};

/**
 * @typedef {object} StatusOptions
 * @property {() => string} reference the reference to show
 * @property {(words: string) => void} say speaks through a screen reader
 */

/**
 * The key of one sentence about both devices, or null.
 * @param {LocalMediaState['problems']} problems
 */
function problemKey({ audio, video }) {
  if (audio !== null && audio === video) return audio;
  if (audio === 'insecure' || audio === 'unsupported') return audio;
  if (audio !== null) return `audio.${audio}`;
  return video === null ? null : `video.${video}`;
}

export class StatusView {
  #options;
  #notice = byId('notice');
  #connection = byId('connection');
  /** @type {string | null} */
  #problem = null;
  /** @type {Cause | null} */
  #cause = null;
  /** @type {'audio' | 'video' | null} */
  #silent = null;
  /** @type {string | null} */
  #connectionText = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {StatusOptions} options */
  constructor(options) {
    this.#options = options;
    byId('notice-close').addEventListener('click', () => this.problem(null));
    byId('fatal-reload').addEventListener('click', () => location.reload());
  }

  /** @param {ConnectionState} state of the connection */
  connection(state) {
    if (this.#connection.dataset.state === state) return;
    this.#connection.dataset.state = state;
    setText(query(this.#connection, '.connection-text'), t(`connection.${state}`));
    clearTimeout(this.#timer);
    if (state === 'refused') {
      this.#showConnectionText(t('connection.long.refused'));
    } else if (state !== 'open' && state !== 'closed') {
      this.#timer = setTimeout(() => this.#showConnectionText(t(`connection.long.${state}`)), CONNECTION_TEXT_DELAY_MS);
    } else {
      this.#showConnectionText(null);
    }
  }

  /**
   * @param {string | null} key of i18n/en.js, without the prefix `problem.`
   * @param {Cause} [cause] what ends the problem, besides the user who closes the notice
   */
  problem(key, cause = 'person') {
    const full = `problem.${key}`;
    this.#cause = key === null ? null : cause;
    const reference = this.#options.reference();
    this.#problem = key === null ? null : t(hasKey(full) ? full : 'problem.page', { reference });
    this.#draw();
  }

  /** @param {LocalMediaState} media with the problems of its devices */
  devicesFailed({ problems }) {
    this.problem(problemKey(problems), 'devices');
  }

  /**
   * Shows or removes a notice about the devices after they have changed.
   * @param {LocalMediaState} media
   */
  devices({ problems, silenced }) {
    const silent = silenced.audio ? 'audio' : silenced.video ? 'video' : null;
    const isNews = silent !== this.#silent;
    this.#silent = silent;
    if (silent !== null && isNews) this.problem(`silenced.${silent}`, 'devices');
    const isOver = silent === null && problemKey(problems) === null;
    if (isOver && this.#cause === 'devices') this.problem(null);
  }

  /** @param {boolean} stands whether ICE cannot reach one of the callers */
  noWay(stands) {
    if (stands) this.problem('no_way', 'way');
    else if (this.#cause === 'way') this.problem(null);
  }

  /** @param {boolean} stands whether the browser's permission prompt waits for an answer */
  question(stands) {
    if (stands) this.problem('asking', 'question');
    else if (this.#cause === 'question') this.problem(null);
  }

  /**
   * Replaces the room by a page that says what happened and how to go on.
   * @param {number | string} code a close code, or the code of an `error`
   */
  fatal(code) {
    const meaning = typeof code === 'number' ? CLOSE_CODES[code]?.meaning : code;
    const title = `fatal.${meaning}.title`;
    const words = `fatal.${meaning}.text`;
    const isKnown = hasKey(title) && hasKey(words);
    setText(byId('fatal-title'), t(isKnown ? title : 'fatal.unknown.title'));
    setText(byId('fatal-words'), t(isKnown ? words : 'fatal.unknown.text'));
    const way = FATAL_ACTIONS[isKnown ? meaning : 'unknown'];
    // If a reload is the only advice, an operator may need the reference.
    byId('fatal-reference').hidden = way !== 'fatal.reload';
    setText(byId('fatal-reference'), t('reference', { reference: this.#options.reference() }));
    byId('fatal-reload').hidden = way === undefined;
    if (way) setText(byId('fatal-reload'), t(way));
    byId('fatal-home').classList.toggle('button-main', way === undefined);
    byId('room').hidden = true;
    byId('fatal').hidden = false;
    byId('fatal').focus();
  }

  /** @param {string | null} words */
  #showConnectionText(words) {
    this.#connectionText = words;
    this.#draw();
  }

  #draw() {
    const words = this.#connectionText ?? this.#problem;
    this.#notice.dataset.tone = 'warn';
    byId('notice-close').hidden = this.#connectionText !== null;
    const shown = query(this.#notice, '.notice-words');
    if (words !== null && words !== shown.textContent) this.#options.say(words);
    setText(shown, words ?? '');
    this.#notice.hidden = words === null;
  }
}
