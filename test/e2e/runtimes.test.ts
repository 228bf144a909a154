import { Http1Client, readEvents } from '@millrace/conformance'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { runStreamSuite } from '../../packages/node/test/support/run-stream-suite.ts'
import { runtimeAvailable, type RuntimeName } from '../support/services.ts'
import { RuntimeProcess } from './support/runtime-process.ts'

const ownConnection = 'a Response has no say in the connection'
const concurrentPipelining = 'it answers the requests of a connection one after another'
const exceptions = {
  bun: { ownConnection, concurrentPipelining, pipelining: 'it closes the connection' },
  deno: { ownConnection, concurrentPipelining },
}

for (const name of ['bun', 'deno'] as const satisfies readonly RuntimeName[]) {
  describe.skipIf(!runtimeAvailable(name))(`streams on ${name}`, () => {
    let runtime: RuntimeProcess

    beforeAll(async () => {
      runtime = await RuntimeProcess.start(name)
    })
    afterAll(() => runtime?.stop())

    for (const source of ['hub', 'sessions'] as const) {
      runStreamSuite({
        name: source,
        wire: 'http/1.1',
        start: () => runtime.serve(source),
        exceptions: exceptions[name],
        comingCount: 60,
      })
    }

    test.runIf(name === 'bun')('a stream is not closed for being silent, as others are', async () => {
      const served = await runtime.serve('hub')
      const [silent, closed] = [new Http1Client(served.port), new Http1Client(served.port)]
      silent.request({ path: served.path })
      closed.request({ path: `${served.path}-that-bun-may-close` })
      await vi.waitFor(() => expect(closed.isDisconnected).toBe(true), { timeout: 30_000, interval: 50 })
      expect(closed.head?.status).toBe(200)
      await served.publish('still here')
      await vi.waitFor(() => expect(readEvents(silent.body)).toMatchObject([{ data: 'still here' }]), {
        timeout: 5_000,
      })
      silent.leave('close')
      await served.close()
    })
  })
}
