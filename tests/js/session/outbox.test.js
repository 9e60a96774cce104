/** The outbox over reloads of the page and losses of the connection. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Outbox } from '../../../static/js/session/outbox.js';
import { SocketError } from '../../../static/js/transport/socket.js';
import { safeStore } from '../../../static/js/browser/storage.js';
import { FakeStorage, FakeWindow, settled } from '../support/fake-window.js';

/** An outbox whose requests wait for answers of the test. */
function page({ storage = new FakeStorage(), key = 'tea', window = new FakeWindow() } = {}) {
  const requests = [];
  const changes = [];
  const outbox = new Outbox({
    storage,
    key,
    request: (type, payload) =>
      new Promise((resolve, reject) => {
        const refuse = (code) => {
          reject(new SocketError(code));
          return settled();
        };
        const ack = (seq) => {
          resolve({ seq, sent_at: 0 });
          return settled();
        };
        requests.push({ type, ...payload, ack, refuse });
      }),
    onChange: (items) => changes.push(items),
    environment: window,
  });
  return { outbox, requests, changes, storage, window };
}

const states = ({ items }) => items.map(({ text, state }) => [text, state]);
const texts = (requests) => requests.map(({ text }) => text);

test('a refused message fails with its reason, stays, and holds up no other', async () => {
  const { outbox, requests } = page();
  outbox.add('bad');
  outbox.add('good');
  await requests[0].refuse('empty_message');
  assert.deepEqual(states(outbox), [['bad', 'failed'], ['good', 'sending']]);
  assert.equal(outbox.items[0].reason, 'empty_message');
  await requests[1].ack(1);
  assert.deepEqual(texts(requests), ['bad', 'good']);
});

test('messages go one after the other, in the order in which they were written', async () => {
  const { outbox, requests } = page();
  ['one', 'two', 'three'].forEach(outbox.add);
  assert.deepEqual(texts(requests), ['one']);
  await requests[0].ack(1);
  await requests[1].ack(2);
  assert.deepEqual(texts(requests), ['one', 'two', 'three']);
  assert.deepEqual(states(outbox), [['one', 'sent'], ['two', 'sent'], ['three', 'sending']]);
});

test('a lost line keeps all, and the next welcome sends them with the same ids', async () => {
  const { outbox, requests } = page();
  outbox.add('one');
  outbox.add('two');
  await requests[0].refuse('disconnected');
  assert.deepEqual(states(outbox), [['one', 'sending'], ['two', 'sending']]);
  outbox.flush();
  await requests[1].ack(1);
  await requests[2].ack(2);
  assert.deepEqual(texts(requests), ['one', 'one', 'two']);
  assert.equal(requests[0].client_id, requests[1].client_id);
});

test('too fast, too late and busy wait a second, and nothing overtakes', async () => {
  for (const code of ['too_fast', 'timeout', 'try_later']) {
    const { outbox, requests, window } = page();
    outbox.add('one');
    outbox.add('two');
    await requests[0].refuse(code);
    assert.deepEqual(states(outbox), [['one', 'sending'], ['two', 'sending']]);
    window.pass(999);
    assert.equal(requests.length, 1);
    window.pass(1);
    assert.deepEqual(texts(requests), ['one', 'one']);
    await requests[1].ack(1);
    assert.deepEqual(texts(requests), ['one', 'one', 'two']);
    assert.equal(window.timers, 0);
  }
});

test('a message written in the wait does not leave a second wait behind', async () => {
  const { outbox, requests, window } = page();
  outbox.add('one');
  await requests[0].refuse('too_fast');
  outbox.add('two');
  assert.deepEqual([texts(requests), window.timers], [['one', 'one'], 0]);
});

test('a flush while one is under way sends nothing twice', async () => {
  const { outbox, requests } = page();
  outbox.add('one');
  outbox.flush();
  outbox.flush();
  await requests[0].ack(1);
  outbox.flush();
  await settled();
  assert.deepEqual(texts(requests), ['one']);
});

test('a welcome that comes before the word of the lost line is not missed', async () => {
  const { outbox, requests } = page();
  outbox.add('one');
  outbox.flush();
  await requests[0].refuse('disconnected');
  assert.deepEqual(texts(requests), ['one', 'one']);
  await requests[1].refuse('disconnected');
  assert.equal(requests.length, 2, 'once, and not for ever');
});

test('a reload keeps what is not stored, in its room and with its ids', async () => {
  const first = page();
  ['stored', 'refused', 'waiting'].forEach(first.outbox.add);
  await first.requests[0].ack(1);
  await first.requests[1].refuse('empty_message');

  const { outbox, requests, storage } = page({ storage: first.storage });
  assert.deepEqual(states(outbox), [['refused', 'failed'], ['waiting', 'sending']]);
  assert.equal(requests.length, 0, 'nothing is sent before the welcome');
  outbox.flush();
  assert.equal(requests[0].client_id, first.requests[2].client_id);
  await requests[0].ack(2);
  outbox.discard(outbox.items[0].client_id);
  assert.deepEqual(page({ storage }).outbox.items, []);
  assert.deepEqual(page({ storage: first.storage, key: 'coffee' }).outbox.items, []);
});

test('a failed one is sent again as the last, with the same id', async () => {
  const { outbox, requests } = page();
  const id = outbox.add('one');
  await requests[0].refuse('server_error');
  outbox.add('two');
  outbox.retry(id);
  assert.deepEqual(states(outbox), [['two', 'sending'], ['one', 'sending']]);
  await requests[1].ack(1);
  assert.equal(requests[2].client_id, id);
  outbox.retry(id);
  outbox.retry('stranger');
  assert.equal(requests.length, 3, 'only what failed is sent again');
});

test('one that is discarded on its way stays away', async () => {
  const { outbox, requests } = page();
  outbox.discard(outbox.add('one'));
  await requests[0].ack(1);
  assert.deepEqual(outbox.items, []);
});

test('what the server would take for a broken client is never sent', async () => {
  const { outbox, requests } = page();
  const id = outbox.add('x'.repeat(4_001));
  outbox.retry(id);
  assert.deepEqual([outbox.items[0].state, outbox.items[0].reason], ['failed', 'too_long']);
  outbox.add('🍵'.repeat(4_000));
  assert.equal(requests.length, 1);
});

test('a storage that is full, forbidden or spoilt costs nothing but the reload', async () => {
  const broken = () => {
    throw new Error('QuotaExceededError');
  };
  const storage = { getItem: broken, setItem: broken, removeItem: broken };
  const { outbox, requests } = page({ storage: safeStore(() => storage) });
  outbox.add('one');
  await requests[0].ack(1);
  assert.deepEqual(states(outbox), [['one', 'sent']]);
  assert.deepEqual(page({ storage: safeStore(() => ({ ...storage, getItem: () => '{"half' })) }).outbox.items, []);
});

test('ids are what the server takes, without a secure context too', () => {
  const window = new FakeWindow();
  window.crypto = { getRandomValues: (bytes) => crypto.getRandomValues(bytes) };
  const { outbox } = page({ window });
  const ids = new Set(Array.from({ length: 100 }, (_, index) => outbox.add(`${index}`)));
  assert.equal(ids.size, 100);
  const uuid4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  for (const id of ids) assert.match(id, uuid4);
});

test('each change is a new value that later ones leave alone', async () => {
  const { outbox, requests, changes } = page();
  outbox.add('one');
  await requests[0].ack(7);
  assert.deepEqual(changes.map(([{ state, seq }]) => [state, seq]), [['sending', null], ['sent', 7]]);
  assert.equal(outbox.items, changes[1]);
});

test('stored ones do not pile up', async () => {
  const { outbox, requests } = page();
  for (let seq = 1; seq <= 60; seq += 1) {
    outbox.add(`${seq}`);
    await requests.at(-1).ack(seq);
  }
  assert.equal(outbox.items.length, 50);
  assert.equal(outbox.items.at(-1).text, '60');
});

test('what was written for a deleted room does not go into the next one of its address', async () => {
  const { outbox, requests, storage, window } = page();
  outbox.add('before entering');
  outbox.enterLog('first');
  await requests[0].ack(1);
  outbox.add('never answered');
  await requests[1].refuse('disconnected');
  const later = page({ storage, window });
  later.outbox.enterLog('second');
  later.outbox.flush();
  outbox.enterLog('second');
  for (const one of [outbox, later.outbox]) {
    assert.deepEqual(states(one), [['never answered', 'failed']]);
    assert.equal(one.items[0].reason, 'room_deleted');
  }
  assert.deepEqual(later.requests, []);
  later.outbox.retry(later.outbox.items[0].client_id);
  assert.deepEqual(texts(later.requests), ['never answered']);
  later.outbox.enterLog('second');
  assert.deepEqual(states(later.outbox), [['never answered', 'sending']]);
});
