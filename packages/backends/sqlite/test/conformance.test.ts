import { eventLogSuite } from '@millrace/conformance'
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { HandClock } from './support/hand-clock.ts'
import { openLog } from './support/open-log.ts'
import { testFolder } from './support/test-folder.ts'

const folder = testFolder()
let logCount = 0

const suite = eventLogSuite({
  name: 'the SQLite log',
  guarantees: { durable: true, shared: false, atomicBatch: true, exactEviction: true },
  create(options) {
    const clock = new HandClock()
    logCount++
    const path = join(folder, `${logCount}.db`)
    const log = openLog(path, { ...options, clock })
    return Promise.resolve({
      log,
      advanceClock: (ms) => clock.pass(ms),
      stepWallClock: (ms) => clock.step(ms),
      settle: () => log.evictNow(),
      interrupt() {
        renameSync(path, `${path}.away`)
        clock.pass(1000)
      },
      resume: () => renameSync(`${path}.away`, path),
    })
  },
  exceptions: { newEpoch: 'it begins an epoch only when its file is opened' },
})

test.for(suite.map((one) => [one.name, one] as const))(
  'the SQLite log: %s',
  // Each of the random runs starts a thread and makes a file.
  { timeout: 120_000 },
  async ([, { exception, run }], { skip }) => {
    skip(exception !== undefined, exception)
    await expect(run()).resolves.toBeUndefined()
  },
)
