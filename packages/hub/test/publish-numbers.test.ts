import { afterAll, beforeAll, expect, test } from 'vitest'
import { defaultHubSettings } from '../src/hub-settings.ts'
import { startHubServer, type HubServer } from '../src/http/hub-server.ts'
import { isExactNumber, parseExact } from '../src/http/parse-exact.ts'
import { ask, type HubAnswer } from './support/hub-request.ts'

let server: HubServer

beforeAll(async () => {
  server = await startHubServer({ ...defaultHubSettings, log: 'memory:', port: 0 })
})
afterAll(() => server.close())

test.each([
  '{"orderId":12345678901234567890,"price":1.10,"big":1e999}',
  '9007199254740993',
  '[1.0,1E5,1e-7,-0,-0.0,0.00,0.0000001,1234567890.1234567,100,0.5,-3]',
  '{"deep":[{"er":[1.50]}],"text":"1.10","none":null,"yes":true}',
  '0.1234567890123456789',
])('%s comes out as it went in', async (data) => {
  await publish(`{"topic":"exact","data":${data}}`)
  expect(await lastData('exact')).toBe(data)
})

test('in a batch, too, and whatever stands around the numbers', async () => {
  await publish(`[ {"topic":"batch","data":1.10}\n,{"topic":"batch","data" : [ 1e2\t, 2.0\r\n] } ]`)
  expect(await lastData('batch')).toBe('[1e2,2.0]')
})

test.each([
  ['an event', '1.10', 'The event is a number'],
  ['an event of a batch', '[12345678901234567890]', 'Event 0 is a number'],
  ['a topic', '{"topic":1.10,"data":1}', 'topic is'],
  ['a type', '{"topic":"a","type":1e5,"data":1}', 'type is'],
  ['deep inside', `{"topic":"a","data":${'['.repeat(100_000)}1.10${']'.repeat(100_000)}}`, 'nested too deeply'],
])('%s: such a number is refused as any other there', async (_where, body, words) => {
  const answer = await post(body)
  expect(answer.status).toBe(400)
  expect(answer.body).toContain(words)
})

test('no number is kept as an object that reads the same as a number', () => {
  const values = parseExact('[1, 0.5, 1000000, 1.5e300, 12345.678, 1.25, 1e21, 9007199254740991, 1.0]') as unknown[]
  expect(values.map(isExactNumber)).toEqual([false, false, false, true, false, false, true, false, true])
})

async function publish(body: string): Promise<void> {
  expect((await post(body)).status).toBe(200)
}

function post(body: string): Promise<HubAnswer> {
  return ask(`${server.url}/events`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
}

/** The data of the newest event of a topic, from a stream that starts with the oldest. */
async function lastData(topic: string): Promise<string | undefined> {
  const response = await fetch(`${server.url}/events?from=earliest&topic=${topic}`)
  let text = ''
  for await (const part of response.body ?? []) {
    text += new TextDecoder().decode(part)
    if (text.includes('event: stream:caught-up')) break
  }
  return Array.from(text.matchAll(/\ntopic: [^\n]+\ndata: ([^\n]*)\n/g)).at(-1)?.[1]
}
