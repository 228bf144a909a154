import assert from 'node:assert/strict'
import { datasOf, type StreamCase, type StreamTest } from './stream-case.ts'
import type { StreamClient, WayToLeave } from './stream-client.ts'

const ways: Readonly<Record<WayToLeave, string>> = {
  close: 'closes its socket',
  reset: 'resets',
  'half-close': 'ends its side of the connection only',
}

const clause = 'Transport: after a lost connection `onClose` is called once; every way a client can leave'

/** More than the buffers of a loopback connection hold. */
const BACKLOG = { count: 120, bytes: 50_000 }

export const leavingCases: readonly StreamCase[] = [
  ...Object.entries(ways).flatMap(([how, what]) => casesOf(how as WayToLeave, what)),
  {
    name: 'a client that leaves in the middle of its request was never there',
    clause,
    wires: ['http/1.0', 'http/1.1'],
    async body(test) {
      const stays = await test.open()
      const client = test.connect()
      client.send(`GET ${test.served.path} HTTP/1.1\r\nHost: loc`, 'GET')
      client.leave('half-close')
      await test.until(client, 'the end of the connection', () => client.isDisconnected)
      assert.equal(await test.served.openCount(), 1)
      await assertServed(test, stays)
    },
  },
  {
    name: 'when many have come and gone in every way, nobody is left',
    clause: 'Transport: nothing is left behind',
    async body(test) {
      const stays = await test.open()
      const order: readonly WayToLeave[] = ['close', 'reset', 'half-close']
      for (let coming = 0; coming < test.comingCount; coming++) {
        const client = coming % 2 === 0 ? test.ask() : await test.open()
        await client.sent
        client.leave(order[coming % order.length] ?? 'close')
        if (coming % 50 === 0) await test.served.publish(`meanwhile ${coming}`)
      }
      await test.untilOpenCount(1)
      await assertServed(test, stays)
    },
  },
]

function casesOf(how: WayToLeave, what: string): StreamCase[] {
  return [
    {
      name: `a client that ${what} is forgotten, and the others are served on`,
      clause,
      async body(test) {
        const [stays, goes] = [await test.open(), await test.open()]
        assert.equal(await test.served.openCount(), 2)
        goes.leave(how)
        await test.untilOpenCount(1)
        await assertServed(test, stays)
        await test.until(goes, 'the end of the connection', () => goes.isDisconnected)
      },
    },
    {
      name: `a client that ${what} before it is answered is forgotten`,
      clause,
      async body(test) {
        const stays = await test.open()
        const goes = test.ask()
        await goes.sent
        goes.leave(how)
        // Whoever was served after it came after it.
        const later = await test.open()
        later.leave('close')
        await test.untilOpenCount(1)
        await assertServed(test, stays)
      },
    },
    {
      name: `a client that ${what} while bytes wait for it is forgotten`,
      clause,
      needs: ['largeBacklog'],
      async body(test) {
        const [stays, goes] = [await test.open(), await test.open()]
        goes.pause()
        for (let i = 0; i < BACKLOG.count; i++) await test.served.publish('x'.repeat(BACKLOG.bytes))
        // Half-closed, it might still read: the network has to say that it does not.
        goes.leave(how === 'half-close' ? 'close' : how)
        await test.untilOpenCount(1)
        await test.served.publish('after all')
        const isLong = (): boolean => stays.body.length > BACKLOG.count * BACKLOG.bytes
        await test.until(stays, 'the last event', () => isLong() && stays.body.slice(-100).includes('after all'))
      },
    },
  ]
}

async function assertServed(test: StreamTest, client: StreamClient): Promise<void> {
  await test.served.publish('still here')
  const datas = datasOf(await test.untilEvent(client, 'still here'))
  assert.equal(datas.filter((data) => data === 'still here').length, 1)
}
