// @ts-check
import { element } from './element.js'

/**
 * @typedef {object} SymbolCheck Counters: the last one before, those that were replayed, the first one after; and how
 *   many ticks were what.
 * @property {number} before
 * @property {number[]} replayed
 * @property {number | undefined} live
 * @property {number} lost
 * @property {number} missed
 * @property {number} again
 * @property {boolean} anew
 */

/**
 * The proof: what the counters say about each symbol.
 *
 * @param {[string, SymbolCheck][]} checks
 */
export function checkTable(checks) {
  const head = ['Symbol', 'before', 'replayed', 'then live', 'in between']
  return element(
    'table',
    { class: 'checks' },
    element('thead', {}, element('tr', {}, ...head.map((name) => element('th', { scope: 'col' }, name)))),
    element('tbody', {}, ...checks.map(([symbol, found]) => checkRow(symbol, found))),
  )
}

/**
 * @param {string} symbol
 * @param {SymbolCheck} found
 */
function checkRow(symbol, { before, replayed, live, lost, missed, again, anew }) {
  const verdict = [
    missed > 0 && `${missed} missed, as told`,
    lost > 0 && `${lost} lost`,
    again > 0 && `${again} twice`,
    anew && 'counts anew',
    live === undefined && 'quiet',
  ].filter((part) => typeof part === 'string')
  return element(
    'tr',
    { 'data-testid': `check-${symbol}` },
    element('th', { scope: 'row' }, symbol),
    element('td', {}, String(before)),
    element('td', {}, rangeOf(replayed)),
    element('td', {}, String(live ?? '–')),
    element('td', {}, verdict.join(', ') || 'no gap'),
  )
}

/** @param {readonly number[]} counters */
function rangeOf(counters) {
  if (counters.length === 0) return 'none'
  return counters.length === 1 ? String(counters[0]) : `${counters[0]}–${counters.at(-1)}`
}
