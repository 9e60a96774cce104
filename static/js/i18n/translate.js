/** Translates every text that a script puts on the page. */

import { EN } from './en.js';
import { KO } from './ko.js';

/** @typedef {keyof typeof EN} Key */
/** A text, or one for each plural category; `t` fills in each `{name}`.
 * @typedef {string | {one?: string, other: string}} Message */
/** @typedef {Readonly<Record<string, Message>>} Catalog */

/** @type {Readonly<Record<string, Catalog>>} */
export const CATALOGS = { en: EN, ko: KO };
const FALLBACK = 'en';
/** @type {Intl.DateTimeFormatOptions} */
const TIME = { hour: 'numeric', minute: '2-digit' };
/** @type {Intl.DateTimeFormatOptions} */
const DAY = { month: 'short', day: 'numeric' };

export const language = () =>
  typeof document === 'undefined' ? FALLBACK : document.documentElement.lang || FALLBACK;

/**
 * @param {Key} key
 * @param {Record<string, string | number>} [values] `count` chooses the plural
 * @param {string} [lang]
 */
export function t(key, values = {}, lang = language()) {
  const catalog = CATALOGS[lang.split('-')[0]] ?? EN;
  const message = catalog[key];
  if (message === undefined) throw new Error(`no words for "${key}"`);
  const sentence = typeof message === 'string' ? message : plural(message, Number(values.count), lang);
  return sentence.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ''));
}

/**
 * @param {string} key
 * @returns {key is Key}
 */
export const hasKey = (key) => Object.hasOwn(EN, key);

/**
 * @param {{one?: string, other: string}} words
 * @param {number} count
 * @param {string} lang
 */
function plural(words, count, lang) {
  const isOne = new Intl.PluralRules(lang).select(count) === 'one';
  return isOne ? (words.one ?? words.other) : words.other;
}

/**
 * The first few names and the number of the rest, as in "Ana, Bo and 2 others".
 * @param {string[]} names
 * @param {number} [most] names to list
 * @param {string} [lang]
 */
export function listNames(names, most = 3, lang = language()) {
  const called = names.map((name) => t('list.name', { name }, lang));
  if (called.length > most) {
    const said = called.slice(0, most - 1).join(', ');
    return t('list.rest', { names: said, count: called.length - most + 1 }, lang);
  }
  const last = called.pop() ?? '';
  return called.length > 0 ? t('list.last', { names: called.join(', '), last }, lang) : last;
}

/**
 * The locale for times: the browser's own if it has the page's language.
 * @param {string} lang
 */
const region = (lang) =>
  globalThis.navigator?.languages?.find((one) => one.split('-')[0] === lang.split('-')[0]) ?? lang;

/** A cache: to make a formatter costs more than a hundred uses. @type {Map<string, Intl.DateTimeFormat>} */
const formatters = new Map();

/** @param {boolean} isToday */
function formatter(isToday) {
  const lang = region(language());
  const key = `${lang} ${isToday}`;
  const shown = isToday ? TIME : { ...DAY, ...TIME };
  const found = formatters.get(key) ?? new Intl.DateTimeFormat(lang, shown);
  formatters.set(key, found);
  return found;
}

/**
 * The time of day, after the date if that is not today.
 * @param {number} at in milliseconds of the Unix epoch
 * @param {Date} now
 */
export function clock(at, now) {
  const date = new Date(at);
  const isToday = date.toDateString() === now.toDateString();
  return formatter(isToday).format(date);
}
