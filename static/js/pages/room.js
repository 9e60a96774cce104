/** The room's page: connects sessions, media and views. */

import { CallSession } from '../session/call-session.js';
import { company } from '../session/room-count.js';
import { byId } from '../views/dom.js';
import { createWatch, onceAFrame } from '../browser/animation-frames.js';
import { createLeaveGuard } from '../browser/leave-guard.js';
import { LocalMedia } from '../media/local-media.js';
import { Participant } from '../session/participant.js';
import { PictureWatch } from '../webrtc/picture-watch.js';
import { ChatSession } from '../session/chat-session.js';
import { browserStore, tabStore } from '../browser/storage.js';
import { emptyRoom } from '../state/room-state.js';
import { RoomStore } from '../state/store.js';
import { CallView } from '../views/call/stage.js';
import { ChatView } from '../views/chat/chat-panel.js';
import { createControls } from '../views/call/controls.js';
import { askName } from '../views/room/name-dialog.js';
import { createHeader } from '../views/room/header.js';
import { LiveRegion } from '../views/room/live-region.js';
import { createPeopleView } from '../views/room/people-list.js';
import { StatusView } from '../views/room/status.js';

/** @import {RoomData} from '../session/chat-session.js' */

const NICKNAME = 'noom.nickname';
const DRAFT = 'noom.draft.';

/** @type {RoomData} */
const data = JSON.parse(byId('room-data').textContent ?? '');
const participant = new Participant({
  key: data.key,
  token: data.token,
  reference: data.reference,
  renewS: data.token_renew_s,
  storage: tabStore,
  page: window,
});
const store = new RoomStore(emptyRoom(data));
const guard = createLeaveGuard();
const live = new LiveRegion();
/** @param {string} words */
const say = (words) => live.say(words);
const status = new StatusView({ reference: () => participant.reference, say });
const onServerError = () => status.problem('server');
const header = createHeader({ onProblem: (problem) => status.problem(problem), say });
const peopleView = createPeopleView();
const callView = new CallView({ onSwitch: (kind) => media.flip(kind) });
const chatView = new ChatView({
  onSend: (text) => line.say(text),
  onTyping: (on) => line.typing(on),
  onEarlier: () => line.loadEarlier(),
  onView: (view) => store.dispatch('viewed', view),
  onRetry: (clientId) => line.retry(clientId),
  onDiscard: (clientId) => line.discard(clientId),
  onNickname: rename,
  draft: {
    read: () => tabStore.getItem(DRAFT + data.key) ?? '',
    write: (text) =>
      text === '' ? tabStore.removeItem(DRAFT + data.key) : tabStore.setItem(DRAFT + data.key, text),
  },
});
const controls = createControls({
  onJoin: join,
  onMic: () => void media.toggleMic(),
  onCamera: () => void media.toggleCamera(),
  onShare: () => (media.state.screen ? media.stopScreen() : void media.shareScreen()),
  onLeave: () => void call.leave(),
  onChoose: (kind, id) => void media.chooseDevice(kind, id),
  onPanel: (open) => chatView.setOpen(open === 'chat'),
  storage: browserStore,
});
const media = new LocalMedia({
  storage: browserStore,
  onChange: (state) => {
    call.mediaChanged(state);
    callView.setSpeaker(state.chosen.audiooutput ?? '');
    status.devices(state);
    mediaState = state;
    draw();
  },
  onProblem: (kind) => {
    if (kind === 'screen') status.problem('screen');
    else status.devicesFailed(media.state);
  },
  onQuestion: (stands) => status.question(stands),
});
let mediaState = media.state;
const isNewPeople = createWatch();
const isNewCall = createWatch();
const line = new ChatSession({
  data,
  store,
  participant,
  storage: tabStore,
  onState: (state) => {
    status.connection(state);
    chatView.setLine(state === 'open');
  },
  onClosed: end,
  onRefused: end,
  onServerError,
  onNicknameRefused: (nickname) => {
    keepName(nickname);
    chatView.resetNickname();
    status.problem('nickname');
  },
});
const call = new CallSession({
  key: data.key,
  participant,
  media,
  store,
  onStreams: (id, streams) => callView.setStreams(id, streams),
  onPeerState: (id, state) => {
    callView.setPeerState(id, state);
    if (state === 'reconnecting') [line, call].forEach((one) => one.checkLiveness());
  },
  onNoWay: (ids) => {
    callView.setNoWay(ids);
    status.noWay(ids.size > 0);
  },
  onSpeaking: (ids) => callView.setSpeaking(ids),
  onRefused: (code) => callView.showError(code),
  onServerError,
  onLeft: () => {
    pictureWatch.stop();
    callView.setJoining(false);
    status.problem(null);
  },
});

const pictureWatch = new PictureWatch({
  pictures: () => callView.pictures(),
  peers: () => call.mesh?.peers ?? new Map(),
  attach: (video) => callView.attach(video),
  renew: (id) => call.mesh?.renew(id),
  environment: window,
});

/** Draws all changes of a frame at once, and only what has changed. */
const draw = onceAFrame(() => {
  const { room } = store;
  chatView.render(room);
  header.render(room);
  live.render(room, mediaState);
  const { you, people, call: inCall } = room;
  if (isNewPeople(you, people, inCall)) peopleView.render(room);
  if (!isNewCall(you, people, inCall, mediaState)) return;
  callView.render(room, mediaState);
  controls.render(room, mediaState);
});

store.subscribe((room) => room, draw);
store.subscribe(
  ({ call, pending }) => call.joined || pending.some(({ state }) => state === 'sending'),
  guard.set,
);

function join() {
  if (call.joined) return;
  callView.setJoining(true);
  call.join();
  pictureWatch.start();
}

/** @param {string} nickname */
function rename(nickname) {
  keepName(nickname);
  line.rename(nickname);
}

/**
 * Saves the nickname for this tab, and for new tabs of this browser.
 * @param {string} nickname
 */
function keepName(nickname) {
  for (const store of [tabStore, browserStore]) store.setItem(NICKNAME, nickname);
}

async function enter() {
  const known = data.nickname || tabStore.getItem(NICKNAME) || browserStore.getItem(NICKNAME);
  const nickname = known || (await askName(company(data.key)));
  keepName(nickname);
  line.start(nickname);
  // A link must not open devices, so the user joins the call by a click.
  if (data.join_call) byId('join-call').focus({ preventScroll: true });
}

/** @param {number | string} code a close code, or the code of an `error` */
function end(code) {
  void call.leave();
  guard.set(false);
  status.fatal(code);
}

// Drops the query, so that the user copies and reloads the address of the room alone.
history.replaceState(null, '', location.pathname);
if (!window.isSecureContext) status.problem('insecure');
void enter();
