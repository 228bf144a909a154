/** `millrace publish` and `millrace tail`, as processes, against a hub. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { commandPath, runCommand, startHubProcess, type CommandResult, type HubProcess } from './support/hub-process.ts'

let hub: HubProcess

beforeAll(async () => {
  hub = await startHubProcess()
})
afterAll(() => hub?.stop())

const publish = (...args: readonly string[]): CommandResult =>
  runCommand(['publish', ...args], { MILLRACE_URL: hub.url })

describe('publish', () => {
  test('prints the id of the event, which tail then has', async () => {
    const { code, stdout, stderr } = publish('hello', 'Hello, world')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^[a-z0-9]+-\d+-[a-z0-9]{3}\n$/)
    const tail = await startTail(['hello', '--from', 'earliest', '--json'])
    await tail.until(1)
    expect(JSON.parse(tail.lines[0] ?? '')).toEqual({
      id: stdout.trim(),
      topic: 'hello',
      type: 'message',
      time: expect.anything(),
      data: 'Hello, world',
    })
  })

  test.each([
    ['an object', ['{"price": 1.10, "n":12345678901234567890}'], '{"price":1.10,"n":12345678901234567890}'],
    ['a number', ['42'], '42'],
    ['text that looks like JSON, as text', ['{"a":1}', '--text'], '{"a":1}'],
    ['a type', ['x', '--type', 'shipped'], 'x'],
    ['text that is nearly JSON', ['{a:1}'], '{a:1}'],
  ])('%s', async (name, args, data) => {
    const topic = `data.${name.replaceAll(' ', '-').replaceAll(',', '')}`
    expect(publish(topic, ...args).code).toBe(0)
    const tail = await startTail([topic, '--from', 'earliest'])
    await tail.until(1)
    expect(tail.lines).toEqual([`${topic} ${args.includes('--type') ? 'shipped' : 'message'} ${data}`])
  })

  test('data from a pipe, without the end of its last line', async () => {
    const { code, stdout } = await pipe(['publish', 'piped', '-'], 'one\ntwo\n')
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^\S+\n$/) })
    const tail = await startTail(['piped', '--from', 'earliest'])
    await tail.until(1)
    expect(tail.lines).toEqual(['piped message "one\\ntwo"'])
  })

  test('one event a line from a pipe, as many as there are', async () => {
    const count = 12_000
    const lines = Array.from({ length: count }, (_, i) => `{"topic":"lines","data":${i}}\n`)
    const { code, stdout, stderr } = await pipe(['publish'], `\n${lines.join('')}`)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const seqs = stdout
      .trim()
      .split('\n')
      .map((id) => Number(id.split('-')[1]))
    expect(seqs).toEqual(Array.from({ length: count }, (_, i) => (seqs[0] ?? 0) + i))
  })

  test('a line of a pipe that cannot be published has its number in the pipe, and ends it', async () => {
    const good = '{"topic":"bad","data":1}\n'
    const { code, stdout, stderr } = await pipe(['publish'], `${good.repeat(5_500)}{"topic":"bad","dta":2}\n${good}`)
    expect(stdout.split('\n')).toHaveLength(5_501)
    expect(stderr).toMatch(
      /^millrace: Line 5501: An event has no field "dta"\. Did you mean "data"\?[^\n]* What came before line 5501 is published; go on from there\.\n$/,
    )
    expect(code).toBe(1)
  })

  test('a pipe that goes on is published as it comes', async () => {
    const child = command(['publish'])
    child.stdin?.write('{"topic":"slow","data":1}\n')
    await until(() => child.stdoutText.endsWith('\n'))
    child.stdin?.write('{"topic":"slow","data":2}\n')
    await until(() => child.stdoutText.split('\n').length === 3)
    child.stdin?.end()
    expect(await child.exited).toBe(0)
  })

  test.each([
    ['a topic that is none', ['a b', 'x'], 1, /^millrace: "a b" is not a topic: /],
    ['no data', ['a'], 2, /There is no DATA/],
    ['data without quotes', ['a', 'hello', 'world'], 2, /"world" is too much: quote data/],
    ['an option with a typo', ['a', 'x', '--tpye', 'y'], 2, /There is no option --tpye\. Did you mean --type\?/],
    ['a number below zero', ['a', '-5'], 2, /There is no option -5\. Write -- before it: -- -5\./],
    ['an option for a pipe', ['--type', 'y'], 2, /--type is for one event/],
    [
      'a URL that is none',
      ['a', 'x', '--url', 'localhost:3000'],
      2,
      /--url is "localhost:3000"; it must be a URL such as/,
    ],
    [
      'nobody there',
      ['a', 'x', '--url', 'http://127.0.0.1:1'],
      1,
      /http:\/\/127\.0\.0\.1:1[ .].*"millrace serve".*--url/,
    ],
    ['no such host', ['a', 'x', '--url', 'http://no-such-host.invalid'], 1, /no-such-host\.invalid/],
    ['a password', ['a', 'x', '--url', 'http://bob:hunter2@127.0.0.1'], 2, /--url has a user name or a password/],
    ['a password in what is no URL', ['a', 'x', '--url', 'bob:hunter2@host'], 2, /--url is "…@host"; it must be/],
  ])('%s', (_name, args, code, words) => {
    const result = publish(...args)
    expect(result).toEqual({ code, stdout: '', stderr: expect.stringMatching(words) })
    expect(result.stderr).toMatch(/^millrace: [^\n]+\n$/)
    expect(result.stderr).not.toContain('hunter2')
  })

  test('a server that is no hub', async () => {
    const url = await otherServer((_request, response) => response.writeHead(404).end('<html>'))
    const { code, stderr } = await pipe(['publish', 'a', 'x', '--url', url], '')
    expect(stderr).toBe(
      `millrace: ${url}/events answered 404, and not as a hub does. Is --url that of a Millrace hub?\n`,
    )
    expect(code).toBe(1)
  })
})

describe('tail', () => {
  test('prints what comes, a line each, and Ctrl-C ends it with 0', async () => {
    const tail = await startTail(['live.*', 'other'])
    publish('live.a', '{"n":1}', '--type', 'tick')
    publish('elsewhere', 'x')
    publish('other', 'text')
    await tail.until(2)
    expect(tail.lines).toEqual(['live.a tick {"n":1}', 'other message text'])
    tail.child.kill('SIGINT')
    expect(await tail.exited).toBe(0)
    expect(tail.stderr).toBe('')
  })

  test('shows what would command a terminal, and commands it nothing', async () => {
    const tail = await startTail(['terminal'])
    publish('terminal', 'a tab\tis none')
    publish('terminal', 'cleared\u001b[2J\u009b2J')
    await tail.until(2)
    expect(tail.lines).toEqual([
      'terminal message a tab\tis none',
      String.raw`terminal message "cleared\u001b[2J\u009b2J"`,
    ])
  })

  test('goes on after a restart of the hub, without a gap', async () => {
    const own = await startHubProcess(['--port', '0', '--retry-ms', '50'])
    onTestFinished(() => own.stop())
    const tail = await startTail(['a'], own.url)
    const at = { MILLRACE_URL: own.url }
    runCommand(['publish', 'a', '1'], at)
    await tail.until(1)
    const { connections } = (await (await fetch(`${own.url}/admin/connections`)).json()) as {
      connections: { id: string }[]
    }
    await fetch(`${own.url}/admin/connections/${connections[0]?.id}`, { method: 'DELETE' })
    runCommand(['publish', 'a', '2'], at)
    await tail.until(2)
    expect(tail.lines).toEqual(['a message 1', 'a message 2'])
    expect(tail.stderr).toMatch(/^millrace: The (?:stream has ended|connection was cut)\. Coming back in [\d.]+ s\.\n/)
  })

  test('ends with 0 when its topics are finished', async () => {
    const own = await startHubProcess(['--port', '0', '--retry-ms', '50'])
    onTestFinished(() => own.stop())
    const tail = await startTail(['job.7'], own.url)
    const at = { MILLRACE_URL: own.url }
    expect(runCommand(['publish', 'job.7', '50%'], at).code).toBe(0)
    expect(runCommand(['publish', 'job.7', 'done', '--end'], at).stderr).toBe('')
    expect(await tail.exited).toBe(0)
    expect(tail.lines).toEqual(['job.7 message 50%', 'job.7 message done'])
    expect(tail.stderr).toContain('The topic job.7 is finished.')
  })

  test('says that something is missing, and goes on', async () => {
    const tail = await startTail(['a', '--from', 'abcdef-99-xyz'])
    await until(() => tail.stderr !== '')
    expect(tail.stderr).toMatch(
      /^millrace: Events may be missing \([a-z_]+\): what came after abcdef-99-xyz is not all kept\.\n$/,
    )
    tail.child.kill('SIGTERM')
    expect(await tail.exited).toBe(0)
  })

  test.each([
    ['no topic', [], 2, /Name a topic or a pattern/],
    ['a topic that is none', ['a..b'], 1, /"a\.\.b" is not a topic or pattern/],
    ['nobody there', ['a', '--url', 'http://127.0.0.1:1'], 1, /"millrace serve"/],
    ['a start with a typo', ['a', '--from', 'earlist'], 2, /--from is "earlist"; .* Did you mean earliest\?/],
    ['a start that is none', ['a', '--from', 'bogus'], 2, /--from is "bogus"; it must be now, earliest, snapshot or/],
    ['no start', ['a', '--from', ''], 2, /--from is ""; it must be/],
  ])('%s', (_name, args, code, words) => {
    expect(runCommand(['tail', ...args], { MILLRACE_URL: hub.url })).toEqual({
      code,
      stdout: '',
      stderr: expect.stringMatching(words),
    })
  })

  test('a page is no stream', async () => {
    const url = await otherServer((_request, response) => response.end('<html>'))
    const { code, stderr } = await pipe(['tail', 'a', '--url', url], '')
    expect(stderr).toContain('answered 200, and not as a hub does')
    expect(code).toBe(1)
  })
})

test('each has its help', () => {
  for (const name of ['publish', 'tail', 'check', 'serve']) {
    expect(runCommand([name, '--help'])).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^Usage: millrace /),
    })
  }
})

interface Running {
  readonly child: ChildProcess
  readonly stdin: ChildProcess['stdin']
  stdoutText: string
  stderr: string
  readonly lines: readonly string[]
  readonly exited: Promise<number | null>
  /** Waits until so many lines are there. */
  until(lines: number): Promise<void>
}

function command(args: readonly string[], url: string = hub.url): Running {
  const child = spawn(process.execPath, [commandPath, ...args], {
    env: { PATH: process.env['PATH'], MILLRACE_URL: url },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const running: Running = {
    child,
    stdin: child.stdin,
    stdoutText: '',
    stderr: '',
    get lines() {
      return running.stdoutText.split('\n').slice(0, -1)
    },
    exited: once(child, 'close').then(([code]) => code as number | null),
    until: (lines) => until(() => running.lines.length >= lines),
  }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (running.stdoutText += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (running.stderr += text))
  return running
}

async function pipe(args: readonly string[], input: string): Promise<CommandResult> {
  const running = command(args)
  running.stdin?.end(input)
  const code = await running.exited
  return { code, stdout: running.stdoutText, stderr: running.stderr }
}

/** A tail that has its stream. */
async function startTail(args: readonly string[], url: string = hub.url): Promise<Running> {
  const before = await openStreams(url)
  const running = command(['tail', ...args], url)
  await until(async () => [...(await openStreams(url))].some((id) => !before.has(id)))
  return running
}

async function openStreams(url: string): Promise<Set<string>> {
  const { connections } = (await (await fetch(`${url}/admin/connections`)).json()) as { connections: { id: string }[] }
  return new Set(connections.map(({ id }) => id))
}

async function otherServer(handle: Parameters<typeof createServer>[1]): Promise<string> {
  const server: Server = createServer(handle).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 20_000
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error('It did not happen within 20 s')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
