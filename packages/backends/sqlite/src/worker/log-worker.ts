import type { LogErrorCode } from '@millrace/server'
import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads'
import type { Question, Questions, RegistryAsk, Reply, Times } from '../messages.ts'
import { FileGone } from './file-watch.ts'
import type { LogStore } from './log-store.ts'
import { sqliteFault } from './sqlite-fault.ts'

type Ask<K extends Question['kind']> = Extract<Question, { kind: K }>

/** Calls of the registry that are done in one transaction. */
const MAX_REGISTRY_GROUP = 256

/**
 * Answers questions in turn: a group of appends, a slice of retention, another question, and again. So an append waits
 * for one slice and one read at the most, and retention keeps up whatever the load.
 */
export class LogWorker {
  readonly #store: LogStore
  readonly #port: MessagePort
  readonly #path: string
  readonly #appends: Ask<'append'>[] = []
  readonly #others: Exclude<Question, { kind: 'append' }>[] = []
  readonly #evictions: Ask<'evict'>[] = []
  #times: Times
  #isAway = false
  /** After a slice that failed retention rests until time is told to go on. */
  #isRetentionResting = false

  constructor(store: LogStore, port: MessagePort, path: string, times: Times) {
    this.#store = store
    this.#port = port
    this.#path = path
    this.#times = times
  }

  listen(): void {
    this.#port.on('message', (question: Question) => {
      this.#accept(question)
      this.#run()
    })
  }

  #run(): void {
    do this.#drainPort()
    while (this.#turn())
  }

  /** Does one of each thing that waits; false when none does. */
  #turn(): boolean {
    const append = this.#appends.shift()
    if (append) this.#append(append)
    const hasEvicted = this.#evict(append?.ask.events.topics.length ?? 0)
    const other = this.#others.shift()
    if (other) this.#answer(other)
    return append !== undefined || hasEvicted || other !== undefined
  }

  #drainPort(): void {
    for (let next = receiveMessageOnPort(this.#port); next; next = receiveMessageOnPort(this.#port)) {
      this.#accept(next.message as Question)
    }
  }

  #accept(question: Question): void {
    if (question.kind === 'append') this.#appends.push(question)
    else this.#others.push(question)
    if (question.kind === 'tick' || question.kind === 'evict') this.#isRetentionResting = false
    if ('times' in question.ask && question.ask.times.nowMs >= this.#times.nowMs) this.#times = question.ask.times
  }

  #append({ id, ask }: Ask<'append'>): void {
    try {
      const outcome = this.#store.append(ask)
      this.#setAway(undefined)
      this.#reply(id, outcome)
    } catch (error) {
      this.#fail(id, error)
    }
  }

  #evict(appendedCount: number): boolean {
    if (!this.#isRetentionResting && this.#store.isRetentionDue(this.#times)) {
      this.#isRetentionResting = !this.#try(() => this.#store.evictSlice(this.#times, appendedCount))
      return true
    }
    for (const { id } of this.#evictions.splice(0)) this.#reply(id, undefined)
    return false
  }

  #answer(question: Exclude<Question, { kind: 'append' }>): void {
    try {
      switch (question.kind) {
        case 'read':
          return this.#reply(question.id, this.#store.read(question.ask))
        case 'scan':
          return this.#reply(question.id, this.#store.scan(question.ask))
        case 'snapshot':
          return this.#reply(question.id, this.#store.snapshot(question.ask))
        case 'judge':
          return this.#reply(question.id, this.#store.judge(question.ask.position))
        case 'bounds':
          return this.#reply(question.id, this.#store.bounds())
        case 'registry':
          return this.#registry(question)
        case 'tick':
          this.#store.checkFile()
          this.#setAway(undefined)
          return this.#reply(question.id, undefined)
        case 'evict':
          this.#evictions.push(question)
          return
        case 'close':
          this.#close(question)
      }
    } catch (error) {
      this.#fail(question.id, error)
    }
  }

  /** With the calls that wait behind it: each transaction has its price, and under 'power' waits for the disk. */
  #registry(first: Ask<'registry'>): void {
    const group = [first]
    for (let next = this.#others[0]; next?.kind === 'registry'; next = this.#others[0]) {
      if (group.length === MAX_REGISTRY_GROUP) break
      group.push(next)
      this.#others.shift()
    }
    try {
      const answers = this.#store.registry(group.map(({ ask }): RegistryAsk => ask))
      for (const [i, { id }] of group.entries()) this.#reply(id, answers[i])
    } catch (error) {
      for (const { id } of group) this.#fail(id, error)
    }
  }

  #close({ id, ask }: Ask<'close'>): void {
    this.#try(() => this.#store.close(ask.times))
    this.#reply(id, undefined)
    this.#port.close()
  }

  #reply(id: number, answer: Questions[Question['kind']]['answer']): void {
    this.#send({ kind: 'answer', id, answer })
  }

  #fail(id: number, error: unknown): void {
    if (error instanceof FileGone) this.#setAway(error.message)
    const code: LogErrorCode = 'unavailable'
    this.#send({ kind: 'fault', id, code, message: messageOf(error, this.#path) })
  }

  #setAway(message: string | undefined): void {
    const isAway = message !== undefined
    if (isAway === this.#isAway) return
    this.#isAway = isAway
    this.#send(message === undefined ? { kind: 'back' } : { kind: 'away', message })
  }

  #send(reply: Reply): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a thread has no origin
    this.#port.postMessage(reply)
  }

  /** For what nobody waits for: it is tried again later. */
  #try(step: () => void): boolean {
    try {
      step()
      return true
    } catch {
      return false
    }
  }
}

function messageOf(error: unknown, path: string): string {
  if (error instanceof FileGone) return error.message
  const fault = sqliteFault(error)
  if (fault === 'full')
    return `The disk of ${path} is full: nothing was stored. Make room; the log then goes on by itself.`
  if (fault === 'corrupt' || fault === 'not_a_database') {
    return `The log ${path} is damaged (${String(error)}). Put back a copy, or move it away to begin a new log.`
  }
  return `The log ${path} cannot be used for now: ${String(error)}.`
}
