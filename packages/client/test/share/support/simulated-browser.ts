import type { Clock } from '../../../src/clock.ts'
import type { FetchInit } from '../../../src/attempt/read-event-stream.ts'
import type { TabMessage } from '../../../src/share/tab-message.ts'
import type { TabChannel, Tabs } from '../../../src/share/tabs.ts'
import type { ReferenceHub } from '../../stream/support/reference-hub.ts'
import type { TestClock } from '../../stream/support/test-clock.ts'

interface LockRequest {
  readonly tab: SimulatedTab
  readonly onHeld: () => void
  readonly onLost: () => void
  isOver: boolean
}

/** The tabs of one origin, with the locks and channels of a browser: what a tab does that is frozen waits, or is lost. */
export class SimulatedBrowser {
  readonly clock: TestClock
  readonly hub: ReferenceHub
  readonly fraction: () => number
  readonly #locks = new Map<string, LockRequest[]>()
  readonly #channels = new Set<{
    tab: SimulatedTab
    name: string
    onMessage: (message: TabMessage) => void
    dueMs: number
  }>()

  constructor(clock: TestClock, hub: ReferenceHub, fraction: () => number) {
    this.clock = clock
    this.hub = hub
    this.fraction = fraction
  }

  get channelCount(): number {
    return this.#channels.size
  }

  /** Locks that are held or waited for. */
  get lockCount(): number {
    return [...this.#locks.values()].flat().length
  }

  openTab(): SimulatedTab {
    return new SimulatedTab(this)
  }

  request(name: string, isSteal: boolean, request: LockRequest): () => void {
    const queue = this.#locks.get(name) ?? []
    this.#locks.set(name, queue)
    if (isSteal) {
      const [holder] = queue.splice(0, 1)
      if (holder) {
        holder.isOver = true
        holder.tab.do(holder.onLost)
      }
      queue.unshift(request)
      this.#grant(request)
    } else if (queue.push(request) === 1) this.#grant(request)
    return () => {
      request.isOver = true
      const at = queue.indexOf(request)
      if (at < 0) return
      queue.splice(at, 1)
      if (at === 0 && queue[0]) this.#grant(queue[0])
    }
  }

  join(tab: SimulatedTab, name: string, onMessage: (message: TabMessage) => void): TabChannel {
    const own = { tab, name, onMessage, dueMs: 0 }
    this.#channels.add(own)
    return {
      post: (message) => {
        if (tab.isDead) return
        for (const other of this.#channels) {
          if (other === own || other.name !== name || other.tab.losesMessages) continue
          // In order, each receiver at its own pace.
          other.dueMs = Math.max(other.dueMs, this.clock.now() + Math.floor(this.fraction() * 20))
          const copy = structuredClone(message)
          this.clock.after(other.dueMs - this.clock.now(), () =>
            other.tab.do(() => {
              if (this.#channels.has(other)) other.onMessage(copy)
            }),
          )
        }
      },
      close: () => this.#channels.delete(own),
    }
  }

  forget(tab: SimulatedTab): void {
    for (const channel of this.#channels) if (channel.tab === tab) this.#channels.delete(channel)
    for (const queue of this.#locks.values()) {
      const holder = queue[0]
      queue.splice(0, Infinity, ...queue.filter((request) => request.tab !== tab))
      if (queue[0] && queue[0] !== holder) this.#grant(queue[0])
    }
  }

  #grant(request: LockRequest): void {
    this.clock.after(0, () =>
      request.tab.do(() => {
        if (!request.isOver) request.onHeld()
      }),
    )
  }
}

/** One tab: its clock, its network, and what it has of the others. */
export class SimulatedTab implements Tabs {
  readonly #browser: SimulatedBrowser
  readonly #connections = new AbortController()
  #isFrozen = false
  #waiting: (() => void)[] = []
  #suspend: (() => void) | undefined
  #resume: (() => void) | undefined
  isDead = false
  losesMessages = false

  constructor(browser: SimulatedBrowser) {
    this.#browser = browser
  }

  get isFrozen(): boolean {
    return this.#isFrozen
  }

  /** The page stops to run. @param isTold whether it is told before */
  freeze(isTold: boolean, losesMessages: boolean): void {
    if (isTold) this.#suspend?.()
    this.#isFrozen = true
    this.losesMessages = losesMessages
  }

  thaw(): void {
    this.#isFrozen = this.losesMessages = false
    for (const act of this.#waiting.splice(0)) this.do(act)
    this.#resume?.()
  }

  /** Ends it as a crash does. */
  crash(): void {
    this.isDead = true
    this.#waiting = []
    this.#connections.abort(new Error('crashed'))
    this.#browser.forget(this)
  }

  do(act: () => void): void {
    if (this.isDead) return
    if (this.#isFrozen) this.#waiting.push(act)
    else act()
  }

  readonly clock: Clock = {
    now: () => this.#browser.clock.now(),
    after: (delayMs, callback) => {
      let isOver = false
      const cancel = this.#browser.clock.after(delayMs, () =>
        this.do(() => {
          if (!isOver) callback()
        }),
      )
      return () => {
        isOver = true
        cancel()
      }
    },
  }

  readonly fetch = async (input: string, init: FetchInit): Promise<Response> => {
    const signal = AbortSignal.any([init.signal, this.#connections.signal])
    const response = await this.#browser.hub.fetch(input, { ...init, signal })
    await this.#awake()
    if (!response.body) return response
    const reader = response.body.getReader()
    const body = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        const { done, value } = await reader.read()
        await this.#awake()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: (reason) => reader.cancel(reason),
    })
    return new Response(body, { status: response.status, headers: response.headers })
  }

  lock(name: string, isSteal: boolean, onHeld: () => void, onLost: () => void): () => void {
    return this.#browser.request(name, isSteal, { tab: this, onHeld, onLost, isOver: false })
  }

  channel(name: string, onMessage: (message: TabMessage) => void): TabChannel {
    return this.#browser.join(this, name, onMessage)
  }

  onSuspend(suspend: () => void, resume: () => void): () => void {
    this.#suspend = suspend
    this.#resume = resume
    return () => {
      this.#suspend = this.#resume = undefined
    }
  }

  #awake(): Promise<void> {
    return new Promise((resolve) => this.do(resolve))
  }
}
