/** `millrace publish` through a proxy that fails: nothing is stored twice, and what is said at the end is true. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { commandPath, startHubProcess, type CommandResult, type HubProcess } from './support/hub-process.ts'
import { openStream } from './support/stream-reader.ts'

let hub: HubProcess

beforeAll(async () => {
  hub = await startHubProcess()
})
afterAll(() => hub?.stop())

/** What a proxy does with the hub's answer. */
type Fault = (response: ServerResponse, answer: string, contentType: string) => void

const cutBefore: Fault = (response) => response.socket?.destroy()
const cutInside: Fault = (response, answer, contentType) => {
  response.writeHead(200, { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(answer) })
  response.write(answer.slice(0, answer.length / 2), () => response.socket?.destroy())
}
const endInside: Fault = (response, answer, contentType) => {
  response.writeHead(200, { 'Content-Type': contentType }).end(answer.slice(0, answer.length / 2))
}
const page: Fault = (response) => response.writeHead(502, { 'Content-Type': 'text/html' }).end('<h1>Bad Gateway</h1>')

/** Passes requests on to the hub, and does these with its first answers. */
async function proxy(...faults: Fault[]): Promise<string> {
  const server: Server = createServer((request, response) => {
    void request.toArray().then(async (parts: Buffer[]) => {
      const headers = { 'Content-Type': request.headers['content-type'] ?? '' }
      const answer = await fetch(`${hub.url}${request.url}`, { method: 'POST', headers, body: Buffer.concat(parts) })
      const contentType = answer.headers.get('content-type') ?? ''
      const fault = faults.shift()
      if (fault) fault(response, await answer.text(), contentType)
      else response.writeHead(answer.status, { 'Content-Type': contentType }).end(await answer.text())
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function publish(url: string, args: readonly string[], input: string | Uint8Array = ''): Promise<CommandResult> {
  const child = spawn(process.execPath, [commandPath, 'publish', ...args, '--url', url])
  onTestFinished(() => void child.kill('SIGKILL'))
  child.stdin.end(input)
  const texts = [child.stdout, child.stderr].map(async (stream) =>
    (await stream.setEncoding('utf8').toArray()).join(''),
  )
  const [code] = (await once(child, 'close')) as [number | null]
  const [stdout = '', stderr = ''] = await Promise.all(texts)
  return { code, stdout, stderr }
}

/** What the hub has of a topic, in its order. */
async function stored(topic: string): Promise<unknown[]> {
  await fetch(`${hub.url}/events`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ topic, type: 'last', data: 'last' }),
  })
  const stream = await openStream(`${hub.url}/events?from=earliest&topic=${topic}`)
  const events = await stream.until(({ event }) => event === 'last')
  return events
    .filter(({ event, id }) => id !== undefined && event === undefined)
    .map(({ data }) => JSON.parse(data ?? '') as unknown)
}

const lines = (topic: string, ...data: readonly unknown[]): string =>
  data.map((each) => `${JSON.stringify({ topic, data: each })}\n`).join('')

describe.each([
  ['is cut before its answer', cutBefore],
  ['is cut inside its answer', cutInside],
  ['ends inside its answer', endInside],
  ['is answered by the page of a proxy', page],
])('a request that %s', (name, fault) => {
  const topic = name.replaceAll(' ', '-')

  test('of a pipe is sent again, and stored once', async () => {
    const url = await proxy(fault)
    const { code, stdout, stderr } = await publish(url, [], lines(topic, 1, 2, 3))
    expect({ code, ids: stdout.trim().split('\n').length }).toEqual({ code: 0, ids: 3 })
    expect(stderr).toMatch(/^millrace: [^\n]+ Trying again in [\d.]+ s\.\n$/)
    expect(await stored(topic)).toEqual([1, 2, 3])
  })

  test('of one event is sent again, and stored once', async () => {
    const url = await proxy(fault)
    const { code, stdout, stderr } = await publish(url, [`${topic}.one`, '1.10'])
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^\S+\n$/) })
    expect(stderr).toMatch(/^millrace: [^\n]+ Trying again in [\d.]+ s\.\n$/)
    expect(await stored(`${topic}.one`)).toEqual([1.1])
  })

  test('is not sent again when an event of it would be sent twice, and it is said what is not known', async () => {
    const url = await proxy(fault)
    const input = `${lines(`${topic}.live`, 1)}{"topic":"live","data":2,"ephemeral":true}\n`
    const { code, stdout, stderr } = await publish(url, [], input)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(
      / Lines 1 to 2 may be published, since no answer came: look before you go on from line 1\.\n$/,
    )
    const one = await publish(await proxy(fault), ['live', '2', '--ephemeral'])
    expect(one).toEqual({ code: 1, stdout: '', stderr: expect.stringContaining('may be published all the same.\n') })
  })
})

test('keys that lines have are kept, and numbers stay as they were typed', async () => {
  const input = '{"topic":"kept","data":1.10,"dedupeKey":"mine"}\n \n{"topic":"kept","data":2,"dedupeKey":"mine"}\n'
  const { code, stdout } = await publish(await proxy(cutBefore), [], input)
  const [one, other, ...more] = stdout.trim().split('\n')
  expect({ code, other, more }).toEqual({ code: 0, other: one, more: [] })
  const stream = await openStream(`${hub.url}/events?from=earliest&topic=kept`)
  expect((await stream.until(({ topic }) => topic === 'kept')).at(-1)?.data).toBe('1.10')
})

test('whoever reads only the first ids ends nothing: the rest is published, without a word', async () => {
  const child = spawn(process.execPath, [commandPath, 'publish', '--url', hub.url])
  onTestFinished(() => void child.kill('SIGKILL'))
  const stderr = child.stderr.setEncoding('utf8').toArray()
  child.stdin.write(lines('head', 1))
  await once(child.stdout, 'data')
  child.stdout.destroy()
  child.stdin.write(lines('head', 2))
  child.stdin.write(lines('head', 3))
  child.stdin.end(lines('head', 4))
  const [code] = (await once(child, 'close')) as [number | null]
  expect({ code, stderr: (await stderr).join('') }).toEqual({ code: 0, stderr: '' })
  expect(await stored('head')).toEqual([1, 2, 3, 4])
})

test('data that is not UTF-8 is refused', async () => {
  const { code, stdout, stderr } = await publish(hub.url, ['a.b', '-'], Uint8Array.of(0xff, 0xfe))
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toBe('millrace: The data is not valid UTF-8. Nothing was published: send bytes as Base64.\n')
})

test('a line that is not UTF-8 is refused, with the line from which to go on', async () => {
  const input = Buffer.concat([Buffer.from(lines('utf', 1, 2)), Buffer.from([0xff, 0x0a])])
  const { code, stdout, stderr } = await publish(hub.url, [], input)
  expect({ code, ids: stdout.trim().split('\n').length }).toEqual({ code: 1, ids: 2 })
  expect(stderr).toBe('millrace: Line 3 is not valid UTF-8. What came before line 3 is published; go on from there.\n')
})

test('a bound that no waiting mends is told at once, with the line that reaches it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-publish-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'hub.json'), '{"topics":[{"match":"s.>","kind":"state"}],"maxStateKeys":1}')
  const own = await startHubProcess(['--port', '0', '--config', 'hub.json'], {}, folder)
  onTestFinished(() => own.stop())
  const { code, stdout, stderr } = await publish(own.url, [], lines('s.a', 1) + lines('s.b', 2) + lines('s.a', 3))
  expect({ code, ids: stdout.trim().split('\n').length }).toEqual({ code: 1, ids: 1 })
  expect(stderr).toMatch(
    /^millrace: Line 2: The state topics have 1 keys.* What came before line 2 is published; go on from there\.\n$/,
  )
})
