import type { Clock } from '@millrace/server'

/** One month's price of one share, as the data set has it. */
export interface PricePoint {
  readonly symbol: string
  /** The first day of the month, `YYYY-MM-DD`. */
  readonly date: string
  /** US dollars, adjusted for splits by the source. */
  readonly price: number
}

/** The data of a `tick` event. */
export interface PriceTick extends PricePoint {
  /**
   * Counts the ticks of this symbol from 1 and never skips, over the loops of the replay too. A page that saw `n` must
   * see `n + 1` next: that is how it can check for itself that nothing was lost and nothing came twice.
   */
  readonly n: number
  /** Which time the data is played, from 1. */
  readonly lap: number
}

/** A tick as the replay remembers it. */
export interface RecentTick extends PriceTick {
  /** When it was published: milliseconds since 1970. */
  readonly timeMs: number
}

/** What a page fetches when the stream cannot tell it everything: the newest ticks of each symbol. */
export interface PriceState {
  readonly firstDate: string
  readonly lastDate: string
  readonly symbols: readonly { readonly symbol: string; readonly recent: readonly RecentTick[] }[]
}

export interface PriceReplayOptions {
  /** What to play, in this order; not empty. At its end it starts again. */
  readonly points: readonly PricePoint[]
  readonly publish: (tick: PriceTick) => Promise<unknown>
  readonly clock: Clock
  /** The pause between two ticks. Milliseconds. */
  readonly intervalMs: number
  /** How many ticks of each symbol the state remembers. */
  readonly recentCount: number
}

export interface PriceReplay {
  /** Never behind what was published: whoever saw a tick on the stream finds it, or a newer one, here. */
  state(): PriceState
  /** No tick is published after it, but for the one under way. May be called twice. */
  close(): void
}

/**
 * Plays prices as ticks, one after the other, for ever. A tick that could not be published is tried again at the next
 * beat, before any other: the counters have no hole, even when the hub refused for a while.
 */
export function startPriceReplay({ points, publish, clock, intervalMs, recentCount }: PriceReplayOptions): PriceReplay {
  const recent = new Map<string, RecentTick[]>(points.map(({ symbol }) => [symbol, []]))
  let index = 0
  let lap = 1
  let refused: RecentTick | undefined
  let closed = false

  async function beat(): Promise<void> {
    const tick = refused ?? next()
    refused = undefined
    try {
      const { timeMs: _, ...data } = tick
      await publish(data)
    } catch {
      refused = tick
    }
    schedule()
  }

  function next(): RecentTick {
    if (index === points.length) {
      index = 0
      lap += 1
    }
    const point = points[index++]!
    const ticks = recent.get(point.symbol)!
    const tick = { ...point, n: (ticks.at(-1)?.n ?? 0) + 1, lap, timeMs: clock.time() }
    // Remembered before it is published, so that the state is never behind the stream.
    ticks.push(tick)
    if (ticks.length > recentCount) ticks.shift()
    return tick
  }

  let cancel = (): void => {}
  function schedule(): void {
    if (!closed) cancel = clock.after(intervalMs, () => void beat())
  }
  schedule()

  const dates = points.map(({ date }) => date).toSorted()
  return {
    state: () => ({
      firstDate: dates[0]!,
      lastDate: dates.at(-1)!,
      symbols: [...recent].map(([symbol, ticks]) => ({ symbol, recent: [...ticks] })),
    }),
    close() {
      closed = true
      cancel()
    },
  }
}
