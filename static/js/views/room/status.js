/** What goes wrong, said calmly: the dot in the header, one line on the stage, or a whole page. */

import { CLOSE_FATES } from '../../protocol/close-codes.js';
import { byId, setText, within } from '../dom.js';
import { isKey, t } from '../../i18n/translate.js';

/** @import {LineState} from '../../transport/socket.js' */
/** @import {MediaState} from '../../media/local-media.js' */
/** @typedef {'person' | 'devices' | 'question' | 'way'} Cause */

// A line that comes back within this time needs no sentence.
const PATIENCE_MS = 4_000;
/** What the button of a whole page says, by what happened.
 * @type {Record<string, 'fatal.reload' | 'fatal.here' | 'fatal.retry'>} */
const WAYS_ON = {
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
 * @property {() => string} reference what a person can quote of this page
 * @property {(words: string) => void} say to those who do not see it
 */

/** @param {StatusOptions} options */
export const createStatusView = (options) => new StatusView(options);

/**
 * The key of the one sentence about both devices, or null.
 * @param {MediaState['problems']} problems
 */
function problemKey({ audio, video }) {
  if (audio !== null && audio === video) return audio;
  if (audio === 'insecure' || audio === 'unsupported') return audio;
  if (audio !== null) return `audio.${audio}`;
  return video === null ? null : `video.${video}`;
}

class StatusView {
  #options;
  #notice = byId('notice');
  #line = byId('line');
  /** @type {string | null} */
  #problem = null;
  /** @type {Cause | null} */
  #cause = null;
  /** @type {'audio' | 'video' | null} */
  #silent = null;
  /** @type {string | null} */
  #lineWords = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {StatusOptions} options */
  constructor(options) {
    this.#options = options;
    byId('notice-close').addEventListener('click', () => this.problem(null));
    byId('fatal-reload').addEventListener('click', () => location.reload());
  }

  /** @param {LineState} state of the line to the server */
  line(state) {
    if (this.#line.dataset.state === state) return;
    this.#line.dataset.state = state;
    setText(within(this.#line, '.line-words'), t(`line.${state}`));
    clearTimeout(this.#timer);
    if (state === 'refused') {
      this.#sayLine(t('line.long.refused'));
    } else if (state !== 'open' && state !== 'closed') {
      this.#timer = setTimeout(() => this.#sayLine(t(`line.long.${state}`)), PATIENCE_MS);
    } else {
      this.#sayLine(null);
    }
  }

  /**
   * @param {string | null} key of words-en.js, without its `problem.`
   * @param {Cause} [cause] what ends the problem, besides the person who closes the sentence
   */
  problem(key, cause = 'person') {
    const full = `problem.${key}`;
    this.#cause = key === null ? null : cause;
    const reference = this.#options.reference();
    this.#problem = key === null ? null : t(isKey(full) ? full : 'problem.page', { reference });
    this.#draw();
  }

  /** @param {MediaState} media with what could not be opened */
  devicesFailed({ problems }) {
    this.problem(problemKey(problems), 'devices');
  }

  /**
   * The devices have changed: a sentence about them goes when it is no longer true.
   * @param {MediaState} media
   */
  devices({ problems, silenced }) {
    const silent = silenced.audio ? 'audio' : silenced.video ? 'video' : null;
    const isNews = silent !== this.#silent;
    this.#silent = silent;
    if (silent !== null && isNews) this.problem(`silenced.${silent}`, 'devices');
    const isOver = silent === null && problemKey(problems) === null;
    if (isOver && this.#cause === 'devices') this.problem(null);
  }

  /** @param {boolean} stands for one of the others in the call no way was found */
  noWay(stands) {
    if (stands) this.problem('no_way', 'way');
    else if (this.#cause === 'way') this.problem(null);
  }

  /** @param {boolean} stands the browser's own question waits for an answer */
  question(stands) {
    if (stands) this.problem('asking', 'question');
    else if (this.#cause === 'question') this.problem(null);
  }

  /**
   * The end: what happened, and the way on. Takes the place of the room.
   * @param {number | string} code a close code, or the code of an `error`
   */
  fatal(code) {
    const meaning = typeof code === 'number' ? CLOSE_FATES[code]?.meaning : code;
    const title = `fatal.${meaning}.title`;
    const words = `fatal.${meaning}.words`;
    const isKnown = isKey(title) && isKey(words);
    setText(byId('fatal-title'), t(isKnown ? title : 'fatal.unknown.title'));
    setText(byId('fatal-words'), t(isKnown ? words : 'fatal.unknown.words'));
    const way = WAYS_ON[isKnown ? meaning : 'unknown'];
    // Where reloading is all that can be advised, somebody may have to look into it.
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
  #sayLine(words) {
    this.#lineWords = words;
    this.#draw();
  }

  #draw() {
    const words = this.#lineWords ?? this.#problem;
    this.#notice.dataset.tone = 'warn';
    byId('notice-close').hidden = this.#lineWords !== null;
    const shown = within(this.#notice, '.notice-words');
    if (words !== null && words !== shown.textContent) this.#options.say(words);
    setText(shown, words ?? '');
    this.#notice.hidden = words === null;
  }
}
