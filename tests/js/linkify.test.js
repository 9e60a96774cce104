/** Addresses become links; nothing else does, and no text gets lost. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { linkify } from '../../static/js/linkify.js';

/** @param {string} text */
const hrefs = (text) => linkify(text).flatMap(({ href }) => href ?? []);

test('no scheme but http, https and mail is ever linked', () => {
  for (const text of [
    'javascript:alert(1)',
    'JaVaScRiPt://www/%0aalert(1)',
    'data:text/html,<script>alert(1)</script>',
    'file:///etc/passwd',
    'ftp://example.org/x',
    'xhttp://example.org',
    'https://',
    'http://[',
    'www.',
    'www.x',
    '@here @all a@b',
  ]) {
    assert.deepEqual(hrefs(text), [], text);
  }
});

test('an address that hides another scheme keeps the outer one', () => {
  assert.deepEqual(hrefs('https://x.org/javascript:alert(1)'), ['https://x.org/javascript:alert(1)']);
});

test('addresses are found in sentences, without what ends the sentence', () => {
  assert.deepEqual(hrefs('See https://noom.example/a?b=1#c. Or (http://x.org/y_(z)), ok?'), [
    'https://noom.example/a?b=1#c',
    'http://x.org/y_(z)',
  ]);
  assert.deepEqual(hrefs('여기 https://예시.한국/방, 그리고 “www.noom.example”!'), [
    'https://예시.한국/방',
    'https://www.noom.example',
  ]);
  assert.deepEqual(hrefs('write to ana.lee+noom@mail.example.org.'), [
    'mailto:ana.lee+noom@mail.example.org',
  ]);
});

test('the pieces are the text again', () => {
  for (const text of ['', 'plain', 'https://a.b', 'x https://a.b y www.c.d z', 'a\nhttp://a.b/\n\n', '((http://a.b))']) {
    assert.equal(linkify(text).map((piece) => piece.text).join(''), text);
  }
});

test('4,000 characters made to be slow take no time', () => {
  const started = performance.now();
  for (const text of ['('.repeat(4_000), `www.${'a.'.repeat(1_990)}`, 'a'.repeat(4_000), `${'a@'.repeat(2_000)}`, `http://x${')'.repeat(3_900)}`, 'a@b'.padEnd(4_000, '-a')]) {
    linkify(text);
  }
  assert.ok(performance.now() - started < 500);
});
