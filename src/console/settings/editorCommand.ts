import { basename } from 'node:path';

type Form = (file: string, line: number) => readonly string[];

const plus: Form = (file, line) => [`+${line}`, file];
const colon: Form = (file, line) => [`${file}:${line}`];
const goto: Form = (file, line) => ['--goto', `${file}:${line}`];
const dashed: Form = (file, line) => ['-l', String(line), file];

const forms: Readonly<Record<string, Form>> = {
  ...all(
    plus,
    'vi vim nvim view vimx gvim nano rnano pico emacs emacsclient micro kak joe jmacs ne mg mcedit gedit xed pluma gnome-text-editor',
  ),
  ...all(colon, 'hx helix subl sublime_text zed zeditor'),
  ...all(goto, 'code code-insiders codium code-oss cursor'),
  ...all(dashed, 'kate kwrite mousepad geany'),
};

function all(form: Form, names: string): Record<string, Form> {
  return Object.fromEntries(names.split(' ').map(name => [name, form]));
}

/**
 * The words of an editor's command line: its own, then the file, at a line where one is given and the editor is known to have a way
 * to be told.
 */
export function editorCommand(editor: readonly string[], file: string, line: number | null): string[] {
  // `vim.basic`, `emacs-nox` and `emacs30` are kinds of the same.
  const name = basename(editor[0] ?? '').replace(/\.exe$/i, '');
  const form = forms[name] ?? forms[name.replace(/[.-]?(?:basic|tiny|gtk3?|nox|huge|athena|\d+)$/, '')];
  return [...editor, ...(line !== null && form ? form(file, line) : [file])];
}
