import { EventSource } from '@millrace/client'
import { fetchEventSource } from '@microsoft/fetch-event-source'
import { EventSource as NpmEventSource } from 'eventsource'
import { createEventSource } from 'eventsource-client'
import { EventSource as UndiciEventSource } from 'undici'
// @ts-expect-error -- it has no types
import { EventSourcePolyfill } from 'event-source-polyfill'

/** A client of event streams, as its users call it. */
export interface OtherClient {
  readonly name: string
  /** What it is known not to do. */
  readonly limits: string
  /** Listens to plain messages; returns what ends it. */
  listen(url: string, onData: (data: string) => void): () => void
}

interface Listening {
  addEventListener(type: 'message', listener: (event: { data: string }) => void): void
  close(): void
}

function heard(source: Listening, onData: (data: string) => void): () => void {
  source.addEventListener('message', ({ data }) => onData(data))
  return () => source.close()
}

/** Those that resume by the id of the last event. */
export const resumingClients: readonly OtherClient[] = [
  {
    name: 'EventSource of @millrace/client',
    limits: 'none',
    listen: (url, onData) => heard(new EventSource(url), onData),
  },
  {
    name: 'eventsource',
    limits: 'takes any `retry`; one that no timer holds makes it ask without a pause',
    listen: (url, onData) => heard(new NpmEventSource(url), onData),
  },
  {
    name: 'EventSource of undici',
    limits: '`retry` counts only with the event behind it',
    listen: (url, onData) => heard(new UndiciEventSource(url), onData),
  },
  {
    name: 'eventsource-client',
    limits: 'opens on any status and type',
    listen(url, onData) {
      const client = createEventSource({ url, onMessage: ({ data, event }) => void (event ?? onData(data)) })
      return () => client.close()
    },
  },
  {
    name: 'fetch-event-source',
    limits: 'for pages only: it has to be told of a window; blocks without data are events',
    listen(url, onData) {
      const controller = new AbortController()
      void fetchEventSource(url, {
        signal: controller.signal,
        openWhenHidden: true,
        fetch,
        onmessage: ({ data, event, id }) => void (event || !id || onData(data)),
      })
      return () => controller.abort()
    },
  },
  {
    name: 'event-source-polyfill',
    limits: 'sends the id in the query, so the name that the hub knows has to be set; waits a second at least',
    listen: (url, onData) =>
      heard(
        // oxlint-disable-next-line typescript/no-unsafe-call
        new EventSourcePolyfill(url, { lastEventIdQueryParameterName: 'last_event_id' }) as Listening,
        onData,
      ),
  },
]
