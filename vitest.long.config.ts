import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    reporters: ['default', './scripts/closingLineReporter.ts'],
    globalSetup: ['test/setup/wholeRun.ts'],
    setupFiles: ['test/setup/eachFile.ts'],
    include: ['test/long/**/*.test.ts'],
    testTimeout: 900_000,
    hookTimeout: 60_000,
  },
});
