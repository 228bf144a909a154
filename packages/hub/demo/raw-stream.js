// @ts-check
import { byId, element } from './element.js'

/** How many rows the list keeps. */
const rowsKept = 200

/**
 * The stream as the browser hands it to the page, newest first: id, event and data of each event, and where the
 * connection was lost. What an EventSource keeps to itself (comments, `retry:`) cannot be shown.
 */
export function createRawStream() {
  const list = byId('raw-rows', HTMLOListElement)
  const pauseButton = byId('raw-pause', HTMLButtonElement)
  const hideTicks = byId('raw-hide-ticks', HTMLInputElement)
  const wholeLines = byId('raw-whole', HTMLInputElement)
  let paused = false
  /** @type {HTMLLIElement[]} Rows that came while paused, oldest first. */
  let waiting = []
  let waitingCount = 0
  let shownId = ''

  pauseButton.addEventListener('click', () => {
    paused = !paused
    if (!paused) {
      list.prepend(...waiting.toReversed())
      waiting = []
      waitingCount = 0
      trim()
    }
    label()
  })
  hideTicks.addEventListener('change', () => list.classList.toggle('without-ticks', hideTicks.checked))
  wholeLines.addEventListener('change', () => list.classList.toggle('whole-lines', wholeLines.checked))

  function label() {
    pauseButton.textContent = paused ? `Go on${waitingCount > 0 ? ` (${waitingCount} new)` : ''}` : 'Pause'
    pauseButton.setAttribute('aria-pressed', String(paused))
  }

  function trim() {
    while (list.children.length > rowsKept) list.lastElementChild?.remove()
  }

  /** @param {HTMLLIElement} row */
  function add(row) {
    if (!paused) {
      list.prepend(row)
      trim()
      return
    }
    waiting.push(row)
    waitingCount += 1
    if (waiting.length > rowsKept) waiting.shift()
    label()
  }

  return {
    /** @param {import('./stream-connection.js').Received} event */
    event({ id, type, data, replayed }) {
      const control = type.startsWith('stream:')
      const kind = control ? 'control' : replayed ? 'replayed' : type === 'tick' ? 'tick' : 'other'
      // An event without an id of its own leaves the last one in force; the browser repeats it.
      const idAttributes =
        id === shownId
          ? { class: 'row-id repeated', title: 'No id of its own: the last one stays in force' }
          : { class: 'row-id' }
      shownId = id
      add(
        element(
          'li',
          { class: 'row', 'data-kind': kind, 'data-type': type, 'data-testid': 'raw-row' },
          element('span', { class: 'row-event' }, type),
          element('code', idAttributes, id),
          element('code', { class: 'row-data' }, ...dataParts(data)),
        ),
      )
    },

    /**
     * @param {string} text Something that happened to the connection, between two events.
     * @param {import('./journal.js').Tone} tone
     */
    mark(text, tone) {
      add(element('li', { class: 'row mark', 'data-tone': tone, 'data-testid': 'raw-mark' }, text))
    },
  }
}

/**
 * The text, in two parts: the rows are short, and the start of an envelope repeats what stands above it.
 *
 * @param {string} data
 */
function dataParts(data) {
  const at = data.startsWith('{"id":') ? data.indexOf('"data":') : -1
  if (at === -1) return [element('span', { class: 'row-inner' }, data)]
  return [
    element('span', { class: 'row-envelope' }, data.slice(0, at)),
    element('span', { class: 'row-inner' }, data.slice(at)),
  ]
}
