import { describe, expect, it } from 'vitest';
import { exampleToml } from '../../src/config/exampleToml.ts';
import { parseConfig } from '../../src/config/parseConfig.ts';
import type { ConsoleState } from '../../src/console/consoleState.ts';
import { layoutOf } from '../../src/console/layout.ts';
import { reduce } from '../../src/console/reduce.ts';
import { editorCommand } from '../../src/console/settings/editorCommand.ts';
import { settingsFile } from '../../src/console/settings/settingsFile.ts';
import { settingsForm } from '../../src/console/settings/settingsForm.ts';
import { mistakeLine } from '../../src/console/settings/settingsState.ts';
import { lineText } from '../../src/console/views/line.ts';
import { overlayView } from '../../src/console/views/overlayView.ts';
import { panelViews } from '../../src/console/views/panels.ts';
import { press } from './press.ts';
import { noon, sampleStage, sampleState, sampleStatus } from './sampleConsole.ts';

const { fields: settingFields, typedValue } = settingsForm;
const text = exampleToml();
const fileOf = (toml: string) => settingsFile({ kind: 'text', text: toml }, 'c.toml');
const opened = (toml = text, over: Partial<ConsoleState> = {}): ConsoleState =>
  reduce(sampleState({ page: 'settings', columns: 160, rows: 40, ...over }), { kind: 'settings', file: fileOf(toml) })
    .state;
const shown = (state: ConsoleState): string =>
  panelViews.settings.content(state, layoutOf(state)!.settings!).lines.map(lineText).join('\n');
const overlay = (state: ConsoleState): string => overlayView(state)!.lines.map(lineText).join('\n');
const field = (key: string) => settingFields.find(each => each.key === key)!;
const iso = (ms: number): string => new Date(ms).toISOString();

describe('the form of settings', () => {
  it('has settings that take effect at once, each with its value', () => {
    expect(settingFields.map(({ info }) => info.effect)).toEqual(settingFields.map(() => 'live'));
    for (const { key } of settingFields) expect(shown(opened())).toContain(key);
    expect(shown(opened())).toMatch(/▸collector_interval_seconds +5 +Time between two frames/);
  });

  it('explains the selected setting below the form where its line has no room', () => {
    for (const [columns, rows] of [
      [60, 18],
      [80, 24],
      [120, 40],
    ] as const) {
      const state = press(opened(text, { columns, rows }), '<down><down>').state;
      expect(shown(state)).toMatch(/▸camera_gain +\d+ *( {2,}.*)?\n/);
      expect(shown(state)).toMatch(/\n Gain, in/);
      for (const key of ['collector_interval_seconds', 'follow_chip']) expect(shown(state)).toContain(key);
    }
  });

  it('checks what is typed with every letter, and takes only what is right', () => {
    const typing = press(opened(), '<enter>x').state;
    expect(overlay(typing)).toContain('it must be a number of seconds greater than 0');
    expect(press(typing, '<enter>').state.overlay).not.toBeNull();
    const right = press(typing, '<backspace>2.5').state;
    expect(overlay(right)).not.toContain('it must be');
    expect(overlay(right)).toContain('Enter takes it');
    const narrow = overlay(press(opened(text, { columns: 60, rows: 18 }), '<enter>').state);
    expect(narrow.replaceAll(/[\s│]+/g, ' ')).toContain('it takes effect at once');
    const taken = press(right, '<enter>').state;
    expect(shown(taken)).toMatch(/collector_interval_seconds +5 → 2\.5/);
    expect(press(opened(), '<enter>9<escape>').state.settings.drafts).toEqual({});
  });

  it('offers the words of a setting by Up and Down, with what they mean, and these keys for no other setting', () => {
    const keys = (state: ConsoleState): string =>
      panelViews.footer.content(state, layoutOf(state)!.footer!).lines.map(lineText).join();
    expect(keys(press(opened(), '<enter>').state)).not.toContain('next word');
    expect(keys(press(opened(), `${'<down>'.repeat(4)}<enter>`).state)).toContain('next word');
    const down = '<down>'.repeat(settingFields.findIndex(({ key }) => key === 'method'));
    const choosing = press(opened(), `${down}<enter><down>`).state;
    expect(overlay(choosing)).toMatch(/▸fano +fit of a Fano line/);
    expect(press(choosing, '<enter>').state.settings.drafts).toEqual({ method: 'fano' });
    expect(overlay(press(choosing, 'lorentz').state)).toContain('it must be one of max_intensity');
  });

  it.each([
    ['camera_exposure', '0.02', { value: 0.02 }],
    ['camera_exposure', '', { wrong: 'it must be a number' }],
    ['camera_exposure', '1 # mine', { value: 1 }],
    ['camera_exposure', 'inf', { wrong: 'it must be a number' }],
    ['collector_interval_seconds', '1e9', { wrong: 'it must be at most 2147483 seconds (24 days)' }],
    ['method', 'Gaussian', { value: 'Gaussian' }],
    ['follow_chip', 'true', { value: true }],
    ['number_of_subROIs', '1.5', { wrong: expect.stringMatching(/whole number/) }],
    ['number_of_subROIs', '[1]', { wrong: expect.stringMatching(/whole number/) }],
    ['estimator', 'roi\nx = 1', { wrong: expect.stringMatching(/one of/) }],
  ])('reads %s typed as %j', (key, typed, meant) => {
    expect(typedValue(field(key), typed)).toEqual(meant);
  });

  it('says what would be doubtful before anything is written', () => {
    const v4l2 = text.replace('camera_type = "simulated"', 'camera_type = "libcamera"');
    const doubtful = press(opened(v4l2), '<down><enter>400<enter>').state;
    expect(shown(doubtful)).toMatch(/▲ Camera\.camera_exposure/);
  });

  it('asks for what was changed to be written, with the text that it was changed in, and drops it when asked', () => {
    const changed = press(opened(), '<enter>2<enter>').state;
    expect(press(changed, 'w').actions).toEqual([
      { do: 'writeSettings', edits: [{ path: ['Timing', 'collector_interval_seconds'], value: 2 }], seen: text },
    ]);
    expect(press(changed, 'uw').actions).toEqual([]);
    expect(press(opened(), '<enter>5<enter>w').actions).toEqual([]);
    const written = reduce(changed, { kind: 'settingsWritten', lines: ['collector_interval_seconds 5 → 2'] }).state;
    expect(written.settings.drafts).toEqual({});
    expect(written.messages.at(-1)?.text).toBe('written: collector_interval_seconds 5 → 2');
  });

  it('changes nothing in a file that has a mistake, and names its line', () => {
    const broken = text.replace(/^(collector_interval_seconds = ).*$/m, '$1"often"');
    const at = broken.split('\n').findIndex(each => each.includes('"often"')) + 1;
    const state = opened(broken);
    expect(mistakeLine(fileOf(broken))).toBe(at);
    expect(shown(state)).toContain(`e opens line ${at}`);
    expect(shown(state)).toContain('"often"');
    expect(press(state, '<enter>').state.overlay).toBeNull();
  });
});

describe('a configuration that the pipeline refuses as a whole', () => {
  const misspelt = text
    .replace('collector_interval_seconds', 'collector_interval_secnds')
    .replace(/^(camera_exposure = ).*$/m, '$1200');
  const inForce = parseConfig(text.replace(/^(camera_exposure = ).*$/m, '$1150'), 'c.toml').config;
  const refused = 'c.toml:3:1: unknown key "collector_interval_secnds"';
  const reading = (error: string | null, heartbeat = noon, connection: 'running' | 'stopped' = 'running') => ({
    connection,
    status: sampleStatus({ heartbeat: iso(heartbeat), config: { ...sampleStatus().config, error } }),
  });
  const page = (of = reading(refused), columns = 160) =>
    reduce(sampleState({ page: 'settings', columns, rows: 40, reading: of }), {
      kind: 'settings',
      file: { ...fileOf(misspelt), inForce },
    }).state;

  it.each([60, 80, 160])(
    'shows what is in force, beside it what the file says, and why it is refused, in %i columns',
    columns => {
      const lines = shown(page(reading(refused), columns));
      expect(lines).toMatch(/collector_interval_seconds +5 \(file: 300\)/);
      expect(lines).toMatch(/camera_exposure +150 \(file: 200\)/);
      expect(lines).toContain('The file is not taken over');
      expect(lines).toContain('unknown key "collector_interval_secnds"');
    },
  );

  it('shows what the file says where nothing runs: it counts at the next start', () => {
    const lines = shown(page(reading(refused, noon, 'stopped')));
    expect(lines).toMatch(/collector_interval_seconds +300 +/);
    expect(lines).not.toMatch(/\(file:|not taken over/);
  });

  it('does not say of the shipped values that a file has them when there is none', () => {
    const gone = reduce(page(), {
      kind: 'settings',
      file: { ...settingsFile({ kind: 'missing' }, 'c.toml'), inForce },
    });
    expect(shown(gone.state)).toMatch(/camera_exposure +150 +/);
    expect(shown(gone.state)).not.toContain('(file:');
  });

  it('shows what is in force beside a file that can not be read at all', () => {
    const broken = { ...fileOf('[Camera'), inForce };
    const lines = shown(reduce(page(), { kind: 'settings', file: broken }).state);
    expect(lines).toMatch(/camera_exposure +150/);
  });

  const said = (state: ConsoleState) => state.messages.at(-1);
  const write = (state: ConsoleState) =>
    reduce(state, { kind: 'settingsWritten', lines: ['camera_exposure 150 → 200'] }).state;
  const hear = (state: ConsoleState, error: string | null, heartbeat: number) =>
    reduce(state, { kind: 'status', reading: reading(error, heartbeat) }).state;

  it('says of what was written that it is not taken over, and why, once the pipeline has answered', () => {
    const written = write(page());
    expect(said(written)?.text).toBe(`written: camera_exposure 150 → 200; not taken over so far: ${refused}`);
    expect(said(hear(written, refused, noon + 1000))).toBe(said(written));
    const answered = hear(written, refused, noon + 3000);
    expect(said(answered)).toMatchObject({
      level: 'error',
      text: `written: camera_exposure 150 → 200; not taken over: ${refused}`,
    });
    expect(said(hear(answered, refused, noon + 4000))).toBe(said(answered));
    expect(
      hear(answered, null, noon + 5000)
        .messages.map(({ text }) => text)
        .join(),
    ).not.toContain('not taken over: ');
  });

  it('says so too when the edit itself is what is refused, and nothing when it is taken over', () => {
    const written = write(page(reading(null)));
    expect(said(written)?.text).toBe('written: camera_exposure 150 → 200');
    expect(said(hear(written, refused, noon + 3000))?.text).toContain('not taken over: ');
    expect(said(hear(written, null, noon + 3000))).toBe(said(written));
  });

  it('offers the value in force, and says when what is typed would count', () => {
    expect(overlay(press(page(), '<enter>').state)).toContain('it counts once the file has no mistake');
    expect(press(page(), '<enter>').state.overlay).toMatchObject({ text: '5' });
    expect(overlay(press(page(reading(null)), '<enter>').state)).toContain('it takes effect at once');
  });
});

describe('what the settings page says of the last edit', () => {
  const config = {
    ...sampleStatus().config,
    edit: {
      at: iso(noon - 60_000),
      changes: ['method gaussian → fano', 'root_dir a → b', 'note x → y'],
      taken: [{ stage: 'processor' as const, at: iso(noon - 58_000), changes: ['method gaussian → fano'] }],
    },
    restart: ['root_dir a → b'],
    warnings: ['c.toml:3:1: doubtful'],
  };
  const reading = { connection: 'running' as const, status: sampleStatus({ config }) };

  it.each([
    [60, 18],
    [80, 24],
    [200, 60],
  ])('names each change, who has taken it since when, and what waits for a restart, in %i × %i', (columns, rows) => {
    const lines = shown(sampleState({ page: 'settings', columns, rows, reading }));
    expect(lines).toMatch(/Last edit \d\d:\d\d:\d\d/);
    expect(lines).toMatch(/method gaussian → fano\s[\s\S]*processor since \d\d:\d\d:\d\d/);
  });

  it('names the key that restarts, where this console can', () => {
    const attached = shown(sampleState({ page: 'settings', columns: 200, rows: 60, reading }));
    expect(attached).toContain('R restarts the pipeline');
    expect(attached).toMatch(/root_dir a → b\s[\s\S]*at the next start/);
    expect(shown(opened(text, { columns: 200, rows: 60, reading }))).toMatch(
      /note x → y\s[\s\S]*no stage that runs takes it/,
    );
    expect(attached).toMatch(/Warnings \(1\)[\s\S]*doubtful/);
    const own = shown(sampleState({ page: 'settings', columns: 200, rows: 60, reading, mode: 'own' }));
    expect(own).toContain('stop it, and run it again');
  });

  it.each([
    ['alarm_sigmas 0 → 5', /the pipeline itself since \d\d:\d\d:\d\d/],
    ['root_dir b → a', /as it was at the start of the pipeline/],
    ['sync_interval_seconds 60 → 30', /no stage that runs takes it/],
  ])('says of %s, which no stage has taken, what becomes of it', (change, words) => {
    const edit = { at: iso(noon - 60_000), changes: [change], taken: [] };
    const status = sampleStatus({ config: { ...sampleStatus().config, edit } });
    const of = { connection: 'running' as const, status };
    expect(shown(opened(text, { columns: 200, rows: 60, reading: of }))).toMatch(words);
  });

  it('does not say of a stage that is off that it has taken anything', () => {
    const taken = [
      ...config.edit.taken,
      { stage: 'health' as const, at: iso(noon - 58_000), changes: ['method gaussian → fano'] },
    ];
    const status = sampleStatus({ config: { ...config, edit: { ...config.edit, taken } } });
    status.stages.health = sampleStage({ state: 'off' });
    const lines = shown(
      sampleState({ page: 'settings', columns: 120, rows: 40, reading: { connection: 'running', status } }),
    );
    expect(lines).toContain('processor since');
    expect(lines).not.toContain('health since');
  });

  it('stays in the tabs as a badge until it is mended', () => {
    const tabs = (of: ConsoleState): string =>
      panelViews.header.content(of, layoutOf(of)!.header!).lines.map(lineText).at(-1)!;
    const wrong = { ...reading, status: sampleStatus({ config: { ...config, error: 'c.toml:3:1: bad' } }) };
    expect(tabs(sampleState({ columns: 120, reading }))).toContain('1 warning');
    expect(tabs(sampleState({ columns: 120, reading: wrong }))).toContain('config wrong');
    expect(tabs(sampleState({ columns: 120 }))).not.toMatch(/warning|wrong/);
  });
});

describe('the editor', () => {
  it.each([
    [['vi'], ['vi', '+7', 'c.toml']],
    [
      ['/usr/bin/vim.basic', '-u', 'NONE'],
      ['/usr/bin/vim.basic', '-u', 'NONE', '+7', 'c.toml'],
    ],
    [['nvim'], ['nvim', '+7', 'c.toml']],
    [
      ['nano', '-w'],
      ['nano', '-w', '+7', 'c.toml'],
    ],
    [['emacs-nox'], ['emacs-nox', '+7', 'c.toml']],
    [['micro'], ['micro', '+7', 'c.toml']],
    [['gedit'], ['gedit', '+7', 'c.toml']],
    [['hx'], ['hx', 'c.toml:7']],
    [
      ['code', '--wait'],
      ['code', '--wait', '--goto', 'c.toml:7'],
    ],
    [['kate'], ['kate', '-l', '7', 'c.toml']],
    [
      ['my-editor', '--fast'],
      ['my-editor', '--fast', 'c.toml'],
    ],
    [
      ['sed', '-i', 's/a/b/'],
      ['sed', '-i', 's/a/b/', 'c.toml'],
    ],
  ])('%j is told of the line in its own way', (editor, words) => {
    expect(editorCommand(editor, 'c.toml', 7)).toEqual(words);
    expect(editorCommand(editor, 'c.toml', null)).toEqual([...editor, 'c.toml']);
  });
});
