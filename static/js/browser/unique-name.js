/** A name that no other page has. */

/** Not `crypto.randomUUID`: it is missing on plain http. */
export const randomName = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
