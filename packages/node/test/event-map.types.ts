// Compiled with the tests and never run: the hub of Node takes the event maps that the engine takes.
import { createHub, memory } from '@millrace/node'

interface Chat {
  said: { text: string }
}

export async function interfaceAsMap(): Promise<void> {
  const hub = createHub<Chat>({ backend: memory() })
  hub.handler()
  await hub.publish({ topic: 'chat.1', type: 'said', data: { text: 'hello' } })
  // @ts-expect-error a greeting is a text
  await hub.publish({ topic: 'chat.1', type: 'said', data: { text: 1 } })
}
