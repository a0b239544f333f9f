import { expect } from 'vitest';
import { testFileVariable } from './wholeRun.ts';

// Every program that a test starts inherits it.
process.env[testFileVariable] = expect.getState().testPath;
