/* Notes when each step into the call was done; runs in the page before any script of Noom. */

// A person who presses "Join call" as soon as it answers.
addEventListener('DOMContentLoaded', () => document.getElementById('join-call')?.click());

// Milliseconds since the navigation began, by step; the first time counts.
window.joinSteps = {};
// When each remote picture was first presented, in milliseconds of the Unix epoch.
window.remotePictures = [];

const note = (step) => (window.joinSteps[step] ??= performance.now());

// Frames of the server carry their type near the start; acks answer the first message.
const noteFrame = (way, line, data) => {
  for (const type of ['ack', 'offer', 'answer', 'ice']) {
    if (data.includes(`"type":"${type}"`)) note(`${line} ${way} ${type}`);
  }
};

window.WebSocket = class extends WebSocket {
  constructor(url) {
    super(url);
    this.name = /\/ws\/(\w+)\//.exec(url)?.[1];
    note(`${this.name} socket wanted`);
    this.addEventListener('open', () => note(`${this.name} socket open`));
    this.addEventListener('message', ({ data }) => noteFrame('got', this.name, data));
  }

  send(data) {
    noteFrame('sent', this.name, data);
    super.send(data);
  }
};

window.connections = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...options) {
    super(...options);
    note('connection made');
    window.connections.push(this);
    this.addEventListener('iceconnectionstatechange', () => note(`ice ${this.iceConnectionState}`));
    this.addEventListener('connectionstatechange', () => note(this.connectionState));
  }
};

const { getUserMedia } = MediaDevices.prototype;
MediaDevices.prototype.getUserMedia = async function timed(...wanted) {
  note('camera wanted');
  const stream = await getUserMedia.apply(this, wanted);
  note('camera open');
  return stream;
};

const { set, get } = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, 'srcObject');
Object.defineProperty(HTMLMediaElement.prototype, 'srcObject', {
  get,
  set(stream) {
    set.call(this, stream);
    if (stream === null || this.muted || this.timed) return;
    this.timed = true;
    this.requestVideoFrameCallback(() => {
      note('first remote frame');
      window.remotePictures.push(performance.timeOrigin + performance.now());
    });
  },
});
