/** The visible part of a text. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { hasInk, toFrame, wellFormed } from '../../../static/js/state/visible-text.js';

test('a text of what nobody sees has nothing in it', () => {
  const invisible = [
    ...['', ' ', '\n', '\u200b', '\u2060', '\u3164', '\u2800', '\u00ad', '\u202e', '\u115f', '\u1160'],
    ...['\u034f', '\u17b4', '\ufe0f', '\ufeff', '\uffa0', '\u{e0100}', '\u0301', '\ud83d', '\u0000', '\ufffc'],
  ];
  for (const text of [...invisible, invisible.join('')]) assert.equal(hasInk(text), false, escape(text));
  for (const text of ['!', '안녕', '👍', '❤️', 'a\u200b', '👩‍👧', '1']) assert.equal(hasInk(text), true, text);
});

test('half an emoji goes, a whole one stays', () => {
  assert.equal(wellFormed('a\ud83d'), 'a');
  assert.equal(wellFormed('\udc00b\ud83d\ud83d\ude00'), 'b😀');
  assert.equal(wellFormed('\ude00\ud83d'), '');
});

test('a frame has no half character at any depth', () => {
  const frame = { type: 't', payload: { nickname: 'a\ud83d', list: ['\udc00b'], n: 1 }, ref: 2 };
  const meant = { type: 't', payload: { nickname: 'a', list: ['b'], n: 1 }, ref: 2 };
  assert.deepEqual(JSON.parse(toFrame(frame)), meant);
});
