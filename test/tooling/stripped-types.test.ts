import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'

// Its engine can end the whole process when many threads compile and drop the same WebAssembly: see
// test/support/stripped-types.ts.
test('no thread of a test strips types itself', async () => {
  const modules = ['log-store.ts', 'log-worker.ts', 'log-file.ts'].map((name) =>
    import.meta.resolve(`../../packages/backends/sqlite/src/worker/${name}`),
  )
  const program = `
    const { parentPort } = require('node:worker_threads')
    const modules = ${JSON.stringify(modules)}
    Promise.all(modules.map((url) => import(url))).then(() => parentPort.postMessage(process.moduleLoadList))`
  const execArgv = ['--conditions=@millrace/source', '--disable-warning=ExperimentalWarning']
  const [loaded] = (await once(new Worker(program, { eval: true, execArgv }), 'message')) as [string[]]
  expect(loaded.some((name) => name.includes('internal/modules/typescript'))).toBe(true)
  expect(loaded.filter((name) => name.includes('amaro'))).toEqual([])
})
