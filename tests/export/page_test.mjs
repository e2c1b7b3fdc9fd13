// The HTML page, in a browser: at two widths, light and dark, with the keyboard alone, and with what a
// screen without colour shows. PIEVT_PICTURES names a directory where what was seen is left as PNG files.
import assert from 'node:assert/strict';
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {Browser} from './browser.mjs';
import {manyJobs} from './many_jobs.mjs';
import {batch, prepare} from './prepared.mjs';

let store, browser;
const pages = {};

before(async () => {
  store = prepare();
  const many = manyJobs(store.dir, {jobs: 300, calls: 3});
  store.run('import', 'many');
  for (const name of ['small', batch, many]) {
    pages[name === many ? 'many' : name] = join(store.dir, `${name}.html`);
    writeFileSync(join(store.dir, `${name}.html`), store.exported(name, 'html').text);
  }
  browser = await Browser.start();
});
after(async () => {
  await browser?.stop();
  store?.remove();
});

async function keep(page, name) {
  const directory = process.env.PIEVT_PICTURES;
  const picture = await page.picture();
  if (!directory) return picture;
  mkdirSync(directory, {recursive: true});
  writeFileSync(join(directory, `${name}.png`), picture);
  return picture;
}

// Text that can be read on the first screen, without a picture and without colour.
const readable = `[...document.querySelectorAll('header,.blocks,.facts,.needs,.cause')]
  .filter((e) => { const r = e.getBoundingClientRect(); return r.top >= 0 && r.top < innerHeight - 40; })
  .map((e) => e.innerText).join('\\n')`;

for (const width of [1280, 400]) {
  for (const dark of [false, true]) {
    const look = `${width} wide, ${dark ? 'dark' : 'light'}`;
    test(`every page, ${look}: nothing is complained about, asked for, or cut off`, async () => {
      for (const [name, file] of Object.entries(pages)) {
        const page = await browser.open(file, {width, dark});
        assert.equal(await page.ask('document.documentElement.dataset.ready'), '1');
        await keep(page, `${name}-${width}-${dark ? 'dark' : 'light'}`);
        assert.deepEqual(page.complaints, [], name);
        assert.deepEqual(page.requests, [`file://${file}`], name);
        assert.ok(await page.ask('document.documentElement.scrollWidth <= innerWidth'), `${name} scrolls sideways`);
        const shown = await page.ask(`getComputedStyle(document.querySelector('.picture')).display !== 'none'`);
        assert.equal(shown, width > 640, 'the picture is for wide screens');
        await page.close();
      }
    });
    test(`what is written can be read, ${look}`, async () => {
      const page = await browser.open(pages.small, {width, dark});
      const ratios = await page.ask(`(() => {
        const style = getComputedStyle(document.documentElement);
        const light = (name) => {
          const hex = style.getPropertyValue(name).trim().replace(/^#(.)(.)(.)$/, '#$1$1$2$2$3$3');
          const [r, g, b] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255)
            .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        return ['--fg', '--dim', '--ok', '--bad', '--warn', '--sel'].flatMap((text) => ['--bg', '--card'].map((ground) => {
          const [a, b] = [light(text), light(ground)].sort((x, y) => y - x);
          return [text + ' on ' + ground, (a + 0.05) / (b + 0.05)];
        }));
      })()`);
      for (const [pair, ratio] of ratios) assert.ok(ratio >= 4.5, `${pair}: ${ratio.toFixed(2)}`);
      await page.close();
    });
  }
}

test('a failed job is found without colour and without scrolling, also on a narrow screen', async () => {
  for (const width of [1280, 400]) {
    const page = await browser.open(pages.small, {width});
    const seen = await page.ask(readable);
    assert.match(seen, /FAILED/);
    assert.match(seen, /2 failed/);
    assert.match(seen, /2 jobs: .*wrote nothing/);
    assert.match(seen, /forget-1, forget-2/);
    const status = await page.ask(`document.querySelector('tbody tr').innerText`);
    assert.match(status, /forget-1\s+\u2717\sfailed/);
    await page.close();
  }
});

test('causes are cards: what follows is folded into them, and they filter', async () => {
  const page = await browser.open(pages.small);
  assert.equal(await page.ask(`document.querySelectorAll('.cause').length`), 1);
  assert.match(await page.ask(`document.querySelector('.cause details').textContent`), /1 job never began.*after/);
  assert.match(await page.ask(`document.querySelector('.cause code').textContent`), /^pievt rerun .* --failed$/);
  const rows = `[...document.querySelectorAll('tbody tr')].filter((row) => !row.hidden).map((row) => row.cells[0].innerText).join()`;
  assert.equal(await page.ask(rows), 'forget-1,forget-2,after,greet');
  await page.ask(`document.querySelector('.cause button').click()`);
  assert.equal(await page.ask(rows), 'forget-1,forget-2,after');
  await page.ask(`document.querySelector('.cause button').click()`);
  assert.equal(await page.ask(rows), 'forget-1,forget-2,after,greet');
  await page.close();
});

test('the keyboard is enough: a cause, the timeline, the panel and back', async () => {
  const page = await browser.open(pages.small);
  const focus = `(document.activeElement.id || document.activeElement.parentElement.className || document.activeElement.tagName)`;
  const reach = async (wanted) => {
    for (let i = 0; i < 12; ++i) {
      await page.press('Tab');
      if (await page.ask(focus) === wanted) return;
    }
    assert.fail(`Tab does not come to ${wanted}`);
  };
  await reach('cause');
  await page.press('Enter');
  assert.equal(await page.ask(`document.activeElement.getAttribute('aria-pressed')`), 'true');
  await page.press('Enter');
  await reach('rows');
  await page.press('ArrowDown');
  const said = await page.ask(`document.getElementById('said').textContent`);
  assert.match(said, /forget-2/);
  await page.press('Enter');
  assert.equal(await page.ask(`document.getElementById('panel').hidden`), false);
  assert.match(await page.ask(`document.getElementById('panel').innerText`), /forget-2[^]*write nothing[^]*all done[^]*not met[^]*pievt why/);
  assert.match(await page.ask('document.activeElement.textContent'), /Close/);
  await keep(page, 'small-panel');
  await page.press('Escape');
  assert.equal(await page.ask(`document.getElementById('panel').hidden`), true);
  assert.equal(await page.ask('document.activeElement.id'), 'rows');
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('many jobs are groups that open, never rows of a pixel', async () => {
  const page = await browser.open(pages.many);
  const height = `parseInt(document.getElementById('space').style.height)`;
  const folded = await page.ask(height);
  assert.ok(folded > 0 && folded <= 20 * 20, `${folded} pixels of rows for 300 jobs`);
  await page.ask(`document.getElementById('rows').focus()`);
  await page.press('Enter');
  assert.ok(await page.ask(height) > folded, 'a group opens');
  // Rows, axis and curves share one scale, with a scroll bar and without.
  const widths = await page.ask(`['axis', 'fall', 'curves'].map((id) => document.getElementById(id).getBoundingClientRect().width)`);
  assert.equal(new Set(widths).size, 1, widths.join());
  await keep(page, 'many-open');
  await page.press('End');
  await page.press('Enter');
  assert.deepEqual(page.complaints, []);
  await page.close();
});
