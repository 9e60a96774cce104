/** Tests that a desired state is requested until the server has it, and no longer. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { DesiredState } from '../../../static/js/session/desired-state.js';
import { FakeWindow, settled } from '../support/fake-window.js';

/** A desired number, a server that the test controls, and its number. */
function start() {
  const window = new FakeWindow();
  const here = { wanted: 1, shown: 1, asked: [], refused: [], window };
  here.wish = new DesiredState({
    missing: () => (here.wanted === here.shown ? null : { n: here.wanted }),
    ask: ({ n }) =>
      new Promise((resolve, reject) => {
        here.asked.push(n);
        here.grant = async () => {
          resolve({});
          await settled();
        };
        here.refuse = async (code) => {
          reject(Object.assign(new Error(code), { code }));
          await settled();
        };
      }),
    onRefused: ({ code }) => {
      here.refused.push(code);
      here.wanted = here.shown;
    },
    environment: window,
  });
  here.want = (n) => {
    here.wanted = n;
    here.wish.check();
  };
  return here;
}

test('what the server shows already is not asked for', () => {
  const here = start();
  here.want(1);
  assert.deepEqual(here.asked, []);
});

for (const code of ['try_later', 'too_fast', 'server_error', 'timeout']) {
  test(`a wish that failed for now (${code}) is repeated until it is granted`, async () => {
    const here = start();
    here.want(2);
    await here.refuse(code);
    here.window.pass(1_000);
    await here.refuse(code);
    here.window.pass(1_000);
    await here.grant();
    here.shown = 2;
    here.window.pass(60_000);
    assert.deepEqual(here.asked, [2, 2, 2]);
  });
}

test('a wish that lost its line waits for the next line', async () => {
  const here = start();
  here.want(2);
  await here.refuse('disconnected');
  here.window.pass(60_000);
  assert.deepEqual(here.asked, [2]);
  here.wish.renew();
  assert.deepEqual(here.asked, [2, 2]);
});

test('of changes made while one is asked for, the last one is asked for next', async () => {
  const here = start();
  here.want(2);
  here.want(3);
  here.want(4);
  assert.deepEqual(here.asked, [2]);
  await here.grant();
  assert.deepEqual(here.asked, [2, 4]);
});

test('a change that was taken back while it was on its way is taken back there, too', async () => {
  const here = start();
  here.want(2);
  here.want(1);
  await here.grant();
  here.shown = 2;
  here.wish.check();
  assert.deepEqual(here.asked, [2, 1]);
});

test('what was granted and does not show is asked for again', async () => {
  const here = start();
  here.want(2);
  await here.grant();
  here.wish.check();
  assert.deepEqual(here.asked, [2], 'the event may be on its way');
  here.window.pass(3_000);
  assert.deepEqual(here.asked, [2, 2]);
});

test('what is refused for good is not asked for again', async () => {
  const here = start();
  here.want(2);
  await here.refuse('empty_nickname');
  here.wish.check();
  here.window.pass(60_000);
  assert.deepEqual([here.asked, here.refused], [[2], ['empty_nickname']]);
});
