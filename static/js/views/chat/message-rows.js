/** Turns a timeline into the rows of the log, one for each message. Pure. */

import { timeline } from '../../state/timeline.js';
import { listNames, t } from '../../i18n/translate.js';

/** @import {Room} from '../../state/room-state.js' */
/** @import {Pending, NoticeItem, Run, TimelineItem} from '../../state/timeline.js' */
/**
 * The row of a message. `first` means that it begins a run and names its author.
 * `key` is the client_id, which does not change when the server stores the message.
 * @typedef {object} MessageRow
 * @property {'message'} kind
 * @property {string} key
 * @property {boolean} first
 * @property {boolean} own
 * @property {boolean} announced whether it is an announcement
 * @property {string} nickname
 * @property {number} at
 * @property {string} text
 * @property {'stored' | 'sending' | 'failed'} state
 * @property {string | null} reason
 * @property {boolean} [waits] whether it waits for a connection
 */
/** @typedef {{kind: 'quiet', key: string, text: string}} QuietRow */
/** @typedef {MessageRow | QuietRow} Row */

/** The `from` of an announcement; no participant has this id. */
const ADMINISTRATOR = '';
const RUN_MS = 5 * 60_000;

/**
 * @param {Room} room
 * @param {boolean} [isWaiting] whether messages wait for a connection
 * @returns {Row[]}
 */
export function rowsOf(room, isWaiting = false) {
  const items = timeline(room);
  return items.flatMap((item, index) => {
    if (item.kind === 'run') return runRows(item);
    if (item.kind === 'pending') return pendingRows(item, items[index - 1], isWaiting);
    return { kind: 'quiet', key: item.key, text: item.kind === 'gap' ? t('gap') : lineText(item) };
  });
}

/**
 * @param {Run} run
 * @returns {Row[]}
 */
const runRows = ({ from, own, nickname, messages }) =>
  messages.map(({ client_id, text, sent_at }, index) => ({
    kind: 'message',
    key: client_id,
    first: index === 0,
    own,
    announced: from === ADMINISTRATOR,
    nickname,
    at: sent_at,
    text,
    state: 'stored',
    reason: null,
  }));

/**
 * @param {Pending} pending
 * @param {TimelineItem | undefined} before
 * @param {boolean} waits
 * @returns {Row[]}
 */
function pendingRows({ items }, before, waits) {
  const run = before?.kind === 'run' && before.own ? before : null;
  return items.map(({ client_id, text, at, state, reason }, index) => ({
    kind: 'message',
    key: client_id,
    first: index === 0 && (run === null || at - run.at >= RUN_MS),
    own: true,
    announced: false,
    nickname: '',
    at,
    text,
    state: state === 'sent' ? 'stored' : state,
    reason,
    waits,
  }));
}

/** @param {NoticeItem} line */
function lineText({ steps }) {
  const said = steps.map(({ kind, people }) =>
    t(kind, { names: listNames(people.map(({ nickname }) => nickname)) }),
  );
  return said.reduce((first, second) => t('line_join', { first, second }));
}
