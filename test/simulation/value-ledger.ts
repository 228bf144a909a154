import type { Position } from '@millrace/protocol'
import type { StoredEvent } from '@millrace/server'
import { contentFault, numberOf } from './event-content.ts'
import type { History, Life } from './history.ts'
import { lastEventOf } from './last-events.ts'
import type { Block } from './reference-parser.ts'
import { must } from './violation.ts'
import { isStateTopic, type Wants } from './wants.ts'

/** §11.5: what one reader was told of the values of state topics. */
export class ValueLedger {
  readonly #history: History
  #wants: Wants
  /** The last value of each key that was delivered. */
  readonly #last = new Map<string, StoredEvent>()
  /** By topic, the value that was said to be its last. */
  readonly #ends = new Map<string, number>()
  /** The value that arrived last. */
  newest: StoredEvent | undefined

  constructor(history: History, wants: Wants) {
    this.#history = history
    this.#wants = wants
  }

  changeWants(wants: Wants): void {
    this.#wants = wants
  }

  /** A new stream begins. It may be one of a node that lags behind the one before. */
  forget(): void {
    this.#last.clear()
    this.#ends.clear()
  }

  /** A value arrives, with an id or without. */
  take(block: Block, id: string | undefined): StoredEvent {
    const { request, selectsAny, accepts } = this.#wants
    const number = numberOf(block, request, 'value')
    must(number !== undefined, '§11.5', () => `a value of ${block.topic} is ${block.data}`)
    const event = this.#find(number)
    must(event !== undefined, '§11.5', () => `${block.topic} never had the value ${number}`)
    const fault = contentFault(block, id ?? null, event, request)
    must(fault === undefined, '§4', () => `the value ${number} ${fault}`)
    must(selectsAny(event.topic) && accepts(event), 'S2', () => `the value ${number} of ${event.topic} was not wanted`)
    const key = keyOf(event)
    const before = this.#last.get(key)
    const present = before && this.#find(numberIn(before))
    const isBack =
      present && present.position.epoch === event.position.epoch && event.position.seq < present.position.seq
    must(!isBack, '§11.5', () => `${key} goes back to ${event.position.seq} from ${present?.position.seq}`)
    this.#last.set(key, event)
    this.newest = event
    return event
  }

  /** A topic is said to be finished by one of these, where the reader has everything up to `at`. */
  takeEnd(candidates: readonly (StoredEvent | undefined)[], at: Position | undefined): void {
    const ends = candidates.filter((event) => event !== undefined)
    const seqOf = (event: StoredEvent): number => this.#find(numberIn(event))?.position.seq ?? 0
    ends.sort((one, other) => seqOf(one) - seqOf(other))
    const end = ends.findLast((event) => this.#mayBeLast(event, at))
    must(end !== undefined, '§8', () => `${ends[0]?.topic} is said to be finished, but it is not at ${at?.seq}`)
    this.#ends.set(end.topic, numberIn(end))
  }

  #mayBeLast(event: StoredEvent, at: Position | undefined): boolean {
    const present = this.#find(numberIn(event)) ?? event
    const life = at && this.#history.lifeOf(at.epoch)
    const isThere = life && present.position.epoch === at.epoch && present.position.seq <= at.seq
    return !isThere || lastEventOf(life, event.topic, at.seq)?.event === present
  }

  /** A topic whose end the reader should have been told of, and was not. */
  get firstOwedEnd(): string | undefined {
    const { life } = this.#history
    for (const topic of new Set([...newestValues(life).values()].map((event) => event.topic))) {
      const last = lastEventOf(life, topic, life.headSeq)?.event
      if (last && this.#wants.owesEnd(last) && this.#ends.get(topic) !== numberIn(last)) return topic
    }
    return undefined
  }

  /** The newest value of a key that is owed and is not the last that was delivered. */
  get firstOwed(): StoredEvent | undefined {
    const { selectsAny, accepts } = this.#wants
    for (const event of newestValues(this.#history.life).values()) {
      if (!selectsAny(event.topic) || !accepts(event)) continue
      const last = this.#last.get(keyOf(event))
      if (!last || numberIn(last) !== numberIn(event)) return event
    }
    return undefined
  }

  /** As the present life of the log has it, or else the newest life that does. */
  #find(number: number): StoredEvent | undefined {
    for (const life of this.#history.lives.toReversed()) {
      const event = this.#history.valueOf(life, number)
      if (event) return event
    }
    return undefined
  }
}

function newestValues(life: Life): Map<string, StoredEvent> {
  const newest = new Map<string, StoredEvent>()
  for (const { event } of life.entries.values()) if (isStateTopic(event.topic)) newest.set(keyOf(event), event)
  return newest
}

export function keyOf({ topic, key = '' }: StoredEvent): string {
  return `${topic} ${key}`
}

function numberIn(event: StoredEvent): number {
  return (JSON.parse(event.data) as { value: number }).value
}
