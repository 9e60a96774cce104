/** The start bitrate in a remote description. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { withStartBitrate } from '../../../static/js/webrtc/start-bitrate.js';

test('every VP8 gets it, with parameters of its own or without; nothing else changes', () => {
  const lines = (first, second) =>
    ['a=rtpmap:9 VP9/90000', 'a=rtpmap:96 VP8/90000', ...first, 'a=rtpmap:97 rtx/90000',
      'a=fmtp:97 apt=96', 'a=rtpmap:120 VP8/90000', second, ''].join('\r\n');
  assert.equal(
    withStartBitrate(lines([], 'a=fmtp:120 max-fs=12288;max-fr=60'), 280_400),
    lines(
      ['a=fmtp:96 x-google-start-bitrate=280'],
      'a=fmtp:120 x-google-start-bitrate=280;max-fs=12288;max-fr=60',
    ),
  );
});

test('it is bounded, whatever the budget', () => {
  const sdp = withStartBitrate('a=rtpmap:96 VP8/90000\r\n', 50_000_000);
  assert.match(sdp, /x-google-start-bitrate=1000\r\n$/);
});
