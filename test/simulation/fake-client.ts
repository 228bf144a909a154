import { EventStreamParser, formatEventId, type ParsedEvent, type Position } from '@millrace/protocol'
import type { Ledger } from './ledger.ts'
import { ReferenceParser, type Block } from './reference-parser.ts'
import { must } from './violation.ts'
import type { Wants } from './wants.ts'

/** Chromium keeps the id of a block without data, Firefox does not (tried). */
export type Browser = 'chromium' | 'firefox'

/** A reader that comes back with the id that its browser kept, over any number of connections. */
export class FakeClient {
  readonly name: string
  readonly browser: Browser
  wants: Wants
  readonly ledger: Ledger
  lastEventId = ''
  /** The head of the log when it took an id that no stream gave it. */
  headAtForging: Position | undefined
  /** Refused: not to come again before this time. Milliseconds. */
  notBeforeMs = 0
  /** It changes its topics now and then; what it is owed is then held against its streams, each by itself. */
  readonly changes: boolean
  revision = 0
  /** It has left for good. */
  gone = false
  /** All its topics are finished, and it was told not to come again. */
  isDone = false
  #reference = new ReferenceParser()
  #parser: EventStreamParser | undefined
  #parsed: ParsedEvent[] = []

  constructor(name: string, browser: Browser, wants: Wants, ledger: Ledger, changes: boolean) {
    this.changes = changes
    this.name = name
    this.browser = browser
    this.wants = wants
    this.ledger = ledger
  }

  /** A new response begins: what was left of the last one is discarded, the id stays. */
  beginStream(): void {
    this.#reference = new ReferenceParser()
    this.#parsed = []
    this.#parser = new EventStreamParser({
      onEvent: (event) => {
        this.#parsed.push(event)
      },
    })
    if (this.changes) return
    this.ledger.values.forget()
    this.ledger.onCut()
    // Who is cut in the middle of a snapshot has nothing but the id that it came with.
    const isLost = this.lastEventId === '' || this.ledger.isInSnapshot
    if (isLost) this.ledger.present(this.lastEventId, this.headAtForging)
  }

  /** Takes an id that it did not get on its last stream: an old one, somebody else's, or rubbish. */
  takeForgedId(id: string, head: Position): void {
    this.ledger.onForged()
    this.lastEventId = id
    this.headAtForging = head
    this.ledger.present(id)
  }

  feed(bytes: Uint8Array): void {
    this.#parser?.push(bytes)
    for (const block of this.#reference.push(bytes)) this.#takeBlock(block)
    must(this.#parsed.length === 0, 'parser', () => 'the parser of the protocol package sees an event more')
  }

  #takeBlock(block: Block): void {
    if (block.data !== undefined) this.#compareParsers(block)
    const id = this.browser === 'chromium' || block.data !== undefined ? block.id : undefined
    if (id !== undefined) this.lastEventId = id
    if (this.changes) return
    this.ledger.take(block, id)
    const { position } = this.ledger
    if (position) must(formatEventId(position) === this.lastEventId, 'oracle', () => `${this.lastEventId} is held`)
  }

  #compareParsers(block: Block): void {
    const event = this.#parsed.shift()
    must(
      event?.data === block.data && event?.type === (block.type || 'message') && event?.topic === block.topic,
      'parser',
      () =>
        `the parser of the protocol package reads ${JSON.stringify(event)}, the standard says ${JSON.stringify(block)}`,
    )
  }
}
