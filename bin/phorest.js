#!/usr/bin/env node
// Plain JavaScript for whatever Node the machine has: finds the program and a Node that can run it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module, { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const needed = 24;
/** As `src/cli/launch.ts` has them: memory that does not grow with the rate of frames. */
const nodeFlags = ['--max-semi-space-size=8'];
// A checkout has the sources, and runs what stands in them; a package has only what was built.
const source = new URL('../src/cli/main.ts', import.meta.url);
const program = existsSync(source) ? source : new URL('../dist/cli/main.js', import.meta.url);

if (Number(process.versions.node.split('.')[0]) >= needed) {
  keepCompiled();
  const { main } = await import(program.href);
  await main(process.argv.slice(2));
} else {
  await runOn(projectNode());
}

/** What Node has compiled is kept beside the packages: a start takes half as long. Where nothing can be kept, it works all the same. */
function keepCompiled() {
  const folder = fileURLToPath(new URL('../node_modules/.cache/phorest', import.meta.url));
  // For the worker threads and processes that the program starts.
  process.env.NODE_COMPILE_CACHE ??= folder;
  module.enableCompileCache(process.env.NODE_COMPILE_CACHE);
}

/** The Node that came with the packages of this project. */
function projectNode() {
  const name = `node-${process.platform}-${process.arch}`;
  const require = createRequire(import.meta.url);
  try {
    return `${dirname(require.resolve(`${name}/package.json`))}/bin/node`;
  } catch {
    console.error(
      `phorest needs Node ${needed} or newer; this is ${process.versions.node}, and the package ${name} is not installed. ` +
        'Run "npm ci" in the folder of phorest (without --omit=optional), or install a newer Node.',
    );
    process.exit(1);
  }
}

async function runOn(node) {
  const child = spawn(node, [...nodeFlags, fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  // A terminal sends Ctrl-C to both; the program takes two signals within a second for one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  const [code, signal] = await new Promise((resolve, reject) => {
    child.on('exit', (...how) => resolve(how));
    child.on('error', reject);
  });
  process.exit(code ?? 128 + constants.signals[signal]);
}
