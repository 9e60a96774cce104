// The history of a page from its first moment, recorded before any script of its own runs.

window.connections = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...options) {
    super(...options);
    window.connections.push(this);
  }
};

/** `states`: of the line in the header; `frames`: decoded until then, once a second; `others`: how
 * many tiles of others there were, at most and at least, since `begin()`. */
const lived = (window.lived = { states: [], frames: [], most: 0, least: Infinity, modals: 0 });

lived.begin = () => {
  Object.assign(lived, { states: [], frames: [], most: 0, least: Infinity, modals: 0 });
  look();
};

/** The choices of the person at this page, and the place of everything. */
lived.now = () => ({
  pressed: Object.fromEntries(
    [['mute', 'off', 'true'], ['camera', 'off', 'false'], ['share', 'on', 'true']]
      .map(([id, name, value]) => [id, String(document.getElementById(id).dataset[name] === value)]),
  ),
  pinned: tiles().filter(isPinned).map(keyOf),
  boxes: Object.fromEntries(tiles().map((tile) => [keyOf(tile), boxOf(tile)])),
});

const tiles = () => [...document.querySelectorAll('#tiles .tile')];
const keyOf = (tile) => tile.dataset.key;
const isPinned = (tile) => 'pinned' in tile.dataset;
const boxOf = (tile) => {
  const { x, y, width, height } = tile.getBoundingClientRect();
  return [x, y, width, height].map(Math.round);
};

const MODAL = 'dialog[open], [role=dialog], [role=alertdialog], [aria-modal=true], #fatal:not([hidden])';

function look() {
  const state = document.getElementById('connection')?.dataset.state;
  if (state && state !== lived.states.at(-1)) lived.states.push(state);
  const others = document.querySelectorAll('#peers > *').length;
  lived.most = Math.max(lived.most, others);
  lived.least = Math.min(lived.least, others);
  lived.modals += document.querySelectorAll(MODAL).length;
}

async function decoded() {
  for (const connection of window.connections) {
    if (connection.connectionState === 'closed') continue;
    const videos = [...(await connection.getStats()).values()].filter(isVideo);
    connection.decoded = videos.reduce((sum, { framesDecoded }) => sum + framesDecoded, 0);
  }
  return window.connections.reduce((sum, { decoded = 0 }) => sum + decoded, 0);
}

const isVideo = ({ type, kind }) => type === 'inbound-rtp' && kind === 'video';

new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
setInterval(async () => lived.frames.push(await decoded()), 1000);
