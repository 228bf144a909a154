import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { runCommand, startHubProcess, type HubProcess } from './support/hub-process.ts'
import { openStream, type StreamReader } from './support/stream-reader.ts'

/** Appends without end, as many at once, and notes the ids of what was answered. Ends when the hub does. */
async function publishUntilKilled({ url }: HubProcess, round: number, answered: Map<string, string>): Promise<void> {
  const publisher = async (name: number): Promise<void> => {
    for (let number = 1; ; number++) {
      const data = `${round}/${name}/${number}`
      try {
        const response = await fetch(`${url}/events`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ topic: `news.${name}`, data }),
        })
        const { ids } = (await response.json()) as { ids: [string] }
        answered.set(ids[0], data)
      } catch {
        return
      }
    }
  }
  await Promise.all([1, 2, 3, 4].map(publisher))
}

async function start(log: string): Promise<HubProcess> {
  const hub = await startHubProcess(['--port', '0', '--log', log])
  onTestFinished(() => hub.stop())
  return hub
}

function logFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-e2e-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'hub.db')
}

test('a client that resumes after kill -9 of its hub, three times, has every answered event once, in order', async () => {
  const file = logFile()
  const answered = new Map<string, string>()
  const received: { id: string; data: string }[] = []
  let lastEventId: string | undefined
  const take = (stream: StreamReader): void => {
    for (const { id = '', data = '' } of stream.events) received.push({ id, data })
    lastEventId = stream.all.findLast(({ id }) => id !== undefined)?.id ?? lastEventId
  }
  const open = ({ url }: HubProcess): Promise<StreamReader> =>
    openStream(
      `${url}/events?topic=news.*`,
      lastEventId === undefined ? {} : { headers: { 'Last-Event-ID': lastEventId } },
    )

  for (let round = 1; round <= 3; round++) {
    const hub = await start(`sqlite:${file}`)
    const stream = await open(hub)
    const publishing = publishUntilKilled(hub, round, answered)
    await stream.until(() => stream.events.length >= 100 * round)
    hub.child.kill('SIGKILL')
    await stream.rest()
    await publishing
    take(stream)
  }
  const hub = await start(`sqlite:${file}`)
  const stream = await open(hub)
  await stream.until(({ event }) => event === 'stream:caught-up')
  take(stream)

  expect(stream.all.map(({ event }) => event)).not.toContain('stream:sync-required')
  const ids = received.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  const seqs = ids.map((id) => Number(id.split('-')[1]))
  expect(seqs).toEqual(seqs.map((_, i) => i + 1))
  expect(new Set(ids.map((id) => id.split('-')[0])).size).toBe(1)
  const byId = new Map(received.map(({ id, data }) => [id, data]))
  expect([...answered].filter(([id, data]) => byId.get(id) !== data)).toEqual([])
  expect(answered.size).toBeGreaterThan(300)
})

test('a second hub on the file says in one line that it is in use, and ends', async () => {
  const file = logFile()
  await start(`sqlite:${file}`)
  const { code, stdout, stderr } = runCommand(['serve', '--port', '0', '--log', `sqlite:${file}`])
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toBe(
    `millrace: ${file} is in use by another log, in this process or another: a log has one owner. Stop that one, or give another path.\n`,
  )
})

test('a hub that was told to stop leaves one file, and goes on from it', async () => {
  const file = logFile()
  const first = await start(`sqlite:${file}`)
  const publish = ({ url }: HubProcess): Promise<unknown> =>
    fetch(`${url}/events`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"topic":"news","data":"kept"}',
    }).then((response) => response.json())
  const [before] = ((await publish(first)) as { ids: [string] }).ids
  const ended = new Promise((resolve) => first.child.once('exit', (code) => resolve(code)))
  first.child.kill('SIGTERM')
  expect(await ended).toBe(0)
  expect(first.output.stderr).toBe('')
  const second = await start(`sqlite:${file}`)
  const [after] = ((await publish(second)) as { ids: [string] }).ids
  const [epoch, seq] = before.split('-')
  expect(after.split('-').slice(0, 2)).toEqual([epoch, `${Number(seq) + 1}`])
})
