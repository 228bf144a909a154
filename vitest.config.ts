import { defaultServerConditions } from 'vite'
import { defineConfig } from 'vitest/config'

// Workspace packages are imported by name and resolve to their sources: no build before a test.
const conditions = ['@millrace/source', ...defaultServerConditions]

// Each group runs when the group before it has ended.
/** Ten thousand connections need the machine to themselves. */
const alone = ['test/e2e/slow-and-many.test.ts']
const simulation = ['test/simulation/**/*.test.ts', 'test/faults/**/*.test.ts']
/** Two browsers at a time are enough for two cores: nothing else runs beside them. */
const browsers = [
  'test/e2e/{browsers,demo,playwright-fixtures,resilience-cases}.test.ts',
  'test/e2e/{connect,event-source,nginx}-browsers.test.ts',
  'test/e2e/{react,shared}-*.test.ts',
]
const e2e = ['test/e2e/**/*.test.ts']
const load = ['test/load/**/*.test.ts']

/** Packages whose lines are counted by `npm run coverage`. */
const covered = ['protocol', 'server', 'node']

export default defineConfig({
  ssr: { resolve: { conditions } },
  test: {
    globalSetup: './test/support/stripped-types.ts',
    // The reference machine has two cores; figures and browsers need both to themselves.
    maxWorkers: 2,
    // Names are sentences, and are wanted whole.
    taskTitleValueFormatTruncate: 200,
    coverage: {
      provider: 'v8',
      include: covered.map((name) => `packages/${name}/src/**`),
      reporter: ['text', 'text-summary'],
      reportOnFailure: true,
      thresholds: Object.fromEntries(covered.map((name) => [`packages/${name}/src/**`, { lines: 95 }])),
    },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['packages/**/test/**/*.test.{ts,tsx}', 'test/**/*.test.ts'],
          exclude: [...simulation, ...e2e, ...load],
          testTimeout: 20_000,
          hookTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          // The real engine through many seeds: all of both cores, and no real time.
          name: 'simulation',
          include: simulation,
          testTimeout: 300_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          // Whole processes, which mostly wait: three files at a time.
          name: 'e2e',
          maxWorkers: 3,
          include: e2e,
          exclude: [...alone, ...browsers],
          // They share two cores: what fails once and then holds is the machine's.
          retry: 1,
          testTimeout: 90_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          // Real browsers, two files at a time.
          name: 'browsers',
          include: browsers,
          retry: 1,
          testTimeout: 90_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 3 },
        },
      },
      {
        extends: true,
        test: {
          // Tests that measure memory or time, alone on the machine.
          name: 'load',
          include: [...load, ...alone],
          fileParallelism: false,
          retry: 1,
          testTimeout: 180_000,
          hookTimeout: 120_000,
          execArgv: ['--expose-gc'],
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
})
