import { HubError, LogError } from '@millrace/server'
import { fastify } from 'fastify'
import { expect, test } from 'vitest'
import { answerErrors } from '../src/http/problem-answers.ts'

test.each([
  ['a fault of the hub', 500, true, new TypeError('no such thing')],
  ['an option that the hub got wrong', 500, true, new HubError('invalid_option', 'x is 1.')],
  ['a wrong event', 400, false, new HubError('invalid_event', 'data is undefined.')],
  ['a log that is away', 503, false, new HubError('unavailable', 'The log is away.')],
])('%s: answered with %s, and told: %s', async (_what, status, isTold, error) => {
  const told: unknown[] = []
  const app = fastify()
  answerErrors(app, (...args) => told.push(args), 1024 * 1024)
  app.get('/fails/:id', () => Promise.reject(error))
  const response = await app.inject('/fails/SECRET1?ticket=SECRET2')
  expect(response.statusCode).toBe(status)
  expect(told).toEqual(isTold ? [[error, 'GET /fails/:id']] : [])
  expect(response.body).not.toContain('no such thing')
  await app.close()
})

const full = (passes: boolean): HubError => {
  const cause = new LogError('full', 'There are too many keys.', { passes })
  return new HubError('too_many', cause.message, { cause })
}

test.each([
  ['dedupe keys, which are forgotten in time', full(true), '1'],
  ['state keys, which never are', full(false), '60'],
  ['delivery that lags', new HubError('overloaded', 'It lags.'), '1'],
  ['a log that is away', new HubError('unavailable', 'It is away.'), '1'],
  ['a wrong event', new HubError('invalid_event', 'It is wrong.'), undefined],
])('Retry-After says when to come again: %s', async (_what, error, retryAfter) => {
  const app = fastify()
  answerErrors(app, () => undefined, 1024)
  app.get('/fails', () => Promise.reject(error))
  expect((await app.inject('/fails')).headers['retry-after']).toBe(retryAfter)
  await app.close()
})
