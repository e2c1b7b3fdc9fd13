// Draws the waterfall and the curves under it on one time axis, and opens the side panel. All text
// goes in by textContent: what agents wrote is never markup here.
'use strict';
(() => {
  const D = JSON.parse(document.getElementById('data').textContent);
  const $ = (id) => document.getElementById(id);
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const GUTTER = 190, ROW = 20, MANY = 60;
  const GLYPH = {succeeded: '\u2713', failed: '\u2717', skipped: '\u2298', cancelled: '\u2298',
    blocked: '!', needs_review: '?', interrupted: '\u2717', unknown: '\u2026'};
  const KIND = ['waits for other jobs', 'waits for a slot', 'waits before another attempt'];
  let cause = -1, selected = 0, colours = {}, pixels = 1;
  const open = new Set();

  // ---- Time: dead stretches longer than 5 % of the run are folded to a narrow band -------------
  const busy = [];
  for (const j of D.jobs) for (const a of j.at) busy.push([a.b, a.e]);
  busy.sort((x, y) => x[0] - y[0]);
  const folds = [];
  let reach = 0;
  for (const [b, e] of busy) {
    if (b - reach > D.end * 0.05) folds.push([reach, b]);
    reach = Math.max(reach, e);
  }
  if (busy.length && D.end - reach > D.end * 0.05) folds.push([reach, D.end]);
  const dead = folds.reduce((sum, f) => sum + f[1] - f[0], 0);
  const BAND = 22;
  const scale = () => Math.max(0.0001,
    (pixels - GUTTER - 20 - folds.length * BAND) / Math.max(1, D.end - dead));
  function x(t) {
    const s = scale();
    let at = GUTTER, from = 0;
    for (const [b, e] of folds) {
      if (t <= b) break;
      at += (b - from) * s;
      if (t < e) return at + BAND * (t - b) / (e - b);
      at += BAND;
      from = e;
    }
    return at + (t - from) * s;
  }
  // The moment at a column: x turned round.
  function when(px) {
    let from = 0, to = D.end;
    for (let i = 0; i < 50; ++i) { const mid = (from + to) / 2; if (x(mid) < px) from = mid; else to = mid; }
    return from;
  }
  const clock = (t) => new Date(D.t0 + t).toISOString().slice(11, 23);
  const secs = (t) => t < 1000 ? Math.round(t) + ' ms' : t < 120000 ? (t / 1000).toFixed(1) + ' s'
    : Math.floor(t / 60000) + ' min ' + Math.round(t % 60000 / 1000) + ' s';

  // ---- Rows: one for each job; of many jobs, groups by cause and then by the front of the name --
  // What failed first, then what never began because of it; x is 1 and 2 for these.
  const rank = (j) => j.x || 3;
  const prefix = (id) => (id.match(/^(.*?)[-_./]?\d+$/) || [0, id])[1] || id;
  let rows = [];
  function makeRows() {
    const jobs = D.jobs.filter((j) => cause < 0 || j.c === cause);
    const start = (j) => j.at.length ? j.at[0].b : D.end;
    if (jobs.length <= MANY) {
      rows = jobs.slice().sort((a, b) => rank(a) - rank(b) || a.c - b.c || start(a) - start(b)).map((j) => ({j}));
    } else {
      const groups = new Map();
      for (const j of jobs) {
        const key = j.x + ' ' + j.c + '\n' + prefix(j.id);
        if (!groups.has(key)) groups.set(key, []);
        groups.get(key).push(j);
      }
      // Too many fronts are no groups: then the cause alone groups.
      if (groups.size > MANY) {
        groups.clear();
        for (const j of jobs) {
          const key = j.x + ' ' + j.c;
          if (!groups.has(key)) groups.set(key, []);
          groups.get(key).push(j);
        }
      }
      rows = [];
      const sorted = [...groups].sort((a, b) => rank(a[1][0]) - rank(b[1][0]) || b[1].length - a[1].length);
      for (const [key, list] of sorted) {
        rows.push({key, list});
        if (open.has(key)) for (const j of list.sort((a, b) => start(a) - start(b))) rows.push({j, inner: true});
      }
    }
    selected = Math.min(selected, Math.max(0, rows.length - 1));
    $('space').style.height = rows.length * ROW + 'px';
  }

  // ---- Drawing -------------------------------------------------------------------------------
  const patterns = {};
  function pattern(name, draw) {
    const tile = document.createElement('canvas');
    tile.width = tile.height = 6;
    const g = tile.getContext('2d');
    g.fillStyle = g.strokeStyle = colours[name];
    draw(g);
    patterns[name] = tile;
  }
  function dress() {
    for (const n of ['bg', 'fg', 'dim', 'line', 'card', 'ok', 'bad', 'warn', 'sel', 'start', 'model', 'tool', 'wait', 'slot'])
      colours[n] = css('--' + n);
    pattern('start', (g) => { g.fillRect(0, 0, 1, 6); g.fillRect(3, 0, 1, 6); });
    pattern('wait', (g) => { g.beginPath(); g.arc(3, 3, 1.4, 0, 7); g.fill(); });
    pattern('tool', (g) => { g.lineWidth = 1.6; g.beginPath(); g.moveTo(-1, 7); g.lineTo(7, -1); g.stroke(); });
  }
  const fill = (g, name) => name === 'model' || name === 'slot' ? colours[name] : g.createPattern(patterns[name], 'repeat');
  function sized(canvas, height) {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = pixels * ratio;
    canvas.height = height * ratio;
    canvas.style.height = height + 'px';
    const g = canvas.getContext('2d');
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, pixels, height);
    g.font = '12px system-ui,sans-serif';
    return g;
  }
  function box(g, b, e, y, h, name) {
    const from = x(b), width = Math.max(1, x(e) - from);
    if (name !== 'model' && name !== 'slot') { g.fillStyle = colours.card; g.fillRect(from, y, width, h); }
    g.fillStyle = fill(g, name);
    g.fillRect(from, y, width, h);
  }
  function diamond(g, at, y, good) {
    const cx = x(at);
    g.fillStyle = good ? colours.ok : colours.bad;
    g.beginPath(); g.moveTo(cx, y - 6); g.lineTo(cx + 6, y); g.lineTo(cx, y + 6); g.lineTo(cx - 6, y); g.fill();
    if (!good) { g.strokeStyle = colours.bg; g.beginPath(); g.moveTo(cx - 3, y); g.lineTo(cx + 3, y); g.stroke(); }
  }
  function label(g, text, y, strong, colour, inset) {
    g.save();
    g.beginPath(); g.rect(0, y, GUTTER - 8, ROW); g.clip();
    g.fillStyle = colour;
    g.font = (strong ? '600 ' : '') + '12px system-ui,sans-serif';
    g.fillText(text, 6 + inset, y + 14);
    g.restore();
  }
  function drawJob(g, j, y, inner) {
    const bad = j.x === 1;
    label(g, GLYPH[j.s] + ' ' + j.id, y, bad, bad ? colours.bad : colours.fg, inner ? 14 : 0);
    for (const [b, e] of j.w) box(g, b, e, y + 8, 4, 'slot');
    for (const a of j.at) {
      box(g, a.b, a.e, y + 4, 12, 'model');
      if (a.s > a.b) box(g, a.b, a.s, y + 4, 12, 'start');
      for (const p of a.ph) box(g, p[0], p[1], y + 4, 12, p[2] ? 'wait' : 'tool');
      g.strokeStyle = a.ok ? colours.ok : colours.bad;
      g.lineWidth = 1;
      g.strokeRect(x(a.b) + .5, y + 4.5, Math.max(1, x(a.e) - x(a.b)), 11);
      g.fillStyle = colours.bad;
      for (const p of a.er) g.fillRect(x(p[0]) - 1, y + 1, 2, 18);
    }
    for (const q of j.g) diamond(g, q[0], y + 10, q[1]);
    if (bad && j.at.length) {
      // Behind the last bar, or before the first one where there is no room.
      const wide = g.measureText(j.f).width, after = x(j.at[j.at.length - 1].e) + 9;
      const left = after + wide + 6 <= pixels ? after : Math.max(GUTTER, x(j.at[0].b) - wide - 9);
      g.fillStyle = colours.card;
      g.fillRect(left - 2, y + 2, wide + 4, 16);
      g.fillStyle = colours.bad;
      g.fillText(j.f, left, y + 14);
    }
  }
  function drawGroup(g, row, y) {
    const bad = row.list[0].x === 1;
    if (!row.density || row.density.length !== pixels) {
      const steps = new Int32Array(pixels + 2);
      for (const j of row.list) for (const a of j.at) {
        ++steps[Math.max(0, Math.floor(x(a.b)))];
        --steps[Math.min(pixels, Math.floor(x(a.e)) + 1)];
      }
      row.density = new Int32Array(pixels);
      let now = 0, most = 1;
      for (let i = 0; i < pixels; ++i) { now += steps[i]; row.density[i] = now; most = Math.max(most, now); }
      row.most = most;
    }
    g.fillStyle = bad ? colours.bad : colours.model;
    for (let i = GUTTER; i < pixels; ++i) {
      const h = row.density[i] ? 2 + 14 * row.density[i] / row.most : 0;
      if (h) g.fillRect(i, y + 18 - h, 1, h);
    }
    label(g, (open.has(row.key) ? '\u25be ' : '\u25b8 ') + GLYPH[row.list[0].s] + ' ' + row.list.length + '\u00d7 ' + prefix(row.list[0].id) + ', max ' + row.most,
      y, true, bad ? colours.bad : colours.fg, 0);
  }
  const view = $('rows');
  function drawRows() {
    const top = view.scrollTop, height = Math.min(view.clientHeight, rows.length * ROW) || ROW;
    const g = sized($('fall'), height);
    $('fall').style.top = top + 'px';
    // As wide as the axis also where a scroll bar lies over its end: they share one scale.
    $('fall').style.width = pixels + 'px';
    const first = Math.floor(top / ROW), last = Math.min(rows.length, first + Math.ceil(height / ROW) + 1);
    marks(g, height);
    for (let i = first; i < last; ++i) {
      const y = i * ROW - top;
      if (i === selected && document.activeElement === view) { g.fillStyle = colours.sel + '33'; g.fillRect(0, y, pixels, ROW); }
      if (rows[i].list) drawGroup(g, rows[i], y); else drawJob(g, rows[i].j, y, rows[i].inner);
    }
  }
  function marks(g, height) {
    for (const [b, e] of folds) {
      g.fillStyle = colours.line;
      for (let y = 0; y < height; y += 8) { g.fillRect(x(b) + 8, y, 2, 4); g.fillRect(x(b) + 12, y + 4, 2, 4); }
    }
    for (const m of D.marks) {
      g.fillStyle = m[1] === 'lost' || m[1] === 'stop' ? colours.bad : colours.warn;
      for (let y = 0; y < height; y += 6) g.fillRect(x(m[0]), y, 1.5, 4);
    }
  }
  function axis() {
    const g = sized($('axis'), 22);
    g.fillStyle = colours.dim;
    const live = (D.end - dead) / Math.max(2, Math.floor((pixels - GUTTER) / 130));
    const unit = [1, 2, 5].map((n) => n * 10 ** Math.floor(Math.log10(Math.max(1, live)))).concat(10 ** Math.ceil(Math.log10(Math.max(1, live)))).find((n) => n >= live) || live;
    let before = -99;
    for (let t = 0; t <= D.end; t += unit) {
      if (x(t) - before < 80 || folds.some(([b, e]) => t > b && t < e)) continue;
      before = x(t);
      if (before > pixels - 80) break;
      g.fillRect(before, 16, 1, 6);
      g.fillText(clock(t), before + 3, 13);
    }
    g.fillText('UTC', 6, 13);
    for (const [b, e] of folds) g.fillText('\u2248', x(b) + 7, 20);
  }
  function band(g, top, height, name, value) {
    g.fillStyle = colours.dim;
    g.fillText(name, 6, top + 13);
    g.fillText(value, 6, top + 28);
    g.fillStyle = colours.line;
    g.fillRect(0, top + height, pixels, 1);
  }
  function steps(g, top, height, points, most, colour, dash) {
    g.strokeStyle = colour;
    g.lineWidth = 1.5;
    g.setLineDash(dash || []);
    g.beginPath();
    let y = top + height;
    g.moveTo(GUTTER, y);
    for (const [t, v] of points) { g.lineTo(x(t), y); y = top + height - (height - 6) * v / most; g.lineTo(x(t), y); }
    g.lineTo(x(D.end), y);
    g.stroke();
    g.setLineDash([]);
  }
  function drawCurves() {
    const H = 52, g = sized($('curves'), 4 * H + 4);
    marks(g, 4 * H);
    const edges = [];
    for (const [b, e] of busy) edges.push([b, 1], [e, -1]);
    edges.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    let now = 0, most = 1;
    const running = edges.map(([t, d]) => { now += d; most = Math.max(most, now); return [t, now]; });
    const allowed = Math.max(most, ...D.allowed.map((a) => a[1]));
    band(g, 0, H, 'at once, and allowed', 'most ' + most);
    steps(g, 0, H, running, allowed, colours.model);
    steps(g, 0, H, D.allowed, allowed, colours.warn, [5, 3]);
    const bins = Math.max(1, Math.floor((pixels - GUTTER) / 5)), good = new Array(bins).fill(0), wrong = new Array(bins).fill(0), tokens = new Array(bins).fill(0);
    for (const [t, ok, tok] of D.req) {
      const i = Math.max(0, Math.min(bins - 1, Math.floor((x(t) - GUTTER) / 5)));
      ++(ok ? good : wrong)[i];
      tokens[i] += tok;
    }
    const failures = wrong.reduce((a, b) => a + b, 0);
    band(g, H, H, 'requests, failed below', D.req.length + ', ' + failures + ' failed');
    const top = Math.max(1, ...good, ...wrong), mid = H + H / 2;
    good.forEach((n, i) => { g.fillStyle = colours.ok; g.fillRect(GUTTER + i * 5, mid - 22 * n / top, 4, 22 * n / top); });
    wrong.forEach((n, i) => { g.fillStyle = colours.bad; g.fillRect(GUTTER + i * 5, mid + 1, 4, 22 * n / top); });
    const rate = Math.max(1, ...tokens);
    band(g, 2 * H, H, 'tokens', tokens.reduce((a, b) => a + b, 0).toLocaleString('en'));
    tokens.forEach((n, i) => { g.fillStyle = colours.model; g.fillRect(GUTTER + i * 5, 3 * H - (H - 6) * n / rate, 4, (H - 6) * n / rate); });
    let sum = 0;
    const cost = D.req.map(([t, ok, tok, c]) => [t, sum += c]);
    band(g, 3 * H, H, 'cost, as reported', '$' + sum.toFixed(4));
    steps(g, 3 * H, H, cost, Math.max(sum, 1e-12), colours.tool);
  }
  function draw() {
    pixels = $('picture').clientWidth;
    if (pixels < 50) return;
    dress();
    axis();
    drawRows();
    drawCurves();
  }

  // ---- Asking: hover is a sentence, click and Enter open the panel -----------------------------
  const near = (px) => D.marks.find((m) => Math.abs(px - x(m[0])) < 4);
  function sentence(row, px) {
    const mark = near(px);
    if (mark) return mark[3] + ' #' + mark[2];
    if (row.list) return row.list.length + ' jobs: ' + row.list[0].s + (row.list[0].f === 'none' ? '' : ', ' + row.list[0].f) + '. Enter or click opens the group.';
    const j = row.j;
    for (const a of j.at) {
      if (px < x(a.b) - 3 || px > x(a.e) + 3) continue;
      for (const p of a.er) if (Math.abs(px - x(p[0])) < 3) return 'provider error: ' + p[2] + ' #' + p[1];
      for (const p of a.ph) if (px >= x(p[0]) && px <= x(p[1]) + 1) return (p[2] ? 'waits for the provider: ' : 'tool ') + p[4] + ', ' + secs(p[1] - p[0]) + ' #' + p[3];
      return j.id + ' attempt ' + a.n + ': ' + a.end + (a.why ? ', ' + a.why : '') + ', ' + secs(a.e - a.b) + ' #' + a.ev[0] + '-#' + a.ev[1];
    }
    for (const w of j.w) if (px >= x(w[0]) && px <= x(w[1])) return j.id + ' ' + KIND[w[2]] + ', ' + secs(w[1] - w[0]) + ' #' + w[3];
    return j.id + ': ' + j.s + (j.why ? ', ' + j.why : '');
  }
  function part(parent, tag, text, cls) {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (cls) element.className = cls;
    parent.appendChild(element);
    return element;
  }
  let back = null;
  function show(j) {
    const p = $('panel');
    p.textContent = '';
    const close = part(p, 'button', 'Close (Esc)', 'close');
    close.onclick = hide;
    part(p, 'h2', GLYPH[j.s] + ' ' + j.id + ': ' + j.s);
    if (j.why) part(p, 'p', j.why);
    for (const a of j.at) {
      part(p, 'h3', 'Attempt ' + a.n + ', ' + a.end + (a.why ? ' (' + a.why + ')' : '') + ', ' + secs(a.e - a.b) + ', #' + a.ev[0] + '-#' + a.ev[1]);
      part(p, 'p', [a.m, a.cost === null ? 'cost not reported' : '$' + a.cost.toFixed(4), a.tok.toLocaleString('en') + ' tokens', a.tools + ' tool calls'].filter(Boolean).join(', '), 'dim');
      for (const [name, key] of [['Prompt', 'pr'], ['Final message', 'fi']]) if (a[key] !== null) { part(p, 'h3', name); part(p, 'pre', a[key]); }
      if (a.wr.length) { part(p, 'h3', 'Writes'); const list = part(p, 'ul'); for (const w of a.wr) part(list, 'li', w); }
    }
    for (const q of j.g) {
      part(p, 'h3', 'Checks ' + (q[1] ? '\u2713 met' : '\u2717 not met') + ' #' + q[2]);
      const list = part(p, 'ul');
      for (const c of q[3]) part(list, 'li', c);
    }
    part(p, 'h3', 'Next');
    part(p, 'code', 'pievt why ' + D.run + '/' + j.id);
    back = document.activeElement;
    p.hidden = false;
    close.focus();
  }
  function hide() { $('panel').hidden = true; if (back) back.focus(); }
  function act(i) {
    selected = i;
    const row = rows[i];
    if (!row) return;
    if (row.list) { if (!open.delete(row.key)) open.add(row.key); makeRows(); draw(); } else { drawRows(); show(row.j); }
  }
  const at = (event) => Math.floor((event.clientY - view.getBoundingClientRect().top + view.scrollTop) / ROW);
  view.onscroll = drawRows;
  view.onclick = (event) => { if (rows[at(event)]) act(at(event)); };
  function tip(event, text) {
    const box = $('tip'), frame = $('picture').getBoundingClientRect();
    box.style.display = text ? 'block' : 'none';
    box.textContent = text;
    box.style.left = Math.min(event.clientX - frame.left + 12, Math.max(0, pixels - 430)) + 'px';
    box.style.top = event.clientY - frame.top + 16 + 'px';
  }
  const column = (event) => event.clientX - $('picture').getBoundingClientRect().left;
  view.onmousemove = (event) => tip(event, rows[at(event)] ? sentence(rows[at(event)], column(event)) : '');
  // Over the curves: what a line says, or how it stood then.
  $('curves').onmousemove = (event) => {
    const mark = near(column(event));
    if (mark || column(event) < GUTTER) return tip(event, mark ? mark[3] + ' #' + mark[2] : '');
    const t = when(column(event)), running = busy.filter(([b, e]) => b <= t && t < e).length;
    const spent = D.req.reduce((sum, r) => sum + (r[0] <= t ? r[3] : 0), 0);
    tip(event, clock(t) + ': ' + running + ' at once, $' + spent.toFixed(4) + ' until then');
  };
  for (const part of [view, $('curves')]) part.onmouseleave = (event) => tip(event, '');
  view.onfocus = view.onblur = drawRows;
  view.onkeydown = (event) => {
    const page = Math.max(1, Math.floor(view.clientHeight / ROW) - 1);
    const to = {ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -1e9, End: 1e9}[event.key];
    if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); act(selected); return; }
    if (!to) return;
    event.preventDefault();
    selected = Math.max(0, Math.min(rows.length - 1, selected + to));
    if (selected * ROW < view.scrollTop) view.scrollTop = selected * ROW;
    if ((selected + 1) * ROW > view.scrollTop + view.clientHeight) view.scrollTop = (selected + 1) * ROW - view.clientHeight;
    drawRows();
    const row = rows[selected];
    $('said').textContent = row ? sentence(row, -1) : '';
  };
  document.addEventListener('keydown', (event) => { if (event.key === 'Escape' && !$('panel').hidden) hide(); });
  for (const card of document.querySelectorAll('.cause')) {
    card.querySelector('button').onclick = () => {
      const mine = Number(card.dataset.cause);
      cause = cause === mine ? -1 : mine;
      for (const other of document.querySelectorAll('.cause')) {
        const on = Number(other.dataset.cause) === cause;
        other.dataset.on = on ? '1' : '0';
        other.querySelector('button').setAttribute('aria-pressed', String(on));
      }
      for (const line of document.querySelectorAll('tr[data-cause]')) line.hidden = cause >= 0 && Number(line.dataset.cause) !== cause;
      selected = 0;
      makeRows();
      draw();
    };
  }
  document.addEventListener('click', (event) => {
    const n = event.target.dataset && event.target.dataset.job;
    if (n) show(D.jobs[Number(n)]);
  });
  window.addEventListener('resize', draw);
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  makeRows();
  draw();
  document.documentElement.dataset.ready = '1';
})();
