/** Lays out the tiles on the stage. Pure: sizes in, rectangles out, in pixels. */

import { bestGrid } from './grid.js';

/** @typedef {{key: string, kind: 'own' | 'peer' | 'screen'}} Tile */
/** @typedef {{x: number, y: number, width: number, height: number, floating?: boolean}} Box */
/** @typedef {{width: number, height: number}} Size */

const GAP_PX = 8;
const WIDE = 16 / 9;
// Wide tiles would leave most of an upright stage empty.
const UPRIGHT_RATIOS = [WIDE, 4 / 3, 1, 3 / 4];
// One or two tiles on an upright stage fill it, up to the shape of an upright camera.
const SLIMMEST = 1 / 2;
const STRIP_SHARE = 0.22;
const CORNER_SHARE = 0.24;
const CORNER_MIN_PX = 96;
const CORNER_MAX_PX = 260;
const CORNER_MARGIN_PX = 12;

/**
 * @param {Tile[]} tiles
 * @param {Size} stage
 * @param {string | null} pinned the key of a tile, or null
 * @returns {Map<string, Box>} by key
 */
export function layOut(tiles, stage, pinned) {
  const large = tiles.filter(({ key, kind }) => (pinned === null ? kind === 'screen' : key === pinned));
  const small = tiles.filter((tile) => !large.includes(tile));
  const whole = { x: 0, y: 0, ...stage };
  if (large.length > 0 && small.length > 0) return withStrip(large, small, whole);
  const own = tiles.find(({ kind }) => kind === 'own');
  const others = tiles.filter((tile) => tile !== own);
  if (own && others.length === 1) return withCorner(others[0], own, whole);
  return grid(tiles, whole);
}

/**
 * @param {Tile[]} large
 * @param {Tile[]} small
 * @param {Box} area
 */
function withStrip(large, small, area) {
  const isWide = area.width > area.height;
  const share = (isWide ? area.width : area.height) * STRIP_SHARE;
  const main = isWide
    ? { ...area, width: area.width - share - GAP_PX }
    : { ...area, height: area.height - share - GAP_PX };
  const strip = isWide
    ? { ...area, x: area.x + area.width - share, width: share }
    : { ...area, y: area.y + area.height - share, height: share };
  return new Map([...fill(large, main), ...grid(small, strip, [WIDE])]);
}

/**
 * @param {Tile} other
 * @param {Tile} own
 * @param {Box} area
 */
function withCorner(other, own, area) {
  const boxes = grid([other], area);
  const face = /** @type {Box} */ (boxes.get(other.key));
  const isUpright = area.height > area.width;
  const wanted = area.width * CORNER_SHARE;
  const width = Math.round(Math.min(CORNER_MAX_PX, Math.max(CORNER_MIN_PX, wanted)));
  const height = Math.round(isUpright ? (width * 4) / 3 : width / WIDE);
  const x = face.x + face.width - width - CORNER_MARGIN_PX;
  const y = face.y + face.height - height - CORNER_MARGIN_PX;
  return boxes.set(own.key, { x, y, width, height, floating: true });
}

/**
 * Fills an area with large tiles, which show their picture whole in any shape.
 * @param {Tile[]} tiles
 * @param {Box} area
 */
const fill = (tiles, area) =>
  tiles.length === 1 ? new Map([[tiles[0].key, area]]) : grid(tiles, area, [WIDE]);

/**
 * @param {Tile[]} tiles
 * @param {Box} area
 * @param {number[]} [ratios] to choose from
 * @returns {Map<string, Box>}
 */
function grid(tiles, area, ratios = ratiosFor(tiles.length, area)) {
  const { columns, tileWidth, tileHeight } = ratios
    .map((ratio) => bestGrid(tiles.length, area.width, area.height, ratio, GAP_PX))
    .reduce((best, one) => (surface(one) > surface(best) ? one : best));
  const rows = Math.ceil(tiles.length / columns);
  const top = area.y + (area.height - span(rows, tileHeight)) / 2;
  return new Map(
    tiles.map(({ key }, index) => {
      const row = Math.floor(index / columns);
      const inRow = Math.min(columns, tiles.length - row * columns);
      const left = area.x + (area.width - span(inRow, tileWidth)) / 2;
      const x = left + (index - row * columns) * (tileWidth + GAP_PX);
      const y = top + row * (tileHeight + GAP_PX);
      return [key, { x, y, width: tileWidth, height: tileHeight }];
    }),
  );
}

/**
 * @param {number} n
 * @param {Size} area
 */
function ratiosFor(n, { width, height }) {
  if (width >= height) return [WIDE];
  return n <= 2 ? [Math.max(SLIMMEST, (width / height) * n)] : UPRIGHT_RATIOS;
}

/** @param {{tileWidth: number, tileHeight: number}} grid */
const surface = ({ tileWidth, tileHeight }) => tileWidth * tileHeight;

/**
 * @param {number} n
 * @param {number} size
 */
const span = (n, size) => n * size + (n - 1) * GAP_PX;
