/** Which devices a person has chosen: remembered in this browser. */

/** @typedef {import('./devices.js').DeviceKind} DeviceKind */
/** @typedef {Partial<Record<DeviceKind, string>>} Choice  device ids */
/** @typedef {Pick<Storage, 'getItem' | 'setItem'>} Store */

const STORAGE_KEY = 'noom.devices';

/** @param {Store} storage @returns {Choice} */
export const recall = (storage) => {
  try {
    return JSON.parse(storage.getItem(STORAGE_KEY) ?? '{}') ?? {};
  } catch {
    return {};
  }
};

/** @param {Store} storage @param {Choice} choice */
export const remember = (storage, choice) => {
  try {
    storage.setItem(STORAGE_KEY, JSON.stringify(choice));
  } catch {
    // A browser that stores nothing asks again next time.
  }
};
