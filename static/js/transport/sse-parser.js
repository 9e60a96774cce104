/** Parses the server-sent events that the server writes: one line of data at most. */

/** @typedef {{event: string, id: number, data: string}} StreamEvent */

/** @returns {(text: string) => StreamEvent[]} takes the next part of a stream and returns the
 * events that it completes; comments are ignored */
export function eventReader() {
  let rest = '';
  return (text) => {
    const blocks = (rest + text).split('\n\n');
    rest = blocks.pop() ?? '';
    return blocks.map(read).filter((event) => event !== null);
  };
}

/**
 * @param {string} block
 * @returns {StreamEvent | null}
 */
function read(block) {
  /** @type {Record<string, string>} */
  const fields = {};
  for (const line of block.split('\n')) {
    const [, name, value] = /^(\w+): (.*)$/s.exec(line) ?? [];
    if (name) fields[name] = value;
  }
  if (fields.data === undefined) return null;
  return { event: fields.event ?? 'message', id: Number(fields.id ?? 0), data: fields.data };
}
