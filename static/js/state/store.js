/** The store of the room's page: holds the state, and calls its subscribers after a change. */

import { reduce } from './room-state.js';

/** @import {Room} from './room-state.js' */

export class RoomStore {
  #room;
  /** @type {(() => void)[]} */
  #subscribers = [];

  /** @param {Room} room */
  constructor(room) {
    this.#room = room;
  }

  get room() {
    return this.#room;
  }

  /**
   * Reduces an event into the state.
   * @param {string} type
   * @param {object} payload
   */
  dispatch = (type, payload) => {
    const before = this.#room;
    this.#room = reduce(before, { type, payload });
    if (this.#room !== before) for (const notify of this.#subscribers) notify();
  };

  /**
   * Calls `onChange` after each change of what `select` returns. A subscriber may dispatch; those
   * that were not called yet then see the newer state alone.
   * @template T
   * @param {(room: Room) => T} select
   * @param {(selected: T) => void} onChange
   */
  subscribe(select, onChange) {
    let last = select(this.#room);
    this.#subscribers.push(() => {
      const selected = select(this.#room);
      if (selected === last) return;
      last = selected;
      onChange(selected);
    });
  }
}
