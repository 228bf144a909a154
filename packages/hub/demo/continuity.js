// @ts-check

/**
 * What a tick says about the ticks before it.
 *
 * @typedef {object} Verdict
 * @property {'first' | 'next' | 'jump' | 'again' | 'anew'} kind `anew`: the counter starts again, as the hub had said.
 * @property {number} missing How many ticks lie between the last one seen and this one.
 * @property {boolean} announced Whether the hub had said, before this tick, that some are gone.
 */

/**
 * Checks that no tick is lost and none comes twice, by the counters that the ticks carry: the page does not take the
 * hub's word for it.
 */
export function createContinuity() {
  /** @type {Map<string, number>} The newest counter seen, by symbol. */
  const last = new Map()
  /** @type {Set<string>} Symbols whose next jump the hub has announced. */
  const announced = new Set()

  return {
    /**
     * @param {string} symbol
     * @param {number} n
     * @returns {Verdict}
     */
    accept(symbol, n) {
      const before = last.get(symbol)
      const wasAnnounced = announced.delete(symbol)
      if (before === undefined) {
        last.set(symbol, n)
        return { kind: 'first', missing: 0, announced: false }
      }
      if (n <= before && !wasAnnounced) return { kind: 'again', missing: 0, announced: false }
      last.set(symbol, n)
      // After a gap of which the hub told, the counter may be lower: that of a hub that was started again.
      if (n <= before) return { kind: 'anew', missing: 0, announced: true }
      const missing = n - before - 1
      return { kind: missing > 0 ? 'jump' : 'next', missing, announced: wasAnnounced }
    },

    /**
     * Nothing was ever published for this symbol: its first tick must be number 1.
     *
     * @param {string} symbol
     */
    expectFirst(symbol) {
      if (!last.has(symbol)) last.set(symbol, 0)
    },

    /** The hub said that events are gone: the next jump of each symbol is no silent loss. */
    announceGap() {
      for (const symbol of last.keys()) announced.add(symbol)
    },

    /**
     * A symbol that is no longer watched is not counted on.
     *
     * @param {string} symbol
     */
    forget(symbol) {
      last.delete(symbol)
      announced.delete(symbol)
    },

    /** @param {string} symbol */
    last: (symbol) => last.get(symbol),
  }
}
