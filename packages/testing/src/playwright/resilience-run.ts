import { setTimeout as sleep } from 'node:timers/promises'
import { expectExactlyOnce } from '../expect/expect-exactly-once.ts'
import { countOf } from '../expect/count-of.ts'
import { ExpectationError } from '../testing-error.ts'
import type { PageLike, ResilienceSubject } from './resilience-subject.ts'

const LOOK_EVERY_MS = 25
const PUBLISH_EVERY_MS = 250

/** One case on its way: publishes under labels of its own, and holds what the page shows against them. */
export class ResilienceRun<P extends PageLike<P>> {
  page: P
  readonly withinMs: number
  readonly #subject: ResilienceSubject<P>
  readonly #prefix: string
  readonly #published: string[] = []
  /** Labels from this index on were published for the stream that the page has now. */
  #liveFrom = 0

  /** @param name of the case; with a random part, for a page may be put to the same case twice */
  constructor(subject: ResilienceSubject<P>, name: string) {
    this.#subject = subject
    this.page = subject.page
    this.#prefix = `${name}-${Math.random().toString(36).slice(2, 8)}-`
    this.withinMs = subject.withinMs ?? 15_000
  }

  /** Publishes the next event and returns its label. */
  async publish(): Promise<string> {
    // A dot behind the number: label 1 is not part of label 12.
    const label = `${this.#prefix}${this.#published.length + 1}.`
    this.#published.push(label)
    try {
      await this.#subject.publish(label)
    } catch (cause) {
      const message = `publish(${JSON.stringify(label)}) failed. It has to reach the server past the proxy, which may be offline.`
      throw new ExpectationError(message, { actual: cause, expected: label, cause })
    }
    return label
  }

  /** Publishes one more event and waits for it. In a stream all that came before it is there by then. */
  async publishAndSee(): Promise<string> {
    const label = await this.publish()
    await this.#until(
      async () => (await this.#shown()).includes(label),
      () => this.#notShown(label),
    )
    return label
  }

  /**
   * Waits until the page has a stream that brings something, and returns how many it has. It publishes until the page shows
   * one: a stream whose head has come need not have been subscribed yet, and what came before is not owed to a new one.
   */
  async live(): Promise<number> {
    const { proxy } = this.#subject
    await this.#until(
      () => proxy.openCount > 0,
      () => this.#wrongCount('the page has no stream through the proxy: load it from proxy.origin', 0, 'a stream'),
    )
    let label = await this.publish()
    let publishedMs = performance.now()
    await this.#until(
      async () => {
        const shown = await this.#shown()
        if (shown.some((one) => this.#published.indexOf(one) >= this.#liveFrom)) return true
        if (performance.now() - publishedMs > PUBLISH_EVERY_MS) {
          label = await this.publish()
          publishedMs = performance.now()
        }
        return false
      },
      () => this.#notShown(label),
    )
    this.#liveFrom = this.#published.length
    return proxy.openCount
  }

  /**
   * Holds what the page shows of this case against what was published: in order, none twice, and each of those that are owed.
   *
   * @throws ExpectationError
   */
  async expectOnce(owed: readonly string[]): Promise<void> {
    const shown = await this.#shown()
    const wanted = new Set([...owed, ...shown])
    expectExactlyOnce(
      shown,
      this.#published.filter((label) => wanted.has(label)),
    )
  }

  /** The labels of this case that the page shows, in its order. */
  async #shown(): Promise<string[]> {
    const pattern = new RegExp(`${this.#prefix}\\d+\\.`)
    const texts = await this.#subject.received(this.page)
    return texts.map((text) => pattern.exec(text)?.[0]).filter((label) => label !== undefined)
  }

  /** Waits until so many streams are open at the proxy, neither fewer nor more. */
  async streams(count: number, when: string): Promise<void> {
    const { proxy } = this.#subject
    await this.#until(
      () => proxy.openCount === count,
      () =>
        this.#wrongCount(
          `${when}, the page should have ${countOf(count, 'stream')} open, and has ${proxy.openCount}`,
          proxy.openCount,
          count,
        ),
    )
  }

  /** Waits until the server has as many streams as it should have; where it cannot tell, does nothing. */
  async serverStreams(count: number | undefined, when: string): Promise<void> {
    const { serverStreams } = this.#subject
    if (serverStreams === undefined || count === undefined) return
    let seen = 0
    await this.#until(
      async () => (seen = await serverStreams()) === count,
      () =>
        this.#wrongCount(`${when}, the server should hold ${countOf(count, 'stream')}, and holds ${seen}`, seen, count),
    )
  }

  async #until(holds: () => boolean | Promise<boolean>, fault: () => Promise<Error> | Error): Promise<void> {
    const endMs = performance.now() + this.withinMs
    while (!(await holds())) {
      if (performance.now() > endMs) throw await fault()
      await sleep(LOOK_EVERY_MS)
    }
  }

  async #notShown(label: string): Promise<ExpectationError> {
    const received = await this.#shown()
    const message = `The page does not show ${label} after ${this.withinMs} ms. Of this case it shows: ${received.join(' ') || 'nothing'}`
    return new ExpectationError(message, { actual: received, expected: label })
  }

  #wrongCount(message: string, actual: unknown, expected: unknown): ExpectationError {
    return new ExpectationError(`After ${this.withinMs} ms: ${message}.`, { actual, expected })
  }
}
