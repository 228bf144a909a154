import { expect } from 'vitest'
import type { FetchInit } from '../../../src/attempt/read-event-stream.ts'
import type { OutgoingEvent, PublishedIds, PublishOptions } from '../../../src/publish/publish-options.ts'
import { publish } from '../../../src/publish/publish.ts'
import { TestClock } from '../../stream/support/test-clock.ts'

export type Answer = (body: string) => Response | Promise<Response>

export const refused = (status: number, detail: string, headers: Record<string, string> = {}): Answer => {
  return () => new Response(JSON.stringify({ status, detail }), { status, headers })
}
export const network: Answer = () => Promise.reject(new TypeError('fetch failed'))
export const ok =
  (...ids: string[]): Answer =>
  () =>
    Response.json({ ids })
export const lines =
  (...texts: unknown[]): Answer =>
  () =>
    new Response(texts.map((text) => `${JSON.stringify(text)}\n`).join(''))

export interface PublishRun {
  readonly ids?: PublishedIds
  readonly error?: unknown
  readonly requests: readonly { readonly atMs: number; readonly init: FetchInit }[]
  readonly bodies: readonly string[]
}

/** Publishes against answers that are given in turn; time goes by itself. */
export async function runPublish(
  events: OutgoingEvent | readonly OutgoingEvent[],
  answers: Answer[],
  { url = 'http://hub.test/events', ...options }: PublishOptions & { url?: string | URL } = {},
): Promise<PublishRun> {
  const clock = new TestClock()
  const requests: { atMs: number; init: FetchInit }[] = []
  const fetch = async (_: string, init: FetchInit): Promise<Response> => {
    requests.push({ atMs: clock.now(), init })
    const answer = answers.shift()
    if (!answer) throw new Error('one request too many')
    return answer(init.body as string)
  }
  let isOver = false
  const result = publish(url, events, { fetch, clock, fraction: () => 0.5, ...options })
    .then((ids) => ({ ids }))
    .catch((error: unknown) => ({ error }))
    .finally(() => (isOver = true))
  await clock.until(() => isOver)
  expect(clock.timerCount).toBe(0)
  const bodies = requests.map(({ init }) => init.body as string)
  return { ...(await result), requests, bodies }
}
