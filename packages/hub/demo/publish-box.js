// @ts-check
import { byId, element } from './element.js'
import { curlCommand, eventFromForm } from './curl-command.js'

const arrivalsKept = 6
const typesKey = 'millrace-demo-types'

/**
 * The form that publishes an event, the `curl` line that does the same, and what arrived on `demo.>`.
 *
 * @param {object} given
 * @param {(type: string) => void} given.listen Called for each type that the stream has to listen for.
 */
export function createPublishBox({ listen }) {
  const form = byId('publish', HTMLFormElement)
  const topic = byId('publish-topic', HTMLInputElement)
  const type = byId('publish-type', HTMLInputElement)
  const data = byId('publish-data', HTMLTextAreaElement)
  const curl = byId('publish-curl', HTMLElement)
  const copy = byId('publish-copy', HTMLButtonElement)
  const result = byId('publish-result', HTMLOutputElement)
  const arrivals = byId('publish-arrivals', HTMLOListElement)
  const heard = byId('publish-heard', HTMLElement)

  // An EventSource sees only events of types that it listens for. A type that is typed here is kept for this browser
  // and told to its other tabs.
  const types = new Set(['note', ...storedTypes()])
  for (const each of types) listen(each)
  showTypes()
  addEventListener('storage', ({ key }) => {
    if (key === typesKey) for (const each of storedTypes()) hear(each)
  })

  /** @param {string} name */
  function hear(name) {
    if (name === '' || name === 'message' || name === 'tick' || types.has(name)) return
    types.add(name)
    listen(name)
    showTypes()
  }

  function showTypes() {
    heard.textContent = ['message', 'tick', ...types].join(', ')
  }

  const event = () => eventFromForm(topic.value.trim(), type.value.trim(), data.value)
  const showCurl = () => {
    curl.textContent = curlCommand(location.origin, event())
  }
  showCurl()
  form.addEventListener('input', showCurl)

  type.addEventListener('change', () => {
    hear(type.value.trim())
    localStorage.setItem(typesKey, JSON.stringify([...types].slice(-50)))
  })

  form.addEventListener('submit', (submit) => {
    submit.preventDefault()
    void publish()
  })

  async function publish() {
    result.dataset['tone'] = ''
    result.value = 'Publishing …'
    const { ok, text } = await post(event())
    result.dataset['tone'] = ok ? 'good' : 'bad'
    result.value = text
  }

  copy.addEventListener('click', () => void copyCurl())

  async function copyCurl() {
    try {
      await navigator.clipboard.writeText(curl.textContent ?? '')
      copy.textContent = 'Copied'
    } catch {
      // Without leave to write there, the line is selected for the user to copy.
      getSelection()?.selectAllChildren(curl)
      copy.textContent = 'Selected'
    }
    setTimeout(() => (copy.textContent = 'Copy'), 1_500)
  }

  return {
    /**
     * An event that somebody published, on a topic below `demo`.
     *
     * @param {{ id: string, topic: string, type: string, data: unknown, timeMs: number }} event
     */
    arrived({ id, topic: on, type: named, data: value, timeMs }) {
      arrivals.querySelector('.none')?.remove()
      const text = typeof value === 'string' ? value : JSON.stringify(value)
      arrivals.prepend(
        element(
          'li',
          { 'data-testid': 'arrival', 'data-id': id },
          element('time', {}, new Date(timeMs).toLocaleTimeString('en-GB', { hour12: false })),
          element('span', { class: 'arrival-topic' }, on),
          element('span', { class: 'row-event' }, named),
          element('code', {}, text),
        ),
      )
      while (arrivals.children.length > arrivalsKept) arrivals.lastElementChild?.remove()
    },
  }
}

/** @returns {string[]} */
function storedTypes() {
  try {
    const stored = JSON.parse(localStorage.getItem(typesKey) ?? '[]')
    return Array.isArray(stored) ? stored.filter((each) => typeof each === 'string' && each !== '') : []
  } catch {
    return []
  }
}

/**
 * @param {import('./curl-command.js').PublishedEvent} event
 * @returns {Promise<{ ok: boolean, text: string }>}
 */
async function post(event) {
  try {
    const response = await fetch('/events', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(event),
    })
    const answer = await response.json()
    if (response.ok) return { ok: true, text: `Published as ${answer.ids[0]}` }
    return { ok: false, text: `${response.status}: ${answer.detail ?? answer.title}` }
  } catch (error) {
    return { ok: false, text: `Not published: ${String(error)}` }
  }
}
