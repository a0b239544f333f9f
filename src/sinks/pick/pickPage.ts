import { headersOf } from '../preview/previewPage.ts';

const style = `
:root { color-scheme: dark; font: 15px/1.45 system-ui, sans-serif; }
body { margin: 0; background: #15181c; color: #dfe4ea; display: grid; grid-template-columns: minmax(0, 1fr) 19rem; height: 100vh; }
main { overflow: auto; background: #000; }
#view { position: relative; width: 100%; cursor: crosshair; }
#view.whole { width: max-content; }
#view img { display: block; width: 100%; }
#view.whole img { width: auto; image-rendering: pixelated; }
.mark { position: absolute; color: #3ddc84; pointer-events: none; font-size: 13px; white-space: nowrap; }
.mark::before { content: ''; position: absolute; left: -7px; top: -7px; width: 12px; height: 12px; border: 2px solid #3ddc84; border-radius: 50%; }
.mark span { position: absolute; left: 12px; top: -10px; }
aside { padding: 1rem; overflow: auto; }
h1 { font-size: 1rem; margin: 0 0 .6rem; }
select, button.save { width: 100%; font: inherit; padding: .4rem; margin: .3rem 0; }
#labels { display: grid; grid-template-columns: 1fr 1fr; gap: .3rem; margin: .6rem 0; }
#labels button { font: inherit; padding: .2rem; background: #2a3038; color: inherit; border: 2px solid transparent; border-radius: 4px; cursor: pointer; }
#labels button[aria-pressed=true] { border-color: #4ea1ff; }
#labels button.placed { background: #1f5a38; }
#answer { white-space: pre-wrap; overflow-wrap: anywhere; }
#answer.wrong { background: #7a2222; padding: .5rem .7rem; }
`;

const script = `
'use strict';
const at = id => document.getElementById(id);
const { chips, width, height, token } = JSON.parse(at('facts').textContent);
let clicks = new Map();
let current = null;
const labels = () => chips[at('chip').selectedIndex].labels;
function draw() {
  at('labels').replaceChildren(...labels().map(label => {
    const button = Object.assign(document.createElement('button'), { textContent: label, type: 'button' });
    button.setAttribute('aria-pressed', String(label === current));
    if (clicks.has(label)) { button.className = 'placed'; button.title = 'click to take it away'; }
    button.addEventListener('click', () => { clicks.delete(label); current = label; draw(); });
    return button;
  }));
  for (const mark of document.querySelectorAll('.mark')) mark.remove();
  for (const [label, [x, y]] of clicks) {
    const mark = Object.assign(document.createElement('div'), { className: 'mark' });
    mark.style.left = (100 * x) / width + '%';
    mark.style.top = (100 * y) / height + '%';
    mark.append(Object.assign(document.createElement('span'), { textContent: label }));
    at('view').append(mark);
  }
  at('save').disabled = clicks.size < 2;
}
at('picture').addEventListener('click', event => {
  if (current === null) return;
  const box = at('picture').getBoundingClientRect();
  clicks.set(current, [((event.clientX - box.left) / box.width) * width, ((event.clientY - box.top) / box.height) * height]);
  current = null;
  draw();
});
at('chip').addEventListener('change', () => { clicks = new Map(); current = null; draw(); });
at('whole').addEventListener('change', () => { at('view').className = at('whole').checked ? 'whole' : ''; });
at('save').addEventListener('click', async () => {
  at('save').disabled = true;
  at('answer').className = '';
  at('answer').textContent = 'The chip is looked for …';
  const features = [...clicks].map(([label, [x, y]]) => ({ label, x, y }));
  try {
    const reply = await fetch('/positions', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Phorest-Token': token },
      body: JSON.stringify({ chipType: at('chip').value, clicks: features }),
    });
    const { done, text } = await reply.json();
    at('answer').textContent = text;
    at('answer').className = done ? 'done' : 'wrong';
    at('save').disabled = done;
  } catch {
    at('answer').textContent = 'phorest does not answer: has the command ended?';
    at('answer').className = 'wrong';
  }
});
at('chip').replaceChildren(...chips.map(({ type }) => Object.assign(document.createElement('option'), { textContent: type })));
draw();
`;

/** What the page knows. */
export interface PickFacts {
  chips: readonly { type: string; labels: readonly string[] }[];
  /** Pixels of the image itself. */
  width: number;
  height: number;
  /** Proves that a request comes from this page. */
  token: string;
}

/** The page on which labels are clicked. */
export function pickPage(facts: PickFacts): string {
  // "<" could end the element.
  const json = JSON.stringify(facts).replaceAll('<', '\\u003c');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Phorest: where are the labels?</title>
<link rel="icon" href="data:,">
<style>${style}</style>
<main><div id="view"><img id="picture" src="/picture.png" alt="the image of the chip"></div></main>
<aside>
<h1>Where are the labels?</h1>
<div>Choose a label, then click on its middle in the image. Two labels or more, as far apart as there are.</div>
<select id="chip" aria-label="chip"></select>
<label><input type="checkbox" id="whole"> pixel by pixel</label>
<div id="labels"></div>
<button class="save" id="save" type="button" disabled>Locate the chip</button>
<p id="answer" role="status"></p>
</aside>
<script type="application/json" id="facts">${json}</script>
<script>${script}</script>
</html>
`;
}

export const pickHeaders = headersOf(script, style);
