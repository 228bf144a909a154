import { createChannel } from '@millrace/node'
import { expectEvents } from '@millrace/testing'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'

test('a client that comes back gets what it missed, once and in order', async (t) => {
  const channel = createChannel({ historyCount: 100 })
  const server = createServer((request, response) => void channel.subscribe(request, response))
  const url = await listen(server)
  t.after(() => server.close())
  t.after(() => server.closeAllConnections())

  const watching = expectEvents(await fetch(url), [{ data: 'one' }])
  channel.broadcast({ data: 'one' })
  const [one] = await watching
  channel.broadcast({ data: 'two' })
  channel.broadcast({ type: 'total', data: { count: 3 } })

  const headers = { 'Last-Event-ID': one?.id ?? '' }
  await expectEvents(fetch(url, { headers }), [{ data: 'two' }, { type: 'total', data: { count: 3 } }], {
    quietMs: 100,
  })
})

function listen(server: Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
  })
}
