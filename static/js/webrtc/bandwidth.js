/** Divides the upload between callers, and between sound, camera, screen. Pure. */

/** The upload of a home connection that leaves room for the rest of the household. */
const UPLOAD_BPS = 4_000_000;
const AUDIO_BPS = 40_000;
const AUDIO_BPS_IN_A_CROWD = 28_000;
const CROWD_OTHERS = 4;
const SCREEN_SHARE = 0.6;
const SCREEN_MIN_BPS = 200_000;
const SCREEN_MAX_BPS = 2_500_000;
const CAMERA_MIN_BPS = 80_000;

/**
 * Limits of the camera by the number of other callers. A mesh encodes the picture once for each,
 * so the processor is the first limit, not the upload. The last step holds for any larger number.
 */
const CAMERA_STEPS = [
  { others: 1, maxBps: 1_700_000, scaleDownBy: 1, maxFramerate: 30 },
  { others: 2, maxBps: 1_200_000, scaleDownBy: 1, maxFramerate: 30 },
  { others: 3, maxBps: 800_000, scaleDownBy: 1.5, maxFramerate: 30 },
  { others: 5, maxBps: 450_000, scaleDownBy: 2, maxFramerate: 24 },
  { others: Infinity, maxBps: 280_000, scaleDownBy: 3, maxFramerate: 20 },
];

/**
 * @typedef {object} Budget Limits of ONE peer connection; rates in bits per second.
 * @property {number} audioBps
 * @property {number} videoBps
 * @property {number} scaleDownBy  of the camera's width and height
 * @property {number} maxFramerate  of the camera
 * @property {number} screenBps
 */

/**
 * The limits of each peer, so that all of them together fit the upload. Sound comes first, then a
 * shared screen (people look at it), then the camera.
 *
 * @param {number} peopleCount  callers, the user included
 * @param {{screen: boolean}} sharing  whether the user shares a screen
 * @returns {Budget}
 */
export const budget = (peopleCount, { screen }) => {
  const others = Math.max(1, peopleCount - 1);
  const audioBps = others < CROWD_OTHERS ? AUDIO_BPS : AUDIO_BPS_IN_A_CROWD;
  const left = Math.max(0, UPLOAD_BPS / others - audioBps);
  const screenBps = Math.floor(clamp(left * SCREEN_SHARE, SCREEN_MIN_BPS, SCREEN_MAX_BPS));
  const step = cameraStep(screen ? others + 1 : others);
  const forCamera = screen ? left - screenBps : left;
  return {
    audioBps,
    videoBps: Math.floor(clamp(forCamera, CAMERA_MIN_BPS, step.maxBps)),
    scaleDownBy: step.scaleDownBy,
    maxFramerate: step.maxFramerate,
    screenBps,
  };
};

/** @param {number} others */
const cameraStep = (others) =>
  CAMERA_STEPS.find((step) => others <= step.others) ?? CAMERA_STEPS[CAMERA_STEPS.length - 1];

/** @param {number} value @param {number} low @param {number} high */
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** @param {Budget | null} one @param {Budget | null} other */
export const isSameBudget = (one, other) => JSON.stringify(one) === JSON.stringify(other);
