/** Puts several meshes into one page, with a wire between them that the tests can bend. */

import { SpeakerDetector } from '/js/media/speaker-detection.js';
import { LocalMedia } from '/js/media/local-media.js';
import { Mesh } from '/js/webrtc/mesh.js';

export const trouble = [];
addEventListener('unhandledrejection', ({ reason }) => trouble.push(`unhandled: ${reason}`));
addEventListener('error', ({ message }) => trouble.push(`error: ${message}`));

export const NO_TRACKS = { microphone: null, camera: null, screen: null, screenSound: null };
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const PATIENCE = 4; // as tests/support/patience.py

export const until = async (what, condition, deadlineMs = 15_000) => {
  const end = performance.now() + deadlineMs * PATIENCE;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`never came: ${what}`);
    await sleep(20);
  }
};

/** A picture that changes, so that there are always new frames to decode. */
export const movingPicture = (width = 320, height = 240) => {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const pen = canvas.getContext('2d');
  let turn = 0;
  setInterval(() => {
    pen.fillStyle = `hsl(${(turn += 7)} 80% 50%)`;
    pen.fillRect(0, 0, width, height);
  }, 40);
  return canvas.captureStream(25).getVideoTracks()[0];
};

export const tone = () => {
  const context = new AudioContext();
  const [source, out] = [new OscillatorNode(context), context.createMediaStreamDestination()];
  source.connect(out);
  source.start();
  return out.stream.getAudioTracks()[0];
};

export const withCamera = (more = {}) => ({
  ...NO_TRACKS,
  microphone: tone(),
  camera: movingPicture(),
  ...more,
});

/** An element that plays a stream by itself, as a tile does. */
export const play = (srcObject) => {
  const video = document.createElement('video');
  document.body.append(Object.assign(video, { autoplay: true, playsInline: true, srcObject }));
  return video;
};

/** Delivers like the server: only to the session that is meant. `bend` returns ms of delay, or null. */
export class World {
  people = new Map();
  sent = [];
  bend = () => 0;

  join(id, { since, session = `${id}-1`, tracks = NO_TRACKS, onLevels } = {}) {
    const person = { id, session, since, streams: new Map(), states: [], problems: [] };
    person.mesh = new Mesh({
      you: id,
      iceServers: [],
      tracks,
      send: (type, payload) => this.carry(person, type, payload),
      onStreams: (from, streams) => person.streams.set(from, streams),
      onPeerState: (from, state) => person.states.push(state),
      onLevels,
      onProblem: (from, error) => trouble.push(`${id} with ${from}: ${error}`),
    });
    this.people.set(id, person);
    return person;
  }

  carry(from, type, { to, session, ...body }) {
    const payload = { from: from.id, session: from.session, ...body };
    const message = { type, to, session, from: from.id, payload };
    this.sent.push(message);
    const delay = this.bend(message);
    if (delay !== null) setTimeout(() => this.deliver(message), delay);
  }

  deliver({ type, to, session, payload }) {
    const person = this.people.get(to);
    if (person?.session === session) person.mesh.signal(type, structuredClone(payload));
  }

  callers(...ids) {
    const media = { audio: true, video: true, screen: true };
    return Object.fromEntries(
      ids.map((id) => {
        const { session, since } = this.people.get(id);
        return [id, { id, session, since, here: true, media }];
      }),
    );
  }

  tell(...ids) {
    for (const id of ids) this.people.get(id).mesh.setCallers(this.callers(...this.people.keys()));
  }

  first(type, from = 'ann') {
    return this.sent.find((one) => one.type === type && one.from === from);
  }

  descriptions() {
    return this.count('offer') + this.count('answer');
  }

  count(type, from) {
    return this.sent.filter((one) => one.type === type && (!from || one.from === from)).length;
  }

  close() {
    for (const { mesh } of this.people.values()) mesh.close();
  }
}

/** A participant that is no browser page of ours: it knows two m-lines, and refuses what is more. */
export class Bot {
  session = 'bot-1';
  id = 'bot';
  pc = new RTCPeerConnection();
  mesh = { signal: (type, payload) => this.take(type, payload) };

  constructor(world, { since }) {
    Object.assign(this, { world, since });
    world.people.set(this.id, this);
    this.pc.onicecandidate = ({ candidate }) =>
      this.tell('ice', { candidate: candidate && candidate.toJSON() });
  }

  tell(type, body) {
    const { session } = this.world.people.get('ann');
    this.world.carry(this, type, { to: 'ann', session, ...body });
  }

  async offer() {
    for (const kind of ['audio', 'video']) this.pc.addTransceiver(kind, { direction: 'recvonly' });
    await this.pc.setLocalDescription();
    this.tell('offer', { description: { number: 0, sdp: this.pc.localDescription.sdp } });
  }

  async take(type, { description, candidate }) {
    if (type === 'ice') return this.pc.addIceCandidate(candidate);
    await this.pc.setRemoteDescription({ type, sdp: description.sdp });
    if (type === 'answer') return;
    for (const one of this.pc.getTransceivers().slice(2)) one.stop();
    await this.pc.setLocalDescription();
    const { sdp } = this.pc.localDescription;
    this.tell('answer', { description: { number: description.number, sdp } });
  }

  async sees() {
    return [...(await this.pc.getStats()).values()].some((one) => one.framesDecoded > 5);
  }
}

export const peer = (person, other) => person.mesh.peers.get(other);

export const stat = async (person, other, kind, field, mid) => {
  let best = 0;
  for (const one of (await peer(person, other).pc.getStats()).values()) {
    const right = one.type === 'inbound-rtp' && one.kind === kind && (!mid || one.mid === mid);
    if (right) best = Math.max(best, one[field] ?? 0);
  }
  return best;
};

export const frames = (person, other, mid) => stat(person, other, 'video', 'framesDecoded', mid);

export const framesGrow = async (person, other, mid) => {
  await until(`a peer of ${person.id} for ${other}`, () => peer(person, other));
  const before = await frames(person, other, mid);
  const more = async () => (await frames(person, other, mid)) > before + 4;
  await until(`frames of ${other} at ${person.id}`, more);
};

export const connected = (person, other) => {
  const state = () => peer(person, other)?.pc.connectionState;
  return until(`${person.id} connected to ${other}`, () => state() === 'connected');
};

export const settled = async (ann, bob) => {
  const ends = [peer(ann, bob.id), peer(bob, ann.id)];
  await until('stable', () => ends.every(({ pc }) => pc.signalingState === 'stable'));
  await Promise.all([connected(ann, bob.id), connected(bob, ann.id)]);
};

/** The m-line of the n-th picture. */
export const pictureMid = (person, other, index) => {
  const transceivers = peer(person, other).pc.getTransceivers();
  return transceivers.filter(({ receiver }) => receiver.track.kind === 'video')[index].mid;
};

/** Transceivers left over from a rolled back offer: they would become m-lines. */
export const leftovers = (person, other) =>
  peer(person, other)
    .pc.getTransceivers()
    .filter(({ mid, direction }) => mid === null && direction !== 'stopped').length;

export const lines = (person, other) =>
  peer(person, other).pc.localDescription.sdp.match(/^m=/gm).length;

export const fragment = (person, other) =>
  /a=ice-ufrag:(\S+)/.exec(peer(person, other).pc.localDescription.sdp)[1];

export { SpeakerDetector, LocalMedia };
