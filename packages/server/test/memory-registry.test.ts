import { memory, type Registry } from '@millrace/server'
import { describe, expect, test } from 'vitest'
import { FakeClock } from './support/fake-clock.ts'

function openRegistry(maxEntries = 1_000): { registry: Registry; clock: FakeClock } {
  const clock = new FakeClock()
  const { registry } = memory({ clock, maxEntries })
  if (!registry) throw new Error('memory has no registry')
  return { registry, clock }
}

describe('an entry of the memory registry', () => {
  test('is there for its time, and never longer', async () => {
    const { registry, clock } = openRegistry()
    await registry.put('a', '1', 1_000)
    clock.pass(999)
    expect(await registry.get('a')).toBe('1')
    clock.pass(1)
    expect(await registry.get('a')).toBeUndefined()
  })

  test('is taken by one of any number of takers', async () => {
    const { registry } = openRegistry()
    await registry.put('a', '1', 1_000)
    const taken = await Promise.all(Array.from({ length: 5 }, () => registry.take('a')))
    expect(taken).toEqual(['1', undefined, undefined, undefined, undefined])
  })

  test('is replaced by a later one, with the time of that', async () => {
    const { registry, clock } = openRegistry()
    await registry.put('a', '1', 1_000)
    await registry.put('a', '2', 5_000)
    clock.pass(1_000)
    expect(await registry.get('a')).toBe('2')
    await registry.put('a', '3', 10)
    clock.pass(10)
    expect(await registry.get('a')).toBeUndefined()
  })
})

test('entries are listed by prefix, in the order of their keys', async () => {
  const { registry, clock } = openRegistry()
  for (const key of ['b:2', 'a:1', 'b:10', 'c']) await registry.put(key, key.toUpperCase(), 1_000)
  await registry.put('b:1', 'gone', 1)
  clock.pass(1)
  expect([...(await registry.list('b:'))]).toEqual([
    ['b:10', 'B:10'],
    ['b:2', 'B:2'],
  ])
  expect([...(await registry.list('')).keys()]).toEqual(['a:1', 'b:10', 'b:2', 'c'])
})

test('whatever the order of their times, entries expire when they are to', async () => {
  const { registry, clock } = openRegistry()
  const model = new Map<string, number>()
  for (let i = 0; i < 500; i++) {
    // A linear congruential generator's: the same in every run.
    const ttlMs = 1 + ((i * 48_271) % 997)
    const key = `key-${i % 300}`
    await registry.put(key, String(ttlMs), ttlMs)
    model.set(key, clock.now() + ttlMs)
    if (i % 7 === 0) model.delete(`key-${(i * 31) % 300}`)
    if (i % 7 === 0) await registry.take(`key-${(i * 31) % 300}`)
    clock.pass(3)
    const alive = [...model].filter(([, atMs]) => atMs > clock.now()).map(([each]) => each)
    expect([...(await registry.list('')).keys()]).toEqual(alive.toSorted())
  }
})

test('a full registry refuses new keys, not those that are there, until some have expired', async () => {
  const { registry, clock } = openRegistry(2)
  await registry.put('a', '1', 1_000)
  await registry.put('b', '2', 5_000)
  await expect(registry.put('c', '3', 1_000)).rejects.toMatchObject({ name: 'BackendError', code: 'full' })
  await registry.put('b', '4', 5_000)
  clock.pass(1_000)
  await registry.put('c', '3', 1_000)
  expect([...(await registry.list('')).values()]).toEqual(['4', '3'])
})

test.each([
  ['an empty key', '', 'v', 1],
  ['a key that is too long', 'é'.repeat(257), 'v', 1],
  ['a key that is no text', '\ud800', 'v', 1],
  ['a value that is too long', 'k', 'v'.repeat(65_537), 1],
  ['no time', 'k', 'v', 0],
  ['part of a millisecond', 'k', 'v', 1.5],
  ['too much time', 'k', 'v', 2 ** 31],
])('%s is refused, and nothing is stored', async (_what, key, value, ttlMs) => {
  const { registry } = openRegistry()
  await expect(registry.put(key, value, ttlMs)).rejects.toMatchObject({ code: 'invalid' })
  expect(await registry.list('')).toEqual(new Map())
})

test('the longest key, value and prefix are taken', async () => {
  const { registry } = openRegistry()
  const [key, value] = ['é'.repeat(256), 'v'.repeat(65_536)]
  await registry.put(key, value, 2 ** 31 - 1)
  expect(await registry.list(key)).toEqual(new Map([[key, value]]))
  await expect(registry.list('x'.repeat(513))).rejects.toMatchObject({ code: 'invalid' })
  await expect(registry.get(7 as unknown as string)).rejects.toMatchObject({ code: 'invalid' })
})

test('after close every method rejects, and close may be called twice', async () => {
  const { registry } = openRegistry()
  await registry.close()
  await registry.close()
  for (const call of [registry.put('a', '1', 1), registry.take('a'), registry.get('a'), registry.list('')]) {
    await expect(call).rejects.toMatchObject({ code: 'closed' })
  }
})
