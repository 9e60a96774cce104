/** Cameras, microphones and screens: lists them, opens them, names what went wrong. */

/** @typedef {'audio' | 'video'} Kind */
/** @typedef {'audioinput' | 'videoinput' | 'audiooutput'} DeviceKind */
/** @typedef {'insecure' | 'unsupported' | 'refused' | 'no_device' | 'busy' | 'failed'} Problem */
/** @typedef {{id: string, label: string}} Device */
/** @typedef {Record<DeviceKind, Device[]>} DeviceLists */
/** @typedef {{track: MediaStreamTrack | null, problem: Problem | null}} Opened */
/** @typedef {Partial<Record<Kind, ConstrainDOMString>>} Wanted  device ids, '' for any */

/** By the names of the errors of getUserMedia and getDisplayMedia (W3C Media Capture, 10.2). */
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
/** Text that scrolls, or a film: more frames would only cost the text its sharpness. */
const SCREEN_FRAMERATE = 20;

/** @param {unknown} error @returns {Problem} */
export const problemOf = (error) =>
  (error instanceof Error && PROBLEMS[error.name]) || 'failed';

/** Why there are no devices at all: browsers hide them from pages that came by plain http. */
export const whyNone = () =>
  /** @type {Problem} */ (globalThis.isSecureContext === false ? 'insecure' : 'unsupported');

/**
 * What can be chosen. Before a permission is given browsers show devices without an id.
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
 * Open camera and microphone with one question to the person. If that fails, each for itself, so
 * that one of the two still works. Never rejects.
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
 * The person picks a screen, window or tab; with its sound where the browser gives it. Must be
 * called within a click. Rejects like getDisplayMedia.
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

/** A device that was chosen may face anywhere. @param {ConstrainDOMString} deviceId */
const deviceOnly = (deviceId) => ({ deviceId, facingMode: undefined });

/**
 * Which of them not to ask for again. Where the browser has none on its list, the person has just
 * said no (or closed the question): asking twice more would only nag.
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
    return []; // This browser does not tell.
  }
};

/** @param {MediaStream} stream @param {Kind} kind */
const trackOf = (stream, kind) =>
  stream.getTracks().find((track) => track.kind === kind) ?? null;

/** @param {MediaStreamTrack | null} track @returns {Opened} */
const opened = (track) => ({ track, problem: track ? null : 'no_device' });

/** @param {Problem} problem @returns {Opened} */
const failed = (problem) => ({ track: null, problem });
