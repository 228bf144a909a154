// @ts-check
import { checkTable } from './check-table.js'
import { element } from './element.js'

/**
 * Tells what becomes of a connection that was lost, in words and in numbers, and checks it: the last word on "lost" have
 * the counters in the ticks, not the hub.
 *
 * @typedef {import('./journal.js').Entry} Entry
 * @typedef {import('./journal.js').Tone} Tone
 * @typedef {import('./continuity.js').Verdict} Verdict
 * @typedef {import('./check-table.js').SymbolCheck} SymbolCheck
 *
 * @typedef {object} Totals
 * @property {number} received Events, without the hub's own `stream:*`.
 * @property {number} replayed Those of them that came between coming back and `stream:caught-up`.
 * @property {number} again Ticks that came twice.
 * @property {number} lost Ticks missing of which the hub said nothing.
 * @property {number} missed Ticks missing as the hub had said.
 * @property {number} resumed How many times a stream went on from an id.
 *
 * @typedef {'lost' | 'given-up' | 'switched' | 'missed'} Kind
 *
 * @typedef {object} Episode One loss or change of the connection, until it is checked.
 * @property {Entry} entry
 * @property {Kind} kind
 * @property {string} fromId
 * @property {number} startedAtMs By `performance.now()`.
 * @property {number} awayMs
 * @property {number} replayed
 * @property {string | undefined} gapReason
 * @property {Map<string, SymbolCheck>} checks
 * @property {Set<string> | undefined} waitingFor Symbols that have not ticked since the stream was live again.
 */

/** How long to wait for the next tick of a symbol that may be quiet. Milliseconds. */
const settleMs = 2_500

/** @type {Readonly<Record<Kind, string>>} */
const titles = {
  lost: 'Connection lost',
  'given-up': 'Connection lost',
  switched: 'Watch-list changed',
  missed: 'Events missed',
}

/**
 * @param {object} given
 * @param {import('./journal.js').Journal} given.journal
 * @param {(text: string, tone: Tone) => void} given.say Sets the status line.
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
   * @param {Kind} kind
   * @param {string} fromId
   */
  function begin(kind, fromId) {
    if (episode) settle(episode)
    const entry = journal.begin(titles[kind], 'working')
    /** @type {Map<string, SymbolCheck>} */
    const checks = new Map()
    for (const symbol of watched()) {
      const before = lastCounter(symbol)
      if (before === undefined) continue
      checks.set(symbol, { before, replayed: [], live: undefined, lost: 0, missed: 0, again: 0, anew: false })
    }
    const startedAtMs = performance.now()
    episode = {
      entry,
      kind,
      fromId,
      checks,
      startedAtMs,
      awayMs: 0,
      replayed: 0,
      gapReason: undefined,
      waitingFor: undefined,
    }
    return episode
  }

  /**
   * The stream is live again: the next tick of each symbol shows whether anything is missing at the end.
   *
   * @param {Episode} current
   */
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
    if (checks.length > 0 && current.waitingFor)
      current.entry.step('The counter n in every tick says:', checkTable(checks))
    const { text, tone } = outcome(current)
    current.entry.title(text, tone)
    say(text, tone)
  }

  return {
    totals,

    /** @param {number} awayMs The page has asked the hub to cut it. */
    cutAsked(awayMs) {
      askedAwayMs = awayMs
    },

    /** @param {string} why */
    cutRefused(why) {
      askedAwayMs = undefined
      journal.begin(`Not cut: ${why}`, 'bad')
    },

    /**
     * The hub says that it is going to end the stream.
     *
     * @param {string} type
     * @param {string} data
     */
    farewell(type, data) {
      farewell = `${type} ${data}`
    },

    /**
     * @param {string} lastId
     * @param {boolean} final Whether the browser has given up.
     */
    lost(lastId, final) {
      const asked = askedAwayMs
      const { step } = begin(final ? 'given-up' : 'lost', lastId).entry
      if (farewell) step('Before the end the hub said ', code(farewell))
      step(
        asked === undefined
          ? 'The connection is gone; this page did not ask for it.'
          : 'The hub ended the stream, as this page asked by POST /demo/cut.',
      )
      if (final) {
        step('The browser has given up; the page opens a new EventSource in a moment.')
      } else {
        const wait = asked ? `${asked / 1000} s, as the hub said by “retry:”` : 'as long as the stream’s “retry:” said'
        step(`EventSource waits ${wait}, then comes back by itself. The last id that it has is `, code(lastId))
      }
      const back = asked ? `in ${asked / 1000} seconds` : 'soon'
      say(`Connection lost. The browser will be back ${back} and ask for what came after ${lastId}.`, 'bad')
      askedAwayMs = undefined
      farewell = undefined
    },

    /**
     * The page opens a new EventSource, because the list of topics has changed.
     *
     * @param {string} lastId
     */
    switched(lastId) {
      const { entry } = begin('switched', lastId)
      entry.step('Other topics need another URL: a new EventSource with ', code(`last_event_id=${lastId}`))
    },

    /**
     * @param {string} connection
     * @returns {boolean} Whether it was the browser that came back, by itself.
     */
    connected(connection) {
      if (!episode) return false
      const byItself = episode.kind === 'lost'
      episode.awayMs = performance.now() - episode.startedAtMs
      totals.resumed += 1
      episode.entry.step(
        `${byItself ? 'Back' : 'Connected'} after ${duration(episode.awayMs)} as connection ${connection}.`,
        ...(byItself ? [' The browser sent ', code(`Last-Event-ID: ${episode.fromId}`)] : []),
      )
      return byItself
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
    tick(symbol, n, replayed, { kind, missing, announced }) {
      const again = kind === 'again' ? 1 : 0
      const gap = announced ? 'missed' : 'lost'
      totals.again += again
      totals[gap] += missing
      const found = episode?.checks.get(symbol)
      if (found) {
        if (replayed) found.replayed.push(n)
        else found.live ??= n
        found.again += again
        found[gap] += missing
        found.anew ||= kind === 'anew'
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

    /** @param {{ reason: string, from: string, oldest: string }} notice */
    syncRequired({ reason, from, oldest }) {
      const current = episode ?? begin('missed', from)
      current.gapReason = reason
      const what =
        reason === 'too_old' ? `events between ${from} and ${oldest} are gone` : `it cannot go on from ${from}`
      current.entry.step(`The hub says “sync required”: ${what} (${reason}). The stream goes on from now.`)
      current.entry.title(`Refetching (${reason})`, 'working')
      say(`The hub says that ${what} (${reason}). Refetching.`, 'told')
      if (!current.waitingFor) check(current)
    },

    /** @param {number} added */
    refetched(added) {
      episode?.entry.step(
        `GET /demo/prices brought the prices as they are now, and ${added} ticks that the page did not have.`,
      )
    },
  }
}

/**
 * @param {Episode} episode
 * @returns {{ text: string, tone: Tone }}
 */
function outcome({ kind, fromId, awayMs, replayed, gapReason, checks, waitingFor }) {
  if (!waitingFor) return { text: `${titles[kind]}; it changed again before this could be checked.`, tone: 'working' }
  const sum = { lost: 0, missed: 0, again: 0 }
  for (const { lost, missed, again } of checks.values()) {
    sum.lost += lost
    sum.missed += missed
    sum.again += again
  }
  const twice = sum.again > 0 ? `, ${sum.again} twice` : ''
  const isWhole = sum.lost + sum.again === 0
  if (gapReason) {
    const missed = [...checks.values()].some(({ anew }) => anew) ? 'the hub counts anew' : `${sum.missed} ticks missed`
    const why =
      gapReason === 'too_old'
        ? `Away too long (${duration(awayMs)}) for the hub`
        : `The hub could not go on from ${fromId}`
    const text = `${why}, and it said so: ${gapReason}. The page refetched the prices: ${missed}, ${sum.lost} lost in silence${twice}.`
    return { text, tone: isWhole ? 'told' : 'bad' }
  }
  const how =
    kind === 'switched'
      ? `Watch-list changed, went on from id ${fromId}`
      : `Resumed from id ${fromId} after ${duration(awayMs)}`
  return { text: `${how}: ${events(replayed)} replayed, ${sum.lost} lost${twice}.`, tone: isWhole ? 'good' : 'bad' }
}

/** @param {number} count */
const events = (count) => `${count} ${count === 1 ? 'event' : 'events'}`

/** @param {number} ms */
const duration = (ms) => (ms < 950 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`)

/** @param {string} text */
const code = (text) => element('code', {}, text)
