// Written by `manage.py write_protocol` from chat/protocol/messages.py and call/protocol.py.

export interface OpenRoom {
  key: string;
  name: string;
  count: number;
  in_call: number;
}

export interface RoomChangeEvent {
  rooms: OpenRoom[];
  total: number;
}

export interface ErrorEvent {
  code: string;
  message: string;
}

export interface EnterRoom {
  token: string;
  nickname: string;
  last_seq?: number | null;
  epoch?: string | null;
  connection?: number;
}

export interface RenewToken {
}

export interface NewMessage {
  text: string;
  client_id: string;
}

export interface Nickname {
  nickname: string;
}

export interface Typing {
  on: boolean;
}

export interface History {
  before?: number | null;
  after?: number | null;
  limit?: number;
}

export interface People {
}

export interface LeaveRoom {
}

export interface Timing {
  beat_s: number;
  lease_s: number;
}

export interface RoomInfo {
  key: string;
  name: string;
  listed: boolean;
}

export interface Person {
  id: string;
  here: boolean;
  since: number;
  nickname: string;
  host: boolean;
  in_call: boolean;
}

export interface Message {
  seq: number;
  from: string;
  nickname: string;
  text: string;
  sent_at: number;
  client_id: string;
}

export interface Span {
  first: number;
  last: number;
}

export interface Deletion {
  seq: number;
  spans: Span[];
}

export interface EnterRoomAck {
  you: string;
  timing: Timing;
  room: RoomInfo;
  people: Person[];
  version: number;
  messages: Message[];
  deletions: Deletion[];
  seq: number;
  epoch: string;
}

export interface RenewTokenAck {
  token: string;
}

export interface NewMessageAck {
  seq: number;
  sent_at: number;
}

export interface NicknameAck {
  nickname: string;
}

export interface EmptyAck {
}

export interface HistoryAck {
  messages: Message[];
  deletions: Deletion[];
}

export interface PeopleAck {
  people: Person[];
  version: number;
}

export interface WelcomeEvent {
  person: Person;
  count: number;
  version: number;
}

export interface ByeEvent {
  person: Person;
  count: number;
  version: number;
}

export interface PersonEvent {
  person: Person;
  version: number;
}

export interface NicknameEvent {
  person: Person;
  version: number;
}

export interface NewMessageEvent {
  seq: number;
  from: string;
  nickname: string;
  text: string;
  sent_at: number;
  client_id: string;
}

export interface DeletedEvent {
  seq: number;
  spans: Span[];
}

export interface TypingEvent {
  from: string;
  on: boolean;
}

export interface BeatEvent {
  seq: number;
  version: number;
  ok: boolean;
  return_within_ms?: number;
}

export interface Media {
  audio: boolean;
  video: boolean;
  screen: boolean;
}

export interface JoinRoom {
  token: string;
  session: string;
  media: Media;
  connection?: number;
}

export interface Description {
  number: number;
  sdp: string;
}

export interface Offer {
  to: string;
  session: string;
  description: Description;
}

export interface Answer {
  to: string;
  session: string;
  description: Description;
}

export interface Candidate {
  candidate: string;
  sdpMid?: string | null;
  sdpMLineIndex?: number | null;
  usernameFragment?: string | null;
}

export interface Ice {
  to: string;
  session: string;
  candidate: Candidate | null;
}

export interface IceFailed {
  failure: string;
}

export interface Caller {
  id: string;
  here: boolean;
  since: number;
  session: string;
  media: Media;
}

export interface IceServer {
  urls: string[];
  username?: string | null;
  credential?: string | null;
}

export interface JoinRoomAck {
  you: string;
  timing: Timing;
  people: Caller[];
  ice_servers: IceServer[];
  relay_only: boolean;
  topology: string;
  version: number;
  capacity: number;
}

export interface CallPeopleAck {
  people: Caller[];
  version: number;
}

export interface CallWelcomeEvent {
  person: Caller;
  count: number;
  version: number;
}

export interface CallByeEvent {
  person: Caller;
  count: number;
  version: number;
}

export interface CallPersonEvent {
  person: Caller;
  version: number;
}

export interface MediaEvent {
  person: Caller;
  version: number;
}

export interface IceServersEvent {
  ice_servers: IceServer[];
}

export interface OfferEvent {
  from: string;
  session: string;
  description: Description;
}

export interface AnswerEvent {
  from: string;
  session: string;
  description: Description;
}

export interface IceEvent {
  from: string;
  session: string;
  candidate: Candidate | null;
}

export type LobbyEvent =
  | { type: 'room_change'; payload: RoomChangeEvent }
  | { type: 'error'; payload: ErrorEvent };

export type ChatEvent =
  | { type: 'welcome'; payload: WelcomeEvent }
  | { type: 'bye'; payload: ByeEvent }
  | { type: 'person'; payload: PersonEvent }
  | { type: 'nickname'; payload: NicknameEvent }
  | { type: 'new_message'; payload: NewMessageEvent }
  | { type: 'deleted'; payload: DeletedEvent }
  | { type: 'typing'; payload: TypingEvent }
  | { type: 'beat'; payload: BeatEvent }
  | { type: 'error'; payload: ErrorEvent };

export type CallEvent =
  | { type: 'welcome'; payload: CallWelcomeEvent }
  | { type: 'bye'; payload: CallByeEvent }
  | { type: 'person'; payload: CallPersonEvent }
  | { type: 'media'; payload: MediaEvent }
  | { type: 'ice_servers'; payload: IceServersEvent }
  | { type: 'offer'; payload: OfferEvent }
  | { type: 'answer'; payload: AnswerEvent }
  | { type: 'ice'; payload: IceEvent }
  | { type: 'beat'; payload: BeatEvent }
  | { type: 'error'; payload: ErrorEvent };
