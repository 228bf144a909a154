/** The publishers of docs/publishing.md, in each language that this machine has, against a hub and against one that is away. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { startHubProcess, type HubProcess } from './support/hub-process.ts'
import { openStream } from './support/stream-reader.ts'

const folder = fileURLToPath(new URL('../../examples/publishers/', import.meta.url))
/** A first `go run` compiles. */
const TIMEOUT_MS = 80_000

interface Publisher {
  readonly language: string
  readonly file: string
  readonly command: readonly [string, ...string[]]
  /** Shows that the language is here. */
  readonly probe: readonly [string, ...string[]]
}

const publishers: readonly Publisher[] = [
  { language: 'curl', file: 'publish.sh', command: ['sh', 'publish.sh'], probe: ['curl', '--version'] },
  { language: 'Python', file: 'publish.py', command: ['python3', 'publish.py'], probe: ['python3', '--version'] },
  { language: 'Go', file: 'publish.go', command: ['go', 'run', 'publish.go'], probe: ['go', 'version'] },
  {
    language: 'PHP',
    file: 'publish.php',
    command: ['php', 'publish.php'],
    probe: ['php', '-r', 'exit(extension_loaded("curl") ? 0 : 1);'],
  },
  { language: 'Ruby', file: 'publish.rb', command: ['ruby', 'publish.rb'], probe: ['ruby', '--version'] },
]

let hub: HubProcess

beforeAll(async () => {
  hub = await startHubProcess()
})
afterAll(() => hub?.stop())

test('docs/publishing.md shows what is tried here', () => {
  const page = readFileSync(new URL('../../docs/publishing.md', import.meta.url), 'utf8')
  for (const { file } of publishers) expect(page).toContain(readFileSync(folder + file, 'utf8').trimEnd())
})

describe.each(publishers)('$language', ({ language, command, probe: [program, ...args] }) => {
  describe.skipIf(spawnSync(program, args).status !== 0)('is here', () => {
    const publish = async (
      url: string,
      topic: string,
      data: string,
    ): Promise<{ code: number | null; output: string; errors: string }> => {
      const [name, ...before] = command
      const child = spawn(name, [...before, topic, data], { cwd: folder, env: { ...process.env, MILLRACE_URL: url } })
      onTestFinished(() => void child.kill('SIGKILL'))
      let output = ''
      let errors = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
      child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
      const [code] = (await once(child, 'close')) as [number | null]
      return { code, output, errors }
    }

    test(
      'publishes an event and prints its id',
      async () => {
        const topic = `${language.toLowerCase()}.says`
        const { code, output, errors } = await publish(hub.url, topic, '{"carrier":"post","grüße":"日本"}')
        expect({ code, errors }).toEqual({ code: 0, errors: '' })
        const stream = await openStream(`${hub.url}/events?from=earliest&topic=${topic}`)
        const event = (await stream.until(({ topic: of }) => of === topic)).at(-1)
        expect(JSON.parse(event?.data ?? '')).toEqual({ carrier: 'post', grüße: '日本' })
        expect(output).toContain(event?.id)
      },
      TIMEOUT_MS,
    )

    test(
      'tries again while the hub is away, with the same key',
      async () => {
        const keys: unknown[] = []
        const url = await hubThatIsAway(2, keys)
        expect(await publish(url, 'a', '1')).toMatchObject({
          code: 0,
          output: expect.stringContaining('stored-at-last'),
        })
        expect(keys).toHaveLength(3)
        expect(new Set(keys).size).toBe(1)
        expect(keys[0]).toMatch(/.{16}/)
      },
      TIMEOUT_MS,
    )

    test.each([
      ['an answer that is cut', cutInside],
      ['an answer that ends too soon', endInside],
      ['the page of a proxy with 502', (response: ServerResponse) => page(response, 502)],
      ['the page of a proxy with 504', (response: ServerResponse) => page(response, 504)],
    ])(
      'tries again after %s, with the same key',
      async (_what, fault) => {
        const keys: unknown[] = []
        const url = await hubThatFails(fault, 1, keys)
        expect(await publish(url, 'a', '1')).toMatchObject({
          code: 0,
          output: expect.stringContaining('stored-at-last'),
        })
        expect(keys).toHaveLength(2)
        expect(new Set(keys).size).toBe(1)
      },
      TIMEOUT_MS,
    )

    test(
      'says at last what the hub said, when it goes on saying "later"',
      async () => {
        const keys: unknown[] = []
        const { code, output, errors } = await publish(await hubThatFails(later, Infinity, keys), 'a', '1')
        expect(code).not.toBe(0)
        expect(output + errors).toContain('There are 7 dedupe keys.')
        expect(keys).toHaveLength(6)
      },
      TIMEOUT_MS,
    )

    test(
      'does not wait for what no waiting mends',
      async () => {
        const keys: unknown[] = []
        const { code, output, errors } = await publish(await hubThatFails(never, Infinity, keys), 'a', '1')
        expect(code).not.toBe(0)
        expect(output + errors).toContain('There are 7 keys.')
        expect(keys).toHaveLength(1)
      },
      TIMEOUT_MS,
    )

    test(
      'says why, and fails, when the hub refuses',
      async () => {
        const { code, output, errors } = await publish(hub.url, 'a..b', '1')
        expect(code).not.toBe(0)
        expect(output + errors).toContain('an empty segment')
      },
      TIMEOUT_MS,
    )
  })
})

type Fault = (response: ServerResponse) => void

const STORED = '{"ids":["stored-at-last"]}'
const fault =
  (status: number, detail: string, headers: Readonly<Record<string, string>> = {}): Fault =>
  (response) =>
    response
      .writeHead(status, { 'Content-Type': 'application/problem+json', ...headers })
      .end(JSON.stringify({ status, detail }))
const away = fault(503, 'The event log is away.', { 'Retry-After': '1' })
const later = fault(429, 'There are 7 dedupe keys.', { 'Retry-After': '1' })
const never = fault(429, 'There are 7 keys.', { 'Retry-After': '60' })
const cutInside: Fault = (response) => {
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': STORED.length })
  response.write(STORED.slice(0, 10), () => response.socket?.destroy())
}
const endInside: Fault = (response) =>
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(STORED.slice(0, 10))
const page = (response: ServerResponse, status: number): void =>
  void response.writeHead(status, { 'Content-Type': 'text/html' }).end('<h1>Bad Gateway</h1>')

/** Answers 503 so many times, as a hub does whose log is away. */
function hubThatIsAway(times: number, keys: unknown[]): Promise<string> {
  return hubThatFails(away, times, keys)
}

/** Fails so many times, then says that it has stored the event. Notes the key of each request. */
async function hubThatFails(fail: Fault, times: number, keys: unknown[]): Promise<string> {
  const server: Server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      keys.push((JSON.parse(body) as { dedupeKey?: unknown }).dedupeKey)
      if (keys.length <= times) fail(response)
      else response.writeHead(200, { 'Content-Type': 'application/json' }).end(STORED)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
