/** The time at which each ICE candidate is used, by its generation. */

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { IceCandidates } from '../../../static/js/webrtc/ice-candidates.js';

let pc;
let box;

const describe = (fragment) => {
  pc.remoteDescription = { sdp: `v=0\r\na=ice-ufrag:${fragment}\r\na=ice-pwd:x\r\n` };
  return box.flush();
};
const of = (usernameFragment, name = usernameFragment) => ({ candidate: name, usernameFragment });

beforeEach(() => {
  pc = { remoteDescription: null, added: [], addIceCandidate: async (one) => pc.added.push(one) };
  box = new IceCandidates(pc);
});

test('one that came before its description waits for it', async () => {
  await box.take(of('aaaa'));
  assert.deepEqual(pc.added, []);
  await describe('aaaa');
  assert.deepEqual(pc.added, [of('aaaa')]);
});

test('those of an offer that lost a glare are never used', async () => {
  await describe('aaaa');
  await box.take(of('lost'));
  await box.take(null);
  await describe('bbbb');
  assert.deepEqual(pc.added, []);
  await describe('lost');
  assert.deepEqual(pc.added, []);
});

test('after an ICE restart the old ones do not reach the new description', async () => {
  await describe('aaaa');
  await box.take(of('bbbb'));
  await describe('bbbb');
  await box.take(of('aaaa'));
  await box.take(of('bbbb', 'second'));
  assert.deepEqual(pc.added, [of('bbbb'), of('bbbb', 'second')]);
});

test('a fragment counts as a whole, and is found in the candidate itself', async () => {
  await describe('aaaa');
  await box.take(of('aa'));
  await box.take({ candidate: 'candidate:1 1 udp 1 192.0.2.1 9 typ host ufrag aaaa' });
  await box.take({ candidate: 'candidate:without one' });
  assert.equal(pc.added.length, 2);
});

test('a flood of early ones keeps the newest hundred', async () => {
  for (let index = 0; index < 300; index += 1) await box.take(of('aaaa', `${index}`));
  await describe('aaaa');
  assert.equal(pc.added.length, 100);
  assert.equal(pc.added.at(-1).candidate, '299');
});

test('one that the browser cannot use harms nobody', async () => {
  pc.addIceCandidate = () => Promise.reject(new Error('no such address family'));
  await describe('aaaa');
  await box.take(of('aaaa'));
  await box.take(null);
});
