import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    reporters: ['default', './scripts/closingLineReporter.ts'],

    include: ['test/**/*.test.ts'],
    exclude: ['test/long/**'],
    // The default leaves one of two cores idle.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
