/** How many are in a room, asked of the server by those who are about to enter it. */

/**
 * Nobody, where the server does not say: one enters all the same.
 * @param {string} room its key, or its name as somebody types it
 * @returns {Promise<number>}
 */
export async function company(room) {
  // No address takes a slash within a name; in the key of a room it is a dash like a blank.
  const path = encodeURIComponent(room.replaceAll('/', ' ').trim());
  try {
    const answer = await fetch(`/rooms/${path}/people.json`);
    return answer.ok ? (await answer.json()).people : 0;
  } catch {
    return 0;
  }
}
