import type { Hub } from '@millrace/server'
import type { FakeNode } from './fake-node.ts'
import type { Ledger } from './ledger.ts'
import { must } from './violation.ts'
import type { Wants } from './wants.ts'
import type { World } from './world.ts'

type Received = Awaited<ReturnType<ReturnType<Hub['subscribe']>['next']>>

interface Run {
  readonly node: FakeNode
  readonly events: ReturnType<Hub['subscribe']>
  readonly leaving: AbortController
  isPulling: boolean
}

/** Reads events inside a node's process, at its own pace, and goes on from the last id on whichever node comes next. */
export class FakeReader {
  readonly name: string
  readonly wants: Wants
  readonly ledger: Ledger
  /** It has left for good. */
  gone = false
  #lastId = ''
  #run: Run | undefined

  constructor(name: string, wants: Wants, ledger: Ledger) {
    this.name = name
    this.wants = wants
    this.ledger = ledger
  }

  get isRunning(): boolean {
    return this.#run !== undefined && !this.#run.node.hasCrashed
  }

  get canPull(): boolean {
    return this.isRunning && this.#run?.isPulling === false
  }

  start(world: World, node: FakeNode): void {
    const { selectors, types, from } = this.wants.request
    const leaving = new AbortController()
    const after = this.#lastId === '' ? undefined : this.#lastId
    world.tell(() => `${this.name} reads on ${node.name} after ${after}`)
    this.ledger.present(this.#lastId)
    this.ledger.values.forget()
    if (!after && from === 'now') this.ledger.startBy(node.tail?.at ?? world.history.head)
    const events = node.hub.subscribe({ topics: selectors, types, from, after, signal: leaving.signal })
    this.#run = { node, events, leaving, isPulling: false }
  }

  pull(world: World): void {
    const run = this.#run
    if (!run) return
    run.isPulling = true
    run.events.next().then(
      (result) => world.fire(() => this.#take(world, run, result)),
      (error: unknown) => {
        if (!run.node.hasCrashed) world.fault(error)
      },
    )
  }

  /** Asks for the end; a pull that waits must end too. */
  leave(world: World): void {
    world.tell(() => `${this.name} leaves`)
    const run = this.#run
    run?.leaving.abort()
    if (run && !run.isPulling) this.#run = undefined
  }

  #take(world: World, run: Run, { done, value }: Received): void {
    if (this.#run !== run || run.node.hasCrashed) return
    run.isPulling = false
    if (done === true) {
      world.tell(() => `${this.name} has ended`)
      must(run.leaving.signal.aborted || run.node.isDraining, '§8', () => `${this.name} was ended for nothing`)
      this.#run = undefined
      return
    }
    world.tell(() => `  ${this.name} gets ${JSON.stringify(value)}`)
    if (value.kind === 'gap') {
      this.ledger.takeGap(value)
      return
    }
    const { id, topic, type, data } = value
    const text = typeof data === 'string' ? data.replaceAll(/\r\n?/g, '\n') : JSON.stringify(data)
    const block = { id: id ?? undefined, topic, type, retryMs: undefined, names: [], byteLength: 0 }
    this.ledger.take({ ...block, data: text }, block.id)
    const end = { topic: undefined, type: 'stream:end', data: JSON.stringify({ topic }) }
    if (value.end) this.ledger.take({ ...block, ...end }, block.id)
    if (id !== null) this.#lastId = id
  }
}
