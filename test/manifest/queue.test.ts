import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Change } from '../../src/manifest/change.ts';
import { applyChange } from '../../src/manifest/change.ts';
import { LiveEntries } from '../../src/manifest/liveEntries.ts';
import { StageQueue } from '../../src/manifest/stageQueue.ts';
import type { Entry } from '../../src/model/entry.ts';
import { identity, ids, isSettled, sampleEntry } from '../world/sampleManifest.ts';

describe('a stage queue', () => {
  test('gives the lowest place first, whatever comes and goes', () => {
    const acts = fc.array(fc.tuple(fc.boolean(), fc.nat(20)), { maxLength: 200 });
    fc.assert(
      fc.property(acts, steps => {
        const queue = new StageQueue();
        const model = new Set<number>();
        for (const [add, place] of steps) {
          if (add) queue.add(`e${place}`, place);
          else queue.delete(`e${place}`);
          if (add) model.add(place);
          else model.delete(place);
          expect(queue.first()?.place).toBe(model.size > 0 ? Math.min(...model) : undefined);
          expect(queue.size).toBe(model.size);
        }
      }),
    );
  });

  test('an entry that came back at another place stands there only', () => {
    const queue = new StageQueue();
    queue.add('a', 1);
    queue.delete('a');
    queue.add('b', 2);
    queue.add('a', 3);
    expect(queue.first()?.id).toBe('b');
  });

  test('holds no more than what waits, however often entries come and go behind the first', () => {
    const queue = new StageQueue();
    queue.add('first', 0);
    for (let i = 0; i < 50_000; i++) {
      queue.add('other', 1);
      queue.delete('other');
    }
    expect(queue.held).toBeLessThan(2_000);
  });
});

describe('a change', () => {
  const entry: Entry = sampleEntry('a', { rev: 4 });
  const change = (rev: number, op: Change['op'] = 'edit'): Change => ({
    id: 'a',
    rev,
    op,
    set: { remark: 'x' },
    by: 'w',
  });

  test('counts only where its revision is the next', () => {
    expect(applyChange(entry, change(5))).toMatchObject({ rev: 5, remark: 'x' });
    for (const rev of [3, 4, 6]) expect(applyChange(entry, change(rev))).toBeUndefined();
    expect(applyChange(undefined, change(1))).toBeUndefined();
    expect(entry.remark).toBeUndefined();
  });

  test('never begins an entry anew that is there', () => {
    expect(applyChange({ ...entry, rev: 0 }, change(1, 'add'))).toBeUndefined();
    expect(applyChange(entry, change(5, 'restore'))).toBeUndefined();
    expect(applyChange(undefined, change(1, 'add'))).toMatchObject({ entry_id: 'a', rev: 1 });
    expect(applyChange(undefined, change(5, 'restore'))).toMatchObject({ entry_id: 'a', rev: 5 });
  });
});

describe('the live entries', () => {
  const ops = fc.constantFrom<Change['op']>('add', 'claim', 'settle', 'edit', 'archive', 'restore');
  const changes = fc.array(fc.tuple(fc.nat(4), ops, fc.boolean()), { maxLength: 40 });
  const claim = { ...identity(1), time: 't' };

  function draw(live: LiveEntries, n: number, op: Change['op'], settled: boolean): Change {
    const id = `e${n}`;
    const set: Partial<Entry> = op === 'add' || op === 'restore' ? sampleEntry(id) : {};
    if (op === 'claim') set.claims = { processor: claim };
    if (op === 'settle') Object.assign(set, { claims: {}, processing_status: settled ? 'skip' : 'processed' });
    return { id, op, rev: (live.get(id)?.rev ?? 0) + 1, set, by: 'w' };
  }

  const seen = (live: LiveEntries) => ({
    entries: [...live.entries()],
    settled: live.settled,
    waiting: [live.waiting('processor'), live.waiting('communicator')],
    first: [live.firstWaiting('processor')?.entry_id, live.firstWaiting('communicator')?.entry_id],
    claimed: ids(live.claimed('processor')).sort(),
    published: [...live.entries()].map(entry => live.published(entry.entry_id)),
  });

  test('are after taking back what they were before, indices, order and all', () => {
    fc.assert(
      fc.property(changes, changes, (before, after) => {
        const live = new LiveEntries(isSettled);
        for (const [i, [n, op, settled]] of before.entries()) {
          live.apply(draw(live, n, op, settled));
          if (i === 3) live.journalBegan();
          if (i === 5) live.markPublished();
        }
        const was = seen(live);
        const undo = after.flatMap(([n, op, settled]) => live.apply(draw(live, n, op, settled)) ?? []);
        for (const takeBack of undo.reverse()) takeBack();
        expect(seen(live)).toEqual(was);
      }),
    );
  });

  test('index what their entries say, after any changes', () => {
    fc.assert(
      fc.property(changes, steps => {
        const live = new LiveEntries(isSettled);
        for (const [n, op, settled] of steps) live.apply(draw(live, n, op, settled));
        const entries = [...live.entries()];
        expect(live.size).toBe(entries.length);
        expect(live.settled).toBe(entries.filter(isSettled).length);
        expect(ids(live.claimed('processor')).sort()).toEqual(ids(entries.filter(e => e.claims.processor)).sort());
        const pending = entries.filter(e => e.processing_status === 'pending' && !e.claims.processor);
        expect(live.waiting('processor')).toBe(pending.length);
        expect(live.firstWaiting('processor')?.entry_id).toBe(pending[0]?.entry_id);
      }),
    );
  });
});
