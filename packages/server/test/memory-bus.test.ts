import { memory, type Bus, type BusMessage } from '@millrace/server'
import { parseTopic } from '@millrace/protocol'
import { expect, test } from 'vitest'

function openBus(): Bus {
  const { bus } = memory()
  if (!bus) throw new Error('memory has no bus')
  return bus
}

function message(data: string): BusMessage {
  return { kind: 'ephemeral', event: { topic: parseTopic('a'), data }, timeMs: 1 }
}

test('every listener hears what is sent, in order and never from within send', async () => {
  const bus = openBus()
  const heard: string[] = []
  for (const name of ['one', 'two']) await bus.listen(({ event }) => heard.push(`${name} ${event.data}`))
  const sent = [bus.send(message('1')), bus.send(message('2'))]
  expect(heard).toEqual([])
  await Promise.all(sent)
  expect(heard.filter((each) => each.startsWith('one'))).toEqual(['one 1', 'one 2'])
  expect(heard.filter((each) => each.startsWith('two'))).toEqual(['two 1', 'two 2'])
})

test('a listener that stops hears nothing more, not even what is on its way', async () => {
  const bus = openBus()
  const heard: string[] = []
  const stop = await bus.listen(({ event }) => heard.push(event.data))
  const sent = bus.send(message('on its way'))
  stop()
  stop()
  await sent
  await bus.send(message('later'))
  expect(heard).toEqual([])
})

test('the same function may listen twice, and stop once', async () => {
  const bus = openBus()
  const heard: string[] = []
  const listener = ({ event }: BusMessage): void => void heard.push(event.data)
  const stop = await bus.listen(listener)
  await bus.listen(listener)
  await bus.send(message('both'))
  stop()
  await bus.send(message('one'))
  expect(heard).toEqual(['both', 'both', 'one'])
})

test('after close every method rejects, nobody hears anything, and close may be called twice', async () => {
  const bus = openBus()
  const heard: unknown[] = []
  await bus.listen((each) => heard.push(each))
  const sent = bus.send(message('on its way'))
  await bus.close()
  await bus.close()
  await sent
  expect(heard).toEqual([])
  await expect(bus.send(message('late'))).rejects.toMatchObject({ name: 'BackendError', code: 'closed' })
  await expect(bus.listen(() => undefined)).rejects.toMatchObject({ code: 'closed' })
})
