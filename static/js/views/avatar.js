/** The avatar of a participant: initials, and a colour that depends on the id. */

const COLORS = 10;

/** @type {Intl.Segmenter | undefined} */
const segmenter = 'Segmenter' in Intl ? new Intl.Segmenter() : undefined;

/**
 * The first letters of the first and the last word. An emoji counts as one letter; the number that
 * distinguishes two equal names does not count.
 * @param {string} name
 */
export function initials(name) {
  const words = name.replace(/\s*\(\d+\)$/u, '').trim().split(/\s+/u).filter(Boolean);
  const chosen = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return chosen.map(firstLetter).join('').toUpperCase() || '?';
}

/** @param {string} id */
export function colorOf(id) {
  let hash = 0;
  for (const char of id) hash = (hash * 31 + char.charCodeAt(0)) >>> 0;
  return hash % COLORS;
}

/**
 * @param {HTMLElement} avatar
 * @param {{id: string, nickname: string}} person
 */
export function drawAvatar(avatar, { id, nickname }) {
  avatar.textContent = initials(nickname);
  avatar.dataset.color = String(colorOf(id));
}

/** @param {string} word */
function firstLetter(word) {
  const [first] = segmenter ? segmenter.segment(word) : [];
  return first?.segment ?? Array.from(word)[0];
}
