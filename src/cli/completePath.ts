import { readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import type { CompletedPath } from '../console/replay/replayHost.ts';
import { counted } from '../model/quantity.ts';

/** More names than that help nobody. */
const mostItems = 40;
const isImage = /\.(?:png|jpe?g|tiff?)(?:\.\w+)?$/i;

/**
 * What a path may go on with that is being typed: folders, and for a ROI manifest JSON files; and what is there already. `~` is the user's
 * own folder; hidden names are named once one begins with a dot.
 */
export async function completePath(field: CompletedPath['field'], text: string, cwd: string): Promise<CompletedPath> {
  const at = text.lastIndexOf('/') + 1;
  const [folder, begun] = [text.slice(0, at), text.slice(at)];
  const names = await readdir(pathOf(folder, cwd), { withFileTypes: true }).catch(() => []);
  const items = names
    .filter(({ name }) => name.startsWith(begun) && (begun.startsWith('.') || !name.startsWith('.')))
    // What a link leads to is found out when it is opened.
    .map(entry => ({ entry, isFolder: entry.isDirectory() || entry.isSymbolicLink() }))
    .filter(({ entry, isFolder }) => isFolder || (field === 'rois' && entry.name.endsWith('.json')))
    .map(({ entry, isFolder }) => `${folder}${entry.name}${isFolder ? '/' : ''}`)
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .slice(0, mostItems);
  return { field, text, items, said: field === 'folder' && text !== '' ? await saidOf(pathOf(text, cwd)) : '' };
}

async function saidOf(folder: string): Promise<string> {
  const names = await readdir(folder).catch(() => null);
  if (names === null) return '';
  return counted(names.filter(name => isImage.test(name)).length, 'image');
}

function pathOf(text: string, cwd: string): string {
  return resolve(cwd, expandHome(text));
}

/** Outside a shell nobody else does it. */
export const expandHome = (path: string): string =>
  path === '~' || path.startsWith('~/') ? homedir() + path.slice(1) : path;
