import { inspect, isDeepStrictEqual } from 'node:util'
import { ExpectationError, TestingError } from '../testing-error.ts'
import { countOf } from './count-of.ts'
import { readSource, type EventSourceInput } from './event-source.ts'
import { describeEvent, describeExpected, matchesEvent } from './match-event.ts'
import type { ExpectedEvent, ReceivedEvent, SourceEvent } from './received-event.ts'

const MAX_EVENTS = 100_000
const CONTROL_PREFIX = 'stream:'

export interface CollectOptions {
  /** What to listen for on an `EventSource`, besides `message`: it cannot listen for everything. @default [] */
  readonly types?: readonly string[] | undefined
}

export interface ExpectOptions {
  /** The most that the events may take together. Milliseconds, 1 or more. @default 5000 */
  readonly withinMs?: number | undefined
  /**
   * How long nothing more may come after the last one: a second copy of it is found only by waiting. Milliseconds.
   *
   * @default false: returns with the last one
   */
  readonly quietMs?: number | false | undefined
  /**
   * Events that do not count.
   *
   * @default those whose type starts with `stream:`, unless one with such a type is expected
   */
  readonly ignore?: ((event: ReceivedEvent) => boolean) | undefined
}

/**
 * The events of one source, from the call of {@link collectEvents} on.
 *
 * Order: as they came. Each event is looked at by one expectation: the next goes on where the last one stopped.
 * Limits: it keeps 100,000 events; then the source is closed, and expectations say so.
 * Ending: `close()` may be called twice.
 */
export interface EventCollector {
  /** All that came so far. */
  readonly events: readonly ReceivedEvent[]
  /**
   * Waits until exactly these events have come, in this order and each once, and returns them. The first event that is none
   * of it ends the wait, as do the end of the source and the time.
   *
   * @throws ExpectationError that shows what came and what did not
   */
  expect(expected: readonly ExpectedEvent[], options?: ExpectOptions): Promise<readonly ReceivedEvent[]>
  close(): void
  [Symbol.dispose](): void
}

/** Starts to collect. Whoever starts it closes it. */
export function collectEvents(source: EventSourceInput, { types = [] }: CollectOptions = {}): EventCollector {
  return new SourceCollector(source, ['message', ...types])
}

type Verdict = 'missing' | 'unexpected' | 'extra'

class SourceCollector implements EventCollector {
  readonly events: ReceivedEvent[] = []
  readonly #stop = new AbortController()
  #nextIndex = 0
  #end: { readonly error: unknown } | undefined
  #wake: () => void = () => {}

  constructor(source: EventSourceInput, types: readonly string[]) {
    const handlers = {
      onEvent: (event: SourceEvent) => this.#take(event),
      onEnd: (error?: unknown) => this.#finish(error),
    }
    readSource(source, types, handlers, this.#stop.signal)
  }

  async expect(expected: readonly ExpectedEvent[], options: ExpectOptions = {}): Promise<readonly ReceivedEvent[]> {
    const { withinMs = 5_000, quietMs = false, ignore = ignoreControl(expected) } = options
    needMs('withinMs', withinMs)
    const run = new Expectation(expected, withinMs)
    const endMs = performance.now() + withinMs
    for (const one of expected) {
      const event = await this.#next(endMs, ignore)
      if (event === undefined) throw run.fault('missing', this.#describeEnd())
      run.came.push(event)
      if (!matchesEvent(one, event)) throw run.fault('unexpected')
    }
    if (quietMs !== false) {
      needMs('quietMs', quietMs)
      const extra = await this.#next(performance.now() + quietMs, ignore)
      if (extra !== undefined) {
        run.came.push(extra)
        throw run.fault('extra')
      }
    }
    return run.came
  }

  close(): void {
    this.#stop.abort()
    this.#finish()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #take(event: SourceEvent): void {
    if (this.#end !== undefined) return
    this.events.push({ ...event, atMs: performance.now() })
    if (this.events.length < MAX_EVENTS) return this.#wake()
    this.#finish(new TestingError('too_many_events', `${MAX_EVENTS} events came; no more are kept.`))
    this.#stop.abort()
  }

  #finish(error?: unknown): void {
    this.#end ??= { error }
    this.#wake()
  }

  /** Undefined when none comes in time, or ever. */
  async #next(endMs: number, ignore: (event: ReceivedEvent) => boolean): Promise<ReceivedEvent | undefined> {
    for (;;) {
      const event = this.events[this.#nextIndex]
      if (event === undefined) {
        if (this.#end !== undefined || !(await this.#more(endMs))) return undefined
        continue
      }
      this.#nextIndex++
      if (!ignore(event)) return event
    }
  }

  /** False when the time is over. */
  #more(endMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), Math.max(0, endMs - performance.now()))
      this.#wake = () => {
        clearTimeout(timer)
        resolve(true)
      }
    })
  }

  #describeEnd(): { readonly text: string; readonly error?: unknown } | undefined {
    if (this.#end === undefined) return undefined
    const { error } = this.#end
    if (error === undefined) return { text: 'The source has ended.' }
    return { text: `The source failed: ${error instanceof Error ? error.message : inspect(error)}`, error }
  }
}

/** One run of an expectation, and how it is told. */
class Expectation {
  readonly came: ReceivedEvent[] = []
  readonly #expected: readonly ExpectedEvent[]
  readonly #withinMs: number

  constructor(expected: readonly ExpectedEvent[], withinMs: number) {
    this.#expected = expected
    this.#withinMs = withinMs
  }

  fault(verdict: Verdict, end?: { readonly text: string; readonly error?: unknown }): ExpectationError {
    const lines = [this.#summary(verdict, end?.text)]
    for (const [i, event] of this.came.entries()) {
      const isWrong = verdict !== 'missing' && i === this.came.length - 1
      lines.push(
        `  ${isWrong ? '✗' : '✓'} ${i + 1}. came     ${describeEvent(event)}${isWrong ? this.#classify(event) : ''}`,
      )
      const expected = isWrong ? this.#expected[i] : undefined
      if (expected !== undefined) lines.push(`    ${i + 1}. expected ${describeExpected(expected)}`)
    }
    const owed = this.#expected.slice(this.came.length)
    for (const [i, one] of owed.entries())
      lines.push(`  – ${this.came.length + i + 1}. missing  ${describeExpected(one)}`)
    return new ExpectationError(lines.join('\n'), {
      actual: this.came.map(({ type, id, topic, data }) => ({ type, id, topic, data })),
      expected: this.#expected,
      ...(end?.error === undefined ? {} : { cause: end.error }),
    })
  }

  #summary(verdict: Verdict, end: string | undefined): string {
    const count = this.#expected.length
    if (verdict === 'extra') return `Expected ${countOf(count, 'event')} and nothing more, but another came:`
    if (verdict === 'unexpected')
      return `Expected ${countOf(count, 'event')}; number ${this.came.length} is another one:`
    const why = end ?? `${this.#withinMs} ms are over.`
    return `Expected ${countOf(count, 'event')}; ${this.came.length} came. ${why}`
  }

  /** What kind of fault an event is that was not expected here. */
  #classify(event: ReceivedEvent): string {
    const earlier = this.came.slice(0, -1).findIndex((other) => isSame(other, event))
    if (earlier !== -1) return ` (a second time: it was number ${earlier + 1})`
    const later = this.#expected.findIndex((one, i) => i >= this.came.length && matchesEvent(one, event))
    return later === -1 ? '' : ` (too early: it is number ${later + 1} of the expected ones)`
  }
}

function isSame(one: ReceivedEvent, other: ReceivedEvent): boolean {
  return (
    one.id === other.id &&
    one.type === other.type &&
    one.topic === other.topic &&
    isDeepStrictEqual(one.data, other.data)
  )
}

function ignoreControl(expected: readonly ExpectedEvent[]): (event: ReceivedEvent) => boolean {
  const wanted = expected.some((one) => typeof one !== 'function' && String(one.type ?? '').includes(CONTROL_PREFIX))
  return ({ type }) => !wanted && type.startsWith(CONTROL_PREFIX)
}

function needMs(name: string, ms: number): void {
  if (Number.isFinite(ms) && ms >= 1) return
  throw new TestingError('invalid_option', `${name} is ${ms}: give milliseconds, 1 or more.`)
}
