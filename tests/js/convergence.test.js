/** Convergence: after any actions and losses each page has a newcomer's state.
 * The server stores each message once, in its order. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Outbox } from '../../static/js/session/outbox.js';
import { emptyRoom, missingRange, lastSeq, reduce } from '../../static/js/state/room-state.js';
import { timeline } from '../../static/js/state/timeline.js';
import { Socket } from '../../static/js/transport/socket.js';
import { FakeStorage, FakeWindow, settled } from './support/fake-window.js';
import { Chance, LossyServer } from './support/lossy-server.js';

const RUNS = 25;
const STEPS = 120;
const STEP_MS = 500;
const CALM_STEPS = 100;
const COMINGS = ['welcome', 'bye'];

/** A page that connects socket, outbox and room as a room page does. */
class Page {
  written = [];
  #storage = new FakeStorage();

  constructor(id) {
    this.id = id;
    this.window = new FakeWindow();
    this.load();
  }

  load() {
    this.socket?.stop();
    this.room = emptyRoom({ key: 'tea', name: 'Tea', listed: true, capacity: 8 });
    this.asking = new Set();
    const socket = (this.socket = new Socket({
      url: '/ws/chat/tea/',
      firstMessage: () => ({
        type: 'enter_room',
        payload: { id: this.id, last_seq: lastSeq(this.room), epoch: this.room.epoch },
      }),
      onWelcome: (ack) => {
        this.dispatch('entered', ack);
        this.outbox.enterLog(ack.epoch);
        this.outbox.flush();
      },
      onEvent: ({ type, payload }) =>
        this.dispatch(type, COMINGS.includes(type) ? { ...payload, at: this.window.nowMs } : payload),
      environment: this.window,
    }));
    this.outbox = new Outbox({
      storage: this.#storage,
      key: 'tea',
      request: socket.request,
      onChange: (items) => socket === this.socket && this.dispatch('pending', { items }),
      environment: this.window,
    });
    this.dispatch('pending', { items: this.outbox.items });
    socket.start();
  }

  dispatch(type, payload) {
    this.room = reduce(this.room, { type, payload });
    const { missing } = this.room;
    const { after, head } = missingRange(this.room);
    if (missing.messages) this.ask('history', { after }, { after, head });
    if (missing.people) this.ask('people', {}, {});
  }

  /** Sends one request of a kind at a time; the next event repeats a failed one. */
  ask(type, question, known) {
    const { socket } = this;
    if (this.asking.has(type)) return;
    this.asking.add(type);
    const done = (answer) => {
      if (socket !== this.socket) return;
      this.asking.delete(type);
      if (answer) this.dispatch(type, { ...answer, ...known });
    };
    socket.request(type, question).then(done, () => done(null));
  }

  say() {
    const text = `${this.id} ${this.written.length + 1}`;
    this.written.push(text);
    this.outbox.add(text);
  }
}

function act(server, pages, chance) {
  const page = chance.pick(pages);
  const actions = [
    [0.35, () => page.say()],
    [0.1, () => page.socket.request('nickname', { nickname: `N${chance.next()}` }).catch(() => {})],
    [0.1, () => server.cut()],
    [0.05, () => server.forget()],
    [0.01, () => server.makeAgain()],
    [0.05, () => chance.pick([() => page.load(), () => server.expire(page.id)])()],
    [0.03, () => page.window.goOnline()],
    [0.02, () => page.window.sleep(30_000)],
    [0.02, () => page.window.see('visible')],
  ];
  let dice = chance.next();
  for (const [probability, action] of actions) {
    dice -= probability;
    if (dice < 0) return action();
  }
  return undefined;
}

async function step(server, pages, nowMs) {
  server.work(pages.map(({ window }) => window), nowMs);
  for (const { window } of pages) window.pass(STEP_MS);
  await settled();
}

async function run(seed) {
  const chance = new Chance(seed);
  const server = new LossyServer(chance);
  const pages = ['ann', 'ben', 'cat'].map((id) => new Page(id));
  let nowMs = 0;
  for (let count = 0; count < STEPS; count += 1) {
    act(server, pages, chance);
    await step(server, pages, (nowMs += STEP_MS));
    for (const { room } of pages) checkOrder(room);
  }
  server.isCalm = true;
  for (let count = 0; count < CALM_STEPS; count += 1) {
    await step(server, pages, (nowMs += STEP_MS));
  }
  return { server, pages };
}

function checkOrder({ messages }) {
  messages.slice(1).forEach(({ seq }, index) => assert.ok(seq > messages[index].seq));
}

function checkPage(server, { id, room, written, outbox }) {
  const newcomer = reduce(emptyRoom(room), { type: 'entered', payload: server.ackFor(id, null) });
  const { people, version, seq, completeUntil, missing } = newcomer;
  assert.deepEqual(
    { people: room.people, version: room.version, seq: room.seq, completeUntil: room.completeUntil },
    { people, version, seq, completeUntil },
  );
  assert.deepEqual(room.missing, missing);

  const { from } = room;
  assert.equal(room.epoch, server.epoch);
  assert.deepEqual(room.messages, server.log.filter((message) => message.seq >= from));
  assert.deepEqual(room.gaps, [], 'all that is missing was deleted, and so explained');
  if (server.log.some(({ seq }) => seq < from)) assert.ok(room.hasEarlier);

  const shown = timeline(room).flatMap((item) => item.messages ?? item.items ?? []);
  assert.equal(new Set(shown.map(({ client_id }) => client_id)).size, shown.length);
  const failed = outbox.items.filter(({ state }) => state !== 'sent');
  assert.ok(failed.every(({ reason }) => reason === 'room_deleted'));
  const stored = server.everSaid.filter(({ from }) => from === id).map(({ text }) => text);
  assert.equal(new Set(stored).size, stored.length, 'stored once, in one life of the room');
  const inOrder = written.filter((text) => stored.includes(text));
  assert.deepEqual(stored, inOrder, 'in the order in which they were written');
  const unsent = new Set(failed.map(({ text }) => text));
  assert.ok(written.every((text) => stored.includes(text) || unsent.has(text)), 'none is lost');
}

test('every page ends with what a newcomer gets', async () => {
  let messages = 0;
  for (let seed = 1; seed <= RUNS; seed += 1) {
    const { server, pages } = await run(seed);
    for (const page of pages) {
      try {
        checkPage(server, page);
      } catch (error) {
        throw new Error(`seed ${seed}, page ${page.id}`, { cause: error });
      }
      page.socket.stop();
    }
    messages += server.everSaid.length;
  }
  assert.ok(messages > RUNS * 20, `enough was said: ${messages}`);
});
