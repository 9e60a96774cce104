/** The timeline of the chat: runs, quiet notices, gaps and pending messages. Pure. */

/** @import {Message} from '../protocol/messages.js' */
/** @import {OutboxItem} from '../session/outbox.js' */
/** An arrival, a departure or a clearing, after the message `afterSeq`. `at` is in milliseconds
 * of the Unix epoch.
 * @typedef {{kind: 'arrived' | 'left' | 'cleared', id: string, nickname: string, at: number, afterSeq: number}} Notice */
/** @typedef {{kind: 'arrived' | 'left' | 'cleared', people: {id: string, nickname: string}[]}} NoticeStep */
/** Messages of one author in a row; `key` does not change between two drawings.
 * @typedef {{kind: 'run', key: string, from: string, nickname: string, own: boolean, at: number, messages: Message[]}} Run */
/** Arrivals and departures in a row, in their order.
 * @typedef {{kind: 'notice', key: string, at: number, steps: NoticeStep[]}} NoticeItem */
/** A place where messages are gone.
 * @typedef {{kind: 'gap', key: string, after: number}} Gap */
/** The page's own messages that the log does not show yet.
 * @typedef {{kind: 'pending', key: string, items: OutboxItem[]}} Pending */
/** @typedef {Run | NoticeItem | Gap | Pending} TimelineItem */

const RUN_MS = 5 * 60_000;

/**
 * @param {{you: string | null, messages: Message[], completeUntil: number, gaps: number[], notices: Notice[], pending: OutboxItem[]}} room
 * @returns {TimelineItem[]}
 */
export function timeline({ you, messages, completeUntil, gaps, notices, pending }) {
  /** @type {TimelineItem[]} */
  const items = [];
  const goneAfter = new Set(gaps);
  let drawn = 0;
  for (const message of messages) {
    const until = firstFrom(notices, drawn, message.seq);
    addLines(items, notices.slice(drawn, until));
    drawn = until;
    addMessage(items, message, you);
    if (goneAfter.has(message.seq)) {
      items.push({ kind: 'gap', key: `gap-${message.seq}`, after: message.seq });
    }
  }
  addLines(items, notices.slice(drawn));
  const waiting = unseen(pending, messages, completeUntil);
  if (waiting.length > 0) items.push({ kind: 'pending', key: 'pending', items: waiting });
  return items;
}

/**
 * The index of the first line from `start` on that comes after message `seq`.
 * @param {Notice[]} notices
 * @param {number} start
 * @param {number} seq
 */
function firstFrom(notices, start, seq) {
  let index = start;
  while (index < notices.length && notices[index].afterSeq < seq) index += 1;
  return index;
}

/**
 * @param {TimelineItem[]} items
 * @param {Message} message
 * @param {string | null} you
 */
function addMessage(items, message, you) {
  const { seq, from, nickname, sent_at } = message;
  const last = items.at(-1);
  const goesOn =
    last?.kind === 'run' &&
    last.from === from &&
    last.nickname === nickname &&
    sent_at - last.at < RUN_MS;
  if (goesOn) last.messages.push(message);
  else items.push({ kind: 'run', key: `run-${seq}`, ...author(message, you), messages: [message] });
}

/**
 * @param {Message} message
 * @param {string | null} you
 */
const author = ({ from, nickname, sent_at }, you) => ({
  from,
  nickname,
  own: from === you,
  at: sent_at,
});

/**
 * @param {TimelineItem[]} items
 * @param {Notice[]} notices
 */
function addLines(items, notices) {
  if (notices.length === 0) return;
  const key = `notice-${notices[0].afterSeq}`;
  items.push({ kind: 'notice', key, at: notices[notices.length - 1].at, steps: fold(notices) });
}

/**
 * Names a participant once for each kind of step, at the last such step.
 * @param {Notice[]} notices
 */
function fold(notices) {
  const last = new Map(notices.map((line) => [`${line.kind} ${line.id}`, line]));
  /** @type {NoticeStep[]} */
  const steps = [];
  for (const line of notices) {
    if (last.get(`${line.kind} ${line.id}`) !== line) continue;
    const { kind, id, nickname } = line;
    if (steps.at(-1)?.kind !== kind) steps.push({ kind, people: [] });
    steps[steps.length - 1].people.push({ id, nickname });
  }
  return steps;
}

/**
 * Pending messages that neither the log nor its earlier part has.
 * @param {OutboxItem[]} pending
 * @param {Message[]} messages
 * @param {number} completeUntil
 */
function unseen(pending, messages, completeUntil) {
  const seen = new Set(messages.map(({ client_id }) => client_id));
  return pending.filter(
    ({ client_id, seq }) => !seen.has(client_id) && (seq === null || seq > completeUntil),
  );
}
