/** Plays streams in videos, on the chosen speaker and despite blocked sound. */

import { byId } from '../dom.js';

export class Playback {
  /** @type {Set<HTMLVideoElement>} */
  #videos = new Set();
  #speaker = '';
  #notice = byId('sound-blocked');
  /** Videos muted until the next click or key, as the browser requires.
   * @type {Set<HTMLVideoElement>} */
  #silenced = new Set();

  constructor() {
    for (const gesture of ['click', 'keydown']) {
      document.addEventListener(gesture, () => this.#unmute(), { capture: true });
    }
  }

  /** @param {HTMLVideoElement} video an element to play with sound */
  add(video) {
    this.#videos.add(video);
    if (this.#speaker) void this.#direct(video);
  }

  /** Forgets videos that have left the page. */
  sweep() {
    for (const video of this.#videos) {
      if (!video.isConnected) this.#stop(video);
    }
  }

  /**
   * @param {HTMLVideoElement} video
   * @param {MediaStream | null} stream
   */
  show(video, stream) {
    if (video.srcObject === stream) return;
    video.srcObject = stream;
    if (stream) void this.#play(video);
  }

  /** @param {HTMLVideoElement} video an element whose stream to attach again */
  attach(video) {
    const { srcObject } = video;
    video.srcObject = null;
    video.srcObject = srcObject;
    void this.#play(video);
  }

  /** @param {string} deviceId '' for the system's default */
  setSpeaker(deviceId) {
    if (deviceId === this.#speaker) return;
    this.#speaker = deviceId;
    for (const video of this.#videos) void this.#direct(video);
  }

  /** @param {HTMLVideoElement} video */
  async #play(video) {
    try {
      await video.play();
    } catch (error) {
      // Other errors mean that the element received another stream or left the page.
      const isBlocked = error instanceof DOMException && error.name === 'NotAllowedError';
      if (isBlocked && video.isConnected && !video.muted) this.#silence(video);
    }
  }

  /** @param {HTMLVideoElement} video */
  #silence(video) {
    this.#silenced.add(video);
    this.#notice.hidden = false;
    video.muted = true;
    void this.#play(video);
  }

  #unmute() {
    this.#notice.hidden = true;
    for (const video of this.#silenced) {
      this.#silenced.delete(video);
      video.muted = false;
      void this.#play(video);
    }
  }

  /** @param {HTMLVideoElement} video */
  async #direct(video) {
    if (!('setSinkId' in video)) return;
    try {
      await video.setSinkId(this.#speaker);
    } catch {
      // If the speaker has gone, the sound stays on the current one.
    }
  }

  /** @param {HTMLVideoElement} video */
  #stop(video) {
    video.srcObject = null;
    this.#videos.delete(video);
    this.#silenced.delete(video);
    if (this.#silenced.size === 0) this.#notice.hidden = true;
  }
}
