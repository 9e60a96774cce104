/** Tests that addresses alone become links, and that no text gets lost. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

import { linkify } from '../../../static/js/views/chat/linkify.js';

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

/** Addresses in Korean, Japanese and Chinese text, with particles and wide punctuation right
 * behind them. @type {[string, string[]][]} */
const WRITTEN = [
  ['자료（https://example.com）참고', ['https://example.com']],
  ['https://example.com에서 만나요', ['https://example.com']],
  ['www.example.com을 보세요', ['https://www.example.com']],
  ['見て：https://example.com/a。次の文', ['https://example.com/a']],
  ['「https://example.com/docs」を参照', ['https://example.com/docs']],
  ['https://example.com/1，https://example.com/2', ['https://example.com/1', 'https://example.com/2']],
  ['https://example.com/a_', ['https://example.com/a_']],
  ['`https://example.com/a`', ['https://example.com/a']],
  ['https://example.com/회의에서 보자', ['https://example.com/회의에서']],
  ['https://en.wikipedia.org/wiki/Foo_(bar)', ['https://en.wikipedia.org/wiki/Foo_(bar)']],
  ['https://ko.wikipedia.org/wiki/대한민국', ['https://ko.wikipedia.org/wiki/대한민국']],
  ['javascript:alert(1)', []],
  ['https://예시.한국에서 봐요', ['https://예시.한국']],
  ['http://192.168.0.1에서', ['http://192.168.0.1']],
  ['http://localhost:8000에서 테스트', ['http://localhost:8000']],
  ['https://example.com에서.그리고 또', ['https://example.com']],
  ['https://example.comを見て', ['https://example.com']],
  ['https://example.com/docsを見て', ['https://example.com/docs']],
  ['https://example.com/docs를 보세요', ['https://example.com/docs']],
  ['请看https://example.com/a，谢谢', ['https://example.com/a']],
  ['https://example.com。谢谢', ['https://example.com']],
  ['（www.example.com）', ['https://www.example.com']],
  ['https://a.com,https://b.com', ['https://a.com', 'https://b.com']],
  ['https://google.com@evil.com', ['mailto:google.com@evil.com']],
  ['https://ko.wikipedia.org/wiki/2024년', ['https://ko.wikipedia.org/wiki/2024년']],
  ['https://ja.wikipedia.org/wiki/Tシャツ', ['https://ja.wikipedia.org/wiki/Tシャツ']],
  ['https://example.com/?q=한국어&x=1', ['https://example.com/?q=한국어&x=1']],
  ['메일 a@b.com을', ['mailto:a@b.com']],
  ['https://日本語.jp/パス', ['https://日本語.jp/パス']],
  ['https://пример.рф/путь', ['https://пример.рф/путь']],
  ['see https://example.com:8080/a', ['https://example.com:8080/a']],
  ['https://example.com입니다.', ['https://example.com']],
  ['링크:https://example.com/a?b=1.', ['https://example.com/a?b=1']],
  ['https://한국어.com에서', ['https://한국어.com']],
  ['https://example.com　次', ['https://example.com']],
  ['https://münchen.de/x', ['https://münchen.de/x']],
  ['https://example.みんなで見る', ['https://example.みんな']],
  ['《https://example.com/x》', ['https://example.com/x']],
  ['https://example.com이랑 https://b.org/x', ['https://example.com', 'https://b.org/x']],
  ['https://[::1]:8000/x', ['https://[::1]:8000/x']],
  ['http://user:pw@host.com/', ['mailto:pw@host.com']],
  ['[a](https://example.com/x)', ['https://example.com/x']],
];

for (const [text, addresses] of WRITTEN) {
  test(`an address ends where another script or punctuation begins: ${text}`, () => {
    assert.deepEqual(hrefs(text), addresses);
    assert.equal(linkify(text).map((piece) => piece.text).join(''), text);
  });
}

test('the pieces are the text again', () => {
  for (const text of ['', 'plain', 'https://a.b', 'x https://a.b y www.c.d z', 'a\nhttp://a.b/\n\n', '((http://a.b))']) {
    assert.equal(linkify(text).map((piece) => piece.text).join(''), text);
  }
});

test('4,000 characters made to be slow are read to their end', async () => {
  const texts = ['('.repeat(4_000), `www.${'a.'.repeat(1_990)}`, 'a'.repeat(4_000), `${'a@'.repeat(2_000)}`, `http://x${')'.repeat(3_900)}`, 'a@b'.padEnd(4_000, '-a')];
  // Runs in a thread of its own, because only its end stops a pattern that backtracks for ever.
  const module = new URL('../../../static/js/views/chat/linkify.js', import.meta.url);
  const program = `import(${JSON.stringify(module)}).then(({ linkify }) => {
    ${JSON.stringify(texts)}.forEach((text) => linkify(text));
    require('node:worker_threads').parentPort.postMessage('read');
  })`;
  const worker = new Worker(program, { eval: true });
  const [end] = await Promise.race([once(worker, 'message'), sleep(60_000, ['never'], { ref: false })]);
  await worker.terminate();
  assert.equal(end, 'read');
});
