import { Script } from 'node:vm';
import { expect, test } from 'vitest';
import { reportPage, sharedScript } from '../../../src/sinks/report/reportPage.ts';
import { reportTables } from '../../../src/sinks/report/reportTables.ts';
import { sampleReport } from './sampleReport.ts';

const evil = '</script><script>alert(1)</script><!--<img src=x onerror=alert(2)>';

test('labels, liquids and settings that are HTML stay text in the page, which asks nobody for anything', async () => {
  const data = sampleReport([evil, 'b']);
  const rois = data.rois.map(({ label }) => ({
    name: label,
    members: 1,
    plateaus: [],
    refractive: null,
    binding: null,
  }));
  const page = await reportPage({
    title: evil,
    subtitle: evil,
    pictures: { ...data, marks: [{ time: 0, text: evil }] },
    tables: reportTables(data, { windows: [], rois, groups: [] }),
    about: [[evil, evil]],
    config: evil,
    notes: [evil],
  });
  expect(page.split('<script').length - 1).toBe(3);
  expect(page.split('</script').length - 1).toBe(3);
  const text = page.replace(/<script>[\s\S]*?<\/script>/g, '');
  expect(/<img|<!--/.exec(text)).toBeNull();
  expect(/(?:src|href)="(?!data:)/.exec(text)).toBeNull();
  expect(page).toContain("default-src 'none'");
});

test('what draws the pictures is one script that a browser reads', async () => {
  const script = await sharedScript();
  expect(script).not.toMatch(/^(?:import|export)\b/m);
  expect(() => new Script(`{${script}}`)).not.toThrow();
});
