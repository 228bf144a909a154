import { setTimeout as sleep } from 'node:timers/promises'
import { forward, wait } from '../faults/steps.ts'
import { TestingError } from '../testing-error.ts'
import { ResilienceRun } from './resilience-run.ts'
import type { PageLike, ResilienceSubject } from './resilience-subject.ts'

/** What is published while a page is away, in each of the cases. */
const AWAY_COUNT = 5

/**
 * Closes the page: its streams end, at the server too; publishing to nobody works; and a page that is opened again has a stream
 * with everything from then on, each once. Returns that page.
 *
 * @throws ExpectationError that says what was not so
 */
export async function survivesClose<P extends PageLike<P>>(subject: ResilienceSubject<P>): Promise<P> {
  const run = new ResilienceRun(subject, 'close')
  const { page } = subject
  const open = await run.live()
  const held = await subject.serverStreams?.()
  const [context, url] = [page.context(), page.url()]
  await page.close()
  await run.streams(0, 'when the page is closed')
  await run.serverStreams(held === undefined ? undefined : held - open, 'when the page is closed')
  await run.publish()
  run.page = await context.newPage()
  await run.page.goto(url)
  await run.live()
  await run.streams(open, 'when the page is opened again')
  await run.expectOnce([await run.publish(), await run.publishAndSee()])
  return run.page
}

/**
 * Reloads the page: it has as many streams as before, the old ones are gone, and everything from then on arrives once. With
 * `keepsIdOverReload` what was published while it loaded arrives as well.
 *
 * @throws ExpectationError that says what was not so
 */
export async function survivesReload<P extends PageLike<P>>(subject: ResilienceSubject<P>): Promise<void> {
  const { page, proxy, keepsIdOverReload = false } = subject
  const run = new ResilienceRun(subject, 'reload')
  const open = await run.live()
  const held = await subject.serverStreams?.()
  // The page loads, and its streams wait: what is published now is published while nobody listens.
  const gate = Promise.withResolvers<void>()
  proxy.play(...Array.from({ length: open }, () => [wait(gate.promise), forward()]))
  const count = proxy.requests.length
  const missed: string[] = []
  try {
    await page.reload()
    await proxy.until('The stream of the reloaded page', ({ length }) => length > count, run.withinMs)
    for (let i = 0; i < AWAY_COUNT; i++) missed.push(await run.publish())
  } finally {
    gate.resolve()
  }
  await run.live()
  await run.streams(open, 'when the page was reloaded')
  await run.serverStreams(held, 'when the page was reloaded')
  await run.expectOnce([...(keepsIdOverReload ? missed : []), await run.publish(), await run.publishAndSee()])
}

export interface OfflineOptions {
  /** How long the page is offline. Milliseconds, 1 or more. @default 10000 */
  readonly offlineMs?: number | undefined
}

/**
 * Takes the page offline: the browser is told so, its connections break, and new ones fail. When it is online again it comes
 * back by itself, with as many streams as before, and shows everything once and in order; what was published meanwhile too,
 * unless `replays` is false.
 *
 * @throws ExpectationError that says what was not so
 */
export async function survivesOffline<P extends PageLike<P>>(
  subject: ResilienceSubject<P>,
  { offlineMs = 10_000 }: OfflineOptions = {},
): Promise<void> {
  needAtLeastOne('offlineMs', offlineMs)
  const { page, proxy } = subject
  const run = new ResilienceRun(subject, 'offline')
  const open = await run.live()
  const before = await run.publishAndSee()
  const missed: string[] = []
  try {
    await page.context().setOffline(true)
    // Browsers leave the connections open that they have: a network does not.
    proxy.goOffline()
    for (let i = 0; i < AWAY_COUNT; i++) {
      await sleep(offlineMs / AWAY_COUNT)
      missed.push(await run.publish())
    }
  } finally {
    proxy.goOnline()
    await page.context().setOffline(false)
  }
  await run.live()
  await run.streams(open, 'when the page is online again')
  const since = await run.publishAndSee()
  await run.expectOnce([before, ...(subject.replays === false ? [] : missed), since])
}

export interface QuickReconnectsOptions {
  /** How often the connection is cut. 1 or more. @default 10 */
  readonly count?: number | undefined
}

/**
 * Cuts the page's streams again and again, each time as soon as they are back, by FIN and by RST in turn, with an event before
 * each cut and one behind it. The page shows everything once and in order, and in the end has as many streams as before.
 *
 * @throws ExpectationError that says what was not so
 */
export async function survivesQuickReconnects<P extends PageLike<P>>(
  subject: ResilienceSubject<P>,
  { count = 10 }: QuickReconnectsOptions = {},
): Promise<void> {
  needAtLeastOne('count', count)
  const { proxy } = subject
  const run = new ResilienceRun(subject, 'reconnect')
  const open = await run.live()
  const before = await run.publishAndSee()
  const besideCuts: string[] = []
  for (let i = 0; i < count; i++) {
    besideCuts.push(await run.publish())
    proxy.cutAll(i % 2 === 0 ? 'fin' : 'rst')
    besideCuts.push(await run.publish())
    await run.streams(open, `after cut ${i + 1}`)
  }
  await run.live()
  const since = await run.publishAndSee()
  await run.streams(open, 'in the end')
  await run.expectOnce([before, ...(subject.replays === false ? [] : besideCuts), since])
}

function needAtLeastOne(name: string, value: number): void {
  if (Number.isFinite(value) && value >= 1) return
  throw new TestingError('invalid_option', `${name} is ${value}: give 1 or more.`)
}
