import type { ServedStreams } from '@millrace/conformance'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { runtimePath, type RuntimeName } from '../../support/services.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const program = fileURLToPath(new URL('runtime-program.ts', import.meta.url))
const START_MS = 30_000

const argumentsOf: Readonly<Record<RuntimeName, readonly string[]>> = {
  bun: ['--conditions=@millrace/source'],
  deno: [
    'run',
    '--conditions=@millrace/source',
    '--allow-net',
    '--no-lock',
    '--node-modules-dir=manual',
    '--no-remote',
  ],
}

/** A process of a runtime that serves streams. */
export class RuntimeProcess {
  readonly #child: ChildProcess
  readonly #port: number

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.#port = port
  }

  static async start(name: RuntimeName): Promise<RuntimeProcess> {
    const child = spawn(runtimePath(name), [...argumentsOf[name], program], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    return new RuntimeProcess(child, await portOf(child))
  }

  /** Presents a new source of streams to the suite. */
  async serve(kind: 'hub' | 'sessions'): Promise<ServedStreams> {
    const id = await this.#control(`new/sources/${kind}`)
    // What is published together goes together: two requests could pass each other.
    let waiting: string[] = []
    let sending: Promise<unknown> = Promise.resolve()
    return {
      port: this.#port,
      path: `/${id}/events`,
      otherPath: `/${id}/other`,
      publish: async (data) => {
        if (waiting.push(data) === 1) {
          sending = sending.then(() => {
            const datas = waiting
            waiting = []
            return this.#control(`${id}/publish`, JSON.stringify(datas))
          })
        }
        await sending
      },
      endStreams: async () => void (await this.#control(`${id}/end`)),
      openCount: () => this.#control(`${id}/count`),
      close: async () => void (await this.#control(`${id}/close`)),
    }
  }

  async stop(): Promise<void> {
    this.#child.kill()
    await once(this.#child, 'exit')
  }

  /** On a connection of its own, which no time-out of the platform's can hit in between. */
  async #control(command: string, body = ''): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const options = { port: this.#port, host: '127.0.0.1', path: `/${command}`, method: 'POST', agent: false }
    request(options, (response) => resolve(text(response)))
      .once('error', reject)
      .end(body)
    const answer = await promise
    if (!/^\d+$/.test(answer)) throw new Error(`${command} was answered with ${answer.slice(0, 200)}`)
    return Number(answer)
  }
}

/** Reads the line that the program prints when it listens. */
async function portOf(child: ChildProcess): Promise<number> {
  if (!child.stdout) throw new Error('the program has no output')
  const [line] = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line', { signal: AbortSignal.timeout(START_MS) }),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`the program ended with ${code}`))),
  ])
  return Number(line)
}
