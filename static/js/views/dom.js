/** Helpers of all views: find, clone and mark elements, and keep a list in step. */

/**
 * The element with this id; throws if it is missing or of another class.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @param {{new (): T, name: string}} [kind]
 * @returns {T}
 */
export function byId(id, kind) {
  return checked(document.getElementById(id), kind, `#${id}`);
}

/**
 * The first match within `root`; throws if there is none or of another class.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {ParentNode} root
 * @param {string} selector
 * @param {{new (): T, name: string}} [kind]
 * @returns {T}
 */
export function query(root, selector, kind) {
  return checked(root.querySelector(selector), kind, selector);
}

/**
 * Copies the only element of a `<template>`.
 * @param {string} templateId
 * @returns {HTMLElement}
 */
export function clone(templateId) {
  const { content } = byId(templateId, HTMLTemplateElement);
  return /** @type {HTMLElement} */ (document.importNode(content, true).firstElementChild);
}

/**
 * Makes the children of `list` show `items` in their order.
 * An element lives as long as its key, and moves only if it is out of place: a moved video stops.
 * @template T
 * @param {HTMLElement} list
 * @param {T[]} items
 * @param {{key: (item: T) => string, create: (item: T) => HTMLElement, update: (element: HTMLElement, item: T) => void}} how
 */
export function syncList(list, items, { key, create, update }) {
  const wanted = new Set(items.map(key));
  /** @type {Map<string, HTMLElement>} */
  const kept = new Map();
  for (const element of /** @type {HTMLElement[]} */ ([...list.children])) {
    if (wanted.has(element.dataset.key ?? '')) kept.set(element.dataset.key ?? '', element);
    else element.remove();
  }
  let place = list.firstElementChild;
  for (const item of items) {
    const element = kept.get(key(item)) ?? create(item);
    element.dataset.key = key(item);
    update(element, item);
    if (element === place) place = place.nextElementSibling;
    else list.insertBefore(element, place);
  }
}

/**
 * Sets a text if it differs, because a live region would repeat an equal text.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Whether a key belongs to an input method that composes (Korean, Japanese, …).
 * Safari ends the composition before its last key event, whose key code is still that of one.
 * @param {KeyboardEvent} event
 */
export const isComposing = (event) => event.isComposing || event.keyCode === 229;

/** Whether the keyboard is a touch one, where Enter begins a line as Shift cannot. */
export const writesOnGlass = () => matchMedia('(hover: none) and (pointer: coarse)').matches;

/**
 * Sets or removes `data-<name>`.
 * @param {HTMLElement} element
 * @param {string} name
 * @param {boolean} on
 */
export function toggleData(element, name, on) {
  if (on) element.dataset[name] = '';
  else delete element.dataset[name];
}

/**
 * @template {HTMLElement} T
 * @param {Element | null} element
 * @param {{new (): T, name: string} | undefined} kind
 * @param {string} wanted
 * @returns {T}
 */
function checked(element, kind, wanted) {
  if (element instanceof (kind ?? HTMLElement)) return /** @type {T} */ (element);
  throw new Error(`expected ${kind?.name ?? 'HTMLElement'} ${wanted}, found ${element?.nodeName}`);
}
