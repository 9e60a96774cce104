/** Remote ICE candidates, kept until the description that they belong to is set. */

/** @typedef {import('../protocol/messages.d.ts').Candidate} Candidate */

const HELD_LIMIT = 100;

/**
 * Adds candidates by the ICE generation of their user fragment (RFC 8839, 5.4).
 * The fragment, unlike the order of arrival, tells early candidates from those of an offer that lost
 * a glare and from those before an ICE restart.
 */
export class IceCandidates {
  #pc;
  /** @type {Candidate[]} */
  #held = [];

  /** @param {RTCPeerConnection} pc */
  constructor(pc) {
    this.#pc = pc;
  }

  get held() {
    return [...this.#held];
  }

  /**
   * Adds a candidate now, or holds it. Null means that no more will come.
   * @param {Candidate | null} candidate
   */
  async take(candidate) {
    if (candidate === null) return this.#end();
    if (this.#fits(candidate)) return this.#add(candidate);
    this.#held = [...this.#held, candidate].slice(-HELD_LIMIT);
  }

  /** Adds held candidates that fit the new remote description, and drops the rest. */
  async flush() {
    const held = this.#held;
    this.#held = [];
    await Promise.all(held.filter((one) => this.#fits(one)).map((one) => this.#add(one)));
  }

  /** Ignores the end of a generation whose description is not set yet. */
  async #end() {
    if (this.#pc.remoteDescription && this.#held.length === 0) await this.#add(null);
  }

  /** @param {Candidate} candidate */
  #fits(candidate) {
    const remote = this.#pc.remoteDescription;
    if (!remote) return false;
    const fragment = fragmentOf(candidate);
    return fragment === null || remote.sdp.includes(`a=ice-ufrag:${fragment}\r\n`);
  }

  /** @param {Candidate | null} candidate */
  async #add(candidate) {
    try {
      await this.#pc.addIceCandidate(candidate);
    } catch {
      // A failure costs one path: the address has an unknown form, or the connection has closed.
    }
  }
}

/** @param {Candidate} candidate */
const fragmentOf = ({ usernameFragment, candidate }) =>
  usernameFragment ?? / ufrag (\S+)/.exec(candidate)?.[1] ?? null;
