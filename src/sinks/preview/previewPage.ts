import { createHash } from 'node:crypto';

const style = `
:root { color-scheme: dark; font: 15px/1.45 system-ui, sans-serif; }
body { margin: 0; background: #15181c; color: #dfe4ea; display: grid; grid-template-columns: minmax(0, 1fr) 21rem; gap: 1rem; padding: 1rem; }
@media (max-width: 60rem) { body { grid-template-columns: minmax(0, 1fr); } }
img { display: block; width: 100%; max-height: calc(100vh - 5rem); object-fit: contain; background: #000; }
img.centre { image-rendering: pixelated; }
h1 { font-size: 1rem; margin: 0 0 .6rem; }
h2 { font-size: .85rem; font-weight: 600; margin: 1.1rem 0 .3rem; color: #9aa5b1; }
#sharpness { font-size: 2.6rem; font-variant-numeric: tabular-nums; line-height: 1.1; }
#bar { height: .5rem; background: #2a3038; margin: .4rem 0; }
#bar div { height: 100%; background: #4ea1ff; width: 0; }
canvas { width: 100%; height: 7rem; background: #0e1013; display: block; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .15rem .8rem; margin: 0; font-variant-numeric: tabular-nums; }
dt { color: #9aa5b1; } dd { margin: 0; text-align: right; }
#trouble { background: #7a2222; color: #fff; padding: .5rem .7rem; margin: 0 0 .6rem; }
[hidden] { display: none; }
label { user-select: none; }
`;

const script = `
'use strict';
const at = id => document.getElementById(id);
const shown = value => Number(value.toPrecision(4)).toLocaleString('en');
const percent = share => (share > 0 && share < 0.0001 ? '<0.01' : Number((100 * share).toFixed(2))) + ' %';
const words = { rising: '▲ better', falling: '▼ worse', steady: '= steady' };
const signs = { rising: ' ▲', falling: ' ▼', steady: '' };
function canvas(id) {
  const it = at(id);
  it.width = it.clientWidth * devicePixelRatio;
  it.height = it.clientHeight * devicePixelRatio;
  return { pen: it.getContext('2d'), width: it.width, height: it.height };
}
function drawHistogram(bins) {
  const { pen, width, height } = canvas('histogram');
  const top = Math.log1p(1e5 * Math.max(...bins));
  bins.forEach((share, i) => {
    const tall = share > 0 ? Math.max(2, (height * Math.log1p(1e5 * share)) / top) : 0;
    pen.fillStyle = i === bins.length - 1 ? '#ff6b5e' : '#8fb4d9';
    pen.fillRect((i * width) / bins.length, height - tall, width / bins.length - 1, tall);
  });
}
function drawHistory(values, best) {
  const { pen, width, height } = canvas('history');
  const top = Math.max(best, 1e-9) * 1.05;
  const y = value => height - (Math.max(0, value) / top) * height;
  pen.strokeStyle = '#5b6673';
  pen.setLineDash([6, 6]);
  pen.beginPath(); pen.moveTo(0, y(best)); pen.lineTo(width, y(best)); pen.stroke();
  pen.setLineDash([]);
  pen.strokeStyle = '#4ea1ff';
  pen.lineWidth = 2 * devicePixelRatio;
  pen.beginPath();
  values.forEach((value, i) => pen.lineTo((i * width) / 59, y(value)));
  pen.stroke();
}
const trouble = message => { at('trouble').hidden = message === ''; at('trouble').textContent = message; };
const events = new EventSource('/figures');
events.addEventListener('figures', ({ data }) => {
  const f = JSON.parse(data);
  trouble('');
  at('sharpness').textContent = shown(f.sharpness);
  at('trend').textContent = words[f.trends.sharpness] + ',';
  const share = f.best > 0 ? Math.max(0, f.sharpness / f.best) : 0;
  at('share').textContent = percent(share) + ' of the best (' + shown(f.best) + ')';
  at('bar').firstElementChild.style.width = 100 * Math.min(1, share) + '%';
  at('brightness').textContent = shown(f.brightness) + ' (' + percent(f.brightness / f.fullScale) + ')' + signs[f.trends.brightness];
  at('saturated').textContent = percent(f.saturated) + signs[f.trends.saturated];
  at('size').textContent = f.width + ' × ' + f.height + ', ' + f.depth + ' bit';
  at('time').textContent = f.time;
  at('scale').textContent = '0 to ' + shown(f.fullScale);
  drawHistogram(f.histogram);
  drawHistory(f.history, f.best);
});
events.addEventListener('trouble', ({ data }) => trouble(JSON.parse(data).message));
events.onerror = () => trouble('The preview has ended, or the tunnel to it; this page tries again.');
// The picture does not come back by itself.
events.onopen = () => choose();
function choose() {
  const isCentre = at('centre').checked;
  at('picture').className = isCentre ? 'centre' : '';
  at('picture').src = (isCentre ? '/centre.mjpg' : '/stream.mjpg') + '?' + Date.now();
}
at('centre').addEventListener('change', choose);
`;

/** The page: the picture, a histogram, and what one focuses by. */
export const previewPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Phorest preview</title>
<link rel="icon" href="data:,">
<style>${style}</style>
<main>
<p id="trouble" role="alert" hidden></p>
<img id="picture" alt="the newest frame">
</main>
<aside>
<h1>Phorest preview</h1>
<label><input type="checkbox" id="centre"> the centre, pixel by pixel</label>
<h2>Sharpness</h2>
<div id="sharpness">–</div>
<div id="bar"><div></div></div>
<div><span id="trend"></span> <span id="share"></span></div>
<canvas id="history" role="img" aria-label="sharpness of the last sixty frames"></canvas>
<h2>Histogram, <span id="scale"></span></h2>
<canvas id="histogram" role="img" aria-label="histogram of the frame, logarithmic"></canvas>
<h2>Frame</h2>
<dl>
<dt>brightness</dt><dd id="brightness">–</dd>
<dt>saturated</dt><dd id="saturated">–</dd>
<dt>size</dt><dd id="size">–</dd>
<dt>taken</dt><dd id="time">–</dd>
</dl>
</aside>
<script>${script}</script>
</html>
`;

const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** On every answer: nothing but this page may show or run what is here, and nothing of elsewhere runs in it. */
export const headersOf = (script: string, style: string): Readonly<Record<string, string>> => ({
  'Cache-Control': 'no-store',
  'Content-Security-Policy': `default-src 'none'; img-src 'self' data:; connect-src 'self'; script-src ${hash(script)}; style-src ${hash(style)}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
});

export const pageHeaders = headersOf(script, style);
