/** Who is in a place, as told by events that carry its version: late ones count for nothing, and a
 * hole in the versions means that one got lost. Pure. */

/**
 * @template P
 * @typedef {{people: Record<string, P>, version: number, missing: boolean}} Roster `missing`: the
 *   whole roster has to be asked for
 */

/**
 * @template {{id: string}} P
 * @param {Roster<P>} roster
 * @param {{person: P, version: number}} event
 */
export const put = (roster, { person, version }) =>
  change(roster, version, { ...roster.people, [person.id]: person });

/**
 * @template {{id: string}} P
 * @param {Roster<P>} roster
 * @param {{person: P, version: number}} event
 */
export function remove(roster, { person, version }) {
  const { [person.id]: _, ...others } = roster.people;
  return change(roster, version, others);
}

/**
 * An answer older than what is known may come of a race or of a server that counts anew; in both
 * cases the next answer, asked for at once, is the truth.
 * @template {{id: string}} P
 * @param {Roster<P>} roster
 * @param {{people: P[], version: number}} answer
 */
export const replace = (roster, { people, version }) => ({
  people: byId(people),
  version,
  missing: version < roster.version,
});

/**
 * The server spoke of a version.
 * @template P
 * @param {Roster<P>} roster
 * @param {number} version
 */
export const heard = (roster, version) =>
  version === roster.version || roster.missing ? roster : { ...roster, missing: true };

/**
 * @template {{id: string}} P
 * @param {P[]} people
 * @returns {Record<string, P>}
 */
export const byId = (people) => Object.fromEntries(people.map((person) => [person.id, person]));

/**
 * @template P
 * @param {Roster<P>} roster
 * @param {number} version
 * @param {Record<string, P>} people
 */
const change = (roster, version, people) =>
  version <= roster.version
    ? roster
    : { people, version, missing: roster.missing || version > roster.version + 1 };
