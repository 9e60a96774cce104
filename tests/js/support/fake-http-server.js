/** The server of the HTTP transport, for the `fetch` of a FakeWindow. */

const encoder = new TextEncoder();

export class HttpServer {
  /** Each request in order: its head and its frames. */
  requests = [];
  /** Faults of later requests: 'fails', 'loses' (no answer), or a status. */
  faults = [];
  /** Whether a proxy holds answers back until they end. */
  holdsBack = false;
  taken = [];
  sent = [];
  closedWith = null;
  isOpen = false;
  #expected = 1;
  #stream = null;
  #close = null;

  constructor(window) {
    window.fetch = (path, options) => this.#answer(path, options);
  }

  of(kind) {
    return this.requests.filter(({ head }) => head.do === kind);
  }

  /** Sends a frame to the page. */
  tell(frame) {
    this.sent.push(`id: ${this.sent.length + 1}\ndata: ${JSON.stringify(frame)}\n\n`);
    this.#flush();
  }

  beQuiet() {
    this.#write(':\n\n');
  }

  ack(payload = {}) {
    this.tell({ type: 'ack', ref: this.taken.at(-1).ref, payload });
  }

  end(code, reason = '') {
    this.#close = `event: close\ndata: ${JSON.stringify({ code, reason })}\n\n`;
    this.#flush();
  }

  /** Cuts the stream, as a proxy does after its timeout. */
  cut() {
    this.#stream?.controller.error(new TypeError('network error'));
    this.#stream = null;
  }

  async #answer(path, { body, signal }) {
    const [first, ...frames] = body.split('\n');
    const head = JSON.parse(first);
    this.requests.push({ path, head, frames });
    const fault = this.faults.shift();
    if (fault === 'fails') throw new TypeError('network error');
    if (fault instanceof Response) return fault;
    if (typeof fault === 'number') return new Response(null, { status: fault });
    if (head.do === 'open' || head.do === 'listen') return this.#listen(head, signal);
    frames.slice(Math.max(this.#expected - head.number, 0)).forEach((frame) => {
      this.#expected += 1;
      this.taken.push(JSON.parse(frame));
    });
    if (head.do === 'close') this.closedWith = head.code;
    if (fault === 'loses') throw new TypeError('network error');
    return new Response(null, { status: 204 });
  }

  #listen(head, signal) {
    this.#stream?.end();
    const body = new ReadableStream({ start: (controller) => this.#begin(head, controller, signal) });
    if (head.do === 'open') {
      this.isOpen = true;
      this.#write(`event: open\ndata: {"session":"secret"}\n\n`, !head.stream);
    } else {
      this.#flush();
    }
    const whole = new Response(body, { headers: { 'content-type': 'text/event-stream' } });
    if (!this.holdsBack || !head.stream) return whole;
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  }

  #begin(head, controller, signal) {
    const stream = {
      head,
      controller,
      after: head.after ?? 0,
      end: () => {
        if (this.#stream === stream) this.#stream = null;
        controller.close();
      },
    };
    this.#stream = stream;
    signal.addEventListener('abort', () => this.#stream === stream && this.cut());
  }

  #flush() {
    const stream = this.#stream;
    const text = stream ? this.sent.slice(stream.after).join('') + (this.#close ?? '') : '';
    if (!text) return;
    stream.after = this.sent.length;
    this.#write(text, !stream.head.stream || this.#close !== null);
  }

  #write(text, isLast = false) {
    const stream = this.#stream;
    stream?.controller.enqueue(encoder.encode(text));
    if (isLast) stream?.end();
  }
}
