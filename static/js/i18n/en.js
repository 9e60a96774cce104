/** The texts of the page in English. */

export const EN = Object.freeze({
  you: 'You',
  anonymous: 'Anon',
  you_named: '{name} (you)',
  'list.name': '{name}',
  'list.last': '{names} and {last}',
  'list.rest': { one: '{names} and {count} other', other: '{names} and {count} others' },
  room_title: '{name} ({count})',
  copied: 'Copied',
  copy_link: 'Copy link',
  'problem.copy': 'The link could not be copied. Take it from the address bar.',

  'home.people': { one: '{count} person is in this room', other: '{count} people are in this room' },

  'connection.connecting': 'Connecting…',
  'connection.open': 'Connected',
  'connection.reconnecting': 'Reconnecting…',
  'connection.offline': 'Offline',
  'connection.refused': 'Refused',
  'connection.closed': 'Connection lost',
  'connection.long.connecting': 'The server does not answer yet. Noom keeps trying.',
  'connection.long.reconnecting':
    'The line to the server is down. Noom keeps trying; what you write is sent as soon as it is back.',
  'connection.long.offline':
    'Your device is offline. Noom comes back by itself; what you write is kept until then.',

  'connection.long.refused':
    'The server does not recognise the address of this page as its own. Only the server administrator can fix that: the log has the reason.',

  announcement: 'Announcement from the administrator',
  arrived: '{names} arrived',
  left: '{names} left',
  cleared: 'The messages before this are no longer kept.',
  line_join: '{first} · {second}',
  gap: 'Older messages between these are no longer kept.',
  newest: '{count} new',
  newest_none: 'Jump to latest',
  unread: { one: '{count} unread message', other: '{count} unread messages' },
  typing: { one: '{names} is typing…', other: '{names} are typing…' },
  'message.sending': 'Sending…',
  'message.waiting': 'Waiting for the connection',
  'message.over': {
    one: 'One character too many: a message has at most {limit}.',
    other: '{over} characters too many: a message has at most {limit}.',
  },
  'message.failed': 'Not sent.',
  'message.failed.too_long': 'Not sent: it is too long.',
  'message.failed.room_closed': 'Not sent: the room is closed.',
  'message.failed.room_deleted':
    'Not sent: the room was deleted, and a new one has its address.',
  'message.failed.empty_message': 'Not sent: there is nothing in it.',

  'live.joined': '{names} joined the call',
  'live.left_call': '{names} left the call',
  'live.shares': {
    one: '{names} is sharing the screen',
    other: '{names} are sharing their screens',
  },
  'live.unshares': '{names} stopped sharing the screen',
  'live.message': '{name}: {text}',
  'live.audio_on': 'Unmuted',
  'live.audio_off': 'Muted',
  'live.video_on': 'Video started',
  'live.video_off': 'Video stopped',
  'live.screen_on': 'You are sharing your screen',
  'live.screen_off': 'You stopped sharing your screen',

  'person.host': 'Host',
  'person.away': 'Reconnecting…',
  'person.in_call': 'In the call',

  'precall.ready': 'Ready for the call?',
  'precall.left': 'You left the call',
  'precall.nobody': 'Nobody is in the call right now.',
  'precall.who': { one: '{names} is in the call.', other: '{names} are in the call.' },
  'precall.hint': 'Your browser will ask for the camera and the microphone. You can say no and still join.',
  'precall.hint_insecure': 'On this address browsers give no camera or microphone. You can still see and hear the others.',
  'precall.hint_left': 'You are still in the room: the others see your name, and the chat goes on.',
  'precall.join': 'Join call',
  'precall.again': 'Join again',
  'precall.joining': 'Joining…',

  'error.call_full': 'The call is full. You can try again when someone has left; the chat is open to you.',
  'error.call_ended': 'An administrator ended the call. The chat goes on without it.',
  'error.call_lost': 'The call could not be reached. Try again in a moment.',

  'tile.pin': 'Show {name} large',
  'tile.unpin': 'Show {name} in the grid again',
  'tile.screen': "{name}'s screen",
  'tile.connecting': 'Connecting…',
  'tile.reconnecting': 'Reconnecting…',
  'tile.no_way': 'No way found',

  'toggle.audio_off': 'Mute',
  'toggle.audio_on': 'Unmute',
  'toggle.video_off': 'Stop video',
  'toggle.video_on': 'Start video',
  'toggle.screen_off': 'Stop sharing',
  'toggle.screen_on': 'Share',
  'control.mute': 'Turn the microphone off',
  'control.unmute': 'Turn the microphone on',
  'control.camera_off': 'Turn the camera off',
  'control.camera_on': 'Turn the camera on',
  'control.share': 'Share your screen',
  'control.unshare': 'Stop sharing your screen',
  'control.chat': 'Chat',
  'control.people': 'People',
  'control.leave': 'Leave the call',
  tip: '{words} ({key})',
  'device.none': 'None found',
  'device.default': 'System default',
  'device.unnamed.audioinput': 'Microphone {number}',
  'device.unnamed.videoinput': 'Camera {number}',
  'device.unnamed.audiooutput': 'Speaker {number}',

  'problem.asking':
    'Your browser is asking for the camera and the microphone. Answer it, usually at the top left of the window; you are in the call either way.',
  'problem.silenced.audio':
    'Your system has muted the microphone, so nobody hears you. A key on the device, or another call, may have done it.',
  'problem.silenced.video':
    'Your system gives no picture from the camera. A shutter or a key on the device may be closed.',
  'problem.insecure':
    'Browsers give camera and microphone only to pages on https. You can see and hear the others; ask the server administrator for its https address, or start it with make run-https.',
  'problem.unsupported':
    'This browser gives no camera or microphone to pages. You can see and hear the others; a current Chrome, Edge, Firefox or Safari does more.',
  'problem.refused':
    'The browser does not let Noom use camera and microphone. To change that, click the sign beside the address, allow both, and press the button again.',
  'problem.no_device':
    'No camera and no microphone was found. You can see and hear the others; plug one in and press the button again.',
  'problem.busy':
    'Camera and microphone are in use by another program. Close it there, then press the button again.',
  'problem.failed': 'Camera and microphone could not be started. Press the button to try again.',
  'problem.audio.refused':
    'The browser does not let Noom use the microphone. To change that, click the sign beside the address, allow it, and press Unmute.',
  'problem.audio.no_device': 'No microphone was found. Plug one in and press Unmute to turn it on.',
  'problem.audio.busy': 'The microphone is in use by another program. Close it there, then press Unmute.',
  'problem.audio.failed': 'The microphone could not be started. Press Unmute to try again.',
  'problem.video.refused':
    'The browser does not let Noom use the camera. To change that, click the sign beside the address, allow it, and press Start video.',
  'problem.video.no_device': 'No camera was found. Plug one in and press Start video to turn it on.',
  'problem.video.busy': 'The camera is in use by another program. Close it there, then press Start video.',
  'problem.video.failed': 'The camera could not be started. Press Start video to try again.',
  'problem.screen': 'The screen could not be shared. Try again, or choose another window.',
  'problem.too_fast': 'That was a little fast. Wait a moment, then go on.',
  'problem.no_way':
    'No way was found between your network and theirs. Noom keeps trying; another network may help. The server administrator should check the relay (TURN).',
  'problem.nickname': 'That name did not work. Choose another one.',
  'problem.server':
    'Something went wrong on the server (reference {reference}). If it does not go away, tell the server administrator.',
  'problem.page': 'Something went wrong on this page. If it does not work as it should, reload it.',

  reference: 'Reference: {reference}',

  'fatal.removed.title': 'You were removed from this room',
  'fatal.removed.text': 'An administrator removed you from this room.',
  'fatal.room_closed.title': 'This room is closed',
  'fatal.room_closed.text': 'Nobody can enter it any more. You can open a new room at any time.',
  'fatal.replaced.title': 'The room is open in another tab',
  'fatal.replaced.text': 'You are in the room there, so this tab has stopped. You can also continue here.',
  'fatal.bad_token.title': 'This page is out of date',
  'fatal.bad_token.text': 'It has been open too long for the server to recognise it. Reload it to come back in.',
  'fatal.old_page.title': 'Noom was updated',
  'fatal.old_page.text': 'This page and the server are of different versions. Reload it to continue.',
  'fatal.broken_client.title': 'Something is wrong with this page',
  'fatal.broken_client.text': 'It sent something that the server does not understand. Reloading it usually helps.',
  'fatal.room_full.title': 'The room is full',
  'fatal.room_full.text': 'No more people fit in right now. Try again when someone has left.',
  'fatal.too_many_rooms.title': 'Too many new rooms',
  'fatal.too_many_rooms.text': 'Your network has opened as many rooms as it may today. Rooms that exist still let you in.',
  'fatal.unknown.title': 'The connection has ended',
  'fatal.unknown.text': 'The server ended it for a reason that this page does not know. Reload it to come back in.',
  'fatal.reload': 'Reload',
  'fatal.here': 'Continue here',
  'fatal.retry': 'Try again',
});
