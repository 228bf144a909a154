// Compiled with the tests and never run: what the event map allows and what it refuses.
import { createHub, memory, type PublishEvent, type ReceivedEvent } from '@millrace/server'

type Prices = { tick: { price: number }; halt: { reason: string } }

export async function typedEvents(): Promise<void> {
  const hub = createHub<Prices>({ backend: memory() })
  await hub.publish({ topic: 'stocks.AAPL', type: 'tick', data: { price: 187.2 } })
  await hub.publish([{ topic: 'stocks.AAPL', type: 'halt', data: { reason: 'news' } }])
  // @ts-expect-error the data of another type
  await hub.publish({ topic: 'stocks.AAPL', type: 'tick', data: { reason: 'news' } })
  // @ts-expect-error no such type
  await hub.publish({ topic: 'stocks.AAPL', type: 'tock', data: { price: 187.2 } })
  // @ts-expect-error no type
  await hub.publish({ topic: 'stocks.AAPL', data: { price: 187.2 } })
  for await (const event of hub.subscribe({ topics: ['stocks.*'] })) {
    if (event.kind === 'gap') continue
    if (event.type === 'tick') event.data.price.toFixed()
    // @ts-expect-error a halt has no price
    if (event.type === 'halt') event.data.price.toFixed()
  }
}

export async function untypedEvents(): Promise<void> {
  const hub = createHub({ backend: memory() })
  await hub.publish({ topic: 'a', data: 1 })
}

interface Chat {
  said: { text: string }
}

export async function interfaceAsMap(): Promise<void> {
  const hub = createHub<Chat>({ backend: memory() })
  const greeting: PublishEvent<Chat> = { topic: 'chat.1', type: 'said', data: { text: 'hello' } }
  await hub.publish(greeting)
  // @ts-expect-error no such type
  await hub.publish({ topic: 'chat.1', type: 'sung', data: { text: 'hello' } })
  for await (const event of hub.subscribe({ topics: ['chat.*'] })) {
    if (event.kind === 'event') textOf(event).trim()
  }
}

function textOf({ data }: ReceivedEvent<Chat>): string {
  // @ts-expect-error nothing that was said has a price
  void data.price
  return data.text
}
