import { Observable } from 'rxjs';
import type { ConsoleInput, MouseInput } from '../consoleInput.ts';
import type { OpenScreen } from './openScreen.ts';

interface Key {
  full?: string;
  name?: string;
  ctrl?: boolean;
  meta?: boolean;
}

interface MouseReport {
  action: string;
  x: number;
  y: number;
}

const mouseKinds: Readonly<Record<string, MouseInput['what']>> = {
  mousedown: 'press',
  mousemove: 'drag',
  mouseup: 'release',
  wheelup: 'wheelUp',
  wheeldown: 'wheelDown',
};

/** What a person does at the terminal: keys, buttons of the mouse, and the size of the window. Never completes. */
export function typedInputs({ screen }: OpenScreen, output: NodeJS.WriteStream): Observable<ConsoleInput> {
  return new Observable(subscriber => {
    const keypress = (text: string | undefined, key: Key): void => {
      // Enter comes as both; Ctrl-J is Enter too.
      if (key.full === 'return') return;
      const named = key.full === 'linefeed' ? 'enter' : (key.full ?? text ?? '');
      subscriber.next({ kind: 'key', key: named, text: key.ctrl || key.meta ? '' : (text ?? '') });
    };
    const mouse = ({ action, x, y }: MouseReport): void => {
      const what = mouseKinds[action];
      if (what) subscriber.next({ kind: 'mouse', what, x, y });
    };
    const resize = (): void => subscriber.next({ kind: 'size', columns: output.columns, rows: output.rows });
    screen.on('keypress', keypress);
    screen.program.on('mouse', mouse);
    screen.program.on('resize', resize);
    return () => {
      screen.removeListener('keypress', keypress);
      screen.program.removeListener('mouse', mouse);
      screen.program.removeListener('resize', resize);
    };
  });
}
