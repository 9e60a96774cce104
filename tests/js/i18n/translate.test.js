/** Tests that each text exists in each language, with equal values to fill in. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

import { initials } from '../../../static/js/views/avatar.js';
import { CATALOGS, clock, hasKey, listNames, t } from '../../../static/js/i18n/translate.js';

const SCRIPTS = new URL('../../../static/js/', import.meta.url);
const { en, ...others } = CATALOGS;

/** @param {import('../../../static/js/i18n/translate.js').Message} words */
const forms = (words) => (typeof words === 'string' ? [words] : Object.values(words));

/** @param {import('../../../static/js/i18n/translate.js').Message} words */
const blanks = (words) => [...new Set(forms(words).join(' ').match(/\{\w+\}/g))].sort();

for (const [lang, catalog] of Object.entries(others)) {
  test(`${lang} has the keys of English, no more and no fewer`, () => {
    assert.deepEqual(Object.keys(catalog).sort(), Object.keys(en).sort());
  });

  test(`${lang} fills in what English fills in`, () => {
    for (const key of Object.keys(en)) {
      assert.deepEqual(blanks(catalog[key]), blanks(en[key]), key);
    }
  });
}

test('no sentence is empty or has a stray blank', () => {
  for (const catalog of Object.values(CATALOGS)) {
    for (const [key, words] of Object.entries(catalog)) {
      for (const form of forms(words)) assert.match(form, /^\S(.*\S)?$/s, key);
    }
  }
});

test('every key that a script names exists, and every key is used', () => {
  const files = readdirSync(SCRIPTS, { recursive: true }).filter((name) => /(?<!i18n\/\w\w)\.js$/.test(name));
  const source = files.map((name) => readFileSync(new URL(name, SCRIPTS), 'utf8')).join('\n');
  for (const [, key] of source.matchAll(/\bt\(\s*'([^']+)'/g)) assert.ok(hasKey(key), key);
  const composed = [...source.matchAll(/`([\w.]+\.)\$\{/g)].map(([, prefix]) => prefix);
  for (const key of Object.keys(en)) {
    const isUsed = source.includes(`'${key}'`) || composed.some((prefix) => key.startsWith(prefix));
    assert.ok(isUsed || key === 'arrived' || key === 'left', `${key} is never used`);
  }
});

test('an unknown key is an error, an unknown language is English', () => {
  assert.throws(() => t(/** @type {any} */ ('no_such_key')), /no_such_key/);
  assert.equal(t('you', {}, 'xx'), 'You');
  assert.equal(t('you', {}, 'ko-KR'), '나');
});

test('plurals follow the language', () => {
  assert.equal(t('unread', { count: 1 }, 'en'), '1 unread message');
  assert.equal(t('unread', { count: 2 }, 'en'), '2 unread messages');
  assert.equal(t('unread', { count: 1 }, 'ko'), '읽지 않은 메시지 1개');
});

test('names are listed as people say them', () => {
  const names = ['Ana', 'Bo', 'Cy', 'Di'];
  assert.equal(listNames([], 3, 'en'), '');
  assert.equal(listNames(names.slice(0, 1), 3, 'en'), 'Ana');
  assert.equal(listNames(names.slice(0, 2), 3, 'en'), 'Ana and Bo');
  assert.equal(listNames(names.slice(0, 3), 3, 'en'), 'Ana, Bo and Cy');
  assert.equal(listNames(names, 3, 'en'), 'Ana, Bo and 2 others');
  assert.equal(listNames(['지민', '서연', '하준', '도윤'], 3, 'ko'), '지민님, 서연님 외 2명');
});

test('a name that looks like a blank is not filled in', () => {
  assert.equal(t('precall.who', { names: '{count} $& $1', count: 1 }, 'en'), '{count} $& $1 is in the call.');
});

test('times of another day carry their date', () => {
  const now = new Date(2025, 4, 2, 15, 30);
  assert.match(clock(new Date(2025, 4, 2, 9, 5).getTime(), now), /^9:05/);
  assert.match(clock(new Date(2025, 4, 1, 9, 5).getTime(), now), /May 1.*9:05/);
});

test('initials are whole letters, of names in any script', () => {
  const named = { 'Ana Lee': 'AL', 'ana maria lee': 'AL', 지민: '지', '  ': '?', '👩‍👩‍👧 x': '👩‍👩‍👧X', 'مها علي': 'مع' };
  for (const [name, letters] of Object.entries(named)) assert.equal(initials(name), letters);
});
