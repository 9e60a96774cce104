/** The outbox: a page's own messages until the server stores them. */

import { recall, remember } from '../browser/storage.js';
import { MAX_TEXT_CHARS } from '../protocol/limits.js';

/**
 * A message of the outbox. `at` is in milliseconds of the Unix epoch. `sent` means that the server
 * stored it as number `seq`; its event may still come. `reason` is the code of a failure. `epoch` is
 * that of the log for which the user wrote it; null before the page has entered.
 * @typedef {object} OutboxItem
 * @property {string} client_id
 * @property {string} text
 * @property {number} at
 * @property {'sending' | 'sent' | 'failed'} state
 * @property {number | null} seq
 * @property {string | null} reason
 * @property {string | null} [epoch]
 */
/**
 * @typedef {object} OutboxOptions
 * @property {import('../browser/storage.js').Store} storage of this tab alone
 * @property {string} key of the room
 * @property {(type: string, payload: object) => Promise<NewMessageAck>} request
 * @property {(items: OutboxItem[]) => void} onChange
 * @property {Environment} [environment]
 */
/** @import {NewMessageAck} from '../protocol/messages.js' */
/** @typedef {Pick<typeof globalThis, 'crypto' | 'setTimeout' | 'clearTimeout' | 'Date'>}
 *   Environment */

const RETRY_MS = 1_000;
// After one of these codes the outbox sends the message again by itself.
const RETRY_CODES = new Set(['timeout', 'too_fast', 'try_later']);
// Stored messages stay until their events have surely come; the timeline leaves out duplicates.
const MAX_SENT = 50;

/** The outbox of a room. `items` has what an earlier page left; `flush()` sends it. */
export class Outbox {
  #options;
  #environment;
  #storageKey;
  /** @type {OutboxItem[]} */
  #items;
  /** @type {string | null} */
  #epoch = null;
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
   * Queues a text; it goes out after all earlier ones once the connection is open.
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
        epoch: this.#epoch,
      },
    ]);
    this.flush();
    return client_id;
  };

  /** Sends waiting messages in order; call it after each handshake. */
  flush = () => {
    this.#environment.clearTimeout(this.#timer);
    this.#flushes += 1;
    void this.#run();
  };

  /**
   * Sends a failed message again, as the last of the queue.
   * @param {string} client_id
   */
  retry = (client_id) => {
    const item = this.#items.find((one) => one.client_id === client_id);
    if (item?.state !== 'failed' || item.reason === 'too_long') return;
    /** @type {OutboxItem} */
    const again = {
      ...item,
      at: this.#environment.Date.now(),
      state: 'sending',
      reason: null,
      epoch: this.#epoch,
    };
    this.#change([...this.#without(client_id), again]);
    this.flush();
  };

  /** @param {string} client_id */
  discard = (client_id) => this.#change(this.#without(client_id));

  /**
   * Call it with each entered log, before `flush()`. If the room was deleted and made again at its
   * address, stored messages are dropped, and waiting ones fail: their readers may be others now.
   * @param {string} epoch
   */
  enterLog = (epoch) => {
    const isOther = (/** @type {OutboxItem} */ item) => (item.epoch ?? epoch) !== epoch;
    const items = this.#items.filter((item) => !(item.state === 'sent' && isOther(item)));
    this.#epoch = epoch;
    this.#change(
      items.map((item) => {
        if (item.state !== 'sending') return item;
        if (isOther(item)) return { ...item, state: 'failed', reason: 'room_deleted' };
        return { ...item, epoch };
      }),
    );
  };

  // Sends one at a time: after `too_fast` for the first of two, the second would overtake it.
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
   * @returns {Promise<boolean>} whether to send the next message
   */
  async #send({ client_id, text }) {
    const flushes = this.#flushes;
    const { ack, code } = await this.#options.request('new_message', { text, client_id }).then(
      (ack) => ({ ack, code: null }),
      (error) => ({ ack: null, code: error.code ?? 'failed' }),
    );
    // The handshake of a new connection may finish before this error of the old one arrives.
    if (code === 'disconnected') return this.#flushes > flushes;
    if (RETRY_CODES.has(code)) {
      this.#timer = this.#environment.setTimeout(this.flush, RETRY_MS);
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
 * A random UUID; on plain http browsers have no `crypto.randomUUID`.
 * @param {Pick<Crypto, 'getRandomValues'>} crypto
 */
function randomUuid(crypto) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
