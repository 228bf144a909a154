import type { EventSource as OwnEventSource, EventSourceInit } from '@millrace/client'
import type { Answer, SeenRequest } from './script.ts'

export type EventSourceClass = typeof OwnEventSource

/** What was heard of a source, with the state that it was in. */
export interface Note {
  readonly type: string
  readonly state: number
  readonly data?: string
  readonly id?: string
  readonly origin?: string
}

/** The longest that a case waits for anything. Milliseconds. */
const PATIENCE_MS = 10_000

/** One runtime's class and the server that it is tried on. Nothing here needs more than the web's standards. */
export class World {
  readonly EventSource: EventSourceClass
  /** Where the server is. */
  readonly origin: string
  readonly #sources: OwnEventSource[] = []
  #tokens = 0

  constructor(EventSource: EventSourceClass, origin: string) {
    this.EventSource = EventSource
    this.origin = origin
  }

  /** A URL at which the server gives these answers, one after the other. */
  url(...answers: readonly Answer[]): string {
    const token = `${Date.now().toString(36)}${Math.random().toString(36).slice(2)}${this.#tokens++}`
    return `${this.origin}/s/${token}?${encodeURIComponent(JSON.stringify(answers))}`
  }

  /** Connects to a script and writes down what happens; the scripted types are listened to besides the standard's. */
  open(answers: readonly Answer[], init?: EventSourceInit, types: readonly string[] = []): Heard {
    return this.listen(new this.EventSource(this.url(...answers), init), types)
  }

  listen(source: OwnEventSource, types: readonly string[] = []): Heard {
    this.#sources.push(source)
    return new Heard(source, types, this.origin)
  }

  async seen(url: string): Promise<SeenRequest[]> {
    return seenBy(this.origin, url)
  }

  end(): void {
    for (const source of this.#sources) source.close()
  }
}

/** A source and what was heard of it. */
export class Heard {
  readonly source: OwnEventSource
  readonly notes: Note[] = []
  readonly #origin: string

  constructor(source: OwnEventSource, types: readonly string[], origin: string) {
    this.source = source
    this.#origin = origin
    const note = (event: Event): void => {
      const { type } = event
      const { data, lastEventId, origin: from } = event as Partial<MessageEvent<string>>
      const content = data === undefined ? {} : { data, id: lastEventId ?? '', origin: from ?? '' }
      this.notes.push({ type, state: source.readyState, ...content })
    }
    for (const type of new Set(['open', 'message', 'error', ...types])) source.addEventListener(type, note)
  }

  /** `type data` of all events that have data. */
  get texts(): string[] {
    return this.notes.flatMap(({ type, data }) =>
      data === undefined ? [] : [type === 'message' ? data : `${type}:${data}`],
    )
  }

  /** `type state` of all that is no message. */
  get states(): string[] {
    return this.notes.flatMap(({ type, data, state }) => (data === undefined ? [`${type} ${state}`] : []))
  }

  async until(what: string, condition: (heard: Heard) => boolean): Promise<void> {
    await until(() => condition(this), `${what}; heard: ${JSON.stringify(this.notes)}`)
  }

  /** The texts of events, when there are as many. */
  async messages(count: number): Promise<string[]> {
    await this.until(`${count} events`, ({ texts }) => texts.length >= count)
    return this.texts
  }

  async changes(count: number): Promise<string[]> {
    await this.until(`${count} changes`, ({ states }) => states.length >= count)
    return this.states
  }

  async seen(): Promise<SeenRequest[]> {
    return seenBy(this.#origin, this.source.url)
  }

  async requests(count: number): Promise<SeenRequest[]> {
    let seen: SeenRequest[] = []
    await until(async () => (seen = await this.seen()).length >= count, `${count} requests`)
    return seen
  }
}

/** Asks the server which requests came. This is the instrument, and not what is tried: it may fail once and twice. */
async function seenBy(origin: string, url: string): Promise<SeenRequest[]> {
  const token = new URL(url).pathname.split('/')[2] ?? ''
  for (let failures = 0; ; failures++) {
    try {
      return (await (await fetch(`${origin}/seen/${token}`, { cache: 'no-store' })).json()) as SeenRequest[]
    } catch (error) {
      if (failures === 2) throw error
      await pause(100)
    }
  }
}

export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`Waited in vain for ${what}`)
    await pause(5)
  }
}

/** For what must not happen: long enough that it would have. */
export function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs))
}

export function equal(actual: unknown, expected: unknown, what = 'value'): void {
  const [is, shouldBe] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (is !== shouldBe) throw new Error(`The ${what} is ${is}, and should be ${shouldBe}`)
}

/** The name of what the function throws. */
export function thrownBy(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    return (error as Error).name
  }
  return 'nothing'
}
