import assert from 'node:assert/strict'
import { parseSelector, parseTopic, type Position, type Selector, type Topic } from '@millrace/protocol'
import {
  LogError,
  type EventLog,
  type LogErrorCode,
  type LogGuarantees,
  type NewEvent,
  type Page,
  type ReadQuery,
  type StoredEvent,
  type Tail,
} from '@millrace/server'
import { soon } from '../soon.ts'
import type { EventLogFeature, EventLogHandle, EventLogOptions, EventLogSetup } from './event-log-setup.ts'
import { TailRecord } from './tail-record.ts'

/** A case before it knows the log that it is for. */
export interface LogCase {
  readonly name: string
  readonly clause: string
  /** Features that it cannot do without. */
  readonly needs?: readonly EventLogFeature[]
  /** The guarantee without which the clause does not hold. */
  readonly guarantee?: keyof LogGuarantees
  body(test: LogTest): Promise<void>
}

/** More than any case stores. */
export const NO_LIMIT: Pick<ReadQuery, 'maxCount' | 'maxBytes'> = { maxCount: 1_000_000, maxBytes: 1e12 }

/** What a case works with; it closes what was opened. */
export class LogTest {
  readonly guarantees: LogGuarantees
  readonly exceptions: NonNullable<EventLogSetup['exceptions']>
  readonly modelRunCount: number
  readonly #create: EventLogSetup['create']
  readonly #timeoutMs: number
  readonly #logs: EventLog[] = []

  constructor(setup: EventLogSetup & { readonly timeoutMs: number; readonly modelRunCount: number }) {
    this.guarantees = setup.guarantees
    this.exceptions = setup.exceptions ?? {}
    this.modelRunCount = setup.modelRunCount
    this.#create = (options) => setup.create(options)
    this.#timeoutMs = setup.timeoutMs
  }

  async open(options: EventLogOptions = {}): Promise<EventLogHandle> {
    const handle = await this.#create(options)
    this.#logs.push(handle.log)
    return handle
  }

  /** A log that holds the events already; returns their positions, seq 0 first, so that the index is the `seq`. */
  async openWith(
    events: readonly NewEvent[],
    options: EventLogOptions = {},
  ): Promise<{ handle: EventLogHandle; log: EventLog; positions: readonly Position[] }> {
    const handle = await this.open(options)
    const { log } = handle
    const { head } = await log.bounds()
    const positions = events.length > 0 ? await log.append(events) : []
    await handle.settle?.()
    return { handle, log, positions: [head, ...positions] }
  }

  async tail(
    log: EventLog,
    after: Position | 'head',
    record: TailRecord = new TailRecord(),
  ): Promise<[TailRecord, Tail]> {
    return [record, await this.soon(log.tail(after, record), 'tail() to resolve')]
  }

  /** The promise, or an error when it takes too long. */
  soon<T>(promise: Promise<T>, what: string): Promise<T> {
    return soon(promise, this.#timeoutMs, what)
  }

  /** Lets everything that is under way come to an end: what another tail gets, this log's others had their turn for. */
  async witness(log: EventLog, after: Position): Promise<void> {
    const { head } = await log.bounds()
    const [record, tail] = await this.tail(log, after)
    await this.soon(record.untilSeq(head.seq), 'a second tail to reach the head')
    await tail.close()
  }

  async closeAll(): Promise<void> {
    await this.soon(Promise.all(this.#logs.map((log) => log.close())), 'close() to resolve')
  }
}

export function topic(name: string): Topic {
  return parseTopic(name)
}

export function selectors(...names: string[]): readonly Selector[] {
  return names.map((name) => parseSelector(name))
}

export function event(name: string, data: string = `of ${name}`): NewEvent {
  return { topic: topic(name), data }
}

/** Events of one topic whose data is their number, from 1 on. */
export function numbered(count: number, name: string = 'news'): NewEvent[] {
  const shared = topic(name)
  return Array.from({ length: count }, (_, i) => ({ topic: shared, data: `${i + 1}` }))
}

export function seqsOf(events: readonly StoredEvent[]): number[] {
  return events.map((stored) => stored.position.seq)
}

/** The integers from `first` to `last`. */
export function range(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i)
}

/** The position with this `seq`, in a list that begins with seq 0. */
export function at(positions: readonly Position[], seq: number): Position {
  const position = positions[seq]
  assert.ok(position, `the case has no position ${seq}`)
  return position
}

/** Reads a page, and says so if it is a gap. */
export async function readPage(log: EventLog, query: Partial<ReadQuery>): Promise<Page> {
  const page = await log.read({ after: 'oldest', selectors: 'all', ...NO_LIMIT, ...query })
  assert.equal(page.kind, 'page', `a read after ${shown(query.after)} must not be the gap ${JSON.stringify(page)}`)
  assert.ok(page.kind === 'page')
  return page
}

/** Reads on to the head, page by page, and checks that each page moves on. */
export async function readAll(log: EventLog, query: Partial<ReadQuery> = {}): Promise<StoredEvent[]> {
  const events: StoredEvent[] = []
  let after = query.after ?? 'oldest'
  for (;;) {
    const page = await readPage(log, { ...query, after })
    events.push(...page.events)
    if (page.scannedTo.seq === page.head.seq) return events
    const isFurther = after === 'oldest' || page.scannedTo.seq > after.seq
    assert.ok(isFurther, `a page before the head must move on from ${shown(after)}, not to ${shown(page.scannedTo)}`)
    after = page.scannedTo
  }
}

/** Asserts that a read is refused for this reason. */
export async function assertGap(log: EventLog, reason: string, query: Partial<ReadQuery>): Promise<void> {
  const result = await log.read({ after: 'oldest', selectors: 'all', ...NO_LIMIT, ...query })
  const found = result.kind === 'gap' ? result.reason : `a page of ${result.events.length} events`
  assert.equal(found, reason, `a read after ${shown(query.after)} for ${JSON.stringify(query.selectors ?? 'all')}`)
}

export async function assertRejects(
  promise: Promise<unknown>,
  code: LogErrorCode,
  { passes }: { readonly passes?: boolean } = {},
): Promise<void> {
  await assert.rejects(promise, (error: unknown) => {
    assert.ok(error instanceof LogError, `it must reject with a LogError, not ${String(error)}`)
    assert.equal(error.code, code, error.message)
    if (passes !== undefined) assert.equal(error.passes, passes, `whether it passes: ${error.message}`)
    return true
  })
}

function shown(position: Position | 'oldest' | undefined): string {
  return typeof position === 'object' ? `${position.epoch}-${position.seq}-${position.check}` : (position ?? 'oldest')
}
