import { describe, expect, test } from 'vitest'
import { SharingScene } from './support/sharing-scene.ts'
import type { Transport } from '../../src/stream/event-feed.ts'
import type { TabProgram } from './support/tab-program.ts'

const TOPICS = ['a', 'b', 'c.x', 'c.y']
const ASKED = [['a'], ['a', 'b'], ['b', 'c.*'], ['c.*'], ['>']]
/** Asked for now and then: in order and once at most, but from when on is not certain to the last event. */
const EXTRA = 'x'
const STEPS = 120
const MAX_TABS = 6

/** What chance does to the tabs of one seed. Every tab that is still there at the end is owed all of its events. */
class Ordeal {
  readonly scene: SharingScene
  readonly asked = new Map<TabProgram, readonly string[]>()
  readonly published: { readonly topic: string; readonly n: number }[] = []
  readonly #slow = new Set<TabProgram>()
  readonly #transport: 'auto' | Transport

  constructor(seed: number, transport: 'auto' | Transport) {
    this.scene = new SharingScene(seed)
    this.#transport = transport
  }

  /** Streams that are open when one tab has the connection. */
  get streamCount(): number {
    return this.#transport === 'auto' ? 1 : 0
  }

  get programs(): TabProgram[] {
    return [...this.asked.keys()]
  }

  async run(): Promise<void> {
    const { clock, hub, fraction } = this.scene
    for (let step = 0; step < STEPS; step++) {
      this.#act(fraction())
      if (fraction() < 0.7) this.#publish()
      // Sometimes nothing has time to settle.
      if (fraction() < 0.6) await clock.advance(fraction() ** 3 * 20_000)
    }
    for (const program of this.programs) {
      if (program.tab.isFrozen) program.tab.thaw()
      program.release()
    }
    if (this.programs.length === 0) this.#open()
    await clock.until(
      () => this.programs.every(({ role }) => role !== 'alone') && hub.streams.length === this.streamCount,
      600_000,
    )
    for (const _ of TOPICS) this.#publish()
    await clock.advance(20_000)
  }

  #act(chance: number): void {
    const { fraction, hub } = this.scene
    const program = this.programs[Math.floor(fraction() * this.programs.length)]
    if (chance < 0.25 || !program) return this.#open()
    if (chance < 0.32) return this.#drop(program, () => program.feed.close())
    if (chance < 0.4) return this.#drop(program, () => program.tab.crash())
    if (chance < 0.5) return program.tab.freeze(fraction() < 0.5, fraction() < 0.5)
    if (chance < 0.65 && program.tab.isFrozen) return program.tab.thaw()
    if (chance < 0.7) hub.cutStreams()
    else if (chance < 0.75) {
      program.hold()
      this.#slow.add(program)
    } else if (chance < 0.85) {
      for (const slow of this.#slow) slow.release()
      this.#slow.clear()
    } else if (chance < 0.9) program.feed.wake()
    else if (chance < 0.97) this.#change(program)
  }

  /** Takes the extra topic in, or leaves it out. Whoever is closed meanwhile is told so. */
  #change(program: TabProgram): void {
    const topics = this.asked.get(program) ?? []
    const { topics: now } = program.feed.diagnostics()
    program.feed.setTopics(now.includes(EXTRA) ? topics : [...topics, EXTRA]).catch(() => {})
  }

  #open(): void {
    const { fraction } = this.scene
    if (this.programs.length >= MAX_TABS) return
    const topics = ASKED[Math.floor(fraction() * ASKED.length)] ?? ['a']
    this.asked.set(this.scene.open(topics, { transport: this.#transport }), topics)
  }

  #drop(program: TabProgram, end: () => void): void {
    this.asked.delete(program)
    end()
  }

  #publish(): void {
    const all = [...TOPICS, EXTRA]
    const topic = all[Math.floor(this.scene.fraction() * all.length)] ?? 'a'
    const n = this.published.length + 1
    this.published.push({ topic, n })
    this.scene.hub.publish(topic, n)
  }
}

function isAsked(topics: readonly string[], topic: string): boolean {
  return topics.some((asked) => asked === '>' || asked === topic || (asked.startsWith('c.') && topic.startsWith('c.')))
}

function seqOf(id: string | undefined): number {
  return Number(id?.split('-')[1])
}

describe('tabs that share, whatever happens to them', () => {
  for (let seed = 1; seed <= 100; seed++) {
    const transport = seed <= 60 ? 'auto' : seed <= 80 ? 'long-polling' : 'polling'
    test(`each gets each of its events once and in order, and one connection is left (seed ${seed}, ${transport})`, async () => {
      const ordeal = new Ordeal(seed, transport)
      await ordeal.run()
      const { browser, clock, hub } = ordeal.scene
      for (const [program, topics] of ordeal.asked) {
        const start = seqOf(program.startId) - (program.startsWithEvent ? 1 : 0)
        const owed = ordeal.published.filter(({ topic, n }) => n > start && isAsked(topics, topic))
        const got = program.events.filter(({ type }) => type === 'message')
        const gotNumbers = got.filter(({ topic }) => isAsked(topics, topic)).map(({ data }) => Number(data))
        expect(gotNumbers).toEqual(owed.map(({ n }) => n))
        const all = got.map(({ data }) => Number(data))
        expect(all).toEqual([...new Set(all)].sort((a, b) => a - b))
        expect(program.missed).toEqual([])
      }
      expect(hub.streams).toHaveLength(ordeal.streamCount)
      expect(ordeal.programs.filter(({ role }) => role === 'leading')).toHaveLength(1)
      for (const program of ordeal.programs) program.feed.close()
      await clock.advance(1_000)
      expect([browser.lockCount, browser.channelCount, hub.streams.length]).toEqual([0, 0, 0])
    })
  }
})
