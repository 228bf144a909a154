import { EventSource } from '@millrace/client'
import { cut, expectEvents, reply, send, silence, startFaultServer } from '@millrace/testing'
import { deepEqual } from 'node:assert/strict'
import { test } from 'node:test'

test('comes back where it was cut off, and stays away when it is told to', async (t) => {
  const server = await startFaultServer({
    scripts: [
      [send({ id: '1', retryMs: 20, data: 'one' }, 'id: 2\nda'), cut('rst')],
      [send({ id: '2', data: 'two' })],
      [reply(204)],
    ],
  })
  t.after(() => server.close())
  const source = new EventSource(server.origin)
  t.after(() => source.close())
  await expectEvents(source, [
    { id: '1', data: 'one' },
    { id: '2', data: 'two' },
  ])
  await server.until('The answer 204', (requests) => requests[2]?.ending === 'ended')
  deepEqual(
    server.requests.map(({ lastEventId }) => lastEventId),
    [undefined, '1', '2'],
  )
})

test('shows what came although the stream goes on', async (t) => {
  const server = await startFaultServer({ otherwise: [send({ type: 'tick', data: '{"price":187.2}' }), silence()] })
  t.after(() => server.close())
  const source = new EventSource(server.origin)
  t.after(() => source.close())
  await expectEvents(source, [{ type: 'tick', data: { price: 187.2 } }], { quietMs: 100 })
})
