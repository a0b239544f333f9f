import type { ToolRunner } from '../../files/runTool.ts';
import { asError } from '../../model/asError.ts';
import type { Finding } from './standingAlarms.ts';

/** What a Raspberry Pi says of its power supply and heat: bits as `vcgencmd get_throttled` has them, or why it could not be asked. */
export type Throttled = number | { error: string };

/** It answers within a few ms, ms. */
const timeoutMs = 3000;

/** Null where there is no `vcgencmd`, as on every other machine. */
export async function readThrottled(
  tools: Pick<ToolRunner, 'find' | 'run'>,
  signal: AbortSignal,
): Promise<Throttled | null> {
  const program = await tools.find('vcgencmd');
  if (program === null) return null;
  try {
    const { code, stdout, stderr } = await tools.run([program, 'get_throttled'], { signal, timeoutMs });
    const text = stdout.toString('latin1').trim();
    const bits = /^throttled=(0x[0-9a-f]{1,8})$/i.exec(text)?.[1];
    if (code === 0 && bits !== undefined) return Number(bits);
    const said = [text, stderr.trim()].filter(Boolean).join('; ').slice(0, 200) || 'nothing';
    return { error: `"vcgencmd get_throttled" says ${said}, exit code ${code}; is this user in the group video?` };
  } catch (error) {
    if (signal.aborted) throw error;
    return { error: asError(error).message };
  }
}

/** What each bit says, now and since the machine was started (16 bits further up), worst first. */
const conditions = [
  {
    bit: 0,
    key: 'power supply',
    now: 'the voltage of the power supply is too low',
    before: 'the voltage of the power supply was too low since the start of the machine',
    advice:
      'use a supply of 5.1 V and 3 A (a Raspberry Pi 5: 5 A) with a short cable, and a powered hub for disks and cameras',
  },
  {
    bit: 2,
    key: 'throttling',
    now: 'the processor is slowed down',
    before: 'the processor was slowed down since the start of the machine',
    advice: 'power or cooling is too weak',
  },
  {
    bit: 1,
    key: 'clock rate',
    now: 'the clock rate of the processor is limited',
    before: 'the clock rate of the processor was limited since the start of the machine',
    advice: 'power or cooling is too weak',
  },
  {
    bit: 3,
    key: 'processor heat',
    now: 'the processor is at its soft limit of temperature',
    before: 'the processor was at its soft limit of temperature since the start of the machine',
    advice: 'cool it',
  },
] as const;

/** What is wrong, a finding for each condition. Bits that nobody knows are told as well. Pure. */
export function powerFindings(throttled: Throttled | null): Finding[] {
  if (throttled === null) return [];
  if (typeof throttled !== 'number') {
    const message = `the power supply can not be watched: ${throttled.error}`;
    return [{ key: 'power supply', message, light: 'amber' }];
  }
  const findings = conditions.flatMap(({ bit, key, now, before, advice }): Finding[] => {
    if (throttled & (1 << bit)) return [{ key, message: `${now}: ${advice}`, light: bit === 0 ? 'red' : 'amber' }];
    if (throttled & (1 << (bit + 16))) return [{ key, message: `${before}: ${advice}`, light: 'amber' }];
    return [];
  });
  const known = conditions.reduce((bits, { bit }) => bits | (1 << bit) | (1 << (bit + 16)), 0);
  const others = (throttled & ~known) >>> 0;
  if (others === 0) return findings;
  const message = `vcgencmd get_throttled has bits that this version does not know: 0x${others.toString(16)}`;
  return [...findings, { key: 'throttled', message, light: 'amber' }];
}
