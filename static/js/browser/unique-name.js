/** A random name, unique among pages. */

/** Avoids `crypto.randomUUID`, which browsers lack on plain http. */
export const randomName = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
