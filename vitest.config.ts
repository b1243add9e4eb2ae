import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/fast-check-seed.ts'],
    // Nothing here needs more than a few seconds; a shared machine under load may.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Under CI a test that is only sometimes right must be seen.
    retry: 0,
    env: { NODE_ENV: 'test' },
  },
});
