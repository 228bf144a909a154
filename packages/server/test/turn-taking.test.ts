import { parseTopic } from '@millrace/protocol'
import { createHub, memory } from '@millrace/server'
import { expect, onTestFinished, test } from 'vitest'

test.each([
  ['one by one', 1],
  ['a thousand at once', 1_000],
])('a loop that publishes %s lets the event loop turn as often as one with as many events', async (_how, size) => {
  const hub = createHub({ backend: memory() })
  onTestFinished(() => hub.close({ drainMs: 0 }))
  await hub.ready()
  const events = Array.from({ length: size }, () => ({ topic: 'a', data: 1 }))
  let turns = 0
  let isDone = false
  const turn = (): void => {
    turns++
    if (!isDone) setImmediate(turn)
  }
  setImmediate(turn)
  for (let left = 50_000; left > 0; left -= size) await hub.publish(events)
  isDone = true
  expect(turns).toBeGreaterThanOrEqual(size === 1 ? 150 : 45)
})

test('a hub that reads many values from memory lets the event loop turn in between', async () => {
  const backend = memory({ topics: [{ match: 'state.>', kind: 'state' }] })
  const keys = Array.from({ length: 20_000 }, (_, i) => ({ topic: parseTopic('state.a'), key: `k${i}`, data: '1' }))
  await backend.log.append(keys)
  let turns = 0
  const hub = createHub({ backend })
  onTestFinished(() => hub.close({ drainMs: 0 }))
  const turn = (): void => {
    turns++
    if (!hub.stats().isFollowing) setImmediate(turn)
  }
  setImmediate(turn)
  await hub.ready()
  expect(turns).toBeGreaterThanOrEqual(15)
})

test.each([
  ['one by one', 1],
  ['a thousand at once', 1_000],
])('a loop that sends ephemeral events %s lets who is live read them meanwhile', async (_how, size) => {
  const hub = createHub({ backend: memory() })
  const leaving = new AbortController()
  onTestFinished(async () => {
    leaving.abort()
    await hub.close({ drainMs: 0 })
  })
  await hub.ready()
  const request = new Request('https://example.org/events?topic=a', { signal: leaving.signal })
  const { body } = await hub.fetchHandler()(request)
  const received = countLines(body, 'data: beat', 20_000)
  const events = Array.from({ length: size }, () => ({ topic: 'a', data: 'beat', ephemeral: true }))
  for (let left = 20_000; left > 0; left -= size) await hub.publish(events)
  // Those that fit between two passes are all that is left of a loop that lets nothing turn. How many come beyond them is the
  // machine's: all, where it has nothing else to do.
  expect(await received).toBeGreaterThan(4_096)
})

/** How many lines of a stream are this one: so many, or fewer when nothing more comes. */
async function countLines(body: ReadableStream<Uint8Array> | null, line: string, wanted: number): Promise<number> {
  const reader = body?.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader()
  let count = 0
  let rest = ''
  while (count < wanted) {
    const part = await Promise.race([reader?.read(), new Promise<undefined>((resolve) => setTimeout(resolve, 2_000))])
    if (part?.value === undefined) return count
    const lines = (rest + part.value).split('\n')
    rest = lines.pop() ?? ''
    count += lines.filter((each) => each === line).length
  }
  return count
}
