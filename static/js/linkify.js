/** Finds the addresses in a text: http, https, www and mail, and nothing else. Pure. */

/** @typedef {{text: string, href?: string}} Piece */

const ADDRESS = /\bhttps?:\/\/[^\s<>"“”]+|\bwww\.[^\s<>"“”]+\.[^\s<>"“”]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}/giu;
const CLOSERS = new Map([[')', '('], [']', '['], ['}', '{']]);
const SENTENCE_ENDS = new Set([...'.,:;!?\'"*_~…。、，！？」』”’']);

/**
 * The text in pieces; joined, they are the text again.
 * @param {string} text
 * @returns {Piece[]}
 */
export function linkify(text) {
  /** @type {Piece[]} */
  const pieces = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = trimmed(match[0]);
    const href = hrefOf(address);
    if (href === null) continue;
    if (match.index > end) pieces.push({ text: text.slice(end, match.index) });
    pieces.push({ text: address, href });
    end = match.index + address.length;
  }
  if (end < text.length || text === '') pieces.push({ text: text.slice(end) });
  return pieces;
}

/**
 * Without the dot of the sentence it ends, and without a bracket that it did not open.
 * @param {string} address
 */
function trimmed(address) {
  let end = address.length;
  while (end > 0) {
    const last = address[end - 1];
    const opener = CLOSERS.get(last);
    const isForeign = opener !== undefined && isUnbalanced(address.slice(0, end), opener, last);
    if (!isForeign && !SENTENCE_ENDS.has(last)) break;
    end -= 1;
  }
  return address.slice(0, end);
}

/**
 * @param {string} text
 * @param {string} opener
 * @param {string} closer
 */
const isUnbalanced = (text, opener, closer) =>
  text.split(closer).length > text.split(opener).length;

/** @param {string} address */
function hrefOf(address) {
  const isWeb = /^https?:\/\//i.test(address);
  if (!isWeb && !/^www\./i.test(address)) return `mailto:${address}`;
  const href = isWeb ? address : `https://${address}`;
  return URL.canParse(href) ? href : null;
}
