/** Tests that the page works with a forbidden, missing or full storage. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { recall, remember, safeStore } from '../../../static/js/browser/storage.js';

const forbidden = () => {
  throw new DOMException('The operation is insecure.', 'SecurityError');
};
const full = {
  getItem: () => 'old',
  setItem: () => {
    throw new DOMException('full', 'QuotaExceededError');
  },
  removeItem: () => {},
};
const mute = { getItem: forbidden, setItem: forbidden, removeItem: forbidden };

/** @type {Record<string, () => any>} */
const MISSING = {
  'its name throws': forbidden,
  'it is null': () => null,
  'it is undefined': () => undefined,
  'every call throws': () => mute,
  'it is full': () => full,
};

for (const [why, find] of Object.entries(MISSING)) {
  test(`where ${why} the page remembers for as long as it lives`, () => {
    const store = safeStore(find);
    store.setItem('name', 'Nova');
    assert.equal(store.getItem('name'), 'Nova');
    store.setItem('name', 'Mira');
    assert.equal(store.getItem('name'), 'Mira');
    store.removeItem('name');
    assert.equal(store.getItem('name'), find === MISSING['it is full'] ? 'old' : null);
  });
}

test('a value that no longer fits does not leave the old one behind', () => {
  const kept = new Map([['draft', 'old']]);
  const store = safeStore(() => ({
    getItem: (key) => kept.get(key) ?? null,
    setItem: forbidden,
    removeItem: (key) => void kept.delete(key),
  }));
  store.setItem('draft', 'new');
  assert.equal(kept.has('draft'), false);
  assert.equal(store.getItem('draft'), 'new');
});

test('what a browser keeps goes through', () => {
  const kept = new Map();
  const store = safeStore(() => ({
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  }));
  remember(store, 'devices', { audioinput: 'm1' });
  assert.deepEqual(recall(store, 'devices', {}), { audioinput: 'm1' });
  assert.equal(kept.get('devices'), '{"audioinput":"m1"}');
});

for (const kept of ['null', '{', '', '"text"', '[1', '7']) {
  test(`a value that is broken (${kept}) is none`, () => {
    const store = safeStore(() => ({ getItem: () => kept, setItem() {}, removeItem() {} }));
    assert.deepEqual(recall(store, 'x', [], Array.isArray), []);
  });
}
