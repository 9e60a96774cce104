/** A room on a server whose connections lose, duplicate and delay frames. */

import { person } from './room-fixtures.js';

const HISTORY_LIMIT = 5;
const FIRST_MESSAGES = 6;

/** A repeatable random generator (mulberry32). */
export class Chance {
  #state;

  constructor(seed) {
    this.#state = seed;
  }

  next() {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  hits(probability) {
    return this.next() < probability;
  }

  pick(list) {
    return list[Math.floor(this.next() * list.length)];
  }
}

export class LossyServer {
  log = [];
  deletions = [];
  everSaid = [];
  seq = 0;
  epoch = 'life 0';
  people = new Map();
  version = 1_000;
  isCalm = false;
  #chance;
  #lines = new Map();
  #beatAt = 0;

  constructor(chance) {
    this.#chance = chance;
  }

  /** Moves some frames of these windows' connections on, in both directions. */
  work(windows, nowMs) {
    for (const socket of windows.flatMap(({ sockets }) => sockets)) {
      if (!socket.isClosed && !this.#lines.has(socket)) this.#accept(socket);
    }
    for (const line of this.#lines.values()) {
      this.#read(line);
      this.#write(line);
    }
    if (nowMs - this.#beatAt >= 5_000) {
      this.#beatAt = nowMs;
      this.#publish('beat', { seq: this.seq, version: this.version, return_within_ms: 1_000 });
    }
  }

  /** Cuts a connection and loses its frames on the way, in both directions. */
  cut() {
    const line = this.#chance.pick([...this.#lines.values()]);
    if (line) this.#end(line);
  }

  #end(line) {
    this.#lines.delete(line.socket);
    if (!line.socket.isClosed) line.socket.end(this.#chance.pick([1006, 1001, 4412, 4413, 4500]));
  }

  /** Deletes an old message, as retention does, or any message, as an admin may. */
  forget() {
    const index = this.#chance.hits(0.7) ? 0 : Math.floor(this.#chance.next() * this.log.length);
    const [gone] = this.log.splice(index, 1);
    if (!gone) return;
    const spans = [{ first: gone.seq, last: gone.seq }];
    const left = this.log[0]?.seq ?? this.seq + 1;
    if (left > 1) spans.push({ first: 1, last: left - 1 });
    const fact = { seq: ++this.seq, spans };
    this.deletions = [...this.deletions.filter(({ seq }) => seq >= left), fact];
    this.#publish('deleted', fact);
  }

  /** Deletes the room and makes it again; its numbers begin anew. */
  makeAgain() {
    for (const line of [...this.#lines.values()]) this.#end(line);
    this.epoch = `life ${Number(this.epoch.slice(5)) + 1}`;
    Object.assign(this, { seq: 0, log: [], deletions: [], people: new Map() });
  }

  /** Lets a lease run out. */
  expire(id) {
    const gone = this.people.get(id);
    if (!gone) return;
    this.people.delete(id);
    this.#publishChange('bye', gone);
  }

  ackFor(id, lastSeq, epoch) {
    const isKnown = lastSeq !== null && epoch === this.epoch && lastSeq <= this.seq;
    return {
      you: id,
      room: { key: 'tea', name: 'Tea', listed: true },
      people: [...this.people.values()],
      version: this.version,
      ...(isKnown ? this.#after(lastSeq) : this.#before(Infinity, FIRST_MESSAGES)),
      seq: this.seq,
      epoch: this.epoch,
    };
  }

  #after(after) {
    const entries = [...this.log, ...this.deletions].filter(({ seq }) => seq > after);
    const kept = new Set(entries.sort((a, b) => a.seq - b.seq).slice(0, HISTORY_LIMIT));
    const isKept = (entry) => kept.has(entry);
    return { messages: this.log.filter(isKept), deletions: this.deletions.filter(isKept) };
  }

  #before(before, limit) {
    const messages = this.log.filter(({ seq }) => seq < before).slice(-limit);
    const from = messages[0]?.seq ?? Infinity;
    return { messages, deletions: this.deletions.filter(({ seq }) => seq > from && seq < before) };
  }

  #accept(socket) {
    this.#lines.set(socket, { socket, read: 0, queue: [], id: null });
    socket.accept();
  }

  #read(line) {
    const { socket } = line;
    if (socket.isClosed) this.#lines.delete(socket);
    while (!socket.isClosed && line.read < socket.sent.length && this.#goesOn()) {
      const { type, payload, ref } = socket.sent[line.read++];
      if (type === 'enter_room') line.id = payload.id;
      const answer = this[`on_${type}`](line.id, payload);
      const frame = answer.error
        ? { type: 'error', ref, payload: { code: answer.error, message: '' } }
        : { type: 'ack', ref, payload: answer };
      line.queue.push(frame);
    }
  }

  #write({ socket, queue }) {
    while (!socket.isClosed && queue.length > 0 && this.#goesOn()) {
      const frame = queue.shift();
      const isEvent = frame.ref === undefined;
      socket.tell(isEvent && this.#loses(0.1) ? [frame, frame] : frame);
    }
  }

  #goesOn() {
    return this.isCalm || this.#chance.hits(0.7);
  }

  #loses(probability) {
    return !this.isCalm && this.#chance.hits(probability);
  }

  #publish(type, payload) {
    for (const line of this.#lines.values()) {
      if (line.id !== null && !this.#loses(0.25)) line.queue.push({ type, payload });
    }
  }

  #publishChange(type, changed) {
    this.version += 1;
    const { size: count } = this.people;
    this.#publish(type, { person: changed, count, version: this.version });
  }

  on_enter_room(id, { last_seq, epoch }) {
    if (this.#loses(0.1)) return { error: 'try_later' };
    if (!this.people.has(id)) {
      this.people.set(id, person(id, { since: this.version }));
      this.#publishChange('welcome', this.people.get(id));
    }
    return this.ackFor(id, last_seq, epoch);
  }

  on_new_message(id, { text, client_id }) {
    if (this.#loses(0.2)) return { error: 'too_fast' };
    const isKnown = (one) => one.client_id === client_id && one.epoch === this.epoch;
    const known = this.everSaid.find(isKnown);
    if (known) return { seq: known.seq, sent_at: known.sent_at };
    const { nickname } = person(id);
    const seq = ++this.seq;
    const stored = { seq, from: id, nickname, text, sent_at: seq, client_id };
    this.everSaid.push({ ...stored, epoch: this.epoch });
    this.log.push(stored);
    this.#publish('new_message', stored);
    return { seq, sent_at: seq };
  }

  on_nickname(id, { nickname }) {
    if (!this.people.has(id)) return { error: 'not_in_room' };
    this.people.set(id, { ...this.people.get(id), nickname });
    this.#publishChange('nickname', this.people.get(id));
    return { nickname };
  }

  on_history(_, { after, before }) {
    if (this.#loses(0.1)) return { error: 'too_fast' };
    return after === undefined ? this.#before(before, HISTORY_LIMIT) : this.#after(after);
  }

  on_people() {
    return { people: [...this.people.values()], version: this.version };
  }
}
