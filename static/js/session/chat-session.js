/** The session of a chat: its connection, its outbox, and the state of the room. */

import { checkLiveness } from '../transport/liveness-check.js';
import { Outbox } from './outbox.js';
import { BAD_TOKEN } from '../protocol/close-codes.js';
import { HISTORY_LIMIT, MAX_RAW_NICKNAME_CHARS } from '../protocol/limits.js';
import { PROTOCOL_VERSION } from '../protocol/version.js';
import { missingRange, lastSeq } from '../state/room-state.js';
import { Socket } from '../transport/socket.js';
import { DesiredState } from './desired-state.js';

/** @import {EnterRoomAck} from '../protocol/messages.js' */
/** @import {Participant} from './participant.js' */
/** @import {ConnectionState} from '../transport/socket.js' */
/** @import {RoomStore} from '../state/store.js' */

// The server sends each change once; this limit covers a change that the channel layer lost.
const TYPING_TIMEOUT_MS = 60_000;
// After one of these codes the page repeats the request by itself.
const RETRY_MS = 1_000;
const RETRY_CODES = ['too_fast', 'try_later'];
const SERVER_ERROR = 'server_error';

/**
 * @typedef {object} RoomData the data that the server wrote into the page
 * @property {string} key
 * @property {string} token
 * @property {string} reference
 * @property {number} token_renew_s the age at which the page requests another token
 * @property {string} name
 * @property {boolean} listed
 * @property {string} nickname
 * @property {boolean} join_call
 * @property {number} capacity
 */
/**
 * @typedef {object} ChatSessionOptions
 * @property {RoomData} data
 * @property {RoomStore} store
 * @property {Participant} participant
 * @property {import('../browser/storage.js').Store} storage of this tab
 * @property {(state: ConnectionState) => void} onState
 * @property {(code: number) => void} onClosed
 * @property {(code: string) => void} onRefused the server refused the entry for good
 * @property {() => void} onServerError the server failed
 * @property {(nickname: string) => void} onNicknameRefused receives the nickname that stays
 */

export class ChatSession {
  #options;
  /** The nickname that the user wants; the server may add a number to it. */
  #nickname = '';
  /** The nickname that the page requested last, and the one that the server gave. */
  #asked = { nickname: '', given: '' };
  /** The nickname of the last handshake. */
  #greeted = '';
  #nameWish;
  #store;
  #socket;
  #outbox;
  /** The names of pending requests. @type {Set<string>} */
  #asking = new Set();
  /** @type {Map<string, number>} */
  #typingTimers = new Map();

  /** @param {ChatSessionOptions} options */
  constructor(options) {
    const { data, storage, store } = options;
    this.#options = options;
    this.#store = store;
    this.#nameWish = new DesiredState({
      missing: () => this.#unaskedName(),
      ask: (payload, options) => this.#request('nickname', payload, options),
      onGranted: ({ nickname: given }, { nickname }) => (this.#asked = { nickname, given }),
      onRefused: () => {
        this.#nickname = this.#asked.nickname;
        this.#options.onNicknameRefused(this.#nickname);
      },
    });
    this.#socket = new Socket({
      url: `/ws/chat/${encodeURIComponent(data.key)}/?v=${PROTOCOL_VERSION}`,
      firstMessage: () => this.#firstMessage(),
      onWelcome: (ack) => this.#entered(ack),
      onEvent: ({ type, payload }) => this.#onEvent(type, payload),
      onState: options.onState,
      onClosed: (code) => this.#closed(code),
      onRefused: (code, _, willRetry) => this.#refused(code, willRetry),
    });
    this.#outbox = new Outbox({
      storage,
      key: data.key,
      request: this.#request,
      onChange: (items) => store.dispatch('pending', { items }),
    });
    store.subscribe(
      (room) => room,
      () => this.#synchronize(),
    );
  }

  /** @param {string} nickname the nickname to request */
  start(nickname) {
    this.#nickname = shortened(nickname);
    this.#store.dispatch('pending', { items: this.#outbox.items });
    this.#socket.start();
  }

  /** Checks the connection after another sign that the network failed. */
  checkLiveness = () => void checkLiveness(this.#socket);

  /** @param {string} text */
  say = (text) => void this.#outbox.add(text);

  /** @param {string} clientId */
  retry = (clientId) => this.#outbox.retry(clientId);

  /** @param {string} clientId */
  discard = (clientId) => this.#outbox.discard(clientId);

  /** @param {boolean} on */
  typing = (on) => this.#socket.post('typing', { on });

  /**
   * Requests another nickname until the server accepts or refuses it.
   * @param {string} nickname
   */
  rename = (nickname) => {
    this.#nickname = shortened(nickname);
    this.#nameWish.check();
  };

  /** @returns {{nickname: string} | null} the nickname to request, null if the server has given it */
  #unaskedName() {
    const { you, people } = this.#store.room;
    const isGiven = this.#asked.nickname === this.#nickname;
    const shown = people[you ?? '']?.nickname;
    if (shown === undefined || (isGiven && shown === this.#asked.given)) return null;
    return { nickname: this.#nickname };
  }

  /** Requests the messages before the first one that the page has. */
  loadEarlier = () => {
    const { from: before, hasEarlier } = this.#store.room;
    if (!hasEarlier) return;
    const then = (/** @type {object} */ answer) => this.#store.dispatch('history', { ...answer, before });
    this.#ask('earlier', 'history', { before, limit: HISTORY_LIMIT }, then, this.loadEarlier);
  };

  /**
   * @param {string} type
   * @param {object} payload
   * @param {{timeoutMs?: number}} [options]
   * @returns {Promise<any>}
   */
  #request = (type, payload, options) =>
    this.#socket.request(type, payload, options).catch((error) => {
      if (error.code === SERVER_ERROR) this.#options.onServerError();
      throw error;
    });

  #firstMessage() {
    const { participant } = this.#options;
    this.#greeted = this.#nickname;
    const payload = {
      token: participant.token,
      nickname: this.#nickname,
      last_seq: lastSeq(this.#store.room),
      epoch: this.#store.room.epoch,
      connection: participant.nextConnection(),
    };
    return { type: 'enter_room', payload };
  }

  /** @param {EnterRoomAck} ack */
  #entered(ack) {
    const given = ack.people.find(({ id }) => id === ack.you)?.nickname ?? '';
    this.#asked = { nickname: this.#greeted, given };
    this.#store.dispatch('entered', ack);
    this.#outbox.enterLog(ack.epoch);
    this.#nameWish.renew();
    this.#outbox.flush();
  }

  /**
   * @param {string} type
   * @param {any} payload
   */
  #onEvent(type, payload) {
    if (type === 'beat') this.#options.onState(payload.ok ? this.#socket.state : 'reconnecting');
    if (type === 'beat' && !payload.ok) return;
    if (type === 'error' && payload.code === SERVER_ERROR) this.#options.onServerError();
    if (type === 'beat') this.#renewToken();
    const isLine = type === 'welcome' || type === 'bye';
    this.#store.dispatch(type, isLine ? { ...payload, at: Date.now() } : payload);
    this.#synchronize();
    if (type === 'typing') this.#expectTyping(payload.from, payload.on);
    if (type === 'bye' && payload.person.nickname === this.#nickname) this.#takeNameBack();
  }

  /** Requests the nickname again after its holder, perhaps a ghost of this page, left. */
  #takeNameBack() {
    const me = this.#store.room.people[this.#store.room.you ?? ''];
    if (!me || me.nickname === this.#nickname) return;
    this.#asked = { ...this.#asked, given: '' };
    this.#nameWish.renew();
  }

  /**
   * @param {string} code
   * @param {boolean} willRetry
   */
  #refused(code, willRetry) {
    if (code === SERVER_ERROR) this.#options.onServerError();
    // After a bad token the server closes the connection; `#closed` then tries the other token.
    if (!willRetry && code !== 'bad_token') this.#options.onRefused(code);
  }

  /** @param {number} code */
  #closed(code) {
    if (code === BAD_TOKEN && this.#options.participant.renew()) this.#socket.start();
    else this.#options.onClosed(code);
  }

  #renewToken() {
    const { participant } = this.#options;
    if (!participant.isOld) return;
    this.#ask('token', 'renew_token', {}, ({ token }) => participant.take(token));
  }

  /** Requests what the page lacks; an event repeats what failed. */
  #synchronize() {
    this.#repair();
    this.#nameWish.check();
  }

  #repair() {
    const { missing } = this.#store.room;
    if (missing.people) {
      this.#ask('people', 'people', {}, (answer) => this.#store.dispatch('people', answer));
    }
    if (missing.messages) {
      const { after, head } = missingRange(this.#store.room);
      this.#ask('history', 'history', { after, limit: HISTORY_LIMIT }, (answer) =>
        this.#store.dispatch('history', { ...answer, after, head }),
      );
    }
  }

  /**
   * Sends one request of a name at a time; repeats it in a second after RETRY_CODES.
   * After another failure the next event, a beat at the latest, starts a new request.
   * @param {string} name
   * @param {string} type
   * @param {object} payload
   * @param {(answer: any) => void} then
   * @param {() => void} again
   */
  #ask(name, type, payload, then, again = () => this.#repair()) {
    if (this.#asking.has(name)) return;
    this.#asking.add(name);
    const done = () => this.#asking.delete(name);
    this.#request(type, payload).then(
      (answer) => {
        done();
        then(answer);
      },
      ({ code }) => {
        if (!RETRY_CODES.includes(code)) done();
        else window.setTimeout(() => done() && again(), RETRY_MS);
      },
    );
  }

  /**
   * Ends a typing mark by a timer, because the event that ends it may get lost.
   * @param {string} id
   * @param {boolean} on
   */
  #expectTyping(id, on) {
    clearTimeout(this.#typingTimers.get(id));
    this.#typingTimers.delete(id);
    if (!on) return;
    const stop = () => this.#store.dispatch('typing_expired', { id });
    this.#typingTimers.set(id, window.setTimeout(stop, TYPING_TIMEOUT_MS));
  }
}

/**
 * The server closes a connection that sends a longer nickname.
 * @param {string} nickname
 */
const shortened = (nickname) => [...nickname].slice(0, MAX_RAW_NICKNAME_CHARS).join('');
