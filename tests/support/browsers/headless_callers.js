// Many people in one page of Noom, each with the room's and the call's real lines, without views.
// Run in any page of a Noom: its modules come from there.

const TONE = new AudioContext().createMediaStreamDestination();

/** The media of a person: one sound for all of them, and no picture. */
const MEDIA = {
  state: {
    // Sound flows all the same; this only keeps each of them from measuring its own.
    audio: false,
    video: false,
    screen: false,
    tracks: { microphone: null, camera: null, screen: null, screenSound: null },
  },
  start: async () => {},
  stop: () => {},
};

window.connections = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  glares = 0;

  constructor(...options) {
    super(...options);
    window.connections.push(this);
  }

  // Only the polite side takes an offer while one of its own is out.
  setRemoteDescription(description) {
    if (description.type === 'offer' && this.signalingState === 'have-local-offer') this.glares += 1;
    return super.setRemoteDescription(description);
  }
};

let modules = null;

async function load() {
  const names = ['session/call-session', 'session/chat-session', 'session/participant', 'state/room-state', 'state/store'];
  modules ??= Object.assign({}, ...(await Promise.all(names.map((name) => import(`/static/js/${name}.js`)))));
  const oscillator = new OscillatorNode(TONE.context);
  oscillator.connect(TONE);
  oscillator.start();
  MEDIA.state.tracks.microphone = TONE.stream.getAudioTracks()[0];
}

class Light {
  peerStates = [];
  refusals = [];

  constructor(data, nickname) {
    this.nickname = nickname;
    this.media = { ...MEDIA, state: { ...MEDIA.state, tracks: { ...MEDIA.state.tracks } } };
    const { CallSession, Participant, ChatSession, RoomStore, emptyRoom } = modules;
    this.store = new RoomStore(emptyRoom(data));
    const participant = new Participant({
      key: data.key,
      token: data.token,
      renewS: data.token_renew_s,
      storage: { getItem: () => null, setItem: () => {}, removeItem: () => {} },
      page: window,
    });
    const refused = (code) => this.refusals.push(code);
    this.chat = new ChatSession({
      data,
      participant,
      storage: { getItem: () => null, setItem: () => {}, removeItem: () => {} },
      store: this.store,
      onState: () => {},
      onClosed: refused,
      onRefused: refused,
      onServerError: () => {},
      onNicknameRefused: () => {},
    });
    this.call = withOwnNetwork(this, () => new CallSession({
      key: data.key,
      participant,
      media: this.media,
      store: this.store,
      onStreams: () => {},
      onPeerState: (_, state) => this.peerStates.push(state),
      onNoWay: () => {},
      onSpeaking: () => {},
      onRefused: refused,
      onLeft: () => {},
    }));
  }

  join() {
    this.chat.start(this.nickname);
    this.call.join();
  }

  change(number) {
    const { state } = this.media;
    this.nickname = `${this.nickname.split('~')[0]}~${number}`;
    const live = { audio: !state.audio, video: !state.video, screen: number % 2 === 0 };
    // Without a track of its own nobody is measured for being heard.
    this.media.state = { ...state, ...live, tracks: { ...state.tracks, microphone: null } };
    this.chat.rename(this.nickname);
    this.call.mediaChanged(this.media.state);
  }

  /** Whether a page shows the name of this person, and what it sends. */
  shownBy({ store: { room } }) {
    const { audio, video, screen } = this.media.state;
    const live = room.call.people[this.store.room.you]?.media;
    return [
      room.people[this.store.room.you]?.nickname === this.nickname,
      live?.audio === audio && live?.video === video && live?.screen === screen,
    ];
  }
}

/** Keeps apart what each of them does when the browser says that the network is another one. */
function withOwnNetwork(light, make) {
  const { addEventListener } = window;
  window.addEventListener = (name, listener) => {
    if (name === 'online') light.networkChanged = listener;
    else addEventListener.call(window, name, listener);
  };
  try {
    return make();
  } finally {
    window.addEventListener = addEventListener;
  }
}

async function pageData(key) {
  const page = new DOMParser().parseFromString(await (await fetch(`/rooms/${key}/`)).text(), 'text/html');
  return JSON.parse(page.getElementById('room-data').textContent);
}

const light = (window.light = { pairs: [] });

/** Two people for each of these rooms; nobody has entered yet. */
light.prepare = async (keys) => {
  await load();
  light.pairs = [];
  for (const key of keys) {
    const data = [await pageData(key), await pageData(key)];
    light.pairs.push({ key, people: data.map((one, index) => new Light(one, `${key}-${index}`)) });
  }
};

light.join = () => {
  for (const { people } of light.pairs) people.forEach((one) => one.join());
};

/** Both sides of each pair look for a new path in the same moment. */
light.glare = () => {
  for (const connection of living()) Object.assign(connection, { glares: 0, before: own(connection) });
  for (const { people } of light.pairs) people.forEach((one) => one.networkChanged());
};

/** How many pairs have had a glare since `glare()`: only the polite side counts it. */
light.glares = () => living().filter(({ glares }) => glares > 0).length;

/** How many pairs stand: of each two the descriptions fit together, and sound arrives at both ends.
 * After `glare()` only new paths count. */
light.standing = async () => {
  const found = await Promise.all(living().map(ends));
  const good = found.filter((one) => one.good);
  const mutual = (one) => good.some(({ here, there }) => here === one.there && there === one.here);
  return good.filter(mutual).length / 2;
};

let changes = 0;

light.change = () => {
  changes += 1;
  for (const { people } of light.pairs) people.forEach((one) => one.change(changes));
};

/** How many states that people set are not true on every page of their room. */
light.stateMismatches = () => {
  const states = light.pairs.flatMap(({ people }) =>
    people.flatMap((one) => {
      const seen = people.map((other) => one.shownBy(other));
      return [0, 1].map((state) => seen.every((shown) => shown[state]));
    }),
  );
  return states.filter((isTrue) => !isTrue).length;
};

/** The final errors: somebody was refused. */
light.refusals = () => light.pairs.flatMap(({ people }) => people.flatMap((one) => one.refusals));

const living = () => window.connections.filter(({ connectionState }) => connectionState !== 'closed');

async function ends(connection) {
  const [here, there] = [own(connection), fragmentOf(connection.currentRemoteDescription)];
  const isSettled =
    connection.connectionState === 'connected' && connection.signalingState === 'stable';
  const isNew = here !== connection.before;
  return { here, there, good: isSettled && isNew && (await hears(connection)) };
}

async function hears(connection) {
  const before = connection.heard ?? 0;
  const all = [...(await connection.getStats()).values()];
  connection.heard = all.find(({ type }) => type === 'transport')?.packetsReceived ?? 0;
  return connection.heard > before;
}

const own = ({ currentLocalDescription }) => fragmentOf(currentLocalDescription);
const fragmentOf = (description) => /a=ice-ufrag:(\S+)/.exec(description?.sdp ?? '')?.[1];
