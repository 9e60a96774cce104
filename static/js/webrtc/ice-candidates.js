/** ICE candidates of the other side, kept until the description that they belong to is set. */

/** @typedef {import('../protocol/messages.d.ts').Candidate} Candidate */

const HELD_LIMIT = 100;

/** @param {RTCPeerConnection} pc */
export const createCandidates = (pc) => new Candidates(pc);

/**
 * A candidate belongs to the ICE generation that its user fragment names (RFC 8839, 5.4). Going by
 * that, and not by the order of arrival, sorts out early ones, those of an offer that lost a glare,
 * and those from before an ICE restart.
 */
class Candidates {
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
   * Use a candidate now, or hold it. Null says that no more will come.
   * @param {Candidate | null} candidate
   */
  async take(candidate) {
    if (candidate === null) return this.#end();
    if (this.#fits(candidate)) return this.#add(candidate);
    this.#held = [...this.#held, candidate].slice(-HELD_LIMIT);
  }

  /** A new remote description is set: use what waited for it, forget what did not. */
  async flush() {
    const held = this.#held;
    this.#held = [];
    await Promise.all(held.filter((one) => this.#fits(one)).map((one) => this.#add(one)));
  }

  /** With candidates on hold, the end is that of a generation which is not ours yet. */
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
      // One path less to try: a kind of address that this browser does not know, or a closed pc.
    }
  }
}

/** @param {Candidate} candidate */
const fragmentOf = ({ usernameFragment, candidate }) =>
  usernameFragment ?? / ufrag (\S+)/.exec(candidate)?.[1] ?? null;
