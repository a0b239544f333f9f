import { expect, onTestFinished, test } from 'vitest';
import { openPickServer, type PickedLabels } from '../../../src/sinks/pick/pickServer.ts';

const clicks = [
  { label: 'A', x: 10.5, y: 20 },
  { label: '<b>', x: 30, y: 40 },
];

async function open() {
  const taken: PickedLabels[] = [];
  const server = await openPickServer({
    port: 0,
    facts: { chips: [{ type: 'Chip_1', labels: ['A', '<b>'] }], width: 640, height: 480 },
    picture: Uint8Array.of(1, 2, 3),
    take: async picked => {
      taken.push(picked);
      return { done: picked.clicks.length > 2, text: 'found' };
    },
  });
  onTestFinished(() => server.close());
  const base = `http://127.0.0.1:${server.port}`;
  const page = await (await fetch(base)).text();
  const token = /"token":"(\w+)"/.exec(page)?.[1] ?? '';
  const post = (body: string, headers: Record<string, string> = { 'X-Phorest-Token': token }) =>
    fetch(`${base}/positions`, { method: 'POST', body, headers });
  return { base, page, post, taken };
}

test('the page has the chips and their labels, the picture, and nothing that a label could break', async () => {
  const { base, page } = await open();
  expect(page).toContain('Chip_1');
  expect(page).not.toContain('<b>');
  expect([...new Uint8Array(await (await fetch(`${base}/picture.png`)).arrayBuffer())]).toEqual([1, 2, 3]);
  expect((await fetch(`${base}/other`)).status).toBe(404);
});

test('what was clicked is taken, and the answer goes to the page', async () => {
  const { post, taken } = await open();
  const reply = await post(JSON.stringify({ chipType: 'Chip_1', clicks }));
  expect(await reply.json()).toEqual({ done: false, text: 'found' });
  expect(taken).toEqual([{ chipType: 'Chip_1', clicks }]);
});

test.each([
  ['without the token of the page', {}, 403],
  ['with another one', { 'X-Phorest-Token': 'x' }, 403],
  ['from the page of another site', { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'cors' }, 403],
])('a request %s is refused', async (_, headers, status) => {
  const { post, taken } = await open();
  expect((await post(JSON.stringify({ chipType: 'Chip_1', clicks }), headers)).status).toBe(status);
  expect(taken).toEqual([]);
});

test('one label alone, or what is no position, is not taken', async () => {
  const { post, taken } = await open();
  for (const bad of [
    { chipType: 'C', clicks: clicks.slice(1) },
    { clicks },
    { chipType: 'C', clicks: [{ label: 'A' }] },
    7,
  ])
    expect((await post(JSON.stringify(bad))).status).toBe(400);
  expect((await post('{')).status).toBe(400);
  expect(taken).toEqual([]);
});
