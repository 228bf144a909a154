import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const START_TIMEOUT_MS = 20_000
const STOP_TIMEOUT_MS = 5_000

/** The port that is written into `limit.c`. */
const LIMIT_PORT = 3008

/** A server under test, in a process of its own. */
export interface ServerProcess {
  readonly pid: number
  readonly port: number
  /** Asks the server for something and resolves with its answer. Only scripts answer. */
  ask<Answer>(question: Question, timeoutMs?: number): Promise<Answer>
  stop(): Promise<void>
}

/** What a server script can be asked; it answers each with one message. */
export type Question = 'memory' | 'result' | 'publish'

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** A script of `benchmarks/servers` in a checkout, on this Node. It prints its URL when it listens. */
export function startScript(
  checkout: string,
  name: string,
  settings: object = {},
  nodeOptions: readonly string[] = [],
): Promise<ServerProcess> {
  const script = join(checkout, 'benchmarks', 'servers', `${name}.ts`)
  return startNode([...nodeOptions, '--conditions=@millrace/source', script, JSON.stringify(settings)])
}

/** The standalone hub of a checkout, as `millrace serve` starts it; its events are in memory unless it is told otherwise. */
export function startHub(
  checkout: string,
  nodeOptions: readonly string[] = [],
  options: readonly string[] = ['--log', 'memory:'],
): Promise<ServerProcess> {
  const command = join(checkout, 'packages/hub/bin/millrace.js')
  return startNode([...nodeOptions, command, 'serve', '--port', '0', ...options])
}

async function startNode(args: readonly string[]): Promise<ServerProcess> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
  running.add(child)
  const port = await printedPort(child)
  return serverOf(child, port)
}

/** The floor. Its port is fixed, and it never forgets a client: it serves one run. */
export async function startLimit(program: string): Promise<ServerProcess> {
  if (await isListening(LIMIT_PORT)) throw new Error(`Port ${LIMIT_PORT} is in use; the floor needs it.`)
  const child = spawn(program, { stdio: ['ignore', 'ignore', 'inherit'] })
  running.add(child)
  for (const endMs = performance.now() + START_TIMEOUT_MS; !(await isListening(LIMIT_PORT)); await delay(20)) {
    if (performance.now() > endMs || child.exitCode !== null) throw new Error('The floor did not start.')
  }
  return serverOf(child, LIMIT_PORT)
}

function serverOf(child: ChildProcess, port: number): ServerProcess {
  const { pid } = child
  if (pid === undefined) throw new Error('The server has no process id.')
  return {
    pid,
    port,
    async ask<Answer>(question: Question, timeoutMs = 60_000): Promise<Answer> {
      const answer = once(child, 'message', { signal: AbortSignal.timeout(timeoutMs) })
      child.send(question)
      return (await answer)[0] as Answer
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit')
        child.kill('SIGKILL')
        await Promise.race([exited, delay(STOP_TIMEOUT_MS, undefined, { ref: false })])
      }
      running.delete(child)
    },
  }
}

/** Reads output until a line has a URL in it. */
async function printedPort(child: ChildProcess): Promise<number> {
  let output = ''
  const found = new Promise<number>((resolve, reject) => {
    child.stdout?.on('data', (bytes: Buffer) => {
      output += bytes.toString()
      const port = /http:\/\/[^\s:]+:(\d+)/.exec(output)?.[1]
      if (port) resolve(Number(port))
    })
    child.once('exit', (code) => reject(new Error(`The server ended with code ${code} before it listened.`)))
    child.once('error', reject)
  })
  const late = delay(START_TIMEOUT_MS, undefined, { ref: false }).then(() => {
    throw new Error('The server did not say where it listens.')
  })
  return Promise.race([found, late])
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const settle = (answer: boolean) => (): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', settle(true)).once('error', settle(false))
  })
}
