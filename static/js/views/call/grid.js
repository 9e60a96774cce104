/** Computes the grid of equal tiles that wastes the least space of a window. Pure. */

const WIDE = 16 / 9;

/** @typedef {{columns: number, rows: number, tileWidth: number, tileHeight: number}} Grid */

/**
 * Tries every number of columns up to the number of tiles.
 * @param {number} n tiles
 * @param {number} width of the window, in pixels
 * @param {number} height
 * @param {number} [ratio] of a tile, width to height
 * @param {number} [gap] between tiles, in pixels
 * @returns {Grid}
 */
export function bestGrid(n, width, height, ratio = WIDE, gap = 8) {
  let best = { columns: Math.max(n, 1), rows: 1, tileWidth: 0, tileHeight: 0 };
  for (let columns = 1; columns <= n; columns += 1) {
    const rows = Math.ceil(n / columns);
    const cellWidth = (width - gap * (columns - 1)) / columns;
    const cellHeight = (height - gap * (rows - 1)) / rows;
    const tileWidth = Math.max(0, Math.min(cellWidth, cellHeight * ratio));
    if (tileWidth > best.tileWidth) {
      best = { columns, rows, tileWidth, tileHeight: tileWidth / ratio };
    }
  }
  return best;
}
