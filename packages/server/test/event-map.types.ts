// Compiled with the tests and never run: what the event map allows and what it refuses.
import { createHub, memory } from '@millrace/server'

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
