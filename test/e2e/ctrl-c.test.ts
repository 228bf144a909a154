/** Ctrl-C in a terminal where npm has started the hub: the terminal tells the hub, and npm tells it again. */
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { startHubProcess, type HubProcess } from './support/hub-process.ts'
import { CONNECTED } from './support/resume-client.ts'
import { openStream, type StreamReader } from './support/stream-reader.ts'
import { openStuck } from './support/stuck-stream.ts'

/** As many as are ended at once, beside the one that is stuck: the last one is told 100 ms later. */
const STREAM_COUNT = 100

test('Ctrl-C that npm passes on is one, and every stream gets its farewell', async () => {
  const { hub, first } = await start()
  for (let i = 2; i < STREAM_COUNT; i++) await openStream(`${hub.url}/events`)
  const last = await openStream(`${hub.url}/events`)
  await last.until(CONNECTED)
  const exited = once(hub.child, 'exit')
  hub.child.kill('SIGINT')
  await first.rest()
  expect(hub.child.exitCode).toBe(null)
  hub.child.kill('SIGINT')
  await last.rest()
  expect(last.all.at(-1)).toMatchObject({ event: 'stream:shutdown' })
  expect(await exited).toEqual([0, null])
})

test.each([
  ['SIGTERM', 'SIGTERM'],
  ['SIGTERM', 'SIGINT'],
  ['SIGINT', 'SIGTERM'],
] as const)('%s and %s right behind it are two, which end the hub at once', async (one, other) => {
  const { hub, first } = await start()
  const exited = once(hub.child, 'exit')
  hub.child.kill(one)
  await first.rest()
  expect(hub.child.exitCode).toBe(null)
  hub.child.kill(other)
  expect(await exited).toEqual([1, null])
})

/** A hub that is still there for seconds when the first stream has had its farewell. */
async function start(): Promise<{ hub: HubProcess; first: StreamReader }> {
  const hub = await startHubProcess(['--port', '0', '--log', 'memory:', '--log-level', 'silent'])
  onTestFinished(() => hub.stop())
  await openStuck(hub)
  const first = await openStream(`${hub.url}/events`)
  await first.until(CONNECTED)
  return { hub, first }
}
