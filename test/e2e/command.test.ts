/** The `millrace` command, as a person, a script and a supervisor use it. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { freePort } from './support/free-port.ts'
import { runCommand, startHubProcess, type HubProcess } from './support/hub-process.ts'
import { exchange } from './support/raw-http.ts'
import { CONNECTED } from './support/resume-client.ts'
import { isControl, openStream } from './support/stream-reader.ts'
import { connections, openStuck } from './support/stuck-stream.ts'

const hasCurl = spawnSync('curl', ['--version']).status === 0

describe('starting', () => {
  test('prints one line with the URL when it listens, and nothing else', async () => {
    const hub = await start()
    expect(hub.output).toEqual({
      stdout: `Millrace is listening on http://127.0.0.1:${hub.port} with its events in memory\n`,
      stderr: '',
    })
    expect(hub.port).toBeGreaterThan(0)
    expect((await fetch(`${hub.url}/health/live`)).status).toBe(200)
    expect((await fetch(`${hub.url}/health/ready`)).status).toBe(200)
  })

  test('a flag wins over the environment, and the environment over the default', async () => {
    const port = await freePort()
    const byEnvironment = await start([], { MILLRACE_PORT: String(port), MILLRACE_HOST: 'localhost' })
    expect(byEnvironment.url).toBe(`http://localhost:${port}`)
    const byFlag = await start(['--port', '0'], { MILLRACE_PORT: String(port) })
    expect(byFlag.port).not.toBe(port)
  })

  test('the demo by flag and by environment', async () => {
    const byFlag = await start(['--port', '0', '--demo'])
    const byEnvironment = await start(['--port=0'], { MILLRACE_DEMO: '1' })
    for (const hub of [byFlag, byEnvironment]) {
      expect(hub.output.stdout).toContain('(demo)')
      expect((await fetch(hub.url)).headers.get('content-type')).toContain('text/html')
    }
  })

  test('keeps events in ./millrace.db unless it is told otherwise, over a restart', async () => {
    const folder = newFolder()
    const first = await startHubProcess(['--port', '0'], { MILLRACE_LOG: '' }, folder)
    expect(first.output.stdout).toContain(' with its events in ./millrace.db\n')
    const headers = { 'Content-Type': 'application/json' }
    await fetch(`${first.url}/events`, { method: 'POST', headers, body: '{"topic":"a","data":"kept"}' })
    await first.stop()
    const second = await startHubProcess(['--port', '0'], { MILLRACE_LOG: '' }, folder)
    onTestFinished(() => second.stop())
    const stream = await openStream(`${second.url}/events?from=earliest`)
    await stream.until(({ data }) => data === 'kept')
  })

  test('by a configuration file, which every limit can be in', async () => {
    const folder = newFolder()
    writeFileSync(join(folder, 'millrace.json'), '{ "port": 0, "heartbeatMs": 1234, "maxEventBytes": 100 }')
    const hub = await start(['--config', join(folder, 'millrace.json')])
    const stream = await openStream(`${hub.url}/events`)
    expect((await stream.until(CONNECTED)).at(-1)?.data).toContain('"heartbeatMs":1234')
    const headers = { 'Content-Type': 'application/json' }
    const body = JSON.stringify({ topic: 'a', data: 'x'.repeat(100) })
    expect((await fetch(`${hub.url}/events`, { method: 'POST', headers, body })).status).toBe(413)
  })

  test('over IPv6, with brackets in the URL', async () => {
    const hub = await start(['--port', '0', '--host', '::1'])
    expect(hub.url).toBe(`http://[::1]:${hub.port}`)
    expect((await fetch(`${hub.url}/health/live`)).status).toBe(200)
  })

  test('beyond loopback only with --insecure', async () => {
    const hub = await start(['--port', '0', '--host', '0.0.0.0', '--insecure'])
    expect((await fetch(`http://127.0.0.1:${hub.port}/health/live`)).status).toBe(200)
  })
})

describe('refusing to start: one line that says what to do, and exit code 2', () => {
  test.each([
    ['every address, without keys', ['serve', '--host', '0.0.0.0'], {}, /0\.0\.0\.0.*--insecure/],
    ['every address by the environment', ['serve'], { MILLRACE_HOST: '::' }, /::.*--insecure/],
    ['a host that is not here', ['serve', '--insecure', '--host', '192.0.2.1', '--port', '0'], {}, /192\.0\.2\.1/],
    ['an unknown flag', ['serve', '--prot', '0'], {}, /--prot\. Did you mean --port\?/],
    ['a flag with a typo and a value', ['serve', '--hots=127.0.0.1'], {}, /--hots\. Did you mean --host\?/],
    [
      'a flag like no other',
      ['serve', '--quite-another-thing'],
      {},
      /--quite-another-thing\. See millrace serve --help/,
    ],
    ['an argument too many', ['serve', 'now'], {}, /now/],
    ['a port without a number', ['serve', '--port'], {}, /port/],
    ['a port that is no number', ['serve', '--port', 'eighty'], {}, /"eighty".*0.*65535/],
    ['a port that is too high', ['serve', '--port', '65536'], {}, /"65536"/],
    ['a port by the environment', ['serve'], { MILLRACE_PORT: '-1' }, /"-1"/],
    ['a switch by the environment', ['serve'], { MILLRACE_DEMO: 'maybe' }, /MILLRACE_DEMO.*"maybe"/],
    ['a log that is not built', ['serve', '--log', 'redis://localhost'], {}, /redis: is not built yet/],
    ['a log that is none', ['serve', '--log', 'paper'], {}, /"paper"/],
    ['an unknown command', ['server'], {}, /"server"\. Did you mean "serve"\?/],
    ['a command that is not built', ['doctor'], {}, /"doctor" is not built yet/],
    ['--workers', ['serve', '--workers', '2'], {}, /--workers is not built yet/],
    ['--tls-cert', ['serve', '--tls-cert=x'], {}, /--tls-cert is not built yet/],
    ['a secret by the environment', ['serve'], { MILLRACE_SECRET: 'x' }, /MILLRACE_SECRET is not built yet/],
    ['an origin by the environment', ['serve'], { MILLRACE_CORS_ORIGIN: 'x' }, /MILLRACE_CORS_ORIGIN is not built yet/],
  ] satisfies Refusal[])('%s', (_name, args, env, words) => {
    const { code, stdout, stderr } = runCommand(args, env)
    expect(stderr).toMatch(words)
    expect(stderr).toMatch(/^millrace: [^\n]+\n$/)
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })

  test('a port that is in use, and leaves no log behind', async () => {
    const hub = await start()
    const folder = newFolder()
    const log = `sqlite:${join(folder, 'events.db')}`
    const { code, stdout, stderr } = runCommand(['serve', '--port', String(hub.port), '--log', log])
    expect(stderr).toMatch(new RegExp(`^millrace: Port ${hub.port} on 127.0.0.1 is in use\\. .*--port 0[^\n]*\n$`))
    expect(stdout).toBe('')
    expect(code).toBe(2)
    expect(readdirSync(folder)).toEqual([])
  })
})

test('help goes to stdout and is no error', () => {
  for (const args of [['--help'], ['help'], [], ['serve', '--help']]) {
    const { code, stdout, stderr } = runCommand(args)
    expect(stdout).toMatch(/^Usage: millrace /)
    expect(stderr).toBe('')
    expect(code).toBe(0)
  }
})

describe('ending', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    '[MR-CTL-8] %s: streams get a farewell, sockets end, and it exits 0',
    async (signal) => {
      const hub = await start()
      const stream = await openStream(`${hub.url}/events`)
      await stream.until(CONNECTED)
      const exited = once(hub.child, 'exit')
      const startMs = performance.now()
      hub.child.kill(signal)
      const blocks = await stream.rest()
      const [retry, farewell] = blocks.slice(-2)
      expect(retry?.retryMs).toBeGreaterThanOrEqual(1_000)
      expect(farewell).toMatchObject({ event: 'stream:shutdown', data: expect.stringContaining('"reason"') })
      expect(stream.isWhole).toBe(true)
      expect(await exited).toEqual([0, null])
      expect(performance.now() - startMs).toBeLessThan(5_000)
      expect(hub.output.stderr).toBe('')
    },
  )

  test('nobody gets in any more while it drains', async () => {
    const hub = await start()
    const streams = await Promise.all(Array.from({ length: 5 }, () => openStream(`${hub.url}/events`)))
    for (const stream of streams) await stream.until(CONNECTED)
    const exited = once(hub.child, 'exit')
    hub.child.kill('SIGTERM')
    await streams[0]?.until(isControl('stream:shutdown'))
    await expect(fetch(`${hub.url}/health/live`)).rejects.toThrow('fetch failed')
    expect(await exited).toEqual([0, null])
  })

  test('a client that reads nothing does not keep it for longer than the grace', async () => {
    const hub = await start()
    await openStuck(hub)
    const exited = once(hub.child, 'exit')
    hub.child.kill('SIGTERM')
    expect(await exited).toEqual([0, null])
  })

  test('a second signal ends it at once', async () => {
    const hub = await start()
    await openStuck(hub)
    const exited = once(hub.child, 'exit')
    hub.child.kill('SIGTERM')
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(hub.child.exitCode).toBe(null)
    const startMs = performance.now()
    hub.child.kill('SIGTERM')
    expect(await exited).toEqual([1, null])
    expect(performance.now() - startMs).toBeLessThan(1_000)
  })

  test('without streams it is gone at once', async () => {
    const hub = await start()
    const exited = once(hub.child, 'exit')
    hub.child.kill('SIGTERM')
    expect(await exited).toEqual([0, null])
  })
})

describe('clients that are not browsers', () => {
  test.skipIf(!hasCurl)('curl -N shows a stream that a person can read, and publishes', async () => {
    const hub = await start()
    const curl = spawn('curl', ['-sN', `${hub.url}/events?topic=greetings.*`])
    onTestFinished(() => void curl.kill())
    let text = ''
    curl.stdout.setEncoding('utf8').on('data', (part: string) => (text += part))
    await until(() => text.includes('stream:connected'))
    const published = spawnSync(
      'curl',
      ['-s', `${hub.url}/events`, '--json', '{"topic":"greetings.world","type":"hello","data":"grüß dich,\\nworld"}'],
      { encoding: 'utf8' },
    )
    const { ids } = JSON.parse(published.stdout) as { ids: string[] }
    await until(() => text.includes('world\n\n'))
    expect(text).toMatch(
      /^: millrace\n\nretry: \d+\n\nid: [a-z0-9]+-0-[a-z0-9]{3}\nevent: stream:connected\ndata: \{[^\n]+\}\n\n/,
    )
    expect(text.slice(text.indexOf(`id: ${ids[0]}`))).toBe(
      `id: ${ids[0]}\nevent: hello\ntopic: greetings.world\ndata: grüß dich,\ndata: world\n\n`,
    )
  })

  test.skipIf(!hasCurl)('curl sees the end of a stream as an end, not as an error', async () => {
    const hub = await start()
    const curl = spawn('curl', ['-sSN', `${hub.url}/events`])
    let text = ''
    let errors = ''
    curl.stdout.setEncoding('utf8').on('data', (part: string) => (text += part))
    curl.stderr.setEncoding('utf8').on('data', (part: string) => (errors += part))
    const closed = once(curl, 'close')
    await until(() => text.includes('stream:connected'))
    hub.child.kill('SIGTERM')
    expect(await closed).toEqual([0, null])
    expect(errors).toBe('')
    expect(text).toMatch(/\n\nretry: \d+\n\nevent: stream:shutdown\ndata: \{[^\n]+\}\n\n$/)
  })

  test('[MR-HTTP-4] HTTP/1.0 gets plain bytes until the connection ends', async () => {
    const hub = await start()
    const request = 'GET /events HTTP/1.0\r\nHost: localhost\r\n\r\n'
    const answered = exchange(hub.port, [request], { until: '\0', patienceMs: 20_000 })
    await until(async () => (await connections(hub)).length === 1)
    await fetch(`${hub.url}/events`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"topic":"a","data":"plain"}',
    })
    hub.child.kill('SIGTERM')
    const { answers, isEnded } = await answered
    expect(isEnded).toBe(true)
    expect(answers[0]?.headers.has('transfer-encoding')).toBe(false)
    expect(answers[0]?.headers.get('connection')).toBe('close')
    expect(answers[0]?.body).toMatch(
      /^: millrace\n\n[^]*\n\nid: \S+\ntopic: a\ndata: plain\n\nretry: \d+\n\nevent: stream:shutdown\ndata: [^\n]+\n\n$/,
    )
  })
})

type Refusal = [name: string, args: string[], env: Record<string, string>, words: RegExp]

async function start(
  args: readonly string[] = ['--port', '0'],
  env: Readonly<Record<string, string>> = {},
): Promise<HubProcess> {
  const hub = await startHubProcess(args, env)
  onTestFinished(() => hub.stop())
  return hub
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-command-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 10_000
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error('It did not happen within 10 s')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
