/** Messages of one's own until they are stored: sent one by one, kept over a reload. */

import { recall, remember } from '../browser/storage.js';

/**
 * What was written. `at` is in milliseconds of the Unix epoch; `sent` means stored, as number
 * `seq`, though its event may still be on the way; `reason` is the code that made it fail.
 * @typedef {object} OutboxItem
 * @property {string} client_id
 * @property {string} text
 * @property {number} at
 * @property {'sending' | 'sent' | 'failed'} state
 * @property {number | null} seq
 * @property {string | null} reason
 */
/**
 * @typedef {object} OutboxOptions
 * @property {import('../browser/storage.js').Store} storage of this tab alone
 * @property {string} key the room's
 * @property {(type: string, payload: object) => Promise<NewMessageAck>} request
 * @property {(items: OutboxItem[]) => void} onChange
 * @property {Environment} [environment]
 */
/** @import {NewMessageAck} from '../protocol/messages.js' */
/** @typedef {Pick<typeof globalThis, 'crypto' | 'setTimeout' | 'clearTimeout' | 'Date'>}
 *   Environment */

const MAX_TEXT_CHARS = 4_000;
const AGAIN_MS = 1_000;
// Nothing is wrong with the message: it is sent again by itself.
const AGAIN_CODES = new Set(['timeout', 'too_fast', 'try_later']);
// Stored ones stay until their event has surely come; what draws them leaves out the doubles.
const MAX_SENT = 50;

class Outbox {
  #options;
  #environment;
  #storageKey;
  /** @type {OutboxItem[]} */
  #items;
  #isRunning = false;
  #flushes = 0;
  /** @type {number | undefined} */
  #timer;

  /** @param {OutboxOptions} options */
  constructor({ environment = globalThis, ...options }) {
    this.#options = options;
    this.#environment = environment;
    this.#storageKey = `noom.outbox.${options.key}`;
    this.#items = recall(options.storage, this.#storageKey, [], Array.isArray);
  }

  get items() {
    return this.#items;
  }

  /**
   * Sends a text as soon as the line stands and those before it are sent.
   * @param {string} text
   * @returns {string} its client_id
   */
  add = (text) => {
    const client_id = randomUuid(this.#environment.crypto);
    const isTooLong = [...text].length > MAX_TEXT_CHARS;
    this.#change([
      ...this.#items,
      {
        client_id,
        text,
        at: this.#environment.Date.now(),
        state: isTooLong ? 'failed' : 'sending',
        seq: null,
        reason: isTooLong ? 'too_long' : null,
      },
    ]);
    this.flush();
    return client_id;
  };

  /** Sends what waits, in order: to be called after each welcome. */
  flush = () => {
    this.#environment.clearTimeout(this.#timer);
    this.#flushes += 1;
    void this.#run();
  };

  /**
   * Sends a failed one again, now as the last.
   * @param {string} client_id
   */
  retry = (client_id) => {
    const item = this.#items.find((one) => one.client_id === client_id);
    if (item?.state !== 'failed' || item.reason === 'too_long') return;
    const again = { ...item, at: this.#environment.Date.now(), state: 'sending', reason: null };
    this.#change([...this.#without(client_id), /** @type {OutboxItem} */ (again)]);
    this.flush();
  };

  /** @param {string} client_id */
  discard = (client_id) => this.#change(this.#without(client_id));

  /** What was stored belongs to a room that is no more: one of the same address was made anew. */
  forgetSent = () => this.#change(this.#items.filter(({ state }) => state !== 'sent'));

  // One at a time: if the first of two were refused for its haste, the second would overtake it.
  async #run() {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      for (let goesOn = true; goesOn; ) {
        const item = this.#items.find(({ state }) => state === 'sending');
        goesOn = item !== undefined && (await this.#send(item));
      }
    } finally {
      this.#isRunning = false;
    }
  }

  /**
   * @param {OutboxItem} item
   * @returns {Promise<boolean>} whether the next one may go
   */
  async #send({ client_id, text }) {
    const flushes = this.#flushes;
    const { ack, code } = await this.#options.request('new_message', { text, client_id }).then(
      (ack) => ({ ack, code: null }),
      (error) => ({ ack: null, code: error.code ?? 'failed' }),
    );
    // The new line may have been welcomed before this word of the old one came.
    if (code === 'disconnected') return this.#flushes > flushes;
    if (AGAIN_CODES.has(code)) {
      this.#timer = this.#environment.setTimeout(this.flush, AGAIN_MS);
      return false;
    }
    /** @type {Partial<OutboxItem>} */
    const outcome = ack ? { state: 'sent', seq: ack.seq } : { state: 'failed', reason: code };
    this.#change(
      this.#items.map((item) => (item.client_id === client_id ? { ...item, ...outcome } : item)),
    );
    return true;
  }

  /** @param {string} client_id */
  #without(client_id) {
    return this.#items.filter((item) => item.client_id !== client_id);
  }

  /** @param {OutboxItem[]} items */
  #change(items) {
    const sent = items.filter(({ state }) => state === 'sent');
    const old = new Set(sent.slice(0, -MAX_SENT));
    this.#items = items.filter((item) => !old.has(item));
    this.#save();
    this.#options.onChange(this.#items);
  }

  #save() {
    const waiting = this.#items.filter(({ state }) => state !== 'sent');
    if (waiting.length > 0) remember(this.#options.storage, this.#storageKey, waiting);
    else this.#options.storage.removeItem(this.#storageKey);
  }
}

/**
 * On plain http `crypto.randomUUID` is missing.
 * @param {Pick<Crypto, 'getRandomValues'>} crypto
 */
function randomUuid(crypto) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/**
 * An outbox of a room. What a reload left in it is in `items` at once, and is sent by `flush()`.
 * @param {OutboxOptions} options
 */
export const createOutbox = (options) => new Outbox(options);
