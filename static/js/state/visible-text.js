/** What shows of a text, as the server's chat/names/visible.py sees it. */

// Signs and letters by category, with nothing to see. An emoji is never one of them, however new.
const INK =
  /[^\s\p{M}\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800\uFFFC\u{1D159}\u{13441}\u{13442}]/u;
const SURROGATES = /[\uD800-\uDBFF][\uDC00-\uDFFF]|[\uD800-\uDFFF]/g;

/**
 * Whether there is anything to see in a text; the server refuses a message without.
 * @param {string} text
 */
export const hasInk = (text) => INK.test(text);

/**
 * A text without half characters, which a field leaves where it cuts an emoji.
 * @param {string} text
 */
export const wellFormed = (text) => text.replace(SURROGATES, (found) => (found.length === 2 ? found : ''));

/**
 * A value as the JSON of a frame.
 * @param {object} value
 */
export const toFrame = (value) =>
  JSON.stringify(value, (_, part) => (typeof part === 'string' ? wellFormed(part) : part));
