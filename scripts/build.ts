/** `npm run build`: compiles `src/` to `dist/`, which is what an installed package runs. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('..', import.meta.url));
rmSync(`${repository}dist`, { recursive: true, force: true });
const { status } = spawnSync(`${repository}node_modules/.bin/tsc`, ['-p', 'tsconfig.build.json'], {
  cwd: repository,
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
