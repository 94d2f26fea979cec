import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'node',
    include: ['tests/**/*.test.ts', 'tests/**/*.test.tsx'],
    passWithNoTests: false,
    // Only ends a test that hangs: a busy machine takes three times as long as a quiet one.
    testTimeout: 60_000,
    maxWorkers: 2,
  },
});
