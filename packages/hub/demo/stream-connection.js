// @ts-check

/**
 * An event as the browser hands it over.
 *
 * @typedef {object} Received
 * @property {string} id The last event id as of this event; an event without one of its own repeats the last.
 * @property {string} type
 * @property {string} data
 * @property {boolean} replayed Whether it came between coming back and `stream:caught-up`.
 */

/**
 * @typedef {'connecting' | 'catching-up' | 'live' | 'away'} Phase
 *
 * @typedef {object} ConnectionObserver
 * @property {(phase: Phase) => void} onPhase
 * @property {(event: Received) => void} onEvent Every event, `stream:*` included, in order.
 * @property {(lastId: string, final: boolean) => void} onLost Once for each loss. `final`: the browser has given up.
 * @property {(resumedFrom: string) => void} onConnected Before anything else of a connection; '' when it starts afresh.
 */

/** The hub's own events: docs/protocol.md, control events. An EventSource sees an event only if it listens for its type. */
const controlTypes = [
  'connected',
  'position',
  'caught-up',
  'sync-required',
  'topics',
  'expiring',
  'unauthorized',
  'reconnect',
  'shutdown',
  'end',
]

/** How long the page waits when the browser has given up for good. Milliseconds. */
const reopenAfterMs = 3_000

/**
 * One native EventSource at a time. The browser reconnects by itself and sends the id of the last event; only a changed
 * list of topics needs a new EventSource, which starts from that id by its URL.
 *
 * @param {ConnectionObserver} observer
 */
export function createStreamConnection(observer) {
  /** @type {EventSource | undefined} */
  let source
  /** @type {Set<string>} */
  const types = new Set(['message', ...controlTypes.map((name) => `stream:${name}`)])
  let lastId = ''
  /** @type {Phase} */
  let phase = 'connecting'
  let connectionId = ''
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let reopening

  /** @param {Phase} next */
  function setPhase(next) {
    if (next === phase) return
    phase = next
    observer.onPhase(phase)
  }

  /** @param {MessageEvent<string>} message */
  function receive(message) {
    // One that was closed may not speak any more.
    if (message.target !== source) return
    if (message.type === 'stream:connected') {
      connectionId = String(JSON.parse(message.data).connection)
      setPhase(lastId ? 'catching-up' : 'live')
      observer.onConnected(lastId)
    }
    lastId = message.lastEventId
    observer.onEvent({ id: lastId, type: message.type, data: message.data, replayed: phase === 'catching-up' })
    if (message.type === 'stream:caught-up' || message.type === 'stream:sync-required') setPhase('live')
  }

  /** @param {readonly string[]} topics */
  function open(topics) {
    clearTimeout(reopening)
    source?.close()
    const query = new URLSearchParams({ topic: topics.join(','), envelope: '1' })
    if (lastId) query.set('last_event_id', lastId)
    const opened = new EventSource(`/events?${query}`)
    source = opened
    setPhase('connecting')
    for (const type of types) opened.addEventListener(type, receive)
    opened.addEventListener('error', () => {
      const final = opened.readyState === EventSource.CLOSED
      if (final) reopening = setTimeout(() => open(topics), reopenAfterMs)
      const already = phase === 'away'
      setPhase('away')
      if (!already) observer.onLost(lastId, final)
    })
  }

  return {
    open,

    /**
     * From now on, events of this type are received too.
     *
     * @param {string} type
     */
    listen(type) {
      if (types.has(type)) return
      types.add(type)
      source?.addEventListener(type, receive)
    },

    /** The id that the hub gave this connection; '' before it did. */
    get connectionId() {
      return connectionId
    },
    get lastId() {
      return lastId
    },
    get phase() {
      return phase
    },
    get url() {
      return source?.url ?? ''
    },
  }
}

/** @typedef {ReturnType<typeof createStreamConnection>} StreamConnection */
