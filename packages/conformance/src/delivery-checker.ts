import {
  matchesSelector,
  parseEventId,
  parseSelector,
  parseTopic,
  type Position,
  type Selector,
} from '@millrace/protocol'

/** An event as a publisher or a client saw it. */
export interface SeenEvent {
  readonly id: string
  readonly topic: string
  readonly data: string
}

/** A client whose deliveries are checked. */
export interface CheckedClient {
  /** Used in what is said of it. */
  readonly name: string
  /** Topics and patterns. */
  readonly topics: readonly string[]
  /** It is owed what comes after this id. */
  readonly after: string
}

export interface DeliveryCheckerOptions {
  /**
   * What an event and its repetition have in common, such as a number in its data: two ids of the same are a fault.
   * @default events are not compared
   */
  readonly identityOf?: (event: SeenEvent) => string
}

/**
 * - `missing`: an event that is owed was not received, and no gap was told for it.
 * - `doubled`: an event was received more than once.
 * - `out_of_order`: an event was received after a later one.
 * - `unwanted`: an event was received that the client has not asked for, or that came before its start.
 * - `changed`: an event is not the same for all who saw it, or its id is not an id.
 * - `stored_twice`: one publication has two ids.
 */
export type DeliveryFaultKind = 'missing' | 'doubled' | 'out_of_order' | 'unwanted' | 'changed' | 'stored_twice'

export interface DeliveryFault {
  readonly kind: DeliveryFaultKind
  /** What is wrong, in one sentence. */
  readonly sentence: string
}

/** A place in the stream of one client. */
type Receipt = { readonly kind: 'event'; readonly event: SeenEvent } | { readonly kind: 'gap'; readonly until: string }

/** Notes what one client is told. To be called in the order of its streams, one after the other. */
export class DeliveryRecord {
  readonly client: CheckedClient
  readonly receipts: Receipt[] = []

  constructor(client: CheckedClient) {
    this.client = client
  }

  onEvent(event: SeenEvent): void {
    this.receipts.push({ kind: 'event', event })
  }

  /** The client was told that it may lack events up to this id: the `id` of `stream:sync-required`. */
  onGap(until: string): void {
    this.receipts.push({ kind: 'gap', until })
  }
}

interface KnownEvent {
  readonly event: SeenEvent
  readonly position: Position
  readonly isAcknowledged: boolean
}

/**
 * Judges a history of publishing and receiving: every acknowledged event exactly once, in order, for each client that
 * asked for it. An event that anybody received is owed to all, even when its publisher never had an answer. Knows
 * nothing of how the events got there, so that it judges any hub that has event ids.
 */
export class DeliveryChecker {
  readonly #identityOf: ((event: SeenEvent) => string) | undefined
  readonly #acknowledged: SeenEvent[] = []
  readonly #records: DeliveryRecord[] = []

  constructor({ identityOf }: DeliveryCheckerOptions = {}) {
    this.#identityOf = identityOf
  }

  /** A publisher was answered with the id of its event. A repetition may be noted again. */
  acknowledge(event: SeenEvent): void {
    this.#acknowledged.push(event)
  }

  /** Adds a client. @throws ProtocolError for what is no topic or pattern */
  client(client: CheckedClient): DeliveryRecord {
    for (const topic of client.topics) parseSelector(topic)
    const record = new DeliveryRecord(client)
    this.#records.push(record)
    return record
  }

  get acknowledgedCount(): number {
    return new Set(this.#acknowledged.map(({ id }) => id)).size
  }

  get receivedCount(): number {
    let count = 0
    for (const { receipts } of this.#records) for (const { kind } of receipts) if (kind === 'event') count++
    return count
  }

  /** Everything that is wrong when all clients have had the time to receive all. */
  faults(): DeliveryFault[] {
    const faults: DeliveryFault[] = []
    const known = this.#knownEvents(faults)
    this.#findStoredTwice(known, faults)
    const inOrder = [...known.values()].sort((one, other) => one.position.seq - other.position.seq)
    for (const record of this.#records) checkClient(record, inOrder, faults)
    return faults
  }

  /** All events by id, as whoever saw them first did. */
  #knownEvents(faults: DeliveryFault[]): Map<string, KnownEvent> {
    const known = new Map<string, KnownEvent>()
    const note = (event: SeenEvent, by: string, isAcknowledged: boolean): void => {
      const position = parseEventId(event.id)
      const before = known.get(event.id)
      if (!position) {
        faults.push({ kind: 'changed', sentence: `${by} has ${shown(event)}, whose id is not an event id.` })
      } else if (!before) {
        known.set(event.id, { event, position, isAcknowledged })
      } else if (before.event.topic !== event.topic || before.event.data !== event.data) {
        faults.push({
          kind: 'changed',
          sentence: `${by} has ${shown(event)}, which elsewhere is ${shown(before.event)}.`,
        })
      }
    }
    for (const event of this.#acknowledged) note(event, 'A publisher', true)
    for (const { client, receipts } of this.#records) {
      for (const receipt of receipts) if (receipt.kind === 'event') note(receipt.event, nameOf(client), false)
    }
    return known
  }

  #findStoredTwice(known: ReadonlyMap<string, KnownEvent>, faults: DeliveryFault[]): void {
    if (!this.#identityOf) return
    const first = new Map<string, SeenEvent>()
    for (const { event } of known.values()) {
      const identity = this.#identityOf(event)
      const other = first.get(identity)
      if (!other) first.set(identity, event)
      else
        faults.push({
          kind: 'stored_twice',
          sentence: `${identity} is stored twice: as ${other.id} and as ${event.id}.`,
        })
    }
  }
}

/** Goes through what a client was told, and then through what it should have been. */
function checkClient(
  { client, receipts }: DeliveryRecord,
  inOrder: readonly KnownEvent[],
  faults: DeliveryFault[],
): void {
  const start = parseEventId(client.after)
  if (!start) {
    faults.push({
      kind: 'changed',
      sentence: `${nameOf(client)} starts after "${client.after}", which is not an event id.`,
    })
    return
  }
  const say = (kind: DeliveryFaultKind, sentence: string): void => {
    faults.push({ kind, sentence: `${nameOf(client)} ${sentence}.` })
  }
  const selectors = client.topics.map((name) => parseSelector(name))
  const received = new Set<string>()
  const excused = new Set<string>()
  /** By epoch: it is owed what comes after this `seq`. */
  const owedAfter = new Map([[start.epoch, start.seq]])
  let last: Position = start
  for (const receipt of receipts) {
    const position = parseEventId(receipt.kind === 'gap' ? receipt.until : receipt.event.id)
    if (!position) continue
    if (receipt.kind === 'gap') {
      for (const one of inOrder) if (isBetween(one.position, last, position)) excused.add(one.event.id)
      if (!owedAfter.has(position.epoch)) owedAfter.set(position.epoch, position.seq)
      last = position
      continue
    }
    const { event } = receipt
    if (received.has(event.id)) say('doubled', `got ${shown(event)} more than once`)
    else if (!isWanted(event, selectors)) say('unwanted', `got ${shown(event)}, which it has not asked for`)
    else if (isEarlier(position, start))
      say('unwanted', `got ${shown(event)}, which came before its start (${client.after})`)
    else if (isEarlier(position, last)) say('out_of_order', `got ${shown(event)} after seq ${last.seq}`)
    else last = position
    received.add(event.id)
  }
  for (const { event, position, isAcknowledged } of inOrder) {
    if (received.has(event.id) || excused.has(event.id)) continue
    if (position.seq <= (owedAfter.get(position.epoch) ?? Infinity) || !isWanted(event, selectors)) continue
    say('missing', `lacks ${shown(event)}, which ${isAcknowledged ? 'was acknowledged' : 'others have'}`)
  }
}

/** Whether it is of the same epoch and not after the other. */
function isEarlier(position: Position, other: Position): boolean {
  return position.epoch === other.epoch && position.seq <= other.seq
}

/** A gap excuses what lies between, and everything of the epoch that it leaves behind. */
function isBetween(position: Position, after: Position, until: Position): boolean {
  if (after.epoch !== until.epoch)
    return position.epoch === after.epoch ? position.seq > after.seq : isEarlier(position, until)
  return position.epoch === after.epoch && position.seq > after.seq && position.seq <= until.seq
}

function isWanted(event: SeenEvent, selectors: readonly Selector[]): boolean {
  return selectors.some((selector) => matchesSelector(selector, parseTopic(event.topic)))
}

function nameOf({ name, topics }: CheckedClient): string {
  return `${name} (${topics.join(', ')})`
}

function shown({ id, topic, data }: SeenEvent): string {
  return `${id} on ${topic} (${JSON.stringify(data.length > 60 ? `${data.slice(0, 60)}…` : data)})`
}
