/** The user's chosen devices and switches, kept in this browser. */

import { recall, remember } from '../browser/storage.js';

/** @typedef {import('./devices.js').DeviceKind} DeviceKind */
/** @typedef {Partial<Record<DeviceKind, string>>} Choice  device ids */
/** @import {Store} from '../browser/storage.js' */

/** @typedef {{audio: boolean, video: boolean}} Switches  on or off */

const STORAGE_KEY = 'noom.devices';
const SWITCHES_KEY = 'noom.switches';

/** @param {Store} storage @returns {Choice} */
export const recallDevices = (storage) =>
  recall(storage, STORAGE_KEY, {}, (kept) => typeof kept === 'object' && kept !== null);

/** @param {Store} storage @param {Choice} choice */
export const rememberDevices = (storage, choice) => remember(storage, STORAGE_KEY, choice);

/** @param {Store} storage @returns {Switches} on by default */
export const recallSwitches = (storage) => {
  const { audio, video } = recall(storage, SWITCHES_KEY, { audio: true, video: true });
  return { audio: audio !== false, video: video !== false };
};

/** @param {Store} storage @param {Switches} switches */
export const rememberSwitches = (storage, switches) => remember(storage, SWITCHES_KEY, switches);
