/** The lists of cameras, microphones and speakers. */

import { byId } from '../dom.js';
import { t } from '../../i18n/translate.js';

/** @import {Device, DeviceKind} from '../../media/devices.js' */
/** @import {LocalMediaState} from '../../media/local-media.js' */

/** @type {Record<DeviceKind, string>} */
const LISTS = { audioinput: 'microphones', videoinput: 'cameras', audiooutput: 'speakers' };
const KINDS = /** @type {DeviceKind[]} */ (Object.keys(LISTS));

/** @param {{onChoose: (kind: DeviceKind, id: string) => void}} options */
export function createDevices({ onChoose }) {
  for (const kind of KINDS) {
    const list = byId(LISTS[kind], HTMLSelectElement);
    list.addEventListener('change', () => onChoose(kind, list.value));
  }
  // Some browsers give pages no choice of speaker, so the list hides.
  const speakers = byId(LISTS.audiooutput).closest('label');
  if (speakers) speakers.hidden = !('setSinkId' in HTMLMediaElement.prototype);
  return {
    /** @param {LocalMediaState} media */
    render({ devices, chosen }) {
      for (const kind of KINDS) draw(kind, devices[kind], chosen[kind] ?? '');
    },
  };
}

/**
 * @param {DeviceKind} kind
 * @param {Device[]} devices
 * @param {string} chosen
 */
function draw(kind, devices, chosen) {
  const list = byId(LISTS[kind], HTMLSelectElement);
  const options = devices.map(({ id, label }, index) => ({
    id,
    label: label || t(`device.unnamed.${kind}`, { number: index + 1 }),
  }));
  if (options.length === 0) {
    options.push({ id: '', label: t(kind === 'audiooutput' ? 'device.default' : 'device.none') });
  }
  const signature = JSON.stringify(options);
  // A new drawing would close a list that the user has open.
  if (list.dataset.drawn !== signature) {
    list.dataset.drawn = signature;
    list.replaceChildren(...options.map(({ id, label }) => new Option(label, id)));
  }
  list.disabled = devices.length === 0;
  if (options.some(({ id }) => id === chosen)) list.value = chosen;
}
