import { ReferenceHub } from '../../stream/support/reference-hub.ts'
import { TestClock } from '../../stream/support/test-clock.ts'
import type { StreamOptions } from '../../../src/stream/stream-options.ts'
import { SimulatedBrowser } from './simulated-browser.ts'
import { TabProgram } from './tab-program.ts'

/** A hub, a browser, and programs in tabs of it, all by one clock and one seed. */
export class SharingScene {
  readonly clock = new TestClock()
  readonly hub = new ReferenceHub(this.clock)
  readonly browser: SimulatedBrowser
  readonly fraction: () => number
  readonly programs: TabProgram[] = []

  constructor(seed = 1) {
    this.fraction = seeded(seed)
    this.browser = new SimulatedBrowser(this.clock, this.hub, this.fraction)
  }

  open(topics: readonly string[], options?: StreamOptions): TabProgram {
    const program = new TabProgram(this.browser, topics, options)
    this.programs.push(program)
    return program
  }

  /** Opens and waits until the tab leads or follows. */
  async settled(topics: readonly string[], options?: StreamOptions): Promise<TabProgram> {
    const program = this.open(topics, options)
    await this.clock.until(() => program.role !== 'alone' && program.status?.name === 'open', 60_000)
    return program
  }
}

/** Chance that is the same for the same seed. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
