/** Tests that a page numbers its connections, so that the server keeps the newest. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Participant } from '../../../static/js/session/participant.js';
import { FakeStorage } from '../support/fake-window.js';

const load = (storage, token = 'fresh') => {
  const page = new EventTarget();
  const participant = new Participant({
    key: 'tea',
    token,
    renewS: 60,
    reference: 'ref',
    storage,
    page,
  });
  return { participant, leave: () => page.dispatchEvent(new Event('pagehide')) };
};

test('each connection of a page has a larger number than any before', () => {
  const { participant } = load(new FakeStorage());
  const numbers = Array.from({ length: 100 }, () => participant.nextConnection());
  assert.ok(numbers.every((number, index) => index === 0 || number > numbers[index - 1]));
});

test('a reloaded page goes on counting, also where the clock went back', (t) => {
  const storage = new FakeStorage();
  const before = load(storage, 'one');
  const last = before.participant.nextConnection();
  before.leave();
  t.mock.method(Date, 'now', () => last - 60_000);
  const { participant } = load(storage, 'two');
  assert.equal(participant.token, 'one');
  assert.ok(participant.nextConnection() > last);
});

test('a page that begins anew as somebody else goes on counting', () => {
  const storage = new FakeStorage();
  const before = load(storage, 'one');
  const last = before.participant.nextConnection();
  before.leave();
  const { participant } = load(storage, 'two');
  assert.ok(participant.renew());
  assert.equal(participant.token, 'two');
  assert.ok(participant.nextConnection() > last);
});
