import assert from 'node:assert/strict'
import { BackendError, type BackendErrorCode } from '@millrace/server'
import type { RegistryCase } from './registry-setup.ts'

const HOUR_MS = 3_600_000
const MAX_TTL_MS = 2 ** 31 - 1

async function assertRejects(promise: Promise<unknown>, code: BackendErrorCode): Promise<void> {
  await assert.rejects(promise, (error: unknown) => {
    assert.ok(error instanceof BackendError, `it must reject with a BackendError, not ${String(error)}`)
    assert.equal(error.code, code, error.message)
    return true
  })
}

export const registryCases: readonly RegistryCase[] = [
  {
    name: 'what was put is there for whoever asks, and a second put replaces it',
    clause: 'Registry.put: stores a value, instead of one that is there; get: undefined when there is none',
    async body({ registry, peer = registry }) {
      assert.equal(await registry.get('a'), undefined)
      await registry.put('a', 'first', HOUR_MS)
      await registry.put('b', 'other', HOUR_MS)
      assert.deepEqual([await registry.get('a'), await peer.get('a'), await peer.get('b')], ['first', 'first', 'other'])
      await peer.put('a', 'second', HOUR_MS)
      assert.deepEqual([await registry.get('a'), await registry.get('b')], ['second', 'other'])
      assert.equal((await registry.list('')).size, 2)
    },
  },
  {
    name: 'a value is taken once, whoever asks for it',
    clause: 'Registry.take: of any number of takers, on any node, one gets it. Undefined when there is none',
    async body({ registry, peer = registry }) {
      assert.equal(await registry.take('ticket'), undefined)
      await registry.put('ticket', 'value', HOUR_MS)
      const takers = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? registry : peer).take('ticket'))
      const taken = (await Promise.all(takers)).filter((value) => value !== undefined)
      assert.deepEqual(taken, ['value'])
      assert.equal(await registry.get('ticket'), undefined)
      assert.equal((await registry.list('ticket')).size, 0)
      await registry.put('ticket', 'again', HOUR_MS)
      assert.equal(await peer.take('ticket'), 'again')
    },
  },
  {
    name: 'a list has the entries whose keys start with the prefix, in the order of their UTF-16 units',
    clause: 'Registry.list: all entries whose key starts with the prefix, in the order of their keys',
    async body({ registry }) {
      // In UTF-8 the last two stand the other way round.
      const inOrder = ['p.%', 'p.*', 'p._', 'p.a', 'p.ab', 'p.é', 'p.😀', 'p.～']
      for (const key of [...inOrder.toReversed(), 'p', 'P.a', 'px', 'q.a'])
        await registry.put(key, `of ${key}`, HOUR_MS)
      const found = await registry.list('p.')
      assert.deepEqual(
        [...found],
        inOrder.map((key) => [key, `of ${key}`]),
      )
      for (const [prefix, count] of [
        ['p.%', 1],
        ['p._', 1],
        ['p.*', 1],
        ['p.a', 2],
        ['', 12],
        ['nobody', 0],
      ] as const) {
        assert.equal((await registry.list(prefix)).size, count, `for ${JSON.stringify(prefix)}`)
      }
    },
  },
  {
    name: 'any text within the bounds is kept as it is',
    clause: 'Registry.put: `key`: 1 to 512 bytes of UTF-8. `value`: up to 65,536 bytes of UTF-8',
    async body({ registry }) {
      const keys = ['\n\u0000 \u2028', '__proto__', 'é', 'e\u0301', 'é'.repeat(256), '😀'.repeat(128), 'x'.repeat(512)]
      const values = ['', '\u0000\r\n', 'null', '{"a":1}', 'é'.repeat(32_768), '😀'.repeat(16_384), 'x'.repeat(65_536)]
      for (const [i, key] of keys.entries()) await registry.put(key, values[i] ?? '', MAX_TTL_MS)
      for (const [i, key] of keys.entries()) assert.equal(await registry.get(key), values[i])
      assert.deepEqual(new Set((await registry.list('')).keys()), new Set(keys))
    },
  },
  {
    name: 'an argument out of its range is refused with invalid, and stores nothing',
    clause: 'Errors: `invalid` for an argument out of its range',
    async body({ registry }) {
      for (const key of ['', 'x'.repeat(513), 'é'.repeat(257), '\ud800', 5 as never]) {
        await assertRejects(registry.put(key, 'value', 1000), 'invalid')
        await assertRejects(registry.get(key), 'invalid')
        await assertRejects(registry.take(key), 'invalid')
      }
      for (const value of ['x'.repeat(65_537), 'é'.repeat(32_769), 'a\udc00', undefined as never]) {
        await assertRejects(registry.put('key', value, 1000), 'invalid')
      }
      for (const ttlMs of [0, -1, 0.5, Number.NaN, Infinity, MAX_TTL_MS + 1, '5' as never]) {
        await assertRejects(registry.put('key', 'value', ttlMs), 'invalid')
      }
      for (const prefix of ['x'.repeat(513), '\udc00']) await assertRejects(registry.list(prefix), 'invalid')
      assert.equal((await registry.list('')).size, 0)
    },
  },
  {
    name: 'an entry is there for its time, and never longer',
    clause: 'Expiry: an entry is there for `ttlMs` after its `put` and never longer',
    needs: ['advanceClock'],
    async body({ registry, peer = registry, advanceClock }) {
      for (const key of ['got', 'taken', 'listed']) await registry.put(key, 'value', 1000)
      await registry.put('short', 'value', 1)
      await registry.put('long', 'value', MAX_TTL_MS)
      await advanceClock?.(999)
      assert.deepEqual([...(await peer.list('')).keys()], ['got', 'listed', 'long', 'taken'])
      assert.equal(await peer.get('got'), 'value')
      await advanceClock?.(1)
      assert.deepEqual([...(await registry.list('')).keys()], ['long'])
      assert.deepEqual([await registry.get('got'), await peer.take('taken')], [undefined, undefined])
    },
  },
  {
    name: 'a second put counts the time anew, for less or for more',
    clause: 'Expiry: an entry is there for `ttlMs` after its `put`',
    needs: ['advanceClock'],
    async body({ registry, advanceClock }) {
      await registry.put('renewed', 'first', 1000)
      await registry.put('shortened', 'first', HOUR_MS)
      await advanceClock?.(900)
      await registry.put('renewed', 'second', 1000)
      await registry.put('shortened', 'second', 50)
      await advanceClock?.(100)
      assert.deepEqual([await registry.get('renewed'), await registry.get('shortened')], ['second', undefined])
      await advanceClock?.(900)
      assert.equal(await registry.get('renewed'), undefined)
    },
  },
  {
    name: 'beyond maxEntries a new key is refused with full, and one that is there is replaced',
    clause: 'Bound: beyond it `put` of a new key stores nothing and rejects with `full`',
    needs: ['maxEntries'],
    options: { maxEntries: 3 },
    async body({ registry }) {
      for (const key of ['a', 'b', 'c']) await registry.put(key, 'first', HOUR_MS)
      await assertRejects(registry.put('d', 'first', HOUR_MS), 'full')
      assert.deepEqual([...(await registry.list('')).keys()], ['a', 'b', 'c'])
      await registry.put('b', 'second', HOUR_MS)
      assert.equal(await registry.get('b'), 'second')
      await registry.take('a')
      await registry.put('d', 'first', HOUR_MS)
      await assertRejects(registry.put('a', 'first', HOUR_MS), 'full')
      assert.deepEqual([...(await registry.list('')).keys()], ['b', 'c', 'd'])
    },
  },
  {
    name: 'entries that have expired take up no room',
    clause: 'Bound: `maxEntries` of the backend, those that have expired not counted',
    needs: ['maxEntries', 'advanceClock'],
    options: { maxEntries: 3 },
    async body({ registry, advanceClock }) {
      await registry.put('long', 'value', HOUR_MS)
      for (const round of [1, 2, 3]) {
        await registry.put(`${round}/a`, 'value', 1000)
        await registry.put(`${round}/b`, 'value', 500)
        await assertRejects(registry.put(`${round}/c`, 'value', 1000), 'full')
        await advanceClock?.(1000)
      }
      assert.deepEqual([...(await registry.list('')).keys()], ['long'])
    },
  },
  {
    name: 'calls that are pending at once take effect in call order',
    clause: 'Order: calls take effect in call order. Concurrency: any method may be called while others are pending',
    async body({ registry }) {
      const answers = await Promise.all([
        registry.get('a'),
        registry.put('a', '1', HOUR_MS),
        registry.get('a'),
        registry.put('a', '2', HOUR_MS),
        registry.list('a').then((entries) => entries.get('a')),
        registry.take('a'),
        registry.get('a'),
        registry.put('a', '3', HOUR_MS),
        registry.take('a'),
        registry.take('a'),
      ])
      assert.deepEqual(
        answers.filter((_, i) => i !== 1 && i !== 3 && i !== 7),
        [undefined, '1', '2', '2', undefined, '3', undefined],
      )
    },
  },
  {
    name: 'while the backend is away calls are refused with unavailable',
    clause: 'Errors: `unavailable` when the backend is away',
    needs: ['interruption'],
    async body({ registry, interrupt, resume }) {
      await registry.put('a', 'value', HOUR_MS)
      await interrupt?.()
      await assertRejects(registry.put('b', 'value', HOUR_MS), 'unavailable')
      await resume?.()
      await registry.put('c', 'value', HOUR_MS)
      assert.deepEqual([...(await registry.list('')).keys()], ['a', 'c'])
    },
  },
  {
    name: 'after close every method of a registry rejects with closed, and close may be called again',
    clause: 'Errors: `closed` after `close()`; Registry.close: may be called twice',
    async body({ registry }) {
      await registry.put('a', 'value', HOUR_MS)
      await Promise.all([registry.close(), registry.close()])
      await assertRejects(registry.put('b', 'value', HOUR_MS), 'closed')
      await assertRejects(registry.get('a'), 'closed')
      await assertRejects(registry.take('a'), 'closed')
      await assertRejects(registry.list(''), 'closed')
      await registry.close()
    },
  },
]
