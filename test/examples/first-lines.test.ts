import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'

const folder = new URL('../../examples/first-lines/', import.meta.url)
const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
const children: ChildProcess[] = []

/** Runs a program of the README on a free port, otherwise as it stands there. */
async function run(name: string): Promise<string> {
  const preload = new URL('./listen-anywhere.ts', import.meta.url)
  const child = spawn(
    process.execPath,
    ['--conditions=@millrace/source', '--import', preload.href, new URL(name, folder).pathname],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  children.push(child)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}`)))
    child.stdout?.on('data', (chunk: Buffer) => resolve(`http://127.0.0.1:${String(chunk).trim()}`))
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

test.each(['channel.ts', 'express.ts', 'session.ts'])('%s stands in the README as it is', (name) => {
  expect(readme).toContain(`\`\`\`ts\n${readFileSync(new URL(name, folder), 'utf8')}\`\`\`\n`)
})

test('the channel of the README tells the time', async () => {
  const url = await run('channel.ts')
  expect(await readUntil(`${url}/events?page=1`, 'event: time')).toMatch(/data: \{"now":\d+\}/)
})

test('the Express server of the README sends the prices that it is told', async () => {
  const url = await run('express.ts')
  const read = readUntil(`${url}/events?topic=stocks.*`, '187.2')
  const post = (): Promise<Response> =>
    fetch(`${url}/prices/AAPL`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"price":187.2}',
    })
  expect(await (await post()).json()).toEqual({ ids: [expect.stringMatching(/^[a-z0-9]+-1-[a-z0-9]{3}$/)] })
  await post()
  expect(await read).toContain('event: tick\ntopic: stocks.AAPL\ndata: {"price":187.2}\n')
})

test('the session of the README sends its words and ends', async () => {
  const response = await fetch(await run('session.ts'))
  const text = await response.text()
  expect(text.match(/data: \w+/g)).toEqual(['data: one', 'data: token', 'data: after', 'data: another'])
})
