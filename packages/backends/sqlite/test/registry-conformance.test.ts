import { registrySuite } from '@millrace/conformance'
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { HandClock } from './support/hand-clock.ts'
import { openLog } from './support/open-log.ts'
import { testFolder } from './support/test-folder.ts'

const folder = testFolder()
let fileCount = 0

const suite = registrySuite({
  name: 'the SQLite registry',
  create(options) {
    const clock = new HandClock()
    const path = join(folder, `registry-${++fileCount}.db`)
    const log = openLog(path, { ...options, clock })
    return Promise.resolve({
      registry: log.registry,
      advanceClock: (ms) => clock.pass(ms),
      interrupt() {
        renameSync(path, `${path}.away`)
        clock.pass(1000)
      },
      resume: () => renameSync(`${path}.away`, path),
      close: () => log.close(),
    })
  },
})

test.for(suite.map((one) => [one.name, one] as const))(
  'the SQLite registry: %s',
  async ([, { exception, run }], { skip }) => {
    skip(exception !== undefined, exception)
    await expect(run()).resolves.toBeUndefined()
  },
)
