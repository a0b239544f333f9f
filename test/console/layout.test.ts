import { describe, expect, it } from 'vitest';
import { layout, type Rect } from '../../src/console/layout.ts';
import { pageNames } from '../../src/console/pages.ts';

const facts = { stages: 3, alarms: 1, message: 0 };

/** Every size from the smallest to a large screen, coarsely. */
const sizes: [number, number][] = [];
for (let columns = 60; columns <= 260; columns += 7)
  for (let rows = 18; rows <= 80; rows += 3) sizes.push([columns, rows]);

describe('layout', () => {
  it('says nothing below 60 × 18, and something from there on', () => {
    expect(layout({ columns: 59, rows: 18, page: 'overview', ...facts })).toBeNull();
    expect(layout({ columns: 60, rows: 17, page: 'overview', ...facts })).toBeNull();
    expect(layout({ columns: 60, rows: 18, page: 'overview', ...facts })).not.toBeNull();
  });

  it.each([
    [3, 0, 0],
    [8, 12, 500],
    [1, 1, 10],
  ])(
    'keeps panels within the window and apart, with %i stages, %i alarms and a message of %i',
    (stages, alarms, message) => {
      const wrong: string[] = [];
      for (const [columns, rows] of sizes) {
        for (const page of pageNames) {
          const places = Object.entries(layout({ columns, rows, page, stages, alarms, message })!);
          for (const [i, [name, rect]] of places.entries()) {
            const inside =
              rect.width > 0 && rect.height > 0 && rect.left + rect.width <= columns && rect.top + rect.height <= rows;
            if (!inside) wrong.push(`${name} of ${page} leaves ${columns} × ${rows}`);
            for (const [other, its] of places.slice(i + 1)) {
              if (overlap(rect, its)) wrong.push(`${name} and ${other} of ${page} overlap at ${columns} × ${rows}`);
            }
          }
        }
      }
      expect(wrong).toEqual([]);
    },
  );

  it('takes more in as the window grows', () => {
    const names = (columns: number, rows: number): string[] =>
      Object.keys(layout({ columns, rows, page: 'overview', ...facts })!);
    expect(names(80, 24)).toEqual(['header', 'throughput', 'stages', 'alarms', 'log', 'message', 'footer']);
    expect(names(120, 40)).toContain('chart');
    expect(names(200, 60)).toEqual(expect.arrayContaining(['chart', 'chip', 'frame']));
  });

  it('shows all stages and an alarm at 80 × 24, with eight stages too', () => {
    const places = layout({ columns: 80, rows: 24, page: 'overview', stages: 8, alarms: 2, message: 0 })!;
    expect(places.stages!.height).toBeGreaterThanOrEqual(10);
    expect(places.alarms!.height).toBeGreaterThanOrEqual(2);
    expect(places.log!.height).toBeGreaterThanOrEqual(2);
  });
});

const overlap = (a: Rect, b: Rect): boolean =>
  a.left < b.left + b.width && b.left < a.left + a.width && a.top < b.top + b.height && b.top < a.top + a.height;
