// A Firefox driven by JSON lines: {id, method, args} on stdin, {id, value | error} on stdout.
import { createInterface } from 'node:readline';
import puppeteer from 'puppeteer-core';

const PREFS = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.autoplay.default': 0,
  // Without these a page gets only mDNS names of this machine, which nobody here resolves.
  'media.peerconnection.ice.loopback': true,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  // No request to anyone but Noom.
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
};

const browser = await puppeteer.launch({
  browser: 'firefox',
  executablePath: process.argv[2],
  headless: true,
  extraPrefsFirefox: PREFS,
});
const [page] = await browser.pages();
const origins = new Set();
const errors = [];

page.on('console', message => message.type() === 'error' && errors.push(message.text()));
page.on('pageerror', error => errors.push(String(error)));
page.on('request', request => origins.add(new URL(request.url()).origin));

const methods = {
  goto: url => page.goto(url).then(() => null),
  evaluate: (expression, arg) => page.evaluate(
    `(async arg => {
      const value = (${expression});
      return (typeof value === 'function' ? await value(arg) : await value) ?? null;
    })(${JSON.stringify(arg ?? null)})`,
  ),
  click: selector => page.click(selector),
  type: (selector, text) => page.type(selector, text),
  errors: async () => errors,
  origins: async () => [...origins],
  close: () => browser.close().then(() => process.stdin.destroy()),
};

async function answer({ id, method, args }) {
  const result = await methods[method](...args)
    .then(value => ({ value: value ?? null }))
    .catch(error => ({ error: String(error) }));
  process.stdout.write(`${JSON.stringify({ id, ...result })}\n`);
}

// Not one after the other: a page that never answers must not keep us from closing it.
createInterface({ input: process.stdin }).on('line', line => answer(JSON.parse(line)));
