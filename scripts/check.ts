/** `npm run check`: what must hold before a commit, in under half a minute. Prints what is wrong; exits 1 if anything is. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { generate } from './generate.ts';
import { importViolations } from './importRules.ts';

const repository = fileURLToPath(new URL('..', import.meta.url));

/** Runs a program of the project's packages; resolves with what it printed, empty when it is content. */
function tool(name: string, ...words: string[]): Promise<string> {
  return new Promise(resolve => {
    const child = spawn(`${repository}node_modules/.bin/${name}`, words, { cwd: repository });
    let printed = '';
    child.stdout.on('data', (data: Buffer) => (printed += data));
    child.stderr.on('data', (data: Buffer) => (printed += data));
    child.on('error', error => resolve(error.message));
    child.on('close', code => resolve(code === 0 ? '' : printed));
  });
}

const checks: [string, Promise<string>][] = [
  ['lint and format', tool('biome', 'check')],
  ['types', tool('tsc', '-p', 'tsconfig.json')],
  ['generated files', generate(repository, { check: true }).then(stale => stale.join('\n'))],
  ['import rules', Promise.resolve(importViolations(`${repository}src`).join('\n'))],
];
let wrong = 0;
for (const [name, running] of checks) {
  const trouble = (await running).trim();
  console.log(`${trouble ? 'WRONG' : 'ok   '}  ${name}`);
  if (trouble) {
    wrong++;
    console.log(trouble);
  }
}
process.exitCode = wrong ? 1 : 0;
