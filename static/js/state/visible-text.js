/** The visible part of a text, by the rules of the server's chat/names/visible.py. */

// The class excludes characters that show nothing, by category; it never excludes an emoji.
const INK =
  /[^\s\p{M}\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800\uFFFC\u{1D159}\u{13441}\u{13442}]/u;
const SURROGATES = /[\uD800-\uDBFF][\uDC00-\uDFFF]|[\uD800-\uDFFF]/g;

/**
 * Whether a text shows anything; the server refuses a message that shows nothing.
 * @param {string} text
 */
export const hasInk = (text) => INK.test(text);

/**
 * A text without lone surrogates, which a field leaves where it cuts an emoji.
 * @param {string} text
 */
export const wellFormed = (text) => text.replace(SURROGATES, (found) => (found.length === 2 ? found : ''));

/**
 * A value as the JSON of a frame, well formed.
 * @param {object} value
 */
export const toFrame = (value) =>
  JSON.stringify(value, (_, part) => (typeof part === 'string' ? wellFormed(part) : part));
