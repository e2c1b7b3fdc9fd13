// A headless Chromium that a test looks at a file with, over the DevTools protocol: no more of it than these
// tests need, and nothing to install beside the browser of the distribution.
import {spawn, spawnSync} from 'node:child_process';
import {mkdtempSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

import {removeTree} from '../remove_tree.mjs';

/** The browser's command. */
function chromium() {
  const found = ['chromium', 'chromium-browser', 'google-chrome'].find(
    (name) => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0);
  if (!found) throw new Error('no Chromium is installed; run: scripts/setup test');
  return found;
}

export class Browser {
  #child;
  #socket;
  #profile;
  #next = 0;
  #waiting = new Map();
  #listeners = [];

  static async start() {
    const browser = new Browser();
    browser.#profile = mkdtempSync(join(tmpdir(), 'pievt-browser-'));
    browser.#child = spawn(chromium(), [
      '--headless=new', '--remote-debugging-port=0', `--user-data-dir=${browser.#profile}`,
      '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-component-update',
      '--disable-background-networking', '--host-resolver-rules=MAP * ~NOTFOUND', 'about:blank',
    ], {stdio: ['ignore', 'ignore', 'pipe']});
    const address = await new Promise((resolve, reject) => {
      let said = '';
      browser.#child.on('exit', (code) => reject(new Error(`the browser ended with ${code}: ${said}`)));
      browser.#child.stderr.on('data', (text) => {
        said += text;
        const [, found] = said.match(/DevTools listening on (ws:\S+)/) ?? [];
        if (found) resolve(found);
      });
    });
    browser.#socket = new WebSocket(address);
    await new Promise((resolve, reject) => {
      browser.#socket.onopen = resolve;
      browser.#socket.onerror = () => reject(new Error('the browser does not answer'));
    });
    browser.#socket.onmessage = ({data}) => browser.#take(JSON.parse(data));
    return browser;
  }

  #take(message) {
    if (!message.id) {
      for (const listener of this.#listeners) listener(message);
      return;
    }
    const {resolve, reject} = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.error) reject(new Error(JSON.stringify(message.error)));
    else resolve(message.result);
  }

  send(method, params = {}, sessionId = undefined) {
    const id = ++this.#next;
    this.#socket.send(JSON.stringify({id, method, params, sessionId}));
    return new Promise((resolve, reject) => this.#waiting.set(id, {resolve, reject}));
  }

  /** Opens `file` as in a window of that size, and comes back when it is loaded. */
  async open(file, {width = 1280, height = 800, dark = false} = {}) {
    const {targetId} = await this.send('Target.createTarget', {url: 'about:blank'});
    const {sessionId} = await this.send('Target.attachToTarget', {targetId, flatten: true});
    const page = new Page(this, sessionId, targetId);
    const loaded = new Promise((resolve) => {
      this.#listeners.push((message) => {
        if (message.sessionId !== sessionId) return;
        page.take(message);
        if (message.method === 'Page.loadEventFired') resolve();
      });
    });
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await page.send(`${domain}.enable`);
    await page.send('Emulation.setDeviceMetricsOverride', {width, height, deviceScaleFactor: 1, mobile: false});
    await page.send('Emulation.setEmulatedMedia', {
      features: [{name: 'prefers-color-scheme', value: dark ? 'dark' : 'light'}],
    });
    await page.send('Page.navigate', {url: `file://${file}`});
    await loaded;
    return page;
  }

  async stop() {
    this.#child.removeAllListeners('exit');
    const gone = new Promise((resolve) => this.#child.once('close', resolve));
    await this.send('Browser.close').catch(() => {});
    await gone;
    removeTree(this.#profile);
  }
}

class Page {
  /** Everything the page complained about, and every address it asked for. */
  complaints = [];
  requests = [];

  constructor(browser, session, target) {
    this.browser = browser;
    this.session = session;
    this.target = target;
  }
  take({method, params}) {
    if (method === 'Runtime.exceptionThrown') this.complaints.push(params.exceptionDetails.text);
    if (method === 'Runtime.consoleAPICalled') this.complaints.push(JSON.stringify(params.args));
    if (method === 'Log.entryAdded') this.complaints.push(params.entry.text);
    if (method === 'Network.requestWillBeSent') this.requests.push(params.request.url);
  }
  send(method, params) {
    return this.browser.send(method, params, this.session);
  }
  /** What an expression is in the page, as JSON. */
  async ask(expression) {
    const {result, exceptionDetails} = await this.send('Runtime.evaluate', {expression, returnByValue: true});
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }
  /** A key pressed and let go: 'Tab', 'Enter', 'ArrowDown', 'Escape'. */
  async press(key) {
    const code = {Tab: 9, Enter: 13, Escape: 27, ArrowDown: 40, End: 35}[key];
    const event = {key, code: key, windowsVirtualKeyCode: code};
    await this.send('Input.dispatchKeyEvent', {type: 'keyDown', ...event, ...(key === 'Enter' ? {text: '\r'} : {})});
    await this.send('Input.dispatchKeyEvent', {type: 'keyUp', ...event});
  }
  async picture() {
    const {data} = await this.send('Page.captureScreenshot', {format: 'png'});
    return Buffer.from(data, 'base64');
  }
  close() {
    return this.browser.send('Target.closeTarget', {targetId: this.target});
  }
}
