/** Finds the addresses in a text: http, https, www and mail, and nothing else. Pure. */

/** @typedef {{text: string, href?: string}} Piece */

const ADDRESS = /\bhttps?:\/\/[^\s<>"“”]+|\bwww\.[^\s<>"“”]+\.[^\s<>"“”]+|(?<![\w.+-])[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}/giu;
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
  /** How many of a closing bracket are too many. @type {Map<string, number>} */
  const spare = new Map();
  for (const [closer, opener] of CLOSERS) {
    spare.set(closer, occurrences(address, closer) - occurrences(address, opener));
  }
  let end = address.length;
  while (end > 0) {
    const last = address[end - 1];
    const tooMany = spare.get(last) ?? 0;
    if (tooMany <= 0 && !SENTENCE_ENDS.has(last)) break;
    spare.set(last, tooMany - 1);
    end -= 1;
  }
  return address.slice(0, end);
}

/**
 * @param {string} text
 * @param {string} char
 */
const occurrences = (text, char) => text.split(char).length - 1;

/** @param {string} address */
function hrefOf(address) {
  const isWeb = /^https?:\/\//i.test(address);
  if (!isWeb && !/^www\./i.test(address)) return `mailto:${address}`;
  const href = isWeb ? address : `https://${address}`;
  return URL.canParse(href) ? href : null;
}
