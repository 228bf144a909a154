import { parseEventId } from '@millrace/protocol'
import { expect, onTestFinished } from 'vitest'
import type { TestBrowser } from './browser.ts'
import { MANY_BYTES } from './cut-rules.ts'
import { startCuttingProxy, type CuttingProxy } from './cutting-proxy.ts'
import { Recorder, RECORDER_PAGE, type Note } from './recorder-page.ts'
import { startTestHub, type TestHub, type TestHubOptions } from './test-hub.ts'

const SYNC_REQUIRED = 'stream:sync-required'
/** What a page of the tests listens for: its events, and that some are missing. */
export const HEARD = ['message', 'tick', SYNC_REQUIRED]
/** Firefox waits at least half a second before it comes back, whatever `retry` says. */
export const FAST: TestHubOptions = { retryMs: 100, heartbeatMs: 100 }

export interface Stage {
  readonly hub: TestHub
  readonly proxy: CuttingProxy
  readonly recorder: Recorder
}

export async function setUp(browser: TestBrowser, options: TestHubOptions = FAST): Promise<Stage> {
  const hub = await startTestHub(options)
  const proxy = await startCuttingProxy({ port: hub.port, pages: { '/': RECORDER_PAGE } })
  return { hub, proxy, recorder: await record(browser, proxy) }
}

export async function record(browser: TestBrowser, proxy: CuttingProxy): Promise<Recorder> {
  const page = await browser.open(`${proxy.origin}/`)
  onTestFinished(() => page.close())
  return new Recorder(page)
}

/** Starts the page's stream and waits until the hub has it. */
export async function listening(hub: TestHub, recorder: Recorder, url: string, types = HEARD): Promise<void> {
  await recorder.listen(url, types)
  await recorder.until('the stream', (notes) => notes.some(({ kind }) => kind === 'open'))
  expect(hub.hub.stats().subscribers).toBe(1)
}

/** Publishes a number every few milliseconds until the condition holds, then some more; returns the last one. */
export async function publishUntil(hub: TestHub, isEnough: () => boolean): Promise<number> {
  let n = 0
  const publish = (): Promise<unknown> =>
    hub.hub.publish({ topic: 'a', type: 'tick', data: { n: ++n, text: MANY_BYTES } })
  const endMs = performance.now() + 40_000
  while (!isEnough()) {
    if (performance.now() > endMs) throw new Error('The cuts did not happen')
    await publish()
    await new Promise((resolve) => setTimeout(resolve, 4))
  }
  for (let i = 0; i < 5; i++) await publish()
  return n
}

/** Waits until the quiet stream was sent an id as new as the newest event. */
export async function positionMoved(hub: TestHub, proxy: CuttingProxy): Promise<void> {
  const { ids } = await hub.hub.publish({ topic: 'busy.z', type: 'other', data: { n: 0 } })
  const newest = parseEventId(ids[0] ?? '')
  const endMs = performance.now() + 5_000
  const moved = new RegExp(`id: \\w+-${newest?.seq}-\\w+\nevent: stream:position`)
  while (!moved.test(String(proxy.passages.at(-1)?.response))) {
    if (performance.now() > endMs) throw new Error('No stream:position came')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  // Sent is not yet read by the page.
  await new Promise((resolve) => setTimeout(resolve, 100))
}

export function connectedIdOf(proxy: CuttingProxy): string | undefined {
  return /id: (\S+)\nevent: stream:connected/.exec(String(proxy.passages[0]?.response))?.[1]
}

export function isEvent(note: Note): note is Note & { kind: 'event' } {
  return note.kind === 'event'
}

export function isType(note: Note, type: string): boolean {
  return note.kind === 'event' && note.type === type
}

export function isNotice(note: Note): note is Note & { kind: 'event' } {
  return isType(note, SYNC_REQUIRED)
}
