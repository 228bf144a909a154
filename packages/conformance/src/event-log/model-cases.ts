import assert from 'node:assert/strict'
import type { Position, Selector } from '@millrace/protocol'
import type { EventLog, NewEvent, Page, SnapshotKind, SnapshotOptions, StoredEvent, TopicRule } from '@millrace/server'
import { SeededRandom } from '../seeded-random.ts'
import type { EventLogHandle } from './event-log-setup.ts'
import { selectors, topic, type LogCase, type LogTest } from './log-case.ts'
import { LogModel } from './log-model.ts'
import type { TailRecord } from './tail-record.ts'

const STEP_COUNT = 200
const DEDUPE_WINDOW_MS = 1_000
const TOPICS = ['a', 'b', 'a.x', 'a.y', 'a.x.deep', 'b.x', 's.x', 's.y', '@alice', '@bob'].map(topic)
const SELECTORS = ['a', 'b', 'a.x', 'a.*', 'a.>', '*', '*.x', '>', 's.>', 's.x', '@alice', '@bob', 'nobody', 'nobody.*']
const MATCHES = ['a', 'a.>', 'a.*', '*.x', 'b', '@alice']
const KINDS: readonly SnapshotKind[] = ['log', 'state', 'ended']
const DEDUPE_KEYS = ['one', 'two', 'three', 'four']

/** One run: random steps, each of which must find what the model says. */
class ModelRun {
  readonly #random: SeededRandom
  readonly #handle: EventLogHandle
  readonly #log: EventLog
  readonly #model: LogModel
  /** Whether the log must tell `too_old` exactly, or may tell it too often. */
  readonly #isExact: boolean

  constructor(random: SeededRandom, handle: EventLogHandle, model: LogModel, isExact: boolean) {
    this.#random = random
    this.#handle = handle
    this.#log = handle.log
    this.#model = model
    this.#isExact = isExact
  }

  async step(canAdvanceClock: boolean): Promise<void> {
    const kind = this.#random.integer(1, 10)
    if (kind <= 4) await this.#append()
    else if (kind <= 7) await this.#read(this.#random.pick(this.#model.positions))
    else if (kind === 8) await this.#read('oldest')
    else if (kind === 9) await this.#snapshot()
    else if (canAdvanceClock) await this.#passTime()
    if (this.#isExact) await this.#bounds()
  }

  /** A tail may have been overtaken by retention, and by nothing else. */
  assertTail(record: TailRecord): void {
    const handedOver = new Set(record.seqs)
    const expected = this.#model.events.filter(
      ({ position: { seq } }) => handedOver.has(seq) || !this.#model.isEvicted(seq),
    )
    assert.deepEqual(
      withoutTime(record.events),
      expected,
      'the tail must hand over all that is kept, in order, each once',
    )
  }

  get headSeq(): number {
    return this.#model.head.seq
  }

  async #append(): Promise<void> {
    const given = Array.from({ length: this.#random.integer(0, 6) }, () => this.#newEvent())
    const publisher = this.#random.pick(['', 'somebody'])
    const positions = await this.#log.append(given, publisher === '' ? undefined : { publisher })
    assert.equal(positions.length, given.length)
    for (const [i, position] of positions.entries()) {
      const event = given[i] as NewEvent
      const repeated = this.#model.repeated(event, publisher)
      if (repeated) {
        assert.deepEqual(position, repeated, `the dedupeKey ${event.dedupeKey} was stored before`)
      } else {
        assert.equal(position.seq, this.#model.head.seq + 1)
        this.#model.add(event, publisher, position)
      }
    }
    await this.#settle()
  }

  #newEvent(): NewEvent {
    const random = this.#random
    const data = random.pick(['x', 'é', '€', '😀']).repeat(random.integer(0, 20))
    const name = random.pick(TOPICS)
    return {
      topic: name,
      data,
      ...(random.integer(1, 2) === 1 ? {} : { type: 'tick' }),
      ...(random.integer(1, 3) === 1 ? { key: random.pick(['', 'k', 'é']) } : {}),
      ...(random.integer(1, 5) === 1 ? { end: true } : {}),
      ...(random.integer(1, 4) === 1 ? { dedupeKey: random.pick(DEDUPE_KEYS) } : {}),
    }
  }

  async #passTime(): Promise<void> {
    const ms = this.#random.pick([1, 200, 1000, this.#random.integer(1, 400)])
    await this.#handle.advanceClock?.(ms)
    this.#model.nowMs += ms
    await this.#settle()
  }

  async #settle(): Promise<void> {
    await this.#handle.settle?.()
    this.#model.evict()
  }

  #selectors(): readonly Selector[] | 'all' {
    const random = this.#random
    if (random.integer(1, 6) === 1) return 'all'
    return selectors(...Array.from({ length: random.integer(1, 3) }, () => random.pick(SELECTORS)))
  }

  async #read(after: Position | 'oldest'): Promise<void> {
    const wanted = this.#selectors()
    const query = { maxCount: this.#random.integer(1, 30), maxBytes: this.#random.integer(1, 600) }
    const result = await this.#log.read({ after, selectors: wanted, ...query })
    const from = after === 'oldest' ? this.#model.oldestFor(wanted) : after
    const { isTooOld, matches } = this.#model.expectRead(from, wanted)
    if (result.kind === 'gap') {
      assert.notEqual(after, 'oldest', 'a read from the oldest must not give a gap')
      assert.equal(result.reason, 'too_old')
      assert.ok(isTooOld || !this.#isExact, 'too_old, but no matching event after the position was evicted')
      if (this.#isExact) assert.deepEqual(result.oldest, this.#model.oldestFor(wanted))
      assert.deepEqual(result.head, this.#model.head)
      return
    }
    const isLost = after !== 'oldest' && isTooOld
    assert.ok(!isLost, 'a matching event after the position was evicted, and the read did not say so')
    const oldestReturned =
      after === 'oldest' && !this.#isExact ? (result.events[0]?.position.seq ?? this.headSeq + 1) : 0
    this.#assertPage(
      result,
      from,
      matches.filter(({ position }) => position.seq >= oldestReturned),
    )
    assert.ok(result.events.length <= query.maxCount)
  }

  #assertPage({ events, scannedTo, head }: Page, from: Position, matches: readonly { position: Position }[]): void {
    assert.deepEqual(head, this.#model.head)
    assert.deepEqual(scannedTo, this.#model.positions[scannedTo.seq], 'scannedTo must be a position of the log')
    assert.ok(scannedTo.seq > from.seq || from.seq === head.seq || !this.#isExact, 'a page must move on')
    const expected = matches.filter(({ position }) => position.seq <= scannedTo.seq)
    assert.deepEqual(
      withoutTime(events),
      expected.map((stored) => ({ ...stored, timeMs: 0 })),
    )
  }

  async #snapshot(): Promise<void> {
    const wanted = this.#selectors()
    const of = this.#random.pick(KINDS)
    const limits = this.#random.pick<SnapshotOptions>([{}, { maxCount: this.#random.integer(1, 4) }, { maxBytes: 30 }])
    const events: StoredEvent[] = []
    let cursor: SnapshotOptions['cursor']
    do {
      const page = await this.#log.snapshot(wanted, { of, ...limits, ...(cursor && { cursor }) })
      assert.deepEqual(page.at, this.#model.head)
      if (page.partial && !this.#isExact && of !== 'state') return
      assert.equal(page.partial, false)
      events.push(...page.events)
      const isFurther = !page.next || page.next.afterSeq > (cursor?.afterSeq ?? -1)
      assert.ok(isFurther, 'a page that is not the last must move on')
      cursor = page.next
    } while (cursor)
    assert.deepEqual(withoutTime(events), this.#model.expectSnapshot(of, wanted), `a snapshot of ${of}`)
  }

  async #bounds(): Promise<void> {
    const { oldest, head } = await this.#log.bounds()
    assert.deepEqual({ oldest, head }, { oldest: this.#model.oldest, head: this.#model.head })
  }
}

export const modelCases: readonly LogCase[] = [
  {
    name: 'random appends, reads, snapshots and passing time find what a plain model of the rules finds',
    clause: 'the whole contract; LogGuarantees.exactEviction',
    async body(test) {
      for (let seed = 1; seed <= test.modelRunCount; seed++) await run(test, seed, undefined)
    },
  },
  {
    name: 'a log that forgets topics at random steps still loses nothing in silence',
    clause: 'LogGuarantees.exactEviction: a log that had to forget topics may answer `too_old` for those too',
    needs: ['maxTopics'],
    async body(test) {
      for (let seed = 1; seed <= test.modelRunCount; seed++) await run(test, seed, (seed % 5) + 1)
    },
  },
]

async function run(test: LogTest, seed: number, maxTopics: number | undefined): Promise<void> {
  const random = new SeededRandom(seed)
  const canAdvanceClock = test.exceptions.advanceClock === undefined
  const topics = randomRules(random, canAdvanceClock)
  const handle = await test.open({
    topics,
    dedupeWindowMs: DEDUPE_WINDOW_MS,
    ...(maxTopics === undefined ? {} : { maxTopics }),
  })
  const [record] = await test.tail(handle.log, 'head')
  // A log whose window cannot be chosen has one that is longer than all the time that passes here.
  const windowMs = test.exceptions.dedupeWindow === undefined ? DEDUPE_WINDOW_MS : Infinity
  const model = new LogModel((await handle.log.bounds()).head, topics, windowMs)
  const isExact = maxTopics === undefined && test.guarantees.exactEviction
  const steps = new ModelRun(random, handle, model, isExact)
  let step = 0
  try {
    for (; step < STEP_COUNT; step++) await steps.step(canAdvanceClock)
    await test.soon(record.untilSeq(steps.headSeq), 'the tail to reach the head')
    steps.assertTail(record)
  } catch (error) {
    throw new assert.AssertionError({
      message: `seed ${seed}, step ${step}, rules ${JSON.stringify(topics)}: ${String(error)}`,
    })
  }
}

function randomRules(random: SeededRandom, canAdvanceClock: boolean): TopicRule[] {
  const rules = Array.from({ length: random.integer(0, 3) }, () => random.pick(MATCHES))
  return [...new Set(rules), 's.>', '>'].map((match) => ({
    match,
    kind: match === 's.>' || random.integer(1, 5) === 1 ? 'state' : 'log',
    retention: {
      maxCount: random.pick([false, 1, 3, 10, 30]),
      maxBytes: random.pick([false, 1, 60, 300, 1000]),
      maxAgeMs: canAdvanceClock ? random.pick([false, 1, 200, 1000]) : false,
    },
  }))
}

function withoutTime<T extends object>(events: readonly T[]): T[] {
  return events.map((stored) => ({ ...stored, timeMs: 0 }))
}
