import assert from 'node:assert/strict'
import { parseTopic } from '@millrace/protocol'
import { BackendError, type BusMessage } from '@millrace/server'
import { listening } from './bus-record.ts'
import type { BusCase } from './bus-setup.ts'

function message(data: string): BusMessage {
  return { kind: 'ephemeral', event: { topic: parseTopic('typing'), data }, timeMs: 1_700_000_000_000 }
}

async function assertClosed(promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error: unknown) => {
    assert.ok(error instanceof BackendError, `it must reject with a BackendError, not ${String(error)}`)
    assert.equal(error.code, 'closed')
    return true
  })
}

export const busCases: readonly BusCase[] = [
  {
    name: 'a message reaches each listener once, the sender’s own included, as it was sent',
    clause: 'Delivery: each message reaches each listener at most once, the sender’s own included',
    async body({ bus, peer = bus }) {
      const records = await Promise.all([listening(bus), listening(bus), listening(peer)])
      const topic = parseTopic('@alice')
      const sent: BusMessage[] = [
        message('first line\nsecond \u2028 😀 \u0000'),
        { kind: 'ephemeral', event: { topic, type: 'tick', data: '{"a":1}', json: true, except: 'me' }, timeMs: 5 },
        message('last'),
      ]
      for (const one of sent) await bus.send(one)
      for (const [record] of records) {
        await record.untilHeard('last')
        assert.deepEqual(record.messages, sent)
      }
    },
  },
  {
    name: 'the messages of one sender come in the order in which they were sent',
    clause: 'Order: messages of one sender reach each listener in the order of `send`',
    async body({ bus, peer = bus }) {
      const records = await Promise.all([listening(bus), listening(peer)])
      const numbers = Array.from({ length: 300 }, (_, i) => `${i}`)
      // Long and short ones by turns.
      await Promise.all(numbers.map((n, i) => bus.send({ ...message(n), timeMs: i % 3 })))
      for (const [record] of records) {
        await record.untilHeard('299')
        assert.deepEqual(record.data, numbers)
      }
    },
  },
  {
    name: 'no listener is called from within send',
    clause: 'Listeners are never called from within `send`',
    async body({ bus }) {
      const [record] = await listening(bus)
      const sending = bus.send(message('one'))
      assert.deepEqual(record.data, [], 'called from within send()')
      await sending
      await record.untilHeard('one')
    },
  },
  {
    name: 'a listener hears what is sent once its listen has resolved',
    clause: 'Bus.listen: resolves when the listener hears what is sent from now on',
    async body({ bus, peer = bus }) {
      for (const n of ['1', '2', '3']) {
        const [record] = await listening(peer)
        await bus.send(message(n))
        await record.untilHeard(n)
      }
    },
  },
  {
    name: 'a listener that was stopped hears nothing more, not even what is on its way',
    clause: 'Unsubscribe: it is not called after this was called. May be called twice',
    async body({ bus }) {
      const [staying] = await listening(bus)
      const [leaving, unsubscribe] = await listening(bus)
      await bus.send(message('both'))
      await Promise.all([staying.untilHeard('both'), leaving.untilHeard('both')])
      const sending = bus.send(message('on its way'))
      unsubscribe()
      await sending
      await bus.send(message('later'))
      unsubscribe()
      await staying.untilHeard('later')
      assert.deepEqual(leaving.data, ['both'])
      assert.deepEqual(staying.data, ['both', 'on its way', 'later'])
    },
  },
  {
    name: 'a function that listens twice hears twice, and is stopped one by one',
    clause: 'Bus.listen; Unsubscribe: stops a listener',
    async body({ bus }) {
      const [record, unsubscribe] = await listening(bus)
      await bus.listen(record.listener)
      const [witness] = await listening(bus)
      await bus.send(message('twice'))
      await witness.untilHeard('twice')
      unsubscribe()
      unsubscribe()
      await bus.send(message('once'))
      await witness.untilHeard('once')
      assert.deepEqual(record.data, ['twice', 'twice', 'once'])
    },
  },
  {
    name: 'a listener that stops itself or others from within costs the rest nothing',
    clause: 'Delivery: each that was there before `send` was called and still is',
    async body({ bus }) {
      const heard: string[] = []
      const [first] = await listening(bus)
      const stopSelf = await bus.listen(({ event }) => {
        heard.push(event.data)
        stopSelf()
        stopOther()
      })
      const [other, stopOther] = await listening(bus)
      const [last] = await listening(bus)
      await bus.send(message('one'))
      await bus.send(message('two'))
      await Promise.all([first.untilHeard('two'), last.untilHeard('two')])
      assert.deepEqual([first.data, last.data, heard], [['one', 'two'], ['one', 'two'], ['one']])
      assert.ok(!other.data.includes('two'))
    },
  },
  {
    name: 'after close every method of a bus rejects with closed, and no listener is called',
    clause:
      'Errors: after `close()` every method rejects with `closed`, and no listener is called; may be called twice',
    async body({ bus }) {
      const [record, unsubscribe] = await listening(bus)
      const sending = bus.send(message('on its way'))
      const closing = [bus.close(), bus.close()]
      const count = record.messages.length
      await Promise.allSettled([sending, ...closing])
      await Promise.all(closing)
      await assertClosed(bus.send(message('late')))
      await assertClosed(bus.listen(() => undefined))
      // The bus cannot be asked for a witness any more: a few turns of the event loop are what is left.
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
      assert.equal(record.messages.length, count)
      unsubscribe()
      await bus.close()
    },
  },
]
