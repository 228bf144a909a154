import { readFileSync } from 'node:fs'

import type { PricePoint } from './price-replay.ts'

const monthNames = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Monthly prices of five shares, 2000 to 2010, from the npm package `vega-datasets`, oldest month first. */
export function readStockPrices(): readonly PricePoint[] {
  // The package exports its module only; the data lies beside it.
  const file = new URL('../data/stocks.csv', import.meta.resolve('vega-datasets'))
  return parseStockPrices(readFileSync(file, 'utf8'))
}

/** Reads lines like `MSFT,Jan 1 2000,39.81`, after a header line; sorts them by month, within a month as they came. */
export function parseStockPrices(csv: string): readonly PricePoint[] {
  const [header, ...lines] = csv.trimEnd().split(/\r?\n/)
  if (header !== 'symbol,date,price') throw new Error(`Stock prices: unexpected header line ${JSON.stringify(header)}`)
  return lines.map(parseLine).toSorted((a, b) => (a.date < b.date ? -1 : Number(a.date > b.date)))
}

function parseLine(line: string): PricePoint {
  const [, symbol, monthName, day, year, price] =
    /^([A-Z]+),([A-Z][a-z]{2}) (\d{1,2}) (\d{4}),(\d+(?:\.\d+)?)$/.exec(line) ?? []
  const month = monthNames.indexOf(monthName ?? '') + 1
  if (!symbol || !day || !year || !price || month === 0) {
    throw new Error(`Stock prices: not "SYMBOL,Mon D YYYY,price": ${JSON.stringify(line)}`)
  }
  const date = `${year}-${String(month).padStart(2, '0')}-${day.padStart(2, '0')}`
  return { symbol, date, price: Number(price) }
}
