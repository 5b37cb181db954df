// SPDX-License-Identifier: GPL-2.0-or-later
// The timeline of a report: lanes of a machine on a canvas.  RUN is the data
// (tools/parterre/report_data.c).  Where a pixel holds several spans, it is
// divided among them by their time.
'use strict';
const tip = document.getElementById('tip');
const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const ms = (t, digits) => (t / 1e9).toFixed(digits === undefined ? 6 : digits) + ' ms';

function say(event, text) {
  tip.textContent = text;
  tip.style.visibility = text ? 'visible' : 'hidden';
  if (!text) return;
  const right = event.clientX + 14 + tip.offsetWidth > innerWidth;
  tip.style.left = (right ? event.clientX - 14 - tip.offsetWidth : event.clientX + 14) + 'px';
  tip.style.top = event.clientY + 16 + 'px';
}

function unpack(lane) { // [who, duration, ...] from lane.from on
  const from = [], who = [];
  let t = lane.from;
  for (let i = 0; i < lane.spans.length; i += 2) {
    from.push(t); who.push(lane.spans[i]);
    t += lane.spans[i + 1];
  }
  from.push(t);
  return {from, who, grain: lane.grain};
}

function at(lane, t) { // the last span that begins at or before t
  let low = 0, high = lane.who.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (lane.from[middle] <= t) low = middle; else high = middle;
  }
  return low;
}

function view(machine, canvas, legend) {
  const lanes = machine.lanes.map(unpack), TOP = 34, HIGH = 34, GAP = 8, LEFT = 52;
  const RIGHT = 8; // room for half of a mark at the end
  const wide = () => canvas.clientWidth - LEFT - RIGHT;
  const whole = [machine.from, Math.max(machine.to, machine.from + 1)];
  let shown = whole.slice(), alone = null, drag = null;
  const height = TOP + lanes.length * (HIGH + GAP) + 22;

  function palette() { // by who, as the legend shows it
    const colours = [];
    for (const button of legend.querySelectorAll('button'))
      colours[button.dataset.who] = getComputedStyle(button.querySelector('.key')).backgroundColor;
    return colours;
  }
  const x = t => LEFT + (t - shown[0]) / (shown[1] - shown[0]) * wide();
  const t = px => shown[0] + (px - LEFT) / wide() * (shown[1] - shown[0]);

  function column(g, lane, px, top, colours) { // one pixel's share of each
    const from = t(px), to = t(px + 1), had = new Map();
    let sum = 0, y = top;
    for (let i = at(lane, from); i < lane.who.length && lane.from[i] < to; i++) {
      const length = Math.min(to, lane.from[i + 1]) - Math.max(from, lane.from[i]);
      if (length <= 0) continue;
      had.set(lane.who[i], (had.get(lane.who[i]) || 0) + length);
      sum += length;
    }
    for (const who of [...had.keys()].sort((a, b) => a - b)) {
      const h = had.get(who) / sum * HIGH;
      g.fillStyle = colours[who];
      g.globalAlpha = alone === null || alone === who ? 1 : .12;
      g.fillRect(px, y, 1, h);
      y += h;
    }
    g.globalAlpha = 1;
  }

  function axis(g, width) {
    const steps = [1, 2, 5], least = (shown[1] - shown[0]) / Math.max(2, width / 130);
    let step = 1;
    for (let k = 0; step < least; k++) step = steps[k % 3] * 10 ** Math.floor(k / 3);
    g.fillStyle = css('--soft');
    g.strokeStyle = css('--line');
    for (let tick = Math.ceil(shown[0] / step) * step; tick <= shown[1]; tick += step) {
      g.beginPath(); g.moveTo(x(tick), TOP); g.lineTo(x(tick), height - 18); g.stroke();
      const digits = Math.max(0, Math.min(6, 9 - Math.floor(Math.log10(step))));
      g.fillText(ms(tick, digits), Math.min(x(tick) + 3, width - 90), height - 6);
    }
  }

  function marks(g) {
    for (const m of machine.marks) {
      if (m.t < shown[0] || m.t > shown[1]) continue;
      g.strokeStyle = g.fillStyle = css(
        {up: '--good', moved: '--accent', machine: '--soft'}[m.kind] || '--bad');
      g.beginPath(); g.moveTo(x(m.t), 16); g.lineTo(x(m.t), height - 18); g.stroke();
      g.beginPath(); g.moveTo(x(m.t) - 5, 8); g.lineTo(x(m.t) + 5, 8); g.lineTo(x(m.t), 18); g.fill();
    }
  }

  function draw() {
    const scale = devicePixelRatio || 1, width = canvas.clientWidth;
    const g = canvas.getContext('2d'), colours = palette();
    canvas.style.height = height + 'px';
    canvas.width = width * scale; canvas.height = height * scale;
    g.scale(scale, scale);
    g.font = '12px system-ui, sans-serif';
    g.fillStyle = css('--card'); g.fillRect(0, 0, width, height);
    axis(g, width);
    lanes.forEach((lane, i) => {
      const top = TOP + i * (HIGH + GAP);
      g.fillStyle = css('--ink'); g.fillText('CPU ' + i, 8, top + HIGH / 2 + 4);
      const last = Math.min(width, x(lane.from[lane.who.length]));
      for (let px = Math.max(LEFT, Math.floor(x(lane.from[0]))); px < last; px++)
        column(g, lane, px, top, colours);
    });
    marks(g);
    canvas.dataset.drawn = lanes.reduce((sum, lane) => sum + lane.who.length, 0);
  }

  function show(from, to) {
    const span = Math.min(whole[1] - whole[0], Math.max(1000, to - from));
    from = Math.max(whole[0], Math.min(from, whole[1] - span));
    shown = [from, from + span];
    draw();
  }
  function zoom(by, px) {
    const middle = t(px);
    show(middle - (middle - shown[0]) * by, middle + (shown[1] - middle) * by);
  }
  function hover(e) {
    const box = canvas.getBoundingClientRect(), px = e.clientX - box.left, when = t(px);
    const mark = machine.marks.filter(m => Math.abs(x(m.t) - px) < 5)
      .map(m => ms(m.t) + '  ' + m.text).join('\n');
    const row = Math.floor((e.clientY - box.top - TOP) / (HIGH + GAP));
    if (mark) return say(e, mark);
    if (!lanes[row] || px < LEFT || when < lanes[row].from[0]) return say(e, '');
    const i = at(lanes[row], when), lane = lanes[row];
    say(e, machine.names[lane.who[i]] + ' on CPU ' + row + '\n' + ms(lane.from[i]) + ', for ' +
      ((lane.from[i + 1] - lane.from[i]) / 1e6).toFixed(3) + ' us' +
      (lane.grain ? '\n(whoever had most of ' + (lane.grain / 1e6).toFixed(1) + ' us)' : ''));
  }

  canvas.addEventListener('wheel', e => {
    e.preventDefault();
    zoom(e.deltaY > 0 ? 1.25 : .8, e.clientX - canvas.getBoundingClientRect().left);
  }, {passive: false});
  canvas.addEventListener('pointerdown', e => { drag = [e.clientX, shown.slice()]; canvas.setPointerCapture(e.pointerId); });
  canvas.addEventListener('pointerup', () => { drag = null; });
  canvas.addEventListener('pointerleave', e => say(e, ''));
  canvas.addEventListener('pointermove', e => {
    if (!drag) return hover(e);
    const by = (e.clientX - drag[0]) / wide() * (drag[1][1] - drag[1][0]);
    show(drag[1][0] - by, drag[1][1] - by);
  });
  canvas.addEventListener('dblclick', () => show(whole[0], whole[1]));
  canvas.addEventListener('keydown', e => {
    const span = shown[1] - shown[0], middle = LEFT + wide() / 2;
    if (e.key === '+') zoom(.5, middle);
    else if (e.key === '-') zoom(2, middle);
    else if (e.key === 'ArrowLeft') show(shown[0] - span / 4, shown[1] - span / 4);
    else if (e.key === 'ArrowRight') show(shown[0] + span / 4, shown[1] + span / 4);
    else if (e.key === 'Home') show(whole[0], whole[1]);
    else return;
    e.preventDefault();
  });
  for (const button of legend.querySelectorAll('button'))
    button.addEventListener('click', () => {
      const who = Number(button.dataset.who);
      alone = alone === who ? null : who;
      for (const other of legend.querySelectorAll('button'))
        other.classList.toggle('off', alone !== null && Number(other.dataset.who) !== alone);
      draw();
    });
  for (const link of document.querySelectorAll('[data-view="' + canvas.id + '"]'))
    link.addEventListener('click', () => {
      const from = Number(link.dataset.from), to = Number(link.dataset.to), rim = (to - from) / 4;
      show(from - rim, to + rim);
    });
  addEventListener('resize', draw);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  draw();
}

RUN.forEach((machine, i) =>
  view(machine, document.getElementById('lanes' + i), document.getElementById('legend' + i)));
