import { afterAll, expect, vi } from 'vitest';
import { testFileVariable } from './wholeRun.ts';

// Every program that a test starts inherits it.
process.env[testFileVariable] = expect.getState().testPath;

// Test files share a process: fake timers that one file leaves behind would stand still in the next file.
afterAll(() => void vi.useRealTimers());
