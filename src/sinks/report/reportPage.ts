import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { escapedText } from './pictures/pictureParts.ts';
import type { PictureData } from './reportData.ts';
import type { ReportTable } from './reportTables.ts';

const require = createRequire(import.meta.url);

export interface ReportPage {
  title: string;
  subtitle: string;
  pictures: PictureData;
  tables: readonly ReportTable[];
  /** Names and values, from which all this was made. */
  about: readonly (readonly [name: string, value: string])[];
  /** Settings, as TOML, each with what it is. */
  configs: readonly (readonly [title: string, toml: string])[];
  /** What was left out, and why. */
  notes: readonly string[];
}

/** What draws the pictures, here and in the page. */
const pictureModules = ['sensorgram', 'chipPictures', 'framePictures'];

/** The whole page as one HTML text, which asks nobody for anything: echarts, pictures, data and tables are in it. */
export async function reportPage(page: ReportPage): Promise<string> {
  const asset = (name: string): Promise<string> =>
    readFile(new URL(`../../../assets/report/${name}`, import.meta.url), 'utf8');
  const [style, ownScript, echarts, shared] = await Promise.all([
    asset('page.css'),
    asset('page.js'),
    readFile(require.resolve('echarts/dist/echarts.min.js'), 'utf8'),
    sharedScript(),
  ]);
  const scripts = [echarts, `'use strict';\n{\n${shared}\n${ownScript}\n}`].map(inScript);
  const hashes = scripts.map(script => `'sha256-${createHash('sha256').update(script).digest('base64')}'`);
  // Nothing from elsewhere, and no script but these: a label that is one stays text.
  const policy = `default-src 'none'; script-src ${hashes.join(' ')}; style-src 'unsafe-inline'; img-src data: blob:`;
  const { title, subtitle, pictures, tables, about, configs, notes } = page;
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<link rel="icon" href="data:,">',
    `<title>${escapedText(title)}</title>`,
    `<style>${style}</style></head><body>`,
    `<header><div><h1>${escapedText(title)}</h1><p>${escapedText(subtitle)}</p></div>`,
    '<button id="theme" type="button" title="light or dark">◐</button></header>',
    notes.map(note => `<p class="trouble">${escapedText(note)}</p>`).join('\n'),
    '<main id="pictures"></main>',
    ...tables.map((table, i) => tableHtml(table, i)),
    `<section id="about"><h2>What it was made from</h2><dl>${about
      .map(([name, value]) => `<dt>${escapedText(name)}</dt><dd>${escapedText(value)}</dd>`)
      .join('')}</dl>`,
    ...configs.map(
      ([name, toml]) => `<details><summary>${escapedText(name)}</summary><pre>${escapedText(toml)}</pre></details>`,
    ),
    '</section>',
    `<script type="application/json" id="data">${packed(pictures)}</script>`,
    ...scripts.map(script => `<script>${script}</script>`),
    '</body></html>\n',
  ].join('\n');
}

/**
 * The modules that draw the pictures and all that these import, as one script that leaves what they export in `pictures`. Each has a scope of its own,
 * as it has here.
 */
export async function sharedScript(): Promise<string> {
  const end = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const names = new Map<string, string>();
  const parts: string[] = [];
  const add = async (url: URL): Promise<string> => {
    const known = names.get(url.href);
    if (known !== undefined) return known;
    const name = `module${names.size}`;
    names.set(url.href, name);
    const source = await readFile(url, 'utf8');
    let text = end === 'ts' ? stripTypeScriptTypes(source) : source;
    for (const [whole, taken, from] of text.matchAll(/^import (\{[^}]*\}) from '([^']*)';$/gm)) {
      text = text.replace(whole, `const ${taken} = ${await add(new URL(from!, url))};`);
    }
    const exported = [...text.matchAll(/^export (?:const|function) (\w+)/gm)].map(([, each]) => each);
    parts.push(
      `const ${name} = (() => {\n${text.replace(/^export /gm, '')}\nreturn { ${exported.join(', ')} };\n})();`,
    );
    return name;
  };
  const roots: string[] = [];
  for (const each of pictureModules) roots.push(await add(new URL(`./pictures/${each}.${end}`, import.meta.url)));
  return `${parts.join('\n')}\nconst pictures = { ${roots.map(root => `...${root}`).join(', ')} };`;
}

/** JavaScript as it may stand in HTML. */
const inScript = (text: string): string => text.replaceAll(/<(?=\/script|!--)/gi, '\\u003c');

/**
 * As it may stand in HTML. Numbers are base64 of their bytes, little-endian; many that are the same are their count and one of them, null for NaN.
 */
function packed(data: PictureData): string {
  return JSON.stringify(data, (_key, value: unknown) => {
    if (!(value instanceof Float32Array || value instanceof Float64Array || value instanceof Uint16Array)) return value;
    const [first] = value;
    const isUniform = value.length > 1 && value.every(each => Object.is(each, first));
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return { [value.constructor.name]: isUniform ? [value.length, first] : bytes.toString('base64') };
  }).replaceAll('<', '\\u003c');
}

/** More are not printed. */
const printedRows = 200;

function tableHtml({ title, note, head, rows }: ReportTable, index: number): string {
  const isWords = head.map((_, column) => rows.some(row => /\p{L}{2}/u.test(row[column] ?? '')));
  const cells = (tag: string, row: readonly string[]): string =>
    `<tr>${row.map((cell, i) => `<${tag}${isWords[i] ? ' class="words"' : ''}>${escapedText(cell)}</${tag}>`).join('')}</tr>`;
  return [
    `<section class="table${rows.length > printedRows ? ' long' : ''}" id="table${index}"><h2>${escapedText(title)}</h2><p>${escapedText(note)}</p><div class="wide"><table><thead>`,
    cells('th', head),
    '</thead><tbody>',
    ...rows.map(row => cells('td', row)),
    '</tbody></table></div></section>',
  ].join('\n');
}
