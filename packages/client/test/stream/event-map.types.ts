// Compiled with the tests and never run: what the event map of a stream allows and what it refuses.
import { connect, type AnyStream } from '@millrace/client'

type Prices = { tick: { price: number }; halt: { reason: string } }

export async function typedEvents(): Promise<void> {
  const stream = connect<Prices>('/events', { topics: ['stocks.*'] })
  stream.on('tick', (event) => event.data.price.toFixed())
  stream.on('*', (event) => (event.type === 'tick' ? event.data.price.toFixed() : event.data.reason.trim()))
  stream.on('stream:end', (event) => event.data.topic.trim())
  stream.on('stream:sync-required', (event) => event.data.reason === 'too_old')
  // @ts-expect-error a halt has no price
  stream.on('halt', (event) => event.data.price.toFixed())
  // @ts-expect-error no such type
  stream.on('tock', () => {})
  // @ts-expect-error no such event of the stream itself
  stream.on('stream:connected', () => {})
  for await (const event of stream) {
    event.topic.trim()
    event.id.trim()
    if (event.type === 'tick') event.data.price.toFixed()
    // @ts-expect-error a halt has no price
    if (event.type === 'halt') event.data.price.toFixed()
  }
}

interface Chat {
  said: { text: string }
}

export function interfaceAsMap(): void {
  connect<Chat>('/events').on('said', ({ data }) => data.text.trim())
  // @ts-expect-error no such type
  connect<Chat>('/events').on('sung', () => {})
}

export async function untypedEvents(name: string): Promise<void> {
  const stream = connect('/events')
  stream.on('message', (event) => {
    const type: 'message' = event.type
    const { topic, id, data }: { topic: string; id: string; data: unknown } = event
    void [type, topic, id, data]
  })
  stream.on('message', ({ data }) => {
    // @ts-expect-error nothing is known of it
    const text: string = data
    void text
  })
  stream.on(name, ({ data }) => typeof data === 'string' && data.trim())
  stream.on('*', ({ type, data }) => {
    type.trim()
    // @ts-expect-error nothing is known of it
    void data.price
    // @ts-expect-error the type is the event's own
    const star: '*' = type
    void star
  })
  stream.on('stream:end', (event) => event.data.topic.trim())
  for await (const { data } of stream) {
    // @ts-expect-error nothing is known of it
    void data.price
  }
}

export function severalTypes(name: 'tick' | 'halt'): void {
  connect<Prices>('/events').on(name, ({ type, data }) => {
    const either: { price: number } | { reason: string } = data
    void [either, type === 'tick']
  })
  // What is optional in the map has data all the same when it comes.
  connect<{ tick?: { price: number } }>('/events').on('tick', ({ topic }) => topic.trim())
}

export async function anyStream(): Promise<void> {
  const streams: AnyStream[] = [connect<Prices>('/prices'), connect<Chat>('/chat'), connect('/events')]
  for (const stream of streams) {
    stream.onStatus(({ name }) => name.trim())
    await stream.addTopics(['a'])
    for await (const { type, data } of stream) {
      type.trim()
      // @ts-expect-error whose event it is is not known
      void data.price
    }
    // @ts-expect-error handlers go by the event map
    stream.on('tick', () => {})
    stream.close()
  }
}

export function statuses(): void {
  const stream = connect('/events')
  stream.onStatus((status) => {
    if (status.name === 'waiting') status.delayMs.toFixed()
    if (status.name === 'failed') status.error.code.trim()
    // @ts-expect-error only those that wait have a delay
    void status.delayMs
    // @ts-expect-error no such state
    if (status.name === 'paused') return
  })
}
