import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { runtimeAvailable, runtimePath } from '../support/services.ts'

const folder = new URL('../../examples/first-lines/', import.meta.url)
const readmeOf: Readonly<Record<string, string>> = {
  'channel.ts': '../../README.md',
  'express.ts': '../../README.md',
  'session.ts': '../../README.md',
  'fastify.ts': '../../packages/adapters/fastify/README.md',
  'hono.ts': '../../packages/adapters/hono/README.md',
  'web.ts': '../../packages/server/README.md',
}
const children: ChildProcess[] = []
const PRICE_EVENT = 'event: tick\ntopic: stocks.AAPL\ndata: {"price":187.2}\n'

/** Runs a program of the README on a free port, otherwise as it stands there. */
async function run(name: string): Promise<string> {
  const preload = new URL('./listen-anywhere.ts', import.meta.url)
  const child = spawn(process.execPath, ['--conditions=@millrace/source', '--import', preload.href, pathOf(name)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return `http://127.0.0.1:${await outputOf(child, /^(\d+)\n/)}`
}

/** Runs a program on another runtime, on a free port. */
async function runOn(runtime: 'bun' | 'deno', name: string): Promise<string> {
  const args =
    runtime === 'bun'
      ? ['--conditions=@millrace/source', pathOf(name)]
      : [
          'serve',
          '--conditions=@millrace/source',
          '--no-lock',
          '--node-modules-dir=manual',
          '--host=127.0.0.1',
          '--port=0',
          pathOf(name),
        ]
  const child = spawn(runtimePath(runtime), args, {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return outputOf(child, /(http:\/\/[\w.]+:\d+)/)
}

function pathOf(name: string): string {
  return fileURLToPath(new URL(name, folder))
}

/** What a program prints that matches. */
function outputOf(child: ChildProcess, wanted: RegExp): Promise<string> {
  children.push(child)
  return new Promise((resolve, reject) => {
    let output = ''
    const look = (chunk: Buffer): void => {
      output += String(chunk)
      const found = wanted.exec(output)?.[1]
      if (found !== undefined) resolve(found)
    }
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`the program ended with ${code}: ${output}`)))
    child.stdout?.on('data', look)
    child.stderr?.on('data', look)
  })
}

/** Reads a stream until it has the text. */
async function readUntil(url: string, wanted: string): Promise<string> {
  const response = await fetch(url)
  expect(response.headers.get('content-type')).toBe('text/event-stream')
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += new TextDecoder().decode(chunk)
    if (text.includes(wanted)) break
  }
  return text
}

afterEach(() => {
  for (const child of children.splice(0)) child.kill()
})

test.each(Object.entries(readmeOf))('%s stands in %s as it is', (name, readme) => {
  const text = readFileSync(new URL(readme, import.meta.url), 'utf8')
  expect(text).toContain(`\`\`\`ts\n${readFileSync(pathOf(name), 'utf8')}\`\`\`\n`)
})

test('the channel of the README tells the time', async () => {
  const url = await run('channel.ts')
  expect(await readUntil(`${url}/events?page=1`, 'event: time')).toMatch(/data: \{"now":\d+\}/)
})

test.each([
  ['Express', () => run('express.ts')],
  ['Fastify', () => run('fastify.ts')],
  ['Hono', () => run('hono.ts')],
])('the %s server of the README sends the prices that it is told', async (_name, start) => {
  expect(await pricesOf(await start())).toContain(PRICE_EVENT)
})

for (const runtime of ['bun', 'deno'] as const) {
  test.skipIf(!runtimeAvailable(runtime))(`the web-standard server of the README does so on ${runtime}`, async () => {
    expect(await pricesOf(await runOn(runtime, 'web.ts'))).toContain(PRICE_EVENT)
  })
}

/** What a stream of prices has come to when a price was sent to the server. */
async function pricesOf(url: string): Promise<string> {
  const read = readUntil(`${url}/events?topic=stocks.*`, '187.2')
  const post = (): Promise<Response> =>
    fetch(`${url}/prices/AAPL`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"price":187.2}',
    })
  expect(await (await post()).json()).toEqual({ ids: [expect.stringMatching(/^[a-z0-9]+-1-[a-z0-9]{3}$/)] })
  await post()
  return read
}

test('the session of the README sends its words and ends', async () => {
  const response = await fetch(await run('session.ts'))
  const text = await response.text()
  expect(text.match(/data: \w+/g)).toEqual(['data: one', 'data: token', 'data: after', 'data: another'])
})
