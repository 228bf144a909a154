import { LogError } from '@millrace/server'
import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads'
import type { OpenAnswer, QuestionKind, Questions, Reply, WorkerSettings } from './messages.ts'
import { SqliteError } from './sqlite-error.ts'
import type { WorkerStart } from './worker/main.ts'

/** The worker may have to recover a long write-ahead log, or count what is kept under new rules. Milliseconds. */
const OPEN_TIMEOUT_MS = 60_000

/** A checkout runs its TypeScript as it is; a thread has to be told again where to look for the workspace's packages. */
const IS_SOURCE = import.meta.url.endsWith('.ts')
const WORKER = new URL(IS_SOURCE ? './worker/main.ts' : './worker/main.js', import.meta.url)
const NODE_OPTIONS = [
  // Node's SQLite says once per thread that it is new; see the README for why it is used all the same.
  '--disable-warning=ExperimentalWarning',
  ...(IS_SOURCE ? ['--conditions=@millrace/source'] : []),
]

interface Pending {
  resolve(answer: never): void
  reject(error: LogError): void
}

/** Node starts no thread without it, and would not say so to who waits. @throws SqliteError */
function checkFolder(): void {
  try {
    process.cwd()
  } catch (cause) {
    throw new SqliteError('failed', 'The folder that this process was started in is gone. Start it in another.', {
      cause,
    })
  }
}

/** What the worker says unasked. */
export interface WorkerListener {
  onAway(error: LogError): void
  onBack(): void
}

/** The thread that has the file, and the questions to it that are not answered yet. */
export class WorkerLink {
  readonly opened: Extract<OpenAnswer, { kind: 'open' }>
  readonly #listener: WorkerListener
  readonly #port: MessagePort
  readonly #worker: Worker
  readonly #exited: Promise<void>
  readonly #pending = new Map<number, Pending>()
  #lastId = 0
  #fault: LogError | undefined

  /**
   * Starts the thread and sleeps until it has opened the file, as a process does that opens a database: whoever gets a
   * log has one that works.
   *
   * @throws SqliteError
   */
  constructor(settings: WorkerSettings, listener: WorkerListener) {
    checkFolder()
    const { port1, port2 } = new MessageChannel()
    const flag = new Int32Array(new SharedArrayBuffer(4))
    const start: WorkerStart = { port: port2, flag, settings }
    this.#listener = listener
    this.#port = port1
    this.#worker = new Worker(WORKER, { execArgv: NODE_OPTIONS, workerData: start, transferList: [port2] })
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', () => resolve())
    })
    this.#worker.on('error', (error) => this.#break(error))
    this.#worker.once('exit', () => this.#break(undefined))
    this.#worker.unref()
    Atomics.wait(flag, 0, 0, OPEN_TIMEOUT_MS)
    const answer = receiveMessageOnPort(port1)?.message as OpenAnswer | undefined
    if (answer?.kind !== 'open') {
      void this.#worker.terminate()
      const { code = 'failed', message = `${settings.path} could not be opened within ${OPEN_TIMEOUT_MS} ms.` } =
        answer ?? {}
      throw new SqliteError(code, message)
    }
    this.opened = answer
    port1.on('message', (reply: Reply) => this.#accept(reply))
    port1.unref()
  }

  /** Whether something was asked that is not answered yet. */
  get isBusy(): boolean {
    return this.#pending.size > 0
  }

  /** Asks the worker; it answers appends in their order, and the others in theirs. */
  ask<K extends QuestionKind>(kind: K, ask: Questions[K]['ask']): Promise<Questions[K]['answer']> {
    return new Promise((resolve, reject) => {
      if (this.#fault) {
        reject(this.#fault)
        return
      }
      this.#lastId++
      const id = this.#lastId
      // Only a question that waits keeps the process alive.
      if (this.#pending.size === 0) this.#port.ref()
      this.#pending.set(id, { resolve, reject })
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a thread has no origin
      this.#port.postMessage({ id, kind, ask })
    })
  }

  /** To be called when the worker has closed the file. */
  async end(): Promise<void> {
    this.#port.close()
    this.#worker.ref()
    await this.#exited
  }

  #accept(reply: Reply): void {
    if (reply.kind === 'away') {
      this.#listener.onAway(new LogError('unavailable', reply.message))
      return
    }
    if (reply.kind === 'back') {
      this.#listener.onBack()
      return
    }
    const pending = this.#pending.get(reply.id)
    this.#pending.delete(reply.id)
    if (this.#pending.size === 0) this.#port.unref()
    if (reply.kind === 'answer') pending?.resolve(reply.answer as never)
    else pending?.reject(new LogError(reply.code, reply.message))
  }

  /** The thread has ended: there is no way back but a restart. */
  #break(cause: unknown): void {
    if (this.#fault) return
    const message = 'The thread of the event log has ended. Restart the process.'
    this.#fault = new LogError('closed', message, { cause })
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    // What it was doing may have been done.
    for (const { reject } of pending) reject(new LogError('unavailable', message, { cause }))
    this.#listener.onAway(this.#fault)
  }
}
