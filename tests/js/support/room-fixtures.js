/** Rooms, people and messages for tests. */

import { emptyRoom, reduce } from '../../../static/js/state/room-state.js';

export const ME = 'me';

export const person = (id, extra = {}) => ({
  id,
  nickname: id.toUpperCase(),
  host: false,
  here: true,
  in_call: false,
  since: 0,
  ...extra,
});

export const caller = (id, extra = {}) => ({
  id,
  session: 's1',
  here: true,
  media: { audio: true, video: true, screen: false },
  since: 0,
  ...extra,
});

export const message = (seq, extra = {}) => ({
  seq,
  from: 'ann',
  nickname: 'ANN',
  text: `text ${seq}`,
  sent_at: seq * 1_000,
  client_id: `c${seq}`,
  ...extra,
});

export const messages = (first, last) =>
  Array.from({ length: last - first + 1 }, (_, index) => message(first + index));

export const ackOf = (extra = {}) => ({
  you: ME,
  room: { key: 'tea', name: 'Tea', listed: true },
  people: [person(ME)],
  version: 1,
  messages: [],
  deletions: [],
  seq: 0,
  epoch: 'first life',
  ...extra,
});

export const deletion = (seq, ...spans) => ({
  seq,
  spans: spans.map(([first, last]) => ({ first, last })),
});

export const blank = () =>
  deepFreeze(emptyRoom({ key: 'tea', name: 'Tea', listed: true, capacity: 8 }));

/** The room after events, each a [type, payload]; freezes each room in between. */
export const after = (room, ...events) =>
  events.reduce((now, [type, payload]) => deepFreeze(reduce(now, deepFreeze({ type, payload }))), room);

export const enteredRoom = (extra) => after(blank(), ['entered', ackOf(extra)]);

function deepFreeze(value) {
  if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
