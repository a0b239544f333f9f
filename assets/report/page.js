// The report's page. `pictures`, which draws, stands before this in the same script.
const { chipMap, exposure, firstPicks, intervalPicture, mapQuantities, multiples, sensorgram } = pictures;
const packedTypes = { Float32Array, Float64Array, Uint16Array };
/** Numbers: base64 of their bytes, or how often which one; null is NaN. */
function numbers(type, stored) {
  if (typeof stored !== 'string') return new packedTypes[type](stored[0]).fill(stored[1] ?? Number.NaN);
  const text = atob(stored);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return new packedTypes[type](bytes.buffer);
}
/** What is packed in a value is unpacked when somebody wants it: most of a page is never looked at. */
function unpacked(value) {
  for (const [key, each] of Object.entries(value ?? {})) {
    if (typeof each !== 'object' || each === null) continue;
    const [type] = Object.keys(each);
    if (!Object.hasOwn(packedTypes, type ?? '')) unpacked(each);
    else {
      let known;
      Object.defineProperty(value, key, { enumerable: true, get: () => (known ??= numbers(type, each[type])) });
    }
  }
  return value;
}
const data = unpacked(JSON.parse(document.getElementById('data').textContent));
const main = document.getElementById('pictures');
const font = 'system-ui, "DejaVu Sans", sans-serif';
let picks = firstPicks(data);
let dark = matchMedia('(prefers-color-scheme: dark)').matches;
let isPrinted = false;
/** Of A4 across, without heading and notes, px. */
const paper = { width: 1020, height: 520 };

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** One picture of the page: a heading, what steers it, the chart, its notes. Drawn when it is first near the window. */
class PicturePart {
  constructor(draw, controls = []) {
    this.draw = draw;
    this.heading = element('h2');
    this.place = element('div');
    this.notes = element('ul', { className: 'notes' });
    this.section = element('section', {}, this.heading, ...controls, element('div', { className: 'wide' }, this.place), this.notes);
    this.chart = null;
    this.isSeen = false;
    main.append(this.section);
  }
  show(width = main.clientWidth) {
    const picture = this.draw({ dark, font, interactive: !isPrinted, width });
    if (picture === null) return;
    this.heading.textContent = picture.title;
    this.place.style.width = `${this.width?.() ?? width}px`;
    this.place.style.height = `${picture.height}px`;
    // A page of paper holds it whole.
    this.place.style.zoom = isPrinted ? Math.min(1, paper.width / this.place.offsetWidth, paper.height / picture.height) : 1;
    this.notes.replaceChildren(...picture.notes.map(note => element('li', { textContent: note })));
    if (this.chart === null) {
      this.chart = echarts.init(this.place, null, { renderer: 'canvas' });
      this.chart.on('click', ({ seriesType, data: clicked }) => {
        if (this.picksRois && seriesType === 'custom' && clicked) toggle(clicked[0]);
      });
    }
    this.chart.resize();
    // What somebody has zoomed to stays.
    const zoom = this.chart.getOption()?.dataZoom?.map(({ start, end }) => ({ start, end }));
    this.chart.setOption(picture.option, { notMerge: true });
    zoom?.forEach(({ start, end }, dataZoomIndex) => {
      if (start > 0 || end < 100) this.chart.dispatchAction({ type: 'dataZoom', dataZoomIndex, start, end });
    });
  }
}

const patternInput = element('input', { type: 'text', placeholder: '0A* !0A13*', spellcheck: false });
const pickedWords = element('span');
const picker = element(
  'div',
  { className: 'picker' },
  element('label', {}, 'ROIs', patternInput),
  element('button', { type: 'button', textContent: 'no ROI', onclick: () => pick([]) }),
  element('button', { type: 'button', textContent: 'flagged ROIs', onclick: () => pick(all().filter(i => data.rois[i].warning !== null)) }),
  pickedWords,
);
const all = () => data.rois.map((_, i) => i);
/** `0A*`, `?`, `[a-c]`; `!` before it leaves out. */
function fits(label, pattern) {
  const form = pattern.replace(/[.+^${}()|\\]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.');
  try {
    return new RegExp(`^${form}$`).test(label);
  } catch {
    return label === pattern;
  }
}
patternInput.addEventListener('input', () => {
  const patterns = patternInput.value.split(/[\s,]+/).filter(each => each !== '' && each !== '!');
  const wanted = patterns.filter(each => !each.startsWith('!'));
  const unwanted = patterns.filter(each => each.startsWith('!')).map(each => each.slice(1));
  const isWanted = ({ label }) =>
    patterns.length > 0 &&
    (wanted.length === 0 || wanted.some(each => fits(label, each))) &&
    !unwanted.some(each => fits(label, each));
  pick(all().filter(i => isWanted(data.rois[i])));
});

const sensorgramPart = new PicturePart(look => sensorgram(data, look, picks), [picker]);
const quantities = mapQuantities(data).filter(({ key }) => data.rois.some(({ figures }) => Number.isFinite(figures[key] ?? Number.NaN)));
const mapChoice = element('select', {}, ...quantities.map(({ key, title, unit }) => element('option', { value: key, textContent: `${title} / ${unit}` })));
const mapPart = new PicturePart(
  look => (quantities.length === 0 ? null : chipMap(data, look, mapChoice.value)),
  [element('div', { className: 'picker' }, element('label', {}, 'Colour', mapChoice), 'A click on a ROI picks it.')],
);
mapPart.picksRois = true;
mapChoice.addEventListener('change', () => mapPart.show());
const multiplesPart = new PicturePart(look => multiples(data, { ...look, width: Math.max(look.width, 900) }));
multiplesPart.width = () => Math.max(main.clientWidth, 900);
multiplesPart.picksRois = true;
const parts = [sensorgramPart, mapPart, multiplesPart, new PicturePart(look => exposure(data, look)), new PicturePart(look => intervalPicture(data, look))];
for (const part of parts) part.place.style.minHeight = '300px';

function toggle(i) {
  pick(picks.includes(i) ? picks.filter(each => each !== i) : [...picks, i]);
}
function pick(chosen) {
  picks = chosen;
  const names = picks.slice(0, 6).map(i => data.rois[i].label);
  pickedWords.textContent = picks.length === 0 ? 'none picked' : `${picks.length} picked: ${names.join(', ')}${picks.length > 6 ? ', …' : ''}`;
  const labels = new Set(picks.map(i => data.rois[i].label));
  for (const row of roiRows) row.classList.toggle('picked', labels.has(row.cells[0].textContent));
  sensorgramPart.show();
}

const placeOf = new Map(data.rois.map(({ label }, i) => [label, i]));
const roiRows = [];
for (const table of document.querySelectorAll('section.table table')) {
  const [body] = table.tBodies;
  if (table.tHead.rows[0].cells[0].textContent === 'ROI') {
    for (const row of body.rows) {
      roiRows.push(row);
      row.addEventListener('click', () => toggle(placeOf.get(row.cells[0].textContent)));
    }
  }
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    let down = true;
    head.addEventListener('click', () => {
      const number = row => Number.parseFloat(row.cells[column].textContent.replaceAll('−', '-'));
      const rows = [...body.rows].sort((a, b) => {
        const [x, y] = [number(a), number(b)];
        const order = Number.isNaN(x) || Number.isNaN(y) || column === 0 ? a.cells[column].textContent.localeCompare(b.cells[column].textContent, 'en', { numeric: true }) : x - y;
        return down ? order : -order;
      });
      down = !down;
      body.append(...rows);
    });
  });
}

function setTheme(isDark) {
  dark = isDark;
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  for (const part of parts) if (part.isSeen) part.show();
}
document.getElementById('theme').addEventListener('click', () => setTheme(!dark));
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', ({ matches }) => setTheme(matches));
const watch = new IntersectionObserver(
  entries => {
    for (const { target, isIntersecting } of entries) {
      const part = parts.find(({ section }) => section === target);
      if (!isIntersecting || part.isSeen) continue;
      part.isSeen = true;
      part.show();
    }
  },
  { rootMargin: '400px' },
);
setTheme(dark);
pick(picks);
sensorgramPart.isSeen = true;
for (const part of parts) watch.observe(part.section);
let width = main.clientWidth;
new ResizeObserver(() => {
  if (main.clientWidth === width) return;
  width = main.clientWidth;
  for (const part of parts) if (part.isSeen) part.show();
}).observe(main);
let before = null;
addEventListener('beforeprint', () => {
  before = dark;
  isPrinted = true;
  for (const part of parts) part.isSeen = true;
  setTheme(false);
});
addEventListener('afterprint', () => {
  isPrinted = false;
  setTheme(before ?? dark);
});
