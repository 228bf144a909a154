import { textPayload, FetchTransport, type TransportOwner } from '@millrace/server'
import { expect, test } from 'vitest'

const decoder = new TextDecoder()

class Owner implements TransportOwner {
  readonly told: string[] = []
  /** Set while a method of the transport runs. */
  isCalling = false
  onDrain(): void {
    this.told.push(this.isCalling ? 'drain from within' : 'drain')
  }
  onClose(): void {
    this.told.push(this.isCalling ? 'close from within' : 'close')
  }
  call<T>(method: () => T): T {
    this.isCalling = true
    const result = method()
    this.isCalling = false
    return result
  }
}

function open(signal: AbortSignal = new AbortController().signal): {
  transport: FetchTransport
  owner: Owner
  reader: ReadableStreamDefaultReader<Uint8Array>
  write(text: string): boolean
} {
  const transport = new FetchTransport(signal)
  const owner = new Owner()
  transport.attach(owner)
  const reader = transport.body.getReader()
  return { transport, owner, reader, write: (text) => owner.call(() => transport.write(textPayload(text))) }
}

/** Lets every microtask that is due now have its turn. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 0)
  })
}

async function readText(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string | undefined> {
  const { value } = await reader.read()
  return value && decoder.decode(value)
}

test('chunks come whole and in order, whether they were waited for or not', async () => {
  const { reader, write } = open()
  expect([write('one'), write('two')]).toEqual([true, true])
  expect([await readText(reader), await readText(reader)]).toEqual(['one', 'two'])
  const waiting = readText(reader)
  write('three')
  expect(await waiting).toBe('three')
})

test('a payload is handed over without a copy, and stays whole for others', async () => {
  const { reader, transport } = open()
  const payload = textPayload('shared')
  transport.write(payload)
  expect((await reader.read()).value).toBe(payload.bytes)
  expect(decoder.decode(payload.chunk)).toBe('6\r\nshared\r\n')
})

test('what was handed over counts as waiting until the platform comes for more', async () => {
  const { reader, transport, write } = open()
  write('four')
  write('and')
  expect(transport.bufferedBytes).toBe(7)
  await reader.read()
  expect(transport.bufferedBytes).toBe(7)
  await reader.read()
  expect(transport.bufferedBytes).toBe(3)
  void reader.read()
  await turn()
  expect(transport.bufferedBytes).toBe(0)
})

test('a full transport says so until it has drained, and tells that once', async () => {
  const { reader, owner, write } = open()
  expect(write('x'.repeat(65_536))).toBe(false)
  expect(write('y')).toBe(false)
  await reader.read()
  await reader.read()
  expect(owner.told).toEqual([])
  const waiting = reader.read()
  await turn()
  expect(owner.told).toEqual(['drain'])
  expect(write('z')).toBe(true)
  await waiting
  void reader.read()
  await turn()
  expect(owner.told).toEqual(['drain'])
})

test('a write before the owner is told of room puts that off until it is gone', async () => {
  const { reader, owner, write } = open()
  write('x'.repeat(65_536))
  await reader.read()
  const waiting = reader.read()
  expect(write('y')).toBe(false)
  await waiting
  await turn()
  expect(owner.told).toEqual([])
  void reader.read()
  await turn()
  expect(owner.told).toEqual(['drain'])
})

test('the end comes behind what was accepted, and the owner is told when the platform has come for all', async () => {
  const { reader, owner, transport, write } = open()
  write('last')
  owner.call(() => transport.end())
  owner.call(() => transport.end())
  expect(write('late')).toBe(false)
  expect(await readText(reader)).toBe('last')
  expect(owner.told).toEqual([])
  expect(await reader.read()).toEqual({ done: true, value: undefined })
  await turn()
  expect(owner.told).toEqual(['close'])
})

test('a platform that waits for more is told of the end at once', async () => {
  const { reader, owner, transport } = open()
  const waiting = reader.read()
  owner.call(() => transport.end())
  expect(await waiting).toMatchObject({ done: true })
  await turn()
  expect(owner.told).toEqual(['close'])
})

test('to destroy drops what waits and breaks the body, also while the end is waited for', async () => {
  const { reader, owner, transport, write } = open()
  write('lost')
  transport.end()
  owner.call(() => transport.destroy())
  owner.call(() => transport.destroy())
  expect(transport.bufferedBytes).toBe(0)
  await expect(reader.read()).rejects.toThrow('cut the stream off')
  await turn()
  expect([owner.told, write('late')]).toEqual([['close'], false])
})

test.each(['cancels the body', 'is said to have left'])('a client that %s is told to the owner, once', async (how) => {
  const leaving = new AbortController()
  const { reader, owner, write } = open(leaving.signal)
  write('x'.repeat(65_536))
  if (how === 'cancels the body') await reader.cancel()
  leaving.abort()
  await turn()
  expect([owner.told, write('late')]).toEqual([['close'], false])
})

test('a client that had left before is told to the owner that comes later', async () => {
  const { owner, reader, write } = open(AbortSignal.abort())
  expect([owner.told, write('late')]).toEqual([[], false])
  await turn()
  expect(owner.told).toEqual(['close'])
  expect(await reader.read()).toMatchObject({ done: true })
})

test('nothing listens to the signal when the stream is over', async () => {
  const { signal } = new AbortController()
  const listening = new Set<unknown>()
  const { addEventListener, removeEventListener } = signal
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => void listening.add(args[1])
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => void listening.delete(args[1])
  const { transport } = open(signal)
  expect(listening.size).toBe(1)
  transport.destroy()
  expect(listening.size).toBe(0)
})
