/** What becomes of the file of a running hub, as its publishers and streams see it. */
import { mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { smallDisk } from '../../packages/backends/sqlite/test/support/small-disk.ts'
import { runCommand, startHubProcess, type HubProcess } from './support/hub-process.ts'
import { openStream, type StreamReader } from './support/stream-reader.ts'

const PATIENCE_MS = 20_000

interface Answer {
  readonly status: number
  readonly id: string | undefined
  readonly detail: string
}

async function publish({ url }: HubProcess, data: string, dedupeKey?: string): Promise<Answer> {
  const response = await fetch(`${url}/events`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ topic: 'news', data, ...(dedupeKey === undefined ? undefined : { dedupeKey }) }),
  })
  const { ids, detail } = (await response.json()) as { ids?: string[]; detail?: string }
  return { status: response.status, id: ids?.[0], detail: detail ?? '' }
}

/** Publishes until it is refused; what was answered is added. */
async function publishUntilRefused(hub: HubProcess, answered: string[]): Promise<Answer> {
  for (let i = 0; i < 5_000; i++) {
    const answer = await publish(hub, `${i} `.padEnd(8192, 'x'))
    if (answer.id === undefined) return answer
    answered.push(answer.id)
  }
  throw new Error('Nothing was refused.')
}

async function start(file: string): Promise<HubProcess> {
  const hub = await startHubProcess(['--port', '0', '--log', `sqlite:${file}`])
  onTestFinished(() => hub.stop())
  return hub
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-e2e-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** The faults that the hub has written down: at what, and which. */
function faultsIn({ output }: HubProcess): unknown[] {
  return output.stderr.split('\n').flatMap((line) => {
    if (!line.startsWith('{')) return []
    const { level, msg, err } = JSON.parse(line) as { level: string; msg: string; err?: { message: string } }
    return level === 'error' ? [[msg, err?.message]] : []
  })
}

/** Resolves when the stream has all of them, once and in order. */
async function expectAll(stream: StreamReader, answered: readonly string[]): Promise<void> {
  if (stream.ids.at(-1) !== answered.at(-1)) await stream.until(({ id }) => id === answered.at(-1))
  expect(stream.ids).toEqual(answered)
}

test('a full disk: publishes are answered 503, streams stay up, and when there is room everything goes on', async ({
  skip,
}) => {
  const disk = smallDisk(4 * 1024)
  if (!disk) {
    skip('a file system cannot be mounted here')
    return
  }
  const ballast = join(disk.folder, 'ballast')
  writeFileSync(ballast, Buffer.alloc(1024 * 1024))
  const hub = await startHubProcess(['--port', '0', '--log', `sqlite:${join(disk.folder, 'hub.db')}`])
  onTestFinished(async () => {
    await hub.stop()
    disk.unmount()
  })
  const stream = await openStream(`${hub.url}/events?topic=news`, { patienceMs: PATIENCE_MS })
  await stream.next()
  const answered: string[] = []
  for (let i = 0; i < 2; i++) {
    expect(await publishUntilRefused(hub, answered)).toMatchObject({ status: 503 })
  }
  expect(faultsIn(hub)).toEqual([['storing events', expect.stringMatching(/The disk of .*hub\.db is full/)]])
  expect(answered.length).toBeGreaterThan(20)
  await expectAll(stream, answered)
  // Who comes back meanwhile is served from what is there.
  const headers = { 'Last-Event-ID': answered[4] ?? '' }
  const resumed = await openStream(`${hub.url}/events?topic=news`, { headers, patienceMs: PATIENCE_MS })
  await resumed.until(({ event }) => event === 'stream:caught-up')
  expect(resumed.ids).toEqual(answered.slice(5))

  const refused = await publish(hub, 'x'.repeat(60_000), 'again')
  expect(refused.status).toBe(503)
  rmSync(ballast)
  const stored = await publish(hub, 'x'.repeat(60_000), 'again')
  expect(stored).toMatchObject({ status: 200 })
  expect(await publish(hub, 'x'.repeat(60_000), 'again')).toEqual(stored)
  answered.push(stored.id ?? '')
  await expectAll(stream, answered)
  expect((await fetch(`${hub.url}/health/ready`)).status).toBe(200)
})

test('a file that is moved away under a hub: publishes are answered 503 with what to do, streams stay up, and it goes on when it is back', async () => {
  const file = join(newFolder(), 'hub.db')
  const hub = await start(file)
  const stream = await openStream(`${hub.url}/events?topic=news`, { patienceMs: PATIENCE_MS })
  await stream.next()
  const first = await publish(hub, 'before')
  renameSync(file, `${file}.away`)
  for (let i = 0; i < 20; i++) {
    const detail = expect.stringContaining('the log of the hub says why')
    expect(await publish(hub, 'meanwhile')).toMatchObject({ status: 503, detail })
  }
  expect(faultsIn(hub)).toEqual([[expect.any(String), expect.stringContaining(`${file} was deleted or moved away`)]])
  renameSync(`${file}.away`, file)
  const last = await publish(hub, 'after')
  expect(last.status).toBe(200)
  await expectAll(stream, [first.id ?? '', last.id ?? ''])
  expect(stream.events.map(({ data }) => data)).toEqual(['before', 'after'])
})

test('a file that is deleted under a hub: nothing is stored that would be lost, and the next start says what is missing', async () => {
  const file = join(newFolder(), 'hub.db')
  const hub = await start(file)
  const stream = await openStream(`${hub.url}/events?topic=news`, { patienceMs: PATIENCE_MS })
  await stream.next()
  const { id } = await publish(hub, 'before')
  rmSync(file)
  for (let i = 0; i < 3; i++) expect(await publish(hub, 'lost')).toMatchObject({ status: 503, id: undefined })
  await expectAll(stream, [id ?? ''])
  await hub.stop()
  const { code, stderr } = runCommand(['serve', '--port', '0', '--log', `sqlite:${file}`])
  expect(code).toBe(2)
  expect(stderr).toMatch(
    /^millrace: .*hub\.db is missing, but .*hub\.db-wal with its newest events is there\. [^\n]*\n$/,
  )
})

test.each<[string, (file: string) => void, RegExp]>([
  ['foreign', (file) => writeFileSync(file, 'Dear diary, '.repeat(1000)), /is not a log of Millrace/],
  ['newer', (file) => setVersion(file, 99), /was written by a newer Millrace \(version 99 of the file/],
  ['damaged', (file) => truncateSync(file, 2 * 4096), /is damaged/],
  ['damaged_inside', spoilInside, /is damaged .*Put back a copy/],
  ['missing_folder', () => undefined, /there is no folder/],
])('a %s file is refused by the command in one line, and ends it', async (kind, spoil, message) => {
  const folder = newFolder()
  const file = kind === 'missing_folder' ? join(folder, 'no', 'hub.db') : join(folder, 'hub.db')
  if (kind === 'newer' || kind === 'damaged') await (await start(file)).stop()
  if (kind === 'damaged_inside') await fill(file)
  spoil(file)
  const { code, stdout, stderr } = runCommand(['serve', '--port', '0', '--log', `sqlite:${file}`])
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(/^millrace: [^\n]*\n$/)
  expect(stderr).toMatch(message)
})

async function fill(file: string): Promise<void> {
  const hub = await start(file)
  const events = Array.from({ length: 500 }, (_, i) => ({ topic: `t.${i}`, data: 'x'.repeat(2_000) }))
  const headers = { 'Content-Type': 'application/json' }
  const body = JSON.stringify(events)
  expect((await fetch(`${hub.url}/events`, { method: 'POST', headers, body })).status).toBe(200)
  await hub.stop()
}

/** What is found at the start is whole; the events are not. */
function spoilInside(file: string): void {
  const database = new DatabaseSync(file)
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  database.close()
  const bytes = readFileSync(file)
  // Somewhere in the last third, where the newest events are.
  writeFileSync(file, bytes.fill(0xa5, bytes.length - 80 * 4096, bytes.length - 40 * 4096))
}

function setVersion(file: string, version: number): void {
  const database = new DatabaseSync(file)
  database.exec(`PRAGMA user_version = ${version}`)
  database.close()
}
