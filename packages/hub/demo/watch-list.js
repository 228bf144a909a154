// @ts-check
import { byId, element } from './element.js'

/** @type {Readonly<Record<string, string>>} */
const companies = { AAPL: 'Apple', AMZN: 'Amazon', GOOG: 'Google', IBM: 'IBM', MSFT: 'Microsoft' }

const dollars = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD' })
const signed = new Intl.NumberFormat('en-US', {
  style: 'decimal',
  signDisplay: 'exceptZero',
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
})
const percent = new Intl.NumberFormat('en-US', {
  style: 'percent',
  signDisplay: 'exceptZero',
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
})

/**
 * Which shares are watched, with the last price of each and its change since the month before.
 *
 * @param {object} given
 * @param {readonly string[]} given.symbols All there are.
 * @param {readonly string[]} given.watched Those on the list at first.
 * @param {(watched: readonly string[]) => void} given.onChange
 */
export function createWatchList({ symbols, watched, onChange }) {
  const list = byId('watch-list', HTMLUListElement)
  const choices = byId('watch-choices', HTMLDivElement)
  let current = symbols.filter((symbol) => watched.includes(symbol))

  /** @type {Map<string, ReturnType<typeof createRow>>} */
  const rows = new Map(symbols.map((symbol, index) => [symbol, createRow(symbol, index, () => change(symbol, false))]))
  const buttons = new Map(
    symbols.map((symbol) => {
      const button = element(
        'button',
        {
          type: 'button',
          class: 'small',
          'data-testid': `watch-${symbol}`,
          'aria-label': `Watch ${symbol}`,
        },
        `+ ${symbol}`,
      )
      button.addEventListener('click', () => change(symbol, true))
      return [symbol, button]
    }),
  )

  /**
   * @param {string} symbol
   * @param {boolean} wanted
   */
  function change(symbol, wanted) {
    current = symbols.filter((each) => (each === symbol ? wanted : current.includes(each)))
    render()
    // The button that was pressed is gone: whoever uses the keyboard goes on at the one that undoes it.
    if (wanted) rows.get(symbol)?.remove.focus()
    else buttons.get(symbol)?.focus()
    onChange(current)
  }

  function render() {
    list.replaceChildren(
      ...current.map((symbol) => /** @type {ReturnType<typeof createRow>} */ (rows.get(symbol)).item),
    )
    choices.replaceChildren(
      ...symbols
        .filter((symbol) => !current.includes(symbol))
        .map((symbol) => /** @type {HTMLButtonElement} */ (buttons.get(symbol))),
    )
    choices.hidden = current.length === symbols.length
  }
  render()

  return {
    watched: () => current,

    /**
     * @param {string} symbol
     * @param {readonly import('./price-history.js').Point[]} points
     */
    show(symbol, points) {
      const last = points.at(-1)
      if (last) rows.get(symbol)?.show(last, points.at(-2))
    },
  }
}

/**
 * @param {string} symbol
 * @param {number} index Its colour.
 * @param {() => void} onRemove
 */
function createRow(symbol, index, onRemove) {
  const price = element('span', { class: 'price', 'data-testid': `price-${symbol}` }, '–')
  const change = element('span', { class: 'change', 'data-testid': `change-${symbol}` }, 'no price yet')
  const remove = element(
    'button',
    { type: 'button', class: 'icon', 'aria-label': `Stop watching ${symbol}`, 'data-testid': `unwatch-${symbol}` },
    '×',
  )
  remove.addEventListener('click', onRemove)
  const item = element(
    'li',
    { class: `share share-${index + 1}`, 'data-testid': `share-${symbol}` },
    element('span', { class: 'swatch', 'aria-hidden': 'true' }),
    element(
      'span',
      { class: 'name' },
      element('b', {}, symbol),
      element('span', { class: 'company' }, companies[symbol] ?? ''),
    ),
    element('span', { class: 'quote' }, price, change),
    remove,
  )
  return {
    item,
    remove,
    /**
     * @param {import('./price-history.js').Point} last
     * @param {import('./price-history.js').Point | undefined} before
     */
    show(last, before) {
      price.textContent = dollars.format(last.price)
      // Between the end of the data and its start again lies no month's change.
      const known = before && before.lap === last.lap && before.n === last.n - 1
      const difference = known ? last.price - before.price : 0
      const sign = difference > 0 ? '▲' : difference < 0 ? '▼' : ''
      change.textContent = known
        ? `${sign} ${signed.format(difference)} (${percent.format(difference / before.price)})`
        : 'first month'
      change.dataset['direction'] = difference > 0 ? 'up' : difference < 0 ? 'down' : 'same'
    },
  }
}
