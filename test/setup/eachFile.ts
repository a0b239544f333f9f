import { afterAll, expect, vi } from 'vitest';
import { testFileVariable } from './wholeRun.ts';

// Every program that a test starts inherits it.
process.env[testFileVariable] = expect.getState().testPath;

// Files share a process: timers that one leaves standing still would stand still in the next.
afterAll(() => void vi.useRealTimers());
