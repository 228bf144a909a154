// @ts-check
import { createContinuity } from './continuity.js'
import { byId } from './element.js'
import { createEventTape } from './event-tape.js'
import { createJournal } from './journal.js'
import { createPriceChart } from './price-chart.js'
import { createPriceHistory, isTick } from './price-history.js'
import { createPublishBox } from './publish-box.js'
import { createRawStream } from './raw-stream.js'
import { createResumeStory } from './resume-story.js'
import { createStreamConnection } from './stream-connection.js'
import { createWatchList } from './watch-list.js'

/**
 * @typedef {import('./price-history.js').Arrival} Arrival
 * @typedef {import('./price-history.js').PriceState} PriceState
 * @typedef {import('./price-history.js').Tick} Tick
 * @typedef {import('./stream-connection.js').Phase} Phase
 * @typedef {{ id: string, topic: string, type: string, time: string | number, data: unknown }} Envelope
 */

const watchedAtFirst = ['AAPL', 'AMZN', 'GOOG', 'MSFT']
const publishedTopics = 'demo.>'
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]

/** @returns {Promise<PriceState>} */
async function fetchPrices() {
  for (;;) {
    try {
      const response = await fetch('/demo/prices')
      if (response.ok) return await response.json()
    } catch {
      // The hub is away; it is asked again, as the stream is.
    }
    await new Promise((resolve) => setTimeout(resolve, 2_000))
  }
}

const state = await fetchPrices()
const symbols = state.symbols.map(({ symbol }) => symbol).toSorted()

const history = createPriceHistory()
history.setMonths(state)
const continuity = createContinuity()
const raw = createRawStream()
const chart = createPriceChart({ host: byId('chart', HTMLDivElement), symbols, history })
const tape = createEventTape({ canvas: byId('tape', HTMLCanvasElement) })
const watchList = createWatchList({ symbols, watched: watchedAtFirst, onChange: (watched) => void watch(watched) })
const story = createResumeStory({
  journal: createJournal(byId('journal', HTMLOListElement)),
  say(text, tone) {
    const status = byId('status', HTMLParagraphElement)
    status.textContent = text
    status.dataset['tone'] = tone
  },
  lastCounter: continuity.last,
  watched: watchList.watched,
})
const stream = createStreamConnection({ onPhase, onEvent, onLost, onConnected })
const publishBox = createPublishBox({ listen: (type) => stream.listen(type) })
stream.listen('tick')

const selectors = () => [...watchList.watched().map((symbol) => `stocks.${symbol}`), publishedTopics]

/**
 * @param {PriceState} prices
 * @param {Arrival} arrival
 * @returns {number} How many ticks of watched symbols the page did not have.
 */
function addFetched(prices, arrival) {
  let added = 0
  for (const { symbol, recent } of prices.symbols) {
    if (!watchList.watched().includes(symbol)) continue
    if (recent.length === 0) continuity.expectFirst(symbol)
    for (const tick of recent) {
      if (!history.add(tick, tick.timeMs, arrival)) continue
      added += 1
      if (arrival === 'refetched') tape.add({ lane: symbol, timeMs: tick.timeMs, kind: 'missed' })
    }
    watchList.show(symbol, history.of(symbol))
  }
  chart.render()
  return added
}

/** @param {readonly string[]} watched */
async function watch(watched) {
  for (const symbol of symbols) if (!watched.includes(symbol)) continuity.forget(symbol)
  story.switched(stream.lastId)
  stream.open(selectors())
  raw.mark(`new EventSource with last_event_id=${stream.lastId}`, 'working')
  showWatched()
  addFetched(await fetchPrices(), 'before')
}

function showWatched() {
  tape.setLanes([...watchList.watched(), 'demo'])
  chart.setWatched(watchList.watched())
  byId('stream-url', HTMLElement).textContent = decodeURIComponent(stream.url.replace(location.origin, ''))
}

/** @param {string} resumedFrom */
function onConnected(resumedFrom) {
  tape.cameBack()
  if (!resumedFrom) {
    // Fetched once the stream has begun, so that nothing falls between the two.
    void fetchPrices().then((prices) => addFetched(prices, 'before'))
    return
  }
  if (story.connected(stream.connectionId)) raw.mark(`connected again with Last-Event-ID: ${resumedFrom}`, 'good')
}

/**
 * @param {string} lastId
 * @param {boolean} final
 */
function onLost(lastId, final) {
  tape.left()
  raw.mark(`connection lost after ${lastId}`, 'bad')
  story.lost(lastId, final)
}

/** @param {import('./stream-connection.js').Received} event */
function onEvent(event) {
  raw.event(event)
  if (event.type.startsWith('stream:')) void onControl(event.type, event.data)
  else onPublished(JSON.parse(event.data), event.replayed)
  showTotals()
}

/**
 * @param {string} type
 * @param {string} data
 */
async function onControl(type, data) {
  if (type === 'stream:caught-up') story.caughtUp(JSON.parse(data).replayed)
  if (type === 'stream:shutdown' || type === 'stream:reconnect') story.farewell(type, data)
  if (type !== 'stream:sync-required') return
  const notice = JSON.parse(data)
  story.syncRequired(notice)
  continuity.announceGap()
  // Another life of the log: its counters are other counters.
  if (notice.reason !== 'too_old' && notice.reason !== 'too_far') history.clear()
  story.refetched(addFetched(await fetchPrices(), 'refetched'))
  showTotals()
}

/**
 * @param {Envelope} envelope
 * @param {boolean} replayed
 */
function onPublished({ id, topic, type, time, data }, replayed) {
  const timeMs = typeof time === 'number' ? time : Date.parse(time)
  story.event(replayed)
  // Anybody may publish here; what is no tick is shown as what it is.
  if (topic.startsWith('stocks.') && type === 'tick' && isTick(data)) onTick(data, timeMs, replayed)
  else {
    tape.add({ lane: 'demo', timeMs, kind: replayed ? 'replayed' : 'live' })
    publishBox.arrived({ id, topic, type, data, timeMs })
  }
}

/**
 * @param {Tick} tick
 * @param {number} timeMs
 * @param {boolean} replayed
 */
function onTick(tick, timeMs, replayed) {
  const { symbol, n, date } = tick
  story.tick(symbol, n, replayed, continuity.accept(symbol, n))
  history.add(tick, timeMs, replayed ? 'replayed' : 'live')
  tape.add({ lane: symbol, timeMs, kind: replayed ? 'replayed' : 'live' })
  watchList.show(symbol, history.of(symbol))
  byId('replay-date', HTMLElement).textContent = `${months[Number(date.slice(5, 7)) - 1]} ${date.slice(0, 4)}`
  chart.render()
}

function showTotals() {
  for (const [name, count] of Object.entries(story.totals)) {
    const shown = byId(`total-${name}`, HTMLElement)
    shown.textContent = String(count)
    shown.dataset['zero'] = String(count === 0)
  }
}

/** @type {Readonly<Record<Phase, string>>} */
const phaseNames = { connecting: 'connecting', 'catching-up': 'catching up', live: 'live', away: 'away' }
let awaySince = 0

/** @param {Phase} phase */
function onPhase(phase) {
  awaySince = performance.now()
  showPhase()
  for (const button of cutButtons) button.setAttribute('aria-disabled', String(phase !== 'live'))
}

function showPhase() {
  const pill = byId('phase', HTMLElement)
  pill.dataset['phase'] = stream.phase
  const since = stream.phase === 'away' ? ` ${((performance.now() - awaySince) / 1000).toFixed(0)} s` : ''
  pill.textContent = phaseNames[stream.phase] + since
}
setInterval(showPhase, 500)

const cutButtons = document.querySelectorAll('button[data-away-ms]')
for (const button of cutButtons) {
  button.addEventListener('click', () => void cut(Number(button.getAttribute('data-away-ms'))))
}

/** @param {number} awayMs */
async function cut(awayMs) {
  if (stream.phase !== 'live') return
  story.cutAsked(awayMs)
  const response = await fetch('/demo/cut', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ connection: stream.connectionId, awayMs }),
  })
  if (!response.ok) story.cutRefused((await response.json()).detail)
}

stream.open(selectors())
showWatched()
