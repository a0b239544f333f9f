import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mayImport } from '../scripts/importRules.ts';
import { commands } from '../src/cli/commands.ts';
import { stageNames } from '../src/model/stageName.ts';

const repository = join(import.meta.dirname, '..');
const pages = ['README.md', 'CHANGELOG.md']
  .concat(readdirSync(join(repository, 'docs'), { recursive: true, encoding: 'utf8' }).map(name => `docs/${name}`))
  .filter(name => name.endsWith('.md'));
const textOf = (page: string): string => readFileSync(join(repository, page), 'utf8');

/** The cells of each row of the page's tables whose first cell is a name in code. */
const rows = (page: string): string[][] =>
  textOf(page)
    .split('\n')
    .filter(line => line.startsWith('| `'))
    .map(line =>
      line
        .split('|')
        .slice(1, -1)
        .map(cell => cell.trim()),
    );

/** As GitHub names the heading in a link. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

describe('docs/architecture.md', () => {
  const architecture = rows('docs/architecture.md');

  it('has the import rules of each folder as they are held', () => {
    const table = architecture.flatMap(([first = '', , imports = '']) => {
      const folder = /^`src\/(\w+)\/`$/.exec(first)?.[1];
      return folder && folder !== 'cli' ? [[folder, imports === 'nothing' ? [] : imports.split(', ').toSorted()]] : [];
    });
    const rules = Object.entries(mayImport).map(([folder, imports]) => [folder, imports.toSorted()]);
    expect(Object.fromEntries(table)).toEqual(Object.fromEntries(rules));
  });

  it('names every general operator, and every stage in its order', () => {
    const names = architecture.flatMap(([first = '']) => Array.from(first.matchAll(/`([^`]+)`/g), ([, name]) => name));
    const operators = readdirSync(join(repository, 'src/rx')).map(name => name.replace('.ts', ''));
    expect(names).toEqual(expect.arrayContaining(operators));
    expect(names.filter(name => stageNames.some(stage => stage === name))).toEqual(stageNames);
  });
});

it.each(pages)('%s names files that are there', page => {
  const named = Array.from(
    textOf(page).matchAll(/`((?:src|test|scripts|bench|configs)\/[\w/.-]+)`/g),
    ([, path]) => path!,
  );
  expect(named.filter(path => !existsSync(join(repository, path)))).toEqual([]);
});

it('docs/architecture.md and docs/extending.md name only what is in the code', () => {
  const sources = ['src', 'test', 'bench', 'scripts'].flatMap(folder =>
    readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' }).map(name => `${folder}/${name}`),
  );
  const names = new Set(
    ['vitest.config.ts', ...sources.filter(name => name.endsWith('.ts'))].flatMap(file => [
      basename(file, '.ts'),
      ...Array.from(textOf(file).matchAll(/[A-Za-z_$][\w$]*/g), ([name]) => name),
    ]),
  );
  const named = ['docs/architecture.md', 'docs/extending.md'].flatMap(page =>
    Array.from(textOf(page).matchAll(/`([A-Za-z_$][\w$]*)`/g), ([, name]) => name!),
  );
  expect(named.filter(name => !names.has(name))).toEqual([]);
});

it.each(pages)('%s links to pages and headings that are there', page => {
  const missing = Array.from(textOf(page).matchAll(/\]\(([^)\s]+)\)/g), ([, link]) => link!)
    .filter(link => !/^\w+:/.test(link))
    .filter(link => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : join(dirname(page), path);
      if (!existsSync(join(repository, target))) return true;
      if (anchor === undefined) return false;
      const anchors = Array.from(textOf(target).matchAll(/^#+ (.+)$/gm), ([, heading]) => anchorOf(heading!));
      return !anchors.includes(anchor);
    });
  expect(missing).toEqual([]);
});

it('README.md has every command in its table', () => {
  const table = textOf('README.md').split('## All commands')[1]!.split('\n## ')[0]!;
  const named = new Set(Array.from(table.matchAll(/`([a-z]+)/g), ([, name]) => name));
  const own = commands.filter(({ kind }) => kind !== 'internal').map(({ usage }) => usage.split(' ')[0]!);
  expect(own.filter(name => !named.has(name))).toEqual([]);
});

it('decisions have a number each, and their titles begin with it', () => {
  const decisions = pages.filter(page => page.startsWith('docs/decisions/'));
  const numbers = decisions.map(page => Number(/\/(\d{4})-/.exec(page)?.[1]));
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(decisions.map(page => /^# (\d+)\. /.exec(textOf(page))?.[1])).toEqual(numbers.map(String));
});
