import { createHub } from '@millrace/node'
import { memory } from '@millrace/server'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'

test('an answer that is no stream adds to the Vary that others have set', async () => {
  const hub = createHub({ backend: memory() })
  const handle = hub.handler()
  const server = createServer((request, response) => {
    response.setHeader('Vary', 'Accept-Encoding')
    void handle(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    await hub.close({ drainMs: 0 })
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { accept: 'text/html' } })
  expect([answer.status, answer.headers.get('vary')]).toEqual([406, 'Accept-Encoding, Accept, Origin'])
})
