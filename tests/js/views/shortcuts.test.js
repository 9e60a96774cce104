/** The letter of a key on each keyboard layout. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { letterOf } from '../../../static/js/views/shortcuts.js';

/** @param {string} key @param {string} code @param {object} [held] */
const press = (key, code, held = {}) =>
  letterOf({ key, code, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...held });

test('a Latin letter counts as it stands on the key', () => {
  assert.equal(press('m', 'KeyM'), 'm');
  assert.equal(press('M', 'KeyM'), 'm'); // Caps Lock
  assert.equal(press('m', 'Semicolon'), 'm'); // AZERTY
  assert.equal(press(',', 'KeyM'), null); // AZERTY, where M was on an English keyboard
  assert.equal(press('s', 'Semicolon'), 's'); // Dvorak
  assert.equal(press('o', 'KeyS'), 'o');
});

test('another script counts by the place of the key', () => {
  assert.equal(press('ㅡ', 'KeyM'), 'm');
  assert.equal(press('ь', 'KeyM'), 'm');
  assert.equal(press('Process', 'KeyM'), 'm');
  assert.equal(press('Enter', 'Enter'), null);
});

test('a modifier makes it a key of somebody else', () => {
  for (const held of ['ctrlKey', 'metaKey', 'altKey', 'shiftKey']) {
    assert.equal(press('m', 'KeyM', { [held]: true }), null, held);
  }
  assert.equal(press('?', 'Slash', { shiftKey: true }), '?');
  assert.equal(press('?', 'Minus', { shiftKey: true }), '?'); // German
});
