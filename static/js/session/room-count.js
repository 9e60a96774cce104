/** The number of people in a room, for a user who is about to enter it. */

/**
 * Queries the server; 0 if the request fails, because the user can enter anyway.
 * @param {string} room its key, or its name as the user types it
 * @returns {Promise<number>}
 */
export async function company(room) {
  // A path cannot hold a slash within a name; a room's key has a dash for a slash and for a blank.
  const path = encodeURIComponent(room.replaceAll('/', ' ').trim());
  try {
    const answer = await fetch(`/rooms/${path}/people.json`);
    return answer.ok ? (await answer.json()).people : 0;
  } catch {
    return 0;
  }
}
