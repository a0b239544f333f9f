import { describe, expect, it } from 'vitest';
import { powerFindings, readThrottled } from '../../../src/operators/health/powerSupply.ts';
import { type Answer, standInTools } from '../../world/standInTools.ts';

const signal = new AbortController().signal;

/** What `vcgencmd get_throttled` answers, as findings. */
async function findingsOf(answer: Answer) {
  const standIn = standInTools({
    vcgencmd: words => {
      expect(words).toEqual(['get_throttled']);
      return answer;
    },
  });
  return powerFindings(await readThrottled(standIn.tools, signal));
}

describe('the power supply of a Raspberry Pi', () => {
  it('is well at 0x0', async () => {
    expect(await findingsOf({ stdout: 'throttled=0x0\n' })).toEqual([]);
  });

  it('is not watched where there is no vcgencmd, and that is no alarm', async () => {
    const { tools, runs } = standInTools({});
    expect(powerFindings(await readThrottled(tools, signal))).toEqual([]);
    expect(runs).toEqual([]);
  });

  it.each([
    ['0x1', [['power supply', 'red']], 'the voltage of the power supply is too low: use a supply'],
    ['0x10000', [['power supply', 'amber']], 'was too low since the start of the machine'],
    ['0x2', [['clock rate', 'amber']], 'the clock rate of the processor is limited'],
    ['0x20000', [['clock rate', 'amber']], 'was limited since'],
    ['0x4', [['throttling', 'amber']], 'the processor is slowed down'],
    ['0x40000', [['throttling', 'amber']], 'was slowed down since'],
    ['0x8', [['processor heat', 'amber']], 'is at its soft limit of temperature'],
    ['0x80000', [['processor heat', 'amber']], 'was at its soft limit of temperature since'],
    [
      '0x50005',
      [
        ['power supply', 'red'],
        ['throttling', 'amber'],
      ],
      'is too low',
    ],
    ['0x100000', [['throttled', 'amber']], 'does not know: 0x100000'],
    ['0x80000000', [['throttled', 'amber']], 'does not know: 0x80000000'],
  ])('has words for each bit: %s', async (bits, wanted, words) => {
    const findings = await findingsOf({ stdout: `throttled=${bits}\n` });
    expect(findings.map(({ key, light }) => [key, light])).toEqual(wanted);
    expect(findings[0]!.message).toContain(words);
  });

  it.each<[string, Answer, string]>([
    ['is not allowed to', { stderr: 'VCHI initialization failed\n', code: 255 }, 'VCHI initialization failed'],
    ['says an error with exit code 0', { stdout: 'error=1 error_msg="Command not registered"\n' }, 'Command not regis'],
    ['says nothing', {}, 'says nothing'],
    ['is cut off', { stdout: 'throttled=' }, 'says throttled='],
  ])('can not be watched by one that %s, which is said', async (_what, answer, words) => {
    const [finding] = await findingsOf(answer);
    expect(finding).toMatchObject({ key: 'power supply', light: 'amber' });
    expect(finding!.message).toContain(words);
  });
});
