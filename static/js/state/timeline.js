/** The timeline of the chat: runs, quiet lines, gaps and pending messages. Pure. */

/** @import {Message} from '../protocol/messages.js' */
/** @import {OutboxItem} from '../session/outbox.js' */
/** An arrival, a departure or a clearing, after the message `afterSeq`. `at` is in milliseconds
 * of the Unix epoch.
 * @typedef {{kind: 'arrived' | 'left' | 'cleared', id: string, nickname: string, at: number, afterSeq: number}} Line */
/** @typedef {{kind: 'arrived' | 'left' | 'cleared', people: {id: string, nickname: string}[]}} Step */
/** Messages of one author in a row; `key` does not change between two drawings.
 * @typedef {{kind: 'run', key: string, from: string, nickname: string, own: boolean, at: number, messages: Message[]}} Run */
/** Arrivals and departures in a row, in their order.
 * @typedef {{kind: 'line', key: string, at: number, steps: Step[]}} QuietLine */
/** A place where messages are gone.
 * @typedef {{kind: 'gap', key: string, after: number}} Gap */
/** The page's own messages that the log does not show yet.
 * @typedef {{kind: 'pending', key: string, items: OutboxItem[]}} Pending */
/** @typedef {Run | QuietLine | Gap | Pending} TimelineItem */

const RUN_MS = 5 * 60_000;

/**
 * @param {{you: string | null, messages: Message[], through: number, gaps: number[], lines: Line[], pending: OutboxItem[]}} room
 * @returns {TimelineItem[]}
 */
export function timeline({ you, messages, through, gaps, lines, pending }) {
  /** @type {TimelineItem[]} */
  const items = [];
  const goneAfter = new Set(gaps);
  let drawn = 0;
  for (const message of messages) {
    const until = firstFrom(lines, drawn, message.seq);
    addLines(items, lines.slice(drawn, until));
    drawn = until;
    addMessage(items, message, you);
    if (goneAfter.has(message.seq)) {
      items.push({ kind: 'gap', key: `gap-${message.seq}`, after: message.seq });
    }
  }
  addLines(items, lines.slice(drawn));
  const waiting = unseen(pending, messages, through);
  if (waiting.length > 0) items.push({ kind: 'pending', key: 'pending', items: waiting });
  return items;
}

/**
 * The index of the first line from `start` on that comes after message `seq`.
 * @param {Line[]} lines
 * @param {number} start
 * @param {number} seq
 */
function firstFrom(lines, start, seq) {
  let index = start;
  while (index < lines.length && lines[index].afterSeq < seq) index += 1;
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
 * @param {Line[]} lines
 */
function addLines(items, lines) {
  if (lines.length === 0) return;
  const key = `line-${lines[0].afterSeq}`;
  items.push({ kind: 'line', key, at: lines[lines.length - 1].at, steps: fold(lines) });
}

/**
 * Names a participant once for each kind of step, at the last such step.
 * @param {Line[]} lines
 */
function fold(lines) {
  const last = new Map(lines.map((line) => [`${line.kind} ${line.id}`, line]));
  /** @type {Step[]} */
  const steps = [];
  for (const line of lines) {
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
 * @param {number} through
 */
function unseen(pending, messages, through) {
  const seen = new Set(messages.map(({ client_id }) => client_id));
  return pending.filter(
    ({ client_id, seq }) => !seen.has(client_id) && (seq === null || seq > through),
  );
}
