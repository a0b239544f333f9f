import { background } from './background.ts';
import { capture } from './capture.ts';
import { check } from './check.ts';
import type { CommandDefinition } from './commandDefinition.ts';
import { completion } from './completion.ts';
import { consoleCommand } from './console.ts';
import { exportCommand } from './export.ts';
import { find } from './find.ts';
import { forget } from './forget.ts';
import { inspect } from './inspect.ts';
import { locateCommand } from './locate.ts';
import { ls } from './ls.ts';
import { mark } from './mark.ts';
import { pause, resume } from './pause.ts';
import { playback } from './playback.ts';
import { preview } from './preview.ts';
import { provenance } from './provenance.ts';
import { quantities } from './quantities.ts';
import { reference } from './reference.ts';
import { replay } from './replay.ts';
import { report } from './report.ts';
import { requeue } from './requeue.ts';
import { restart } from './restart.ts';
import { rois } from './rois.ts';
import { run } from './run.ts';
import { sensing } from './sensing.ts';
import { service } from './service.ts';
import { start } from './start.ts';
import { status } from './status.ts';
import { stop } from './stop.ts';
import { verify } from './verify.ts';
import { zero } from './zero.ts';

/** Every command. A new one is a file and a line here. */
export const commands: readonly CommandDefinition<never>[] = [
  consoleCommand,
  run,
  start,
  stop,
  restart,
  status,
  ls,
  forget,
  pause,
  resume,
  replay,
  playback,
  find,
  locateCommand,
  rois,
  capture,
  preview,
  check,
  verify,
  exportCommand,
  report,
  requeue,
  inspect,
  provenance,
  reference,
  mark,
  zero,
  sensing,
  quantities,
  service,
  completion,
  background,
];
