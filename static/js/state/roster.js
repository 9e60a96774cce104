/** The members of a place, kept by events that carry a version. Pure.
 * The page ignores a late event; a hole in the versions shows that an event got lost. */

/**
 * @template P
 * @typedef {{people: Record<string, P>, version: number, missing: boolean}} Roster `missing`: the
 *   page has to request the whole roster
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
 * Replaces the roster by an answer. An older version comes from a race, or from a server that counts
 * anew; in both cases the page requests another answer at once, and that one is right.
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
 * Compares the roster with a version that the server mentioned.
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
