/** Which devices a person has chosen: remembered in this browser. */

import { recall, remember } from './storage.js';

/** @typedef {import('./devices.js').DeviceKind} DeviceKind */
/** @typedef {Partial<Record<DeviceKind, string>>} Choice  device ids */
/** @import {Store} from './storage.js' */

const STORAGE_KEY = 'noom.devices';

/** @param {Store} storage @returns {Choice} */
export const recallDevices = (storage) =>
  recall(storage, STORAGE_KEY, {}, (kept) => typeof kept === 'object' && kept !== null);

/** @param {Store} storage @param {Choice} choice */
export const rememberDevices = (storage, choice) => remember(storage, STORAGE_KEY, choice);
