import { describe, expect, it } from 'vitest';
import { FreshFrames } from '../../src/image/freshFrames.ts';
import type { Pixels } from '../../src/model/frame.ts';

const frame = (bytes: number): Pixels => ({ width: bytes, height: 1, depth: 8, data: new Uint8Array(bytes) });

describe('fresh frames', () => {
  it('are there once', () => {
    const fresh = new FreshFrames(100, () => true);
    const pixels = frame(10);
    fresh.keep('a', pixels);
    expect([fresh.take('a'), fresh.take('a'), fresh.take('b')]).toEqual([pixels, null, null]);
  });

  it('take no more than they may: those that wait longest stay, and a new one finds room once they are taken', () => {
    const fresh = new FreshFrames(100, () => true);
    for (const id of ['a', 'b', 'c']) fresh.keep(id, frame(40));
    expect(fresh.take('c')).toBe(null);
    expect(fresh.take('a')).not.toBe(null);
    fresh.keep('d', frame(40));
    expect(fresh.take('d')).not.toBe(null);
    fresh.keep('e', frame(101));
    expect([fresh.take('e'), fresh.take('b') === null]).toEqual([null, false]);
  });

  it('whose entries wait no more, as another process has them, make room', () => {
    const waiting = new Set(['b', 'c']);
    const fresh = new FreshFrames(100, id => waiting.has(id));
    for (const id of ['a', 'b', 'c']) fresh.keep(id, frame(40));
    expect([fresh.take('a'), fresh.take('b') !== null, fresh.take('c') !== null]).toEqual([null, true, true]);
  });

  it('the same frame twice takes its place once', () => {
    const fresh = new FreshFrames(100, () => true);
    for (let i = 0; i < 5; i++) fresh.keep('a', frame(60));
    fresh.keep('b', frame(40));
    expect(fresh.take('b')).not.toBe(null);
  });
});
