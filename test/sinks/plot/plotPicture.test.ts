import { expect, it } from 'vitest';
import type { PlotTrack } from '../../../src/sinks/plot/plotData.ts';
import { plotPicture } from '../../../src/sinks/plot/plotPicture.ts';

it('labels with escape sequences, turned direction and half characters are drawn as plain text', () => {
  const name = `A\u001b[31m\u009b1m\u202e\u0000${'😀'.repeat(12)}\ufffe`;
  const track = (each: string): PlotTrack => ({
    name: each,
    values: new Float32Array([1, 2]),
    shifts: new Float32Array([0, 1]),
    baseline: 1,
  });
  const data = {
    times: new Float64Array([0, 1000]),
    images: new Float64Array([1, 1]),
    first: 0,
    last: 1000,
    rois: [track(name), track(`${name}B`)],
    sensors: [track(name)],
    frames: 2,
    stride: 1,
    method: name,
  };
  const text = JSON.stringify(plotPicture(data, name, { width: 900, height: 700 }));
  expect(text).not.toMatch(/\\u00[0-9a-f]{2}|\\ud[89a-f]|[\p{Cc}\u202e\ufffe]/u);
  expect(text).toContain('A 1m 😀😀😀😀😀😀😀…');
});
