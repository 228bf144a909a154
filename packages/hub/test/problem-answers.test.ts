import { HubError } from '@millrace/server'
import { fastify } from 'fastify'
import { expect, test } from 'vitest'
import { answerErrors } from '../src/http/problem-answers.ts'

test.each([
  ['a fault of the hub', new TypeError('no such thing'), 500, true],
  ['an option that the hub got wrong', new HubError('invalid_option', 'x is 1.'), 500, true],
  ['a wrong event', new HubError('invalid_event', 'data is undefined.'), 400, false],
  ['a log that is away', new HubError('unavailable', 'The log is away.'), 503, false],
])('%s: answered with %s, and told: %s', async (_what, error, status, isTold) => {
  const told: unknown[] = []
  const app = fastify()
  answerErrors(app, (...args) => told.push(args))
  app.get('/fails', () => Promise.reject(error))
  const response = await app.inject('/fails?really=1')
  expect(response.statusCode).toBe(status)
  expect(told).toEqual(isTold ? [[error, 'GET /fails?really=1']] : [])
  expect(response.body).not.toContain('no such thing')
  await app.close()
})
