import { expect } from 'vitest'
import { ask, exchange, get, type RawAnswer } from './raw-http.ts'

/** What a problem (RFC 9457) says; fails when the answer is none, or tells of the machine. */
export function problemOf(answer: RawAnswer | undefined): { status: number; detail: string } {
  expect(answer?.headers.get('content-type')).toBe('application/problem+json')
  const fault = JSON.parse(answer?.body ?? '') as Record<string, unknown>
  const { status = 0 } = answer ?? {}
  expect(fault).toEqual({
    type: 'about:blank',
    title: expect.stringMatching(/^[A-Z]/),
    status,
    detail: expect.any(String),
  })
  const detail = String(fault['detail'])
  expect(detail).toMatch(/\.$/)
  expect(detail.length).toBeLessThan(400)
  expect(detail).not.toMatch(/node_modules|\.[jt]s:|\n {4}at /)
  return { status, detail }
}

/** Fails unless the hub serves, and keeps nothing at all: read back from the oldest event on. */
export async function expectNothingStored(port: number): Promise<void> {
  const live = await ask(port, get('/health/live'))
  expect(live.status).toBe(200)
  const { answers } = await exchange(port, [get('/events?from=earliest')], { until: 'event: stream:caught-up' })
  expect(answers[0]?.status).toBe(200)
  expect(answers[0]?.body).toContain('event: stream:caught-up\ndata: {"replayed":0}')
}
