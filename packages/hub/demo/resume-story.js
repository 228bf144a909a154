// @ts-check
import { element } from './element.js'

/**
 * Tells what becomes of a connection that was lost, in words and in numbers, and checks it: the last word on "lost" are
 * the counters in the ticks, not what the hub says.
 *
 * @typedef {import('./journal.js').Entry} Entry
 * @typedef {import('./continuity.js').Verdict} Verdict
 *
 * @typedef {object} Totals
 * @property {number} received Events, without the hub's own `stream:*`.
 * @property {number} replayed Those of them that came between coming back and `stream:caught-up`.
 * @property {number} again Ticks that came twice.
 * @property {number} lost Ticks missing of which the hub said nothing.
 * @property {number} missed Ticks missing as the hub had said.
 * @property {number} resumed How many times a stream went on from an id.
 *
 * @typedef {object} Episode One loss or change of the connection, until it is checked.
 * @property {Entry} entry
 * @property {string} what
 * @property {string} fromId
 * @property {number} startedAt Milliseconds, `performance.now()`.
 * @property {number} awayMs
 * @property {number} replayed
 * @property {string | undefined} gapReason
 * @property {Map<string, SymbolCheck>} checks
 * @property {Set<string> | undefined} waitingFor Symbols that have not ticked since the stream was live again.
 *
 * @typedef {{ before: number, replayed: number[], live: number | undefined, lost: number, missed: number, again: number }} SymbolCheck
 *   Counters: the last one before, those that were replayed, the first one after; then how many were what.
 */

/** How long to wait for the next tick of a symbol that may be quiet (one share starts in 2004). Milliseconds. */
const settleMs = 2_500

/**
 * @param {object} given
 * @param {import('./journal.js').Journal} given.journal
 * @param {(text: string, tone: import('./journal.js').Tone) => void} given.say Sets the status line.
 * @param {(symbol: string) => number | undefined} given.lastCounter
 * @param {() => readonly string[]} given.watched
 */
export function createResumeStory({ journal, say, lastCounter, watched }) {
  /** @type {Totals} */
  const totals = { received: 0, replayed: 0, again: 0, lost: 0, missed: 0, resumed: 0 }
  /** @type {Episode | undefined} */
  let episode
  /** @type {number | undefined} What the page has asked for and not seen yet. */
  let askedAwayMs
  /** @type {string | undefined} */
  let farewell

  /**
   * @param {string} what
   * @param {string} fromId
   */
  function begin(what, fromId) {
    if (episode) settle(episode)
    const entry = journal.begin(what, 'working')
    const checks = new Map()
    for (const symbol of watched()) {
      const before = lastCounter(symbol)
      if (before !== undefined)
        checks.set(symbol, { before, replayed: [], live: undefined, lost: 0, missed: 0, again: 0 })
    }
    episode = {
      entry,
      what,
      fromId,
      checks,
      startedAt: performance.now(),
      awayMs: 0,
      replayed: 0,
      gapReason: undefined,
      waitingFor: undefined,
    }
    return episode
  }

  /** @param {Episode} current */
  function check(current) {
    // A share that was not traded yet may stay quiet for long.
    current.waitingFor = new Set([...current.checks].filter(([, { before }]) => before > 0).map(([symbol]) => symbol))
    if (current.waitingFor.size === 0) settle(current)
    else setTimeout(() => settle(current), settleMs)
  }

  /** @param {Episode} current */
  function settle(current) {
    if (current !== episode) return
    episode = undefined
    const checks = [...current.checks]
    const sum = { lost: 0, missed: 0, again: 0 }
    for (const [, found] of checks) {
      sum.lost += found.lost
      sum.missed += found.missed
      sum.again += found.again
    }
    if (checks.length > 0) current.entry.step('The counter n in every tick says:', checkTable(checks))
    const text = summary(current, sum)
    const tone = sum.lost + sum.again > 0 ? 'bad' : current.gapReason ? 'told' : 'good'
    current.entry.title(text, tone)
    say(text, tone)
  }

  return {
    totals,

    /** @param {number} awayMs The page has asked the hub to cut it. */
    cutAsked(awayMs) {
      askedAwayMs = awayMs
    },

    /**
     * @param {string} type
     * @param {string} data
     */
    farewell(type, data) {
      farewell = `${type} ${data}`
    },

    /**
     * @param {string} lastId
     * @param {boolean} final
     */
    lost(lastId, final) {
      const asked = askedAwayMs
      const { entry } = begin('Connection lost', lastId)
      if (farewell) entry.step('The hub said why before it ended the stream: ', code(farewell))
      entry.step(
        asked === undefined
          ? 'The connection is gone; this page did not ask for it.'
          : 'The hub ended the stream, as this page asked by POST /demo/cut.',
      )
      const wait = asked ? `${asked / 1000} s, as the hub said by “retry:”` : 'as long as the stream’s “retry:” said'
      entry.step(
        final
          ? 'The browser has given up; the page opens a new EventSource soon.'
          : `EventSource waits ${wait}, then comes back by itself. The last id it has is `,
        ...(final ? [] : [code(lastId)]),
      )
      say(
        `Connection lost. The browser will be back ${asked ? `in ${asked / 1000} seconds` : 'soon'} and ask for what came after ${lastId}.`,
        'working',
      )
      askedAwayMs = undefined
      farewell = undefined
    },

    /**
     * The page opens a new EventSource, because the list of topics has changed.
     *
     * @param {string} lastId
     */
    switched(lastId) {
      const { entry } = begin('Watch-list changed', lastId)
      entry.step('Other topics need another URL: a new EventSource was opened with ', code(`last_event_id=${lastId}`))
    },

    /** @param {string} connection */
    connected(connection) {
      if (!episode) return
      episode.awayMs = performance.now() - episode.startedAt
      totals.resumed += 1
      if (episode.what === 'Connection lost') {
        episode.entry.step(
          `Back after ${seconds(episode.awayMs)} as connection ${connection}. The browser sent `,
          code(`Last-Event-ID: ${episode.fromId}`),
        )
      } else {
        episode.entry.step(`Connected as ${connection} after ${seconds(episode.awayMs)}.`)
      }
    },

    /** @param {boolean} replayed An event that is not one of the hub's own. */
    event(replayed) {
      totals.received += 1
      if (!replayed) return
      totals.replayed += 1
      if (episode) episode.replayed += 1
    },

    /**
     * @param {string} symbol
     * @param {number} n
     * @param {boolean} replayed
     * @param {Verdict} verdict
     */
    tick(symbol, n, replayed, verdict) {
      const again = verdict.kind === 'again' ? 1 : 0
      totals.again += again
      totals[verdict.announced ? 'missed' : 'lost'] += verdict.missing
      const found = episode?.checks.get(symbol)
      if (found) {
        if (replayed) found.replayed.push(n)
        else found.live ??= n
        found.again += again
        found[verdict.announced ? 'missed' : 'lost'] += verdict.missing
      }
      if (episode?.waitingFor?.delete(symbol) && episode.waitingFor.size === 0) settle(episode)
    },

    /** @param {number} replayedByHub */
    caughtUp(replayedByHub) {
      if (!episode || episode.waitingFor) return
      episode.entry.step(
        `The hub says “caught up, ${events(replayedByHub)} replayed”; this page counted ${episode.replayed}.`,
      )
      check(episode)
    },

    /** @param {{ reason: string, from?: string, oldest?: string }} notice */
    syncRequired({ reason, from, oldest }) {
      const current = episode ?? begin('Events missed', from ?? '')
      current.gapReason = reason
      const range =
        from && oldest ? ['Events between ', code(from), ' and ', code(oldest), ' are gone'] : ['Events are gone']
      current.entry.step(
        'The hub says “sync required”: ',
        ...range,
        ` (${reason}). The page fetches the current prices; the stream goes on from now.`,
      )
      current.entry.title(`Events are gone (${reason}): refetching`, 'working')
      say(
        `The hub says that events ${from && oldest ? `between ${from} and ${oldest} ` : ''}are gone (${reason}). Refetching.`,
        'told',
      )
      if (!current.waitingFor) check(current)
    },

    /** @param {number} added */
    refetched(added) {
      episode?.entry.step(
        `GET /demo/prices brought the current prices and the last minute: ${added} ticks that the page did not have.`,
      )
    },

    /** @param {string} why */
    cutRefused(why) {
      askedAwayMs = undefined
      journal.begin(`Not cut: ${why}`, 'bad')
    },
  }
}

/**
 * @param {Episode} episode
 * @param {{ lost: number, missed: number, again: number }} sum
 */
function summary({ what, fromId, awayMs, replayed, gapReason }, { lost, missed, again }) {
  const twice = again > 0 ? `, ${again} twice` : ''
  if (awayMs === 0) return `${what}; it was lost again before this could be checked.`
  if (gapReason) {
    return `Away ${seconds(awayMs)}: too long. The hub said so (${gapReason}), the page refetched the prices: ${missed} ticks missed, ${lost} lost in silence${twice}.`
  }
  const resumed =
    what === 'Connection lost'
      ? `Resumed from id ${fromId} after ${seconds(awayMs)}`
      : `${what}, went on from id ${fromId}`
  return `${resumed}: ${events(replayed)} replayed, ${lost} lost${twice}.`
}

/** @param {[string, SymbolCheck][]} checks */
function checkTable(checks) {
  const rows = checks.map(([symbol, found]) => {
    const verdict = [
      found.missed > 0 && `${found.missed} missed, as told`,
      found.lost > 0 && `${found.lost} lost`,
      found.again > 0 && `${found.again} twice`,
      found.live === undefined && 'quiet',
    ].filter((part) => typeof part === 'string')
    return element(
      'tr',
      { 'data-testid': `check-${symbol}` },
      element('th', { scope: 'row' }, symbol),
      element('td', {}, String(found.before)),
      element('td', {}, found.replayed.length > 0 ? `${found.replayed[0]}–${found.replayed.at(-1)}` : 'none'),
      element('td', {}, String(found.live ?? '–')),
      element('td', {}, verdict.join(', ') || 'no gap'),
    )
  })
  const head = ['Symbol', 'before', 'replayed', 'then live', 'in between'].map((name) =>
    element('th', { scope: 'col' }, name),
  )
  return element(
    'table',
    { class: 'checks' },
    element('thead', {}, element('tr', {}, ...head)),
    element('tbody', {}, ...rows),
  )
}

/** @param {number} count */
const events = (count) => `${count} ${count === 1 ? 'event' : 'events'}`

/** @param {number} milliseconds */
const seconds = (milliseconds) =>
  milliseconds < 950 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`

/** @param {string} text */
const code = (text) => element('code', {}, text)
