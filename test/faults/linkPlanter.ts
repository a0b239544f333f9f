import { execFileSync } from 'node:child_process';
import {
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { seededRandom } from '../program/crashLoop.ts';

/*
 * A process that may write to an experiment and its share, and plants links, pipes and second names wherever the program is about to
 * write: under every name that it sees or can foretell. `plantedLinks.ts` starts it with the options as JSON; it says what it has
 * planted, by kind of name, and ends with its parent.
 */

export interface PlanterOptions {
  root: string;
  share: string;
  canary: string;
  /** Nothing is there, and nothing may come to be. */
  dangling: string;
  seed: number;
}

const { root, share, canary, dangling, seed } = JSON.parse(process.argv[2]!) as PlanterOptions;
const random = seededRandom(seed);
const counts: Record<string, number> = {};
/** What was planted stays for so long at most, ms: a name that is taken for ever would only tell that the program refuses it. */
const longestMs = 400;

const plants: ((path: string) => void)[] = [
  path => symlinkSync(canary, path),
  path => symlinkSync(dangling, path),
  path => void execFileSync('mkfifo', [path], { stdio: 'ignore' }),
  path => linkSync(canary, path),
];
const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)]!;

function attempt(act: () => void): boolean {
  try {
    act();
    return true;
  } catch {
    // The program was faster, or the name is taken.
    return false;
  }
}

const list = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};

function count(kind: string): void {
  counts[kind] = (counts[kind] ?? 0) + 1;
}

/** Under a name that is free, for a while. */
function plant(kind: string, path: string): void {
  if (!attempt(() => pick(plants)(path))) return;
  count(kind);
  setTimeout(() => attempt(() => removePlant(path)), random() * longestMs);
}

/** What the program has put in its place by now stays. */
function removePlant(path: string): void {
  const found = lstatSync(path);
  const isOurs = found.isSymbolicLink()
    ? [canary, dangling].includes(readlinkSync(path))
    : found.isFIFO() || found.ino === lstatSync(canary).ino;
  if (isOurs) unlinkSync(path);
}

function days(): string[] {
  return list(join(root, 'data')).filter(name => /^\d{8}(_\d+)?$/.test(name));
}

const journalNumber = /^metadata_manifest\.journal\.(\d+)\.jsonl$/;

const kinds: Record<string, () => void> = {
  lock: () => {
    for (const name of ['data/metadata_manifest.json', 'results/processing_results', 'flags/stages.json']) {
      plant('lock', join(root, `${name}.lock`));
    }
  },
  signature: () => plant('signature', join(root, 'data/metadata_manifest.json.lock-owner.json')),
  journal: () => {
    const numbers = list(join(root, 'data')).flatMap(name => Number(journalNumber.exec(name)?.[1] ?? Number.NaN));
    const next = Math.max(...numbers.filter(Number.isInteger)) + 1;
    const [sample] = list(join(root, 'data')).filter(name => journalNumber.test(name));
    if (!sample) return;
    const digits = journalNumber.exec(sample)![1]!.length;
    const name = `metadata_manifest.journal.${String(next).padStart(digits, '0')}.jsonl`;
    plant('journal', join(root, 'data', name));
  },
  segment: () => {
    plant('segment', join(root, 'results', 'processing_results.1.jsonl'));
    plant('segment', join(root, 'results', 'communicating_results.1.csv'));
  },
  compressed: () => {
    for (const day of days()) {
      for (const name of list(join(root, 'data', day)).filter(one => one.endsWith('.png'))) {
        plant('compressed', join(root, 'data', day, `${name}.gz`));
      }
    }
  },
  nextDay: () => plant('nextDay', join(root, 'data', '20991231')),
  /** The copy of an image that was not copied yet. */
  copy: () => {
    for (const day of days()) {
      for (const name of list(join(root, 'data', day)).filter(one => /\.(png|gz)$/.test(one))) {
        plant('copy', join(share, 'data', day, name));
      }
    }
  },
  oldPart: () => plant('oldPart', join(share, 'data', '.metadata_manifest.json.0123456789ab.part')),
  remoteDay: () => {
    const day = join(share, 'data', '20991231');
    if (attempt(() => symlinkSync(dirname(canary), day))) count('remoteDay');
    attempt(() => mkdirSync(join(share, 'results')));
  },
};

/** In the place of an unfinished copy that was just seen. */
function replaceParts(): void {
  for (const folder of [
    share,
    join(share, 'data'),
    join(share, 'results'),
    ...days().map(day => join(share, 'data', day)),
  ]) {
    for (const name of list(folder).filter(one => one.endsWith('.part'))) {
      const path = join(folder, name);
      const aside = join(dirname(canary), `aside-${basename(path)}`);
      // What was copied so far is kept, as whoever does this would.
      if (attempt(() => renameSync(path, aside)) && attempt(() => pick(plants)(path))) count('part');
    }
  }
}

process.on('disconnect', () => process.exit());
process.on('message', () => {
  clearInterval(timer);
  setTimeout(() => process.send!(counts, () => process.exit()), longestMs + 100);
});
const timer = setInterval(() => {
  replaceParts();
  kinds[pick(Object.keys(kinds))]!();
}, 5);
