// oxlint-disable unicorn/prefer-add-event-listener -- the attributes are what is tried
// Compiled with the tests and never run: what goes where an `EventSource` of browsers goes.
import { EventSource, type EventSourceErrorEvent, type TextMessageEvent } from '@millrace/client'

export function inPlaceOfTheBrowsersOwn(): void {
  const native: globalThis.EventSource = new EventSource('/events', { withCredentials: true })
  native.onopen = (event) => event.type.trim()
  native.onmessage = (event) => typeof event.data === 'string'
  native.onerror = () => native.readyState === native.CLOSED
  native.addEventListener('tick', (event) => event.lastEventId.trim())
  native.addEventListener('error', { handleEvent: (event) => event.type.trim() })
  const sources: globalThis.EventSource[] = [new EventSource('/a'), new globalThis.EventSource('/b')]
  for (const source of sources) source.close()
  globalThis.EventSource = EventSource
}

export function handlers(): void {
  const source = new EventSource('/events')
  source.onerror = ({ reason }) => reason.kind === 'status' && reason.status.toFixed()
  source.onerror = function (event: EventSourceErrorEvent) {
    this.close()
    // @ts-expect-error not every end has a status
    void event.reason.status
  }
  source.onerror = (event: Event) => event.type.trim()
  source.onmessage = ({ data, lastEventId }) => data.trim() + lastEventId
  source.onmessage = ({ data }: MessageEvent) => void data
  source.onopen = function () {
    this.reset()
  }
  source.onerror = null
  // @ts-expect-error no number
  source.onmessage = ({ data }) => data.toFixed()
  // @ts-expect-error a handler is a function
  source.onmessage = 'show'
  const { onmessage, onopen, onerror } = source
  if (onmessage === null && onopen === null && onerror === null) return
  source.addEventListener('tick', (event: TextMessageEvent) => event.data.trim())
}
