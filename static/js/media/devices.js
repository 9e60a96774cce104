/** Lists and opens cameras, microphones and screens, and names their problems. */

/** @typedef {'audio' | 'video'} Kind */
/** @typedef {'audioinput' | 'videoinput' | 'audiooutput'} DeviceKind */
/** @typedef {'insecure' | 'unsupported' | 'refused' | 'no_device' | 'busy' | 'failed'} Problem */
/** @typedef {{id: string, label: string}} Device */
/** @typedef {Record<DeviceKind, Device[]>} DeviceLists */
/** @typedef {{track: MediaStreamTrack | null, problem: Problem | null}} Opened */
/** @typedef {Partial<Record<Kind, ConstrainDOMString>>} Wanted  device ids, '' for any */

/** Problems by the names of the errors of W3C Media Capture, 10.2. */
const PROBLEMS = /** @type {Record<string, Problem>} */ ({
  NotAllowedError: 'refused',
  SecurityError: 'refused',
  NotFoundError: 'no_device',
  OverconstrainedError: 'no_device',
  NotReadableError: 'busy',
  AbortError: 'busy',
});

const PERMISSIONS = { audio: 'microphone', video: 'camera' };
const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const PICTURE = {
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 30, max: 30 },
  facingMode: 'user',
};
/** Enough for scrolling text or a film; more frames would cost text its sharpness. */
const SCREEN_FRAMERATE = 20;

/** @param {unknown} error @returns {Problem} */
export const problemOf = (error) =>
  (error instanceof Error && PROBLEMS[error.name]) || 'failed';

/** Why the page has no devices at all: browsers hide them on plain http. */
export const unavailableReason = () =>
  /** @type {Problem} */ (globalThis.isSecureContext === false ? 'insecure' : 'unsupported');

/**
 * Lists the devices to choose from. Before a permission browsers give devices without an id.
 * @param {MediaDevices} devices
 * @returns {Promise<DeviceLists>}
 */
export const listDevices = async (devices) => {
  /** @type {DeviceLists} */
  const lists = { audioinput: [], videoinput: [], audiooutput: [] };
  for (const { kind, deviceId, label } of await devices.enumerateDevices()) {
    if (deviceId) lists[kind]?.push({ id: deviceId, label });
  }
  return lists;
};

/**
 * Opens camera and microphone with one permission prompt. After a failure it opens each by itself,
 * so that one of the two may still work. Never rejects.
 *
 * @param {MediaDevices} devices
 * @param {Wanted} wanted
 * @returns {Promise<Partial<Record<Kind, Opened>>>}
 */
export const open = async (devices, wanted) => {
  const kinds = /** @type {Kind[]} */ (Object.keys(wanted));
  if (kinds.length === 0) return {};
  try {
    const stream = await devices.getUserMedia(constraintsOf(wanted));
    return Object.fromEntries(kinds.map((kind) => [kind, opened(trackOf(stream, kind))]));
  } catch (error) {
    const problem = problemOf(error);
    if (kinds.length === 1) return { [kinds[0]]: failed(problem) };
    const refused = problem === 'refused' ? await refusedOf(kinds) : [];
    /** @type {Partial<Record<Kind, Opened>>} */
    const results = {};
    for (const kind of kinds) {
      if (refused.includes(kind)) results[kind] = failed('refused');
      else Object.assign(results, await open(devices, { [kind]: wanted[kind] }));
    }
    return results;
  }
};

/**
 * Lets the user pick a screen, window or tab, with its sound if the browser gives it. Call it
 * within a click. Rejects like getDisplayMedia.
 *
 * @param {MediaDevices} devices
 */
export const openScreen = async (devices) => {
  const stream = await devices.getDisplayMedia({
    video: { frameRate: { max: SCREEN_FRAMERATE } },
    audio: { ...SOUND, echoCancellation: false, noiseSuppression: false, autoGainControl: false },
  });
  const screen = trackOf(stream, 'video');
  if (screen) screen.contentHint = 'detail';
  return { screen, screenSound: trackOf(stream, 'audio') };
};

/** @param {Wanted} wanted @returns {MediaStreamConstraints} */
const constraintsOf = ({ audio, video }) => ({
  audio: audio === undefined ? false : { ...SOUND, ...(audio && { deviceId: audio }) },
  video: video === undefined ? false : { ...PICTURE, ...(video && deviceOnly(video)) },
});

/** Drops `facingMode`: a chosen device may face anywhere. @param {ConstrainDOMString} deviceId */
const deviceOnly = (deviceId) => ({ deviceId, facingMode: undefined });

/**
 * The kinds not to request again: those whose permission is denied. If none is, the user has just
 * refused or closed the prompt, and two more prompts would only nag.
 * @param {Kind[]} kinds
 */
const refusedOf = async (kinds) => {
  try {
    const states = await Promise.all(
      kinds.map(async (kind) => {
        const name = /** @type {PermissionName} */ (PERMISSIONS[kind]);
        return (await navigator.permissions.query({ name })).state;
      }),
    );
    const denied = kinds.filter((_, index) => states[index] === 'denied');
    return denied.length > 0 ? denied : kinds;
  } catch {
    return []; // This browser has no query for permissions.
  }
};

/** @param {MediaStream} stream @param {Kind} kind */
const trackOf = (stream, kind) =>
  stream.getTracks().find((track) => track.kind === kind) ?? null;

/** @param {MediaStreamTrack | null} track @returns {Opened} */
const opened = (track) => ({ track, problem: track ? null : 'no_device' });

/** @param {Problem} problem @returns {Opened} */
const failed = (problem) => ({ track: null, problem });
