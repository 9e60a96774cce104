/** The control bar: its buttons, keys and menus, and the side panel that it opens. */

import { byId, setText, query } from '../dom.js';
import { bindMenus } from '../menu.js';
import { bindToolbar } from '../toolbar.js';
import { createDevices } from './device-lists.js';
import { createKeys } from './shortcuts-sheet.js';
import { SidePanel } from '../room/side-panel.js';
import { t } from '../../i18n/translate.js';

/** @import {DeviceKind} from '../../media/devices.js' */
/** @import {LocalMediaState} from '../../media/local-media.js' */
/** @import {Room} from '../../state/room-state.js' */
/** @import {Tab} from '../room/side-panel.js' */
/**
 * @typedef {object} ControlsOptions
 * @property {() => void} onJoin
 * @property {() => void} onMic
 * @property {() => void} onCamera
 * @property {() => void} onShare starts or stops sharing
 * @property {() => void} onLeave
 * @property {(kind: DeviceKind, id: string) => void} onChoose
 * @property {(open: Tab | null) => void} onPanel
 * @property {import('../../browser/storage.js').Store} storage of the browser
 */
/** @typedef {Parameters<typeof t>[0]} Key */

/** @type {Record<string, string>} */
const SHORTCUTS = {
  mute: 'M',
  camera: 'V',
  share: 'S',
  'open-chat': 'C',
  'open-people': 'P',
};

/** @param {ControlsOptions} options */
export function createControls(options) {
  bindButtons(options);
  bindMenus();
  bindToolbar(byId('controls'));
  createKeys({ keys: SHORTCUTS, storage: options.storage });
  const panel = new SidePanel(options);
  const devices = createDevices(options);
  setTip('open-chat', 'control.chat');
  setTip('open-people', 'control.people');
  byId('leave-call').dataset.tip = t('control.leave');
  let wasJoined = false;
  return {
    panel,
    /**
     * @param {Room} room
     * @param {LocalMediaState} media
     */
    render(room, media) {
      const { joined } = room.call;
      byId('call-controls').hidden = byId('leave-controls').hidden = !joined;
      drawMedia(media);
      byId('sharing').hidden = !joined || !media.screen;
      devices.render(media);
      if (joined !== wasJoined) keepFocus(joined ? 'mute' : 'join-call');
      wasJoined = joined;
    },
  };
}

/** @param {ControlsOptions} options */
function bindButtons({ onJoin, onMic, onCamera, onShare, onLeave }) {
  byId('join-call').addEventListener('click', onJoin);
  byId('mute').addEventListener('click', onMic);
  byId('camera').addEventListener('click', onCamera);
  byId('share').addEventListener('click', onShare);
  byId('stop-sharing').addEventListener('click', onShare);
  byId('leave-call').addEventListener('click', onLeave);
  byId('share').hidden = !navigator.mediaDevices || !('getDisplayMedia' in navigator.mediaDevices);
}

/** @param {LocalMediaState} media */
function drawMedia({ audio, video, screen }) {
  byId('mute').dataset.off = String(!audio);
  label('mute', audio ? 'toggle.audio_off' : 'toggle.audio_on');
  setTip('mute', audio ? 'control.mute' : 'control.unmute');
  byId('camera').dataset.off = String(!video);
  label('camera', video ? 'toggle.video_off' : 'toggle.video_on');
  setTip('camera', video ? 'control.camera_off' : 'control.camera_on');
  byId('share').dataset.on = String(screen);
  label('share', screen ? 'toggle.screen_off' : 'toggle.screen_on');
  setTip('share', screen ? 'control.unshare' : 'control.share');
}

/**
 * Labels a button with what a press does. A pressed state would contradict such a label.
 * @param {string} id
 * @param {Key} key
 */
const label = (id, key) => setText(query(byId(id), '.control-label'), t(key));

/**
 * @param {string} id
 * @param {Key} key
 */
function setTip(id, key) {
  byId(id).dataset.tip = t('tip', { words: t(key), key: SHORTCUTS[id] });
}

/**
 * Moves the focus of a keyboard to the next button if the pressed one has gone.
 * @param {string} id
 */
function keepFocus(id) {
  const isLost = document.activeElement?.getClientRects().length === 0;
  if (isLost) byId(id).focus({ preventScroll: true });
}
