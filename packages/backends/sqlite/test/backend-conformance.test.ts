import { busSuite, registrySuite } from '@millrace/conformance'
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { sqlite } from '../src/index.ts'
import { HandClock } from './support/hand-clock.ts'
import { testFolder } from './support/test-folder.ts'

const folder = testFolder()
let count = 0

function newPath(): string {
  count++
  return join(folder, `${count}.db`)
}

const registries = registrySuite({
  name: 'the registry in the file of SQLite',
  create(options) {
    const clock = new HandClock()
    const path = newPath()
    const { log, registry } = sqlite(path, { ...options, clock })
    return Promise.resolve({
      registry,
      advanceClock: (ms) => clock.pass(ms),
      interrupt: () => renameSync(path, `${path}.away`),
      resume: () => renameSync(`${path}.away`, path),
      close: () => log.close(),
    })
  },
})

const buses = busSuite({
  name: 'the bus of the SQLite backend',
  create() {
    const { bus, log } = sqlite(newPath())
    return Promise.resolve({ bus, close: () => log.close() })
  },
})

test.for(registries.map((one) => [one.name, one] as const))(
  'the registry in the file of SQLite: %s',
  async ([, { exception, run }], { skip }) => {
    skip(exception !== undefined, exception)
    await expect(run()).resolves.toBeUndefined()
  },
)

test.for(buses.map((one) => [one.name, one] as const))('the bus of the SQLite backend: %s', async ([, { run }]) => {
  await expect(run()).resolves.toBeUndefined()
})
