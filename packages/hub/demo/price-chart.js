// @ts-check
import uPlot from './vendor/uplot.js'

/**
 * The prices of the last years, by the months of the data. Months that were replayed after a cut, and months that had
 * to be fetched because the hub no longer had them, lie on a band.
 *
 * @param {object} given
 * @param {HTMLElement} given.host
 * @param {readonly string[]} given.symbols
 * @param {import('./price-history.js').PriceHistory} given.history
 */
export function createPriceChart({ host, symbols, history }) {
  /** @type {readonly string[]} */
  let watched = []
  /** @type {Map<number, 'replayed' | 'refetched'>} By month. */
  let bands = new Map()

  const style = getComputedStyle(document.documentElement)
  /** @param {string} name */
  const color = (name) => style.getPropertyValue(name).trim()

  /** How many months fit: about 12 pixels each. */
  const monthsShown = () => Math.max(24, Math.min(56, Math.round(host.clientWidth / 12)))

  const axis = {
    stroke: () => color('--ink-soft'),
    font: '12px system-ui, sans-serif',
    grid: { stroke: () => color('--line'), width: 1 },
    ticks: { show: false },
  }

  const chart = new uPlot(
    {
      width: host.clientWidth,
      height: host.clientHeight,
      padding: [8, 14, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: false, range: (_, min, max) => [Math.max(min, max - monthsShown()) - 0.5, max + 1] },
        y: { distr: 3, range: (_, min, max) => [min * 0.8, max * 1.25] },
      },
      series: [
        {},
        ...symbols.map((symbol, index) => ({
          label: symbol,
          stroke: () => color(`--share-${index + 1}`),
          width: 2,
          points: { show: true, size: 6, width: 1.5, fill: () => color('--card'), filter: dotsOf },
        })),
      ],
      axes: [
        {
          ...axis,
          splits: (_, __, min, max) => januaries(min, max),
          values: (_, splits) => splits.map(yearOf),
          size: 30,
        },
        {
          ...axis,
          splits: (_, __, min, max) => roundPrices(min, max),
          // Left alone, a logarithmic axis names powers of ten only.
          filter: (_, splits) => splits,
          values: (_, splits) => splits.map((price) => `$${price}`),
          size: 52,
        },
      ],
      hooks: { drawClear: [drawBands] },
    },
    [[], ...symbols.map(() => [])],
    host,
  )

  /**
   * The dots of a line: months that did not come live, and the newest.
   *
   * @param {uPlot} plot
   * @param {number} seriesIndex
   */
  function dotsOf(plot, seriesIndex) {
    const [months = [], ...columns] = plot.data
    const prices = columns[seriesIndex - 1] ?? []
    const last = prices.findLastIndex((price) => price !== null && price !== undefined)
    const found = []
    for (const [at, month] of months.entries()) {
      if (prices[at] !== null && prices[at] !== undefined && (at === last || bands.has(month))) found.push(at)
    }
    return found
  }

  /**
   * @param {number} min
   * @param {number} max
   */
  function januaries(min, max) {
    const found = []
    for (let month = Math.ceil(min); month <= max; month++) {
      const date = history.dateOf(month)
      if (date.month === 0 && !date.betweenLaps) found.push(month)
    }
    return found
  }

  /** @param {number} month */
  const yearOf = (month) => String(history.dateOf(month).year)

  /** @param {uPlot} plot */
  function drawBands(plot) {
    const { ctx, bbox } = plot
    const [min = 0, max = 0] = [plot.scales['x']?.min, plot.scales['x']?.max]
    ctx.save()
    ctx.beginPath()
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
    ctx.clip()
    for (const [month, kind] of bands) {
      if (month < min - 1 || month > max + 1) continue
      const left = Math.round(plot.valToPos(month - 0.5, 'x', true))
      const right = Math.round(plot.valToPos(month + 0.5, 'x', true))
      ctx.fillStyle = color(kind === 'replayed' ? '--replayed-band' : '--missed-band')
      ctx.fillRect(left, bbox.top, right - left, bbox.height)
    }
    ctx.restore()
  }

  function render() {
    /** @type {Map<number, 'replayed' | 'refetched'>} */
    const nextBands = new Map()
    const lists = watched.map((symbol) => history.of(symbol))
    const newest = Math.max(...lists.map((list) => list.at(-1)?.month ?? 0), 0)
    const oldest = Math.max(0, newest - 60)
    const months = Array.from({ length: newest - oldest + 1 }, (_, at) => oldest + at)
    const columns = symbols.map((symbol) => {
      /** @type {(number | null)[]} */
      const column = Array(months.length).fill(null)
      if (!watched.includes(symbol)) return column
      for (const { month, price, arrival } of history.of(symbol)) {
        if (month < oldest) continue
        column[month - oldest] = price
        // Where both happened, that something was missed is the more important news.
        if (arrival === 'refetched' || (arrival === 'replayed' && !nextBands.has(month))) nextBands.set(month, arrival)
      }
      return column
    })
    bands = nextBands
    chart.setData([months, ...columns])
  }

  const onResize = new ResizeObserver(() => chart.setSize({ width: host.clientWidth, height: host.clientHeight }))
  onResize.observe(host)
  document.addEventListener('themechange', () => chart.redraw())

  return {
    render,
    /** @param {readonly string[]} next */
    setWatched(next) {
      watched = next
      host.dataset['empty'] = String(watched.length === 0)
      render()
    },
  }
}

/**
 * 1, 2 or 5 times a power of ten: on a logarithmic scale they lie evenly.
 *
 * @param {number} min
 * @param {number} max
 */
function roundPrices(min, max) {
  const found = []
  for (let power = 1; power <= max; power *= 10) {
    for (const factor of [1, 2, 5]) if (power * factor >= min && power * factor <= max) found.push(power * factor)
  }
  return found
}
