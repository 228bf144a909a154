import { parseSelector, parseTopic, type Position, type Topic } from '@millrace/protocol'
import { describe, expect, test } from 'vitest'
import type { NewEvent, Page, ReadQuery, StoredEvent } from '../src/log.ts'
import { resolveMemoryOptions, type MemoryOptions } from '../src/memory/memory-options.ts'
import { MemoryLog } from '../src/memory/memory-log.ts'
import { seededChance } from './support/seeded-chance.ts'
import { SteppingClock } from './support/stepping-clock.ts'

const ALL: Omit<ReadQuery, 'after'> = { selectors: 'all', maxCount: 1_000_000, maxBytes: 1e12 }

function openLog(options: Omit<MemoryOptions, 'clock' | 'chance'> = {}): { log: MemoryLog; clock: SteppingClock } {
  const clock = new SteppingClock()
  return { log: new MemoryLog(resolveMemoryOptions({ ...options, clock, chance: seededChance(7) })), clock }
}

function event(name: string, data: string = 'x'): NewEvent {
  return { topic: parseTopic(name), data }
}

function repeated(count: number, topic: Topic, data: string = 'x'): NewEvent[] {
  return Array.from({ length: count }, () => ({ topic, data }))
}

async function keptSeqs(log: MemoryLog, ...names: string[]): Promise<number[]> {
  const selectors = names.length === 0 ? 'all' : names.map((name) => parseSelector(name))
  const page = await log.read({ ...ALL, after: 'oldest', selectors })
  return page.kind === 'page' ? page.events.map(({ position }) => position.seq) : []
}

async function reasonOf(log: MemoryLog, after: Position, ...names: string[]): Promise<string> {
  const result = await log.read({ ...ALL, after, selectors: names.map((name) => parseSelector(name)) })
  return result.kind === 'gap' ? result.reason : 'page'
}

describe('retention of the memory log', () => {
  test('without rules 100,000 events are kept over all topics, for an hour', async () => {
    const { log, clock } = openLog()
    for (let i = 0; i < 101; i++) await log.append(repeated(1000, parseTopic(i % 2 === 0 ? 'news' : '@alice')))
    expect(log.size.eventCount).toBe(100_000)
    clock.pass(3_600_000)
    expect((await log.bounds()).oldest.seq).toBe(1000)
    clock.pass(1)
    expect((await log.bounds()).oldest.seq).toBe(101_000)
  })

  test("a rule for > counts users' own topics too, and topics without a rule have the default one", async () => {
    const { log } = openLog({ topics: [{ match: '>', retention: { maxCount: 2 } }] })
    await log.append([event('@alice'), event('news'), event('@bob')])
    expect(await keptSeqs(log)).toEqual([2, 3])
    const { log: other } = openLog({ topics: [{ match: 'news.>', retention: { maxCount: 2 } }] })
    await other.append([event('news.a'), event('@alice'), event('news.b'), event('news'), event('news.c')])
    expect(await keptSeqs(other, '@alice', 'news')).toEqual([2, 4])
    expect(await keptSeqs(other, 'news.>')).toEqual([3, 5])
  })

  test('a wall clock that steps forward and back ages nothing, and events age on as time goes by', async () => {
    const { log, clock } = openLog({ topics: [{ match: '>', retention: { maxAgeMs: 60_000 } }] })
    await log.append([event('news')])
    const [first] = await storedIn(log)
    clock.step(86_400_000)
    await log.append([event('news')])
    clock.step(-86_400_000)
    await log.append([event('news')])
    const times = (await storedIn(log)).map(({ timeMs }) => timeMs - (first?.timeMs ?? 0))
    expect(times).toEqual([0, 86_400_000, 86_400_000])
    clock.pass(60_001)
    expect(await keptSeqs(log)).toEqual([])
  })

  test('aged events are freed when nobody calls, and no timer is left when nothing can age', async () => {
    const { log, clock } = openLog({
      topics: [
        { match: 'forever', retention: { maxAgeMs: false } },
        { match: '>', retention: { maxAgeMs: 10_000 } },
      ],
    })
    await log.append([event('forever')])
    expect(clock.timerCount).toBe(0)
    await log.append(repeated(50, parseTopic('news')))
    clock.advance(5000)
    await log.append([event('news')])
    expect(clock.timerCount).toBe(1)
    clock.advance(6000)
    expect(log.size.eventCount).toBe(2)
    clock.advance(6000)
    expect(log.size.eventCount).toBe(1)
    expect(clock.timerCount).toBe(0)
  })

  test('close cancels the timer and frees the events', async () => {
    const { log, clock } = openLog()
    await log.append(repeated(50, parseTopic('news')))
    await log.tail('head', {
      onEvents: () => undefined,
      onEpoch: () => undefined,
      onInterrupted: () => undefined,
      onResumed: () => undefined,
    })
    await log.close()
    expect(clock.timerCount).toBe(0)
    expect(Object.values(log.size)).toEqual([0, 0, 0, 0, 0, 0])
  })
})

describe('topics that the memory log forgets', () => {
  test('a topic that is not in the index counts as evicted up to the newest eviction that was forgotten', async () => {
    const { log } = openLog({ maxTopics: 2, topics: [{ match: 'news.>', retention: { maxCount: 1 } }] })
    const { head: origin } = await log.bounds()
    // Evicts 1 and 2 of news.a; then chat.b and chat.c push it out of the index.
    const positions = [origin, ...(await log.append([event('news.a'), event('news.a'), event('news.z')]))]
    expect(await reasonOf(log, positions[1] as Position, 'nobody', 'chat.*')).toBe('page')
    positions.push(...(await log.append([event('chat.b'), event('chat.c')])))
    const at = (seq: number): Position => positions[seq] as Position
    expect(log.size.topicCount).toBe(2)
    for (const name of ['news.a', 'nobody', 'news.*', '*.nobody']) {
      expect(await reasonOf(log, at(1), name)).toBe('too_old')
      expect(await reasonOf(log, at(2), name)).toBe('page')
    }
    // What the index has known all the time is exact still; chat.c was not in it when it came.
    expect(await reasonOf(log, at(0), 'chat.b')).toBe('page')
    expect(await reasonOf(log, at(0), 'chat.c')).toBe('too_old')
    const known = await log.snapshot([parseSelector('chat.b'), parseSelector('chat.c')])
    expect([known.partial, known.events.length]).toEqual([false, 2])
    expect((await log.snapshot([parseSelector('chat.*')])).partial).toBe(true)
    expect((await log.snapshot([parseSelector('news.a')])).partial).toBe(true)
  })

  test('a forgotten topic that returns has not forgotten its evictions', async () => {
    const { log } = openLog({ maxTopics: 1, topics: [{ match: '>', retention: { maxCount: 1 } }] })
    const positions: Position[] = []
    for (const name of ['a', 'a', 'a', 'b', 'a']) positions.push(...(await log.append([event(name)])))
    expect(await reasonOf(log, positions[1] as Position, 'a')).toBe('too_old')
    expect(await reasonOf(log, positions[2] as Position, 'a')).toBe('page')
    expect(await keptSeqs(log, 'a')).toEqual([5])
  })

  test('events of a forgotten topic are still read while they are kept, and told when they are evicted', async () => {
    const { log } = openLog({ maxTopics: 1, topics: [{ match: '>', retention: { maxCount: 3 } }] })
    const { head: origin } = await log.bounds()
    await log.append([event('a'), event('b'), event('c')])
    expect(await reasonOf(log, origin, 'a')).toBe('page')
    expect(await keptSeqs(log, 'a')).toEqual([1])
    await log.append([event('c')])
    expect(await reasonOf(log, origin, 'a')).toBe('too_old')
  })
})

describe('the work and the memory of the memory log', () => {
  test('one read looks at no more than 10,000 events, and the next goes on after them', async () => {
    const { log } = openLog()
    await log.append([...repeated(35_000, parseTopic('busy')), event('rare')])
    const seqs: number[] = []
    let after: Position | 'oldest' = 'oldest'
    for (;;) {
      const page: Page = (await log.read({ ...ALL, after, selectors: [parseSelector('rare')] })) as Page
      seqs.push(page.scannedTo.seq)
      if (page.scannedTo.seq === page.head.seq) break
      after = page.scannedTo
    }
    expect(seqs).toEqual([10_000, 20_000, 30_000, 35_001])
  })

  test('holes are swept: places stay below twice the kept events, whatever is evicted between them', async () => {
    const { log } = openLog({
      topics: [
        { match: 'short', retention: { maxCount: 10 } },
        { match: '>', retention: { maxCount: 5000 } },
      ],
    })
    const batch = [...repeated(99, parseTopic('short')), event('long')]
    for (let i = 0; i < 2000; i++) await log.append(batch)
    expect(log.size.eventCount).toBe(2010)
    expect(log.size.placeCount).toBeLessThanOrEqual(2 * 2010 + 1024)
    const long = await keptSeqs(log, 'long')
    expect(long).toEqual(Array.from({ length: 2000 }, (_, i) => (i + 1) * 100))
  })

  test('a million events and 30,000 topics pass through small limits, and the heap stays flat', async () => {
    const { log } = openLog({ maxTopics: 1000, topics: [{ match: '>', retention: { maxCount: 1000 } }] })
    const pass = async (rounds: number): Promise<void> => {
      for (let i = 0; i < rounds; i++) {
        const topic = (k: number): Topic => `room.${Math.floor(i / 10)}.user.${k}` as Topic
        await log.append(
          Array.from({ length: 1000 }, (_, k) => ({ topic: topic(k % 300), data: `${i} ${k}`.padEnd(100) })),
        )
      }
    }
    await pass(50)
    const before = process.memoryUsage().heapUsed
    await pass(1000)
    const grownBytes = process.memoryUsage().heapUsed - before
    expect(log.size).toMatchObject({ eventCount: 1000, topicCount: 1000 })
    expect(log.size.placeCount).toBeLessThanOrEqual(2 * 1000 + 1024)
    // Without eviction the events alone would take more than 300 MiB; garbage that waits for the collector is not held.
    expect(grownBytes).toBeLessThan(100 * 1024 * 1024)
  })

  test('each log is an epoch of its own', async () => {
    const epochs = await Promise.all(
      Array.from({ length: 50 }, async () => (await new MemoryLog(resolveMemoryOptions({})).bounds()).epoch),
    )
    expect(new Set(epochs).size).toBe(50)
  })
})

describe('tails of the memory log', () => {
  test('a busy listener is handed everything later, even what retention has evicted meanwhile', async () => {
    const { log } = openLog({ topics: [{ match: '>', retention: { maxCount: 5 } }] })
    const { received, release } = await slowTail(log)
    for (let i = 0; i < 100; i++) await log.append(repeated(10, parseTopic('news')))
    release()
    await expect.poll(() => received.at(-1)).toBe(1000)
    expect(received).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1))
  })

  test('what waits for a busy listener is bounded; beyond it retention may overtake', async () => {
    const { log } = openLog({ topics: [{ match: '>', retention: { maxCount: 5 } }] })
    const { received, release } = await slowTail(log)
    for (let i = 0; i < 40; i++) await log.append(repeated(1000, parseTopic('news')))
    release()
    await expect.poll(() => received.at(-1)).toBe(40_000)
    expect(received.length).toBeLessThanOrEqual(1000 + 16_384 + 5)
    expect(received.slice(-5)).toEqual([39_996, 39_997, 39_998, 39_999, 40_000])
  })

  test('a listener that throws ends its tail, and the fault is not swallowed', async () => {
    const { log } = openLog()
    const fault = new Error('a fault of the listener')
    const listener = { onEpoch: noop, onInterrupted: noop, onResumed: noop }
    await log.tail('head', { ...listener, onEvents: () => Promise.reject(fault) })
    const unhandled = nextUnhandledRejection()
    await log.append([event('news')])
    expect(await unhandled).toBe(fault)
    expect(log.size.tailCount).toBe(0)
  })

  test('an event is handed over before its append has resolved for the caller', async () => {
    const { log } = openLog()
    const received: StoredEvent[] = []
    await log.tail('head', {
      onEvents: (events) => void received.push(...events),
      onEpoch: noop,
      onInterrupted: noop,
      onResumed: noop,
    })
    const positions = await log.append([event('news')])
    expect(received.map(({ position }) => position)).toEqual(positions)
  })
})

/** Takes the place of the runner, which would take an unhandled rejection for a failure. */
function nextUnhandledRejection(): Promise<unknown> {
  const listeners = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  return new Promise((resolve) => {
    process.once('unhandledRejection', (reason) => {
      for (const listener of listeners) process.on('unhandledRejection', listener)
      resolve(reason)
    })
  })
}

function noop(): void {
  return undefined
}

async function storedIn(log: MemoryLog): Promise<readonly StoredEvent[]> {
  const page = await log.read({ ...ALL, after: 'oldest' })
  return page.kind === 'page' ? page.events : []
}

/** A tail that keeps the `seq`s that it was handed, and is busy with the first batch until it is released. */
async function slowTail(log: MemoryLog): Promise<{ received: number[]; release: () => void }> {
  const received: number[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  await log.tail('head', {
    onEvents: (events) => {
      received.push(...events.map(({ position }) => position.seq))
      return promise
    },
    onEpoch: noop,
    onInterrupted: noop,
    onResumed: noop,
  })
  return { received, release: resolve }
}
