/** Connections over HTTP on a network that loses requests and answers. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { HttpSocket } from '../../../static/js/transport/http-socket.js';
import { FakeWindow, settled } from '../support/fake-window.js';
import { HttpServer } from '../support/fake-http-server.js';

/** Waits until answers have arrived, however many steps they take. */
async function arrived() {
  for (let step = 0; step < 12; step += 1) await settled();
}

async function pass(window, ms) {
  for (let passed = 0; passed < ms; passed += 100) {
    window.pass(100);
    await arrived();
  }
}

/** An open connection, its server, and the frames that it received. */
async function open({ streams = true, holdsBack = false } = {}) {
  const window = new FakeWindow();
  const server = new HttpServer(window);
  server.holdsBack = holdsBack;
  const heard = { opened: 0, frames: [], closes: [], heldBack: 0 };
  const line = new HttpSocket({
    path: '/http/chat/tea/',
    streams,
    onBuffered: () => (heard.heldBack += 1),
    environment: window,
  });
  line.onopen = () => (heard.opened += 1);
  line.onmessage = ({ data }) => heard.frames.push(JSON.parse(data).n);
  line.onclose = (close) => heard.closes.push(close);
  await arrived();
  return { window, server, line, heard };
}

test('it opens once, sends and hears in order, and no secret is in an address', async () => {
  for (const streams of [true, false]) {
    const { server, line, heard } = await open({ streams });
    assert.deepEqual([heard.opened, line.readyState], [1, 1]);
    for (const n of [1, 2, 3]) {
      line.send(JSON.stringify({ n }));
      server.tell({ n });
      await arrived();
    }
    assert.deepEqual(server.taken, [{ n: 1 }, { n: 2 }, { n: 3 }]);
    assert.deepEqual(heard.frames, [1, 2, 3]);
    assert.deepEqual([...new Set(server.requests.map(({ path }) => path))], ['/http/chat/tea/']);
    assert.equal(server.of('open').length, 1);
    line.close();
  }
});

test('what is said in one moment goes in one request, and the next waits for its answer', async () => {
  const { server, line } = await open();
  for (const n of [1, 2, 3]) line.send(JSON.stringify({ n }));
  await arrived();
  assert.deepEqual(server.of('send').map(({ frames }) => frames.length), [3]);
  line.send('{"n":4}');
  await arrived();
  assert.deepEqual(server.of('send').map(({ head }) => head.number), [1, 4]);
  line.close();
});

test('large things go one by one', async () => {
  const { server, line } = await open();
  for (const n of [1, 2, 3]) line.send(JSON.stringify({ n, text: 'x'.repeat(40_000) }));
  await arrived();
  assert.deepEqual(server.of('send').map(({ frames }) => frames.length), [1, 1, 1]);
  line.close();
});

test('a request or an answer that gets lost is repeated, and nothing is taken twice', async () => {
  const { window, server, line, heard } = await open();
  server.faults = ['fails', 'loses', 503, 502];
  line.send('{"n":1}');
  await pass(window, 400);
  line.send('{"n":2}');
  await pass(window, 2_000);
  assert.deepEqual(server.taken, [{ n: 1 }, { n: 2 }]);
  assert.deepEqual(heard.closes, []);
  line.close();
});

test('a stream that is cut goes on after the last frame', async () => {
  const { window, server, line, heard } = await open();
  server.tell({ n: 1 });
  await arrived();
  server.cut();
  server.tell({ n: 2 });
  await pass(window, 500);
  server.tell({ n: 3 });
  await arrived();
  assert.deepEqual(heard.frames, [1, 2, 3]);
  assert.deepEqual(server.of('listen').map(({ head }) => [head.turn, head.after]), [[1, 1]]);
  assert.deepEqual(heard.closes, []);
  line.close();
});

test('polls answer one after the other, each saying what has arrived', async () => {
  const { window, server, line, heard } = await open({ streams: false });
  for (const n of [1, 2]) {
    server.tell({ n });
    await arrived();
  }
  server.faults = ['fails'];
  server.tell({ n: 3 });
  await pass(window, 500);
  assert.deepEqual(heard.frames, [1, 2, 3]);
  assert.deepEqual(server.of('listen').map(({ head }) => head.after), [0, 1, 2, 3, 3]);
  line.close();
});

test('a stream that is held back becomes polls, and the page is told for its next line', async () => {
  const { window, server, line, heard } = await open({ holdsBack: true });
  assert.equal(heard.opened, 0);
  await pass(window, 3_000);
  assert.deepEqual([heard.opened, heard.heldBack > 0], [1, true]);
  assert.deepEqual(server.of('open').map(({ head }) => head.stream), [true, false]);
  server.tell({ n: 1 });
  await arrived();
  assert.deepEqual(heard.frames, [1]);
  line.close();
});

test('a stream that falls silent is asked again without one', async () => {
  const { window, server, line, heard } = await open();
  server.holdsBack = true;
  await pass(window, 8_000);
  assert.equal(server.of('listen').length, 0);
  await pass(window, 1_500);
  assert.deepEqual(server.of('listen').map(({ head }) => head.stream), [false]);
  assert.deepEqual(heard.closes, []);
  line.close();
});

test('the server is told what has arrived, by time and by size', async () => {
  const { window, server, line } = await open();
  await pass(window, 5_000);
  server.beQuiet();
  await arrived();
  assert.deepEqual(server.of('send').map(({ head, frames }) => [head.after, frames]), [[0, []]]);
  server.tell({ n: 1, text: 'x'.repeat(70_000) });
  await arrived();
  assert.equal(server.of('send').at(-1).head.after, 1);
  line.close();
});

test('the code and the reason of a close arrive, once', async () => {
  const { window, server, line, heard } = await open();
  server.end(4412, '1000');
  await pass(window, 1_000);
  assert.deepEqual(heard.closes, [{ code: 4412, reason: '1000' }]);
  assert.equal(line.readyState, 3);
  assert.equal(window.timers, 0);
});

test('a session that is gone, and a network that stays away, are a lost line', async () => {
  for (const fault of [410, 'fails']) {
    const { window, server, heard } = await open();
    server.faults = Array(100).fill(fault);
    server.cut();
    await pass(window, 10_000);
    assert.deepEqual(heard.closes, [{ code: 1006, reason: '' }]);
    assert.equal(window.timers, 0);
  }
});

test('what the server takes for no request of ours ends the line for good', async () => {
  const { server, line, heard } = await open();
  server.faults = [413];
  line.send('{"n":1}');
  await arrived();
  assert.deepEqual(heard.closes, [{ code: 4400, reason: '' }]);
});

test('a network without a server is a lost line at once', async () => {
  const window = new FakeWindow();
  const closes = [];
  const line = new HttpSocket({ path: '/', streams: true, onBuffered() {}, environment: window });
  line.onclose = ({ code }) => closes.push(code);
  await arrived();
  assert.deepEqual([closes, window.timers], [[1006], 0]);
});

test('another answer than ours (a page that asks for a password) opens nothing', async () => {
  const window = new FakeWindow();
  window.fetch = async () => new Response('<p>Hello', { headers: { 'content-type': 'text/html' } });
  const closes = [];
  const line = new HttpSocket({ path: '/', streams: true, onBuffered() {}, environment: window });
  line.onclose = ({ code }) => closes.push(code);
  await arrived();
  assert.deepEqual(closes, [1006]);
});

test('closing says goodbye with what was not taken yet; a page that goes says so too', async () => {
  const { window, server, line, heard } = await open();
  server.faults = ['fails'];
  line.send('{"n":1}');
  await arrived();
  line.close();
  await arrived();
  assert.deepEqual([server.taken, server.closedWith], [[{ n: 1 }], 1000]);
  await pass(window, 20_000);
  assert.deepEqual([heard.closes, window.timers], [[], 0]);

  const other = await open();
  other.window.dispatchEvent(new Event('pagehide'));
  await arrived();
  assert.equal(other.server.closedWith, 1001);
  assert.deepEqual(other.heard.closes, [{ code: 1006, reason: '' }]);
});
