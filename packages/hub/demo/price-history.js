// @ts-check

/**
 * How a tick reached the page: as it happened; replayed after a cut; fetched because the hub no longer had it; or
 * fetched to fill the chart when a symbol came on the list.
 *
 * @typedef {'live' | 'replayed' | 'refetched' | 'before'} Arrival
 *
 * @typedef {{ symbol: string, date: string, price: number, n: number, lap: number }} Tick The data of a `tick` event.
 * @typedef {Tick & { timeMs: number }} RecentTick
 * @typedef {{ firstDate: string, lastDate: string, symbols: { symbol: string, recent: RecentTick[] }[] }} PriceState
 *   What `GET /demo/prices` answers.
 *
 * @typedef {Tick & { timeMs: number, arrival: Arrival, month: number }} Point
 *   `month` counts months over all laps, with some empty ones between two laps.
 */

/** How many points of each symbol are kept: more than any chart shows. */
const pointsKept = 150
const monthsBetweenLaps = 3

/**
 * @param {any} data
 * @returns {data is Tick}
 */
export function isTick(data) {
  return (
    typeof data === 'object' &&
    data !== null &&
    typeof data.symbol === 'string' &&
    /^\d{4}-\d{2}-\d{2}$/.test(data.date) &&
    Number.isFinite(data.price) &&
    Number.isSafeInteger(data.n) &&
    Number.isSafeInteger(data.lap)
  )
}

/** The ticks that the page knows, by symbol, in the order of their counters, however and whenever they came. */
export function createPriceHistory() {
  /** @type {Map<string, Point[]>} */
  const points = new Map()
  let firstMonth = 0
  let monthsPerLap = 0

  /** @param {string} date */
  const monthOf = (date) => Number(date.slice(0, 4)) * 12 + Number(date.slice(5, 7)) - 1

  return {
    /**
     * Ticks must not be added before the months are known.
     *
     * @param {PriceState} state
     */
    setMonths(state) {
      firstMonth = monthOf(state.firstDate)
      monthsPerLap = monthOf(state.lastDate) - firstMonth + 1 + monthsBetweenLaps
    },

    /**
     * @param {Tick} tick
     * @param {number} timeMs When it was published.
     * @param {Arrival} arrival
     * @returns {boolean} Whether the page did not know it yet.
     */
    add(tick, timeMs, arrival) {
      const list = points.get(tick.symbol) ?? []
      points.set(tick.symbol, list)
      const month = (tick.lap - 1) * monthsPerLap + monthOf(tick.date) - firstMonth
      const point = { ...tick, timeMs, arrival, month }
      const at = list.findLastIndex(({ n }) => n <= tick.n)
      const known = list[at]
      if (known?.n === tick.n) {
        // What the stream brings counts for more than what was fetched meanwhile.
        if (arrival === 'live' || arrival === 'replayed') list[at] = point
        return false
      }
      list.splice(at + 1, 0, point)
      if (list.length > pointsKept) list.shift()
      return true
    },

    /**
     * @param {string} symbol
     * @returns {readonly Point[]} Oldest first.
     */
    of: (symbol) => points.get(symbol) ?? [],

    /** @param {number} month A point's `month`; any whole number. */
    dateOf(month) {
      const inLap = ((month % monthsPerLap) + monthsPerLap) % monthsPerLap
      const absolute = firstMonth + inLap
      return {
        year: Math.floor(absolute / 12),
        month: absolute % 12,
        betweenLaps: inLap >= monthsPerLap - monthsBetweenLaps,
      }
    },

    /** For when the hub began anew, and with it all counters. */
    clear: () => points.clear(),
  }
}

/** @typedef {ReturnType<typeof createPriceHistory>} PriceHistory */
