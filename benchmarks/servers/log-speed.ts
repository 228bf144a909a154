// An event log by itself, in a process of its own: how fast it stores, reads back, starts and evicts.
import { parseTopic } from '@millrace/protocol'
import { memory, type EventLog, type NewEvent, type RetentionLimits } from '@millrace/server'
import { sqlite } from '@millrace/sqlite'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answer } from './answers.ts'
import { listen } from './listen.ts'

export interface LogSpeedSettings {
  readonly backend: 'memory' | 'sqlite'
  /** Appends of one event that are pending at once, and events that each of them stores one after the other. */
  readonly publishers: number
  readonly eventsPerPublisher: number
  /** Appends of many events. */
  readonly batches: number
  readonly eventsPerBatch: number
  readonly topicCount: number
  readonly dataBytes: number
  /** Events of a page when all is read back. */
  readonly pageCount: number
}

export interface LogSpeed {
  readonly singlePerSecond: number
  readonly singleP99Ms: number
  readonly batchPerSecond: number
  readonly readPerSecond: number
  /** From the call that opens the log to its first answer. Only where it keeps anything. */
  readonly restartMs: number
  /** Of appends while all those events are evicted. */
  readonly evictingP50Ms: number
  readonly evictingP99Ms: number
  readonly evictingMaxMs: number
  readonly evictedPerSecond: number
}

const KEEP_ALL: RetentionLimits = { maxCount: false, maxBytes: false, maxAgeMs: false }
/** Publishers while retention is at work. */
const EVICTING_PUBLISHERS = 8
const KEPT_COUNT = 1_000

const settings = JSON.parse(process.argv[2] ?? '') as LogSpeedSettings
const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
const data = 'x'.repeat(settings.dataBytes)
const topics = Array.from({ length: settings.topicCount }, (_, i) => parseTopic(`bench.${i}`))
let next = 0

listen((_request, response) => response.end())
// The benchmark kills this process as soon as it has the result.
const result = run().finally(() => rmSync(folder, { recursive: true, force: true }))
answer({ result: () => result })

function open(retention: RetentionLimits): EventLog {
  const options = { topics: [{ match: '>', retention }] }
  const { log } = settings.backend === 'memory' ? memory(options) : sqlite(join(folder, 'log.db'), options)
  return log
}

function newEvent(): NewEvent {
  const topic = topics[next++ % topics.length]
  if (!topic) throw new Error('There are no topics.')
  return { topic, type: 'tick', data }
}

async function run(): Promise<LogSpeed> {
  const log = open(KEEP_ALL)
  const single = await appendSingly(log)
  const batchPerSecond = await appendBatches(log)
  const readPerSecond = await readAll(log)
  const restartMs = settings.backend === 'memory' ? 0 : await restart(log)
  const evicting = settings.backend === 'memory' ? undefined : await appendWhileEvicting()
  return {
    ...single,
    batchPerSecond,
    readPerSecond,
    restartMs,
    evictingP50Ms: evicting?.p50Ms ?? 0,
    evictingP99Ms: evicting?.p99Ms ?? 0,
    evictingMaxMs: evicting?.maxMs ?? 0,
    evictedPerSecond: evicting?.evictedPerSecond ?? 0,
  }
}

async function appendSingly(log: EventLog): Promise<Pick<LogSpeed, 'singlePerSecond' | 'singleP99Ms'>> {
  const { publishers, eventsPerPublisher } = settings
  const latenciesMs: number[] = []
  const startMs = performance.now()
  await Promise.all(
    Array.from({ length: publishers }, async () => {
      for (let i = 0; i < eventsPerPublisher; i++) latenciesMs.push(await timed(() => log.append([newEvent()])))
    }),
  )
  const singlePerSecond = perSecond(publishers * eventsPerPublisher, startMs)
  return { singlePerSecond, singleP99Ms: percentile(latenciesMs, 0.99) }
}

async function appendBatches(log: EventLog): Promise<number> {
  const { batches, eventsPerBatch } = settings
  const startMs = performance.now()
  for (let i = 0; i < batches; i++) await log.append(Array.from({ length: eventsPerBatch }, newEvent))
  return perSecond(batches * eventsPerBatch, startMs)
}

async function readAll(log: EventLog): Promise<number> {
  const startMs = performance.now()
  let page = await log.read({ after: 'oldest', selectors: 'all', maxCount: settings.pageCount, maxBytes: 1e9 })
  let count = 0
  for (;;) {
    if (page.kind === 'gap') throw new Error(`a gap: ${page.reason}`)
    count += page.events.length
    if (page.scannedTo.seq === page.head.seq) break
    page = await log.read({ after: page.scannedTo, selectors: 'all', maxCount: settings.pageCount, maxBytes: 1e9 })
  }
  if (count !== next) throw new Error(`${count} of ${next} events were read back`)
  return perSecond(count, startMs)
}

async function restart(log: EventLog): Promise<number> {
  await log.close()
  return timed(async () => {
    const again = open(KEEP_ALL)
    const { head } = await again.bounds()
    if (head.seq !== next) throw new Error('The log has not kept everything.')
    await again.close()
  })
}

async function appendWhileEvicting(): Promise<{
  p50Ms: number
  p99Ms: number
  maxMs: number
  evictedPerSecond: number
}> {
  const log = open({ ...KEEP_ALL, maxCount: KEPT_COUNT })
  const latenciesMs: number[] = []
  const before = next
  const startMs = performance.now()
  let isDone = false
  await Promise.all(
    Array.from({ length: EVICTING_PUBLISHERS }, async () => {
      while (!isDone) {
        latenciesMs.push(await timed(() => log.append([newEvent()])))
        const { oldest, head } = await log.bounds()
        isDone = head.seq - oldest.seq <= KEPT_COUNT + EVICTING_PUBLISHERS
      }
    }),
  )
  const evictedPerSecond = perSecond(before, startMs)
  await log.close()
  return {
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99),
    maxMs: percentile(latenciesMs, 1),
    evictedPerSecond,
  }
}

async function timed(step: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now()
  await step()
  return performance.now() - startMs
}

function perSecond(count: number, startMs: number): number {
  return (count * 1000) / (performance.now() - startMs)
}

function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}
