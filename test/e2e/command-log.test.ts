/** What the `millrace` command writes to standard error while it runs. */
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { startHubProcess } from './support/hub-process.ts'
import { openStream } from './support/stream-reader.ts'

test('each stream’s life is on standard error, one JSON object a line, to the end', async () => {
  const hub = await startHubProcess(['--port', '0', '--log-level', 'info', '--drain-ms', '100'])
  onTestFinished(() => hub.stop())
  const stream = await openStream(`${hub.url}/events?topic=a`)
  const connection = stream.headers['millrace-connection']
  hub.child.kill('SIGTERM')
  await once(hub.child, 'close')
  const lines = hub.output.stderr.trimEnd().split('\n')
  const life = lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((line) => line['connection'] === connection)
  expect(life).toMatchObject([
    { msg: 'opened', topics: ['a'], from: 'now' },
    { msg: 'left', reason: 'shutdown' },
  ])
})

test('a pipe whose reader lags has the whole log at the end', async () => {
  const hub = await startHubProcess(['--port', '0', '--log-level', 'info', '--drain-ms', '100'])
  onTestFinished(() => hub.stop())
  hub.child.stderr?.pause()
  const topics = Array.from({ length: 20 }, (_, i) => `topic=${i}${'x'.repeat(200)}`).join('&')
  const streams = await Promise.all(Array.from({ length: 150 }, () => openStream(`${hub.url}/events?${topics}`)))
  const closed = once(hub.child, 'close')
  hub.child.kill('SIGTERM')
  for (const stream of streams) await stream.rest()
  hub.child.stderr?.resume()
  expect(await closed).toEqual([0, null])
  const turns = hub.output.stderr
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { msg: string }).msg)
  expect(turns).toEqual([...streams.map(() => 'opened'), ...streams.map(() => 'left')])
})
