/** A browser's window whose clock, network and tab the test controls. */

/** Lets every promise that can settle now do so. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));

class FakeWebSocket extends EventTarget {
  sent = [];
  isClosed = false;

  constructor(url, sockets) {
    super();
    this.url = url;
    sockets.push(this);
  }

  get readyState() {
    return this.isClosed ? 3 : 1;
  }

  send(data) {
    this.sent.push(JSON.parse(data));
  }

  close() {
    this.isClosed = true;
  }

  accept() {
    this.onopen();
  }

  tell(frame) {
    this.onmessage({ data: JSON.stringify(frame) });
  }

  ack(payload = {}, { ref } = this.sent.at(-1)) {
    this.tell({ type: 'ack', ref, payload });
  }

  refuse(code, { ref } = this.sent.at(-1)) {
    this.tell({ type: 'error', ref, payload: { code, message: `No: ${code}.` } });
  }

  end(code, reason = '') {
    this.isClosed = true;
    this.onclose({ code, reason });
  }
}

export class FakeWindow extends EventTarget {
  nowMs = 1_000_000;
  random = 0.5;
  sockets = [];
  reported = [];
  location = { href: 'https://noom.example/rooms/tea/?call=1' };
  navigator = { onLine: true };
  document = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  Date = { now: () => this.nowMs };
  Math = { random: () => this.random };
  crypto = globalThis.crypto;
  // No server answers unless a test replaces this.
  fetch = () => Promise.reject(new TypeError('no network'));
  reportError = (error) => this.reported.push(error);
  #timers = new Map();
  #lastTimer = 0;

  constructor() {
    super();
    const { sockets } = this;
    this.WebSocket = class extends FakeWebSocket {
      constructor(url) {
        super(url, sockets);
      }
    };
  }

  setTimeout(callback, ms) {
    this.#timers.set(++this.#lastTimer, { callback, at: this.nowMs + ms });
    return this.#lastTimer;
  }

  clearTimeout(timer) {
    this.#timers.delete(timer);
  }

  get timers() {
    return this.#timers.size;
  }

  get line() {
    return this.sockets.at(-1);
  }

  /** Fails the upgrade of the WebSocket, and the HTTP fallback after it. */
  async fail() {
    this.line.end(1006);
    await settled();
  }

  /** Runs the timers of the next `ms` milliseconds in order. */
  pass(ms) {
    const end = this.nowMs + ms;
    for (let due; (due = this.#nextUntil(end)); ) {
      this.#timers.delete(due.timer);
      this.nowMs = Math.max(this.nowMs, due.at);
      due.callback();
    }
    this.nowMs = end;
  }

  /** Moves the clock on while timers stand still, as in a sleep. */
  sleep(ms) {
    this.nowMs += ms;
    for (const timer of this.#timers.values()) timer.at += ms;
  }

  goOffline() {
    this.navigator.onLine = false;
    this.dispatchEvent(new Event('offline'));
  }

  goOnline() {
    this.navigator.onLine = true;
    this.dispatchEvent(new Event('online'));
  }

  see(visibilityState) {
    this.document.visibilityState = visibilityState;
    this.document.dispatchEvent(new Event('visibilitychange'));
  }

  #nextUntil(end) {
    return [...this.#timers]
      .map(([timer, entry]) => ({ timer, ...entry }))
      .filter(({ at }) => at <= end)
      .sort((a, b) => a.at - b.at || a.timer - b.timer)[0];
  }
}

export class FakeStorage {
  #items = new Map();

  getItem(key) {
    return this.#items.get(key) ?? null;
  }

  setItem(key, value) {
    this.#items.set(key, value);
  }

  removeItem(key) {
    this.#items.delete(key);
  }
}
