/** A connection over HTTP with the interface of a WebSocket; see docs/protocol.md.
 * Some requests bring events in their answers, others carry frames to the server. */

import { eventReader } from './sse-parser.js';
import { RequestTimeout, SocketClosed, LOST, parts, post } from './http-request.js';

/** @import {StreamEvent} from './sse-parser.js' */

/**
 * The parts of a browser's window that the connection needs.
 * @typedef {Pick<Window & typeof globalThis, 'fetch' | 'addEventListener' | 'removeEventListener'
 *   | 'setTimeout' | 'clearTimeout' | 'Date'>} Environment
 */
/**
 * @typedef {object} HttpSocketOptions
 * @property {string} path such as `/http/chat/<key>/`
 * @property {boolean} streams whether one answer may carry many events
 * @property {() => void} onBuffered a proxy holds a streamed answer back until it ends
 * @property {Environment} environment
 */

const GOING_AWAY = 1001;
// A stream names its session at once; if nothing arrives in this time, a proxy holds it back.
const FIRST_EVENT_TIMEOUT_MS = 3_000;
// The server sends at least every 5 s.
const SILENCE_TIMEOUT_MS = 9_000;
const POST_TIMEOUT_MS = 8_000;
const RETRY_MS = 300;
// The connection is lost once requests have failed for this long.
const GIVE_UP_MS = 8_000;
// The page acknowledges after this time, or after this many characters.
const ACKNOWLEDGE_MS = 4_000;
const ACKNOWLEDGE_LENGTH = 64 * 1024;
const MAX_POSTED_LENGTH = 64 * 1024;

export class HttpSocket {
  /** The `readyState` of a WebSocket: 0 connecting, 1 open, 3 closed. */
  readyState = 0;
  onopen = () => {};
  /** @type {(message: {data: string}) => void} */
  onmessage = () => {};
  /** @type {(close: {code: number, reason: string}) => void} */
  onclose = () => {};
  #options;
  #environment;
  #streams;
  #session = '';
  #pollId = 0;
  #lastReceived = 0;
  /** Frames that the server has not accepted yet; `#number` numbers the first.
   * @type {string[]} */
  #frames = [];
  #number = 1;
  #isPosting = false;
  #ackDue = false;
  #ackedAt = 0;
  #unackedLength = 0;
  #abort = new AbortController();

  /** @param {HttpSocketOptions} options */
  constructor(options) {
    this.#options = options;
    this.#environment = options.environment;
    this.#streams = options.streams;
    this.#ackedAt = this.#environment.Date.now();
    this.#environment.addEventListener('pagehide', this.#onPageHide);
    this.#run(this.#poll());
  }

  /** @param {string} frame */
  send(frame) {
    this.#frames.push(frame);
    this.#run(this.#post());
  }

  close(code = 1000) {
    if (this.readyState === 3) return;
    this.#stop();
    if (!this.#session) return;
    const head = { do: 'close', session: this.#session, number: this.#number, code };
    // Waiting frames go first; with `keepalive` the request outlives the page.
    this.#fetch([head, ...this.#nextBatch()], { keepalive: true }).catch(() => {});
  }

  /** @param {Promise<void>} work */
  #run(work) {
    work.catch((error) => {
      if (this.readyState === 3) return;
      this.#stop();
      const { code, reason } = error instanceof SocketClosed ? error : new SocketClosed(LOST);
      this.onclose({ code, reason });
    });
  }

  async #poll() {
    const patience = this.#retryPolicy();
    while (this.readyState !== 3) {
      const streamed = this.#streams;
      try {
        await this.#read();
        if (!this.#session) throw new SocketClosed(LOST);
        patience.renew();
        if (this.#options.streams && !this.#streams) this.#options.onBuffered();
      } catch (error) {
        const isHeldBack = streamed && !this.#streams;
        if (!isHeldBack && !this.#session) throw error;
        if (!isHeldBack) await patience.wait(error);
      }
    }
  }

  /** Reads one answer to its end; a silence, as a proxy causes it, ends streaming. */
  async #read() {
    const firstMs = this.#session || !this.#streams ? SILENCE_TIMEOUT_MS : FIRST_EVENT_TIMEOUT_MS;
    const request = this.#request(firstMs, () => (this.#streams = false));
    const events = eventReader();
    try {
      for await (const text of parts(await this.#fetch([this.#head()], request))) {
        request.extend(SILENCE_TIMEOUT_MS);
        for (const event of events(text)) this.#receive(event);
        this.#acknowledge(text.length);
      }
    } finally {
      request.done();
    }
  }

  #head() {
    const stream = this.#streams;
    if (!this.#session) return { do: 'open', stream };
    this.#pollId += 1;
    return { do: 'listen', session: this.#session, turn: this.#pollId, after: this.#lastReceived, stream };
  }

  /** @param {StreamEvent} event */
  #receive({ event, id, data }) {
    if (this.readyState === 3) return;
    if (event === 'open') {
      this.#session = JSON.parse(data).session;
      this.readyState = 1;
      this.onopen();
    } else if (event === 'close') {
      const { code, reason } = JSON.parse(data);
      throw new SocketClosed(code, reason);
    } else if (id > this.#lastReceived) {
      this.#lastReceived = id;
      this.onmessage({ data });
    }
  }

  /** @param {number} length of new text; the server keeps its events until they are acknowledged */
  #acknowledge(length) {
    this.#unackedLength += length;
    const isDue = this.#environment.Date.now() - this.#ackedAt >= ACKNOWLEDGE_MS;
    if (this.readyState !== 1 || !this.#streams) return;
    if (!isDue && this.#unackedLength < ACKNOWLEDGE_LENGTH) return;
    this.#ackDue = true;
    this.#run(this.#post());
  }

  /** Sends frames, one request at a time; repeats a failed request unchanged. */
  async #post() {
    if (this.#isPosting) return;
    this.#isPosting = true;
    const patience = this.#retryPolicy();
    await null; // frames of one task share a request
    while (this.readyState === 1 && (this.#frames.length || this.#ackDue)) {
      const frames = this.#nextBatch();
      const head = { do: 'send', session: this.#session, number: this.#number, after: this.#lastReceived };
      this.#ackDue = false;
      this.#ackedAt = this.#environment.Date.now();
      this.#unackedLength = 0;
      const request = this.#request(POST_TIMEOUT_MS);
      try {
        await this.#fetch([head, ...frames], request);
        this.#number += frames.length;
        this.#frames.splice(0, frames.length);
        patience.renew();
      } catch (error) {
        await patience.wait(error);
      } finally {
        request.done();
      }
    }
    this.#isPosting = false;
  }

  #nextBatch() {
    let length = 0;
    const over = this.#frames.findIndex((frame) => (length += frame.length) > MAX_POSTED_LENGTH);
    return over === -1 ? [...this.#frames] : this.#frames.slice(0, Math.max(over, 1));
  }

  /**
   * @param {(object | string)[]} lines a head, then frames
   * @param {RequestInit} options
   */
  #fetch(lines, options) {
    return post(this.#environment, this.#options.path, lines, options);
  }

  /**
   * @param {number} ms
   * @param {() => void} [onSilence]
   */
  #request(ms, onSilence) {
    return new RequestTimeout(this.#environment, this.#abort.signal, ms, onSilence);
  }

  #retryPolicy() {
    let failingSince = 0;
    return {
      renew: () => (failingSince = 0),
      /** @param {unknown} error of a request; thrown if a retry is useless */
      wait: async (error) => {
        const now = this.#environment.Date.now();
        const isOver = error instanceof SocketClosed || this.readyState === 3;
        if (isOver || (failingSince && now - failingSince > GIVE_UP_MS)) throw error;
        // The first retry is immediate: after a cut, another server or connection works at once.
        const waitMs = failingSince ? RETRY_MS : 0;
        failingSince ||= now;
        if (waitMs) await new Promise((go) => this.#environment.setTimeout(go, waitMs));
      },
    };
  }

  #stop() {
    this.readyState = 3;
    this.#abort.abort();
    this.#environment.removeEventListener('pagehide', this.#onPageHide);
  }

  // A browser closes the WebSockets of a page that unloads, but not a connection over HTTP.
  #onPageHide = () => {
    this.close(GOING_AWAY);
    this.onclose({ code: LOST, reason: '' });
  };
}
