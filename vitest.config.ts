import { defaultServerConditions } from 'vite'
import { defineConfig } from 'vitest/config'

// Workspace packages are imported by name and resolve to their sources: no build before a test.
const conditions = ['@millrace/source', ...defaultServerConditions]

const slow = ['test/e2e/**/*.test.ts', 'test/load/**/*.test.ts']

export default defineConfig({
  ssr: { resolve: { conditions } },
  test: {
    // The reference machine has two cores; figures and browsers need both to themselves.
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: slow,
          testTimeout: 20_000,
          hookTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          // Real browsers and whole processes, one file at a time.
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 90_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          // Tests that measure memory or time, alone on the machine.
          name: 'load',
          include: ['test/load/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 120_000,
          execArgv: ['--expose-gc'],
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
