import { ClientError, type Clock } from '@millrace/client'
import type { SharedStreamsOptions } from '@millrace/client/react'

type Connect = SharedStreamsOptions['connect']
type Stream = ReturnType<Connect>
type Options = NonNullable<Parameters<Connect>[1]>

/** A stream that brings what the test says. */
export interface FakeStream {
  readonly url: string
  readonly options: Options
  readonly isClosed: boolean
  show(status: Stream['status']): void
  emit(type: string, data: unknown, topic?: string): void
  readonly handlerCount: number
}

/** A `connect` that opens nothing, and what it was called for. */
export function fakeConnect(): { readonly connect: Connect; readonly opened: readonly FakeStream[] } {
  const opened: FakeStream[] = []
  const connect = (url: string | URL, options: Options = {}): Stream => {
    if (String(url) === 'bad:') throw new ClientError('invalid_option', 'url is bad:')
    const listeners = new Set<(status: Stream['status']) => void>()
    const handlers = new Set<{ readonly type: string; readonly handle: (event: never) => void }>()
    let status: Stream['status'] = { name: 'connecting', attempt: 1 }
    const show = (next: Stream['status']): void => {
      status = next
      for (const listen of listeners) listen(next)
    }
    opened.push({
      url: String(url),
      options,
      get isClosed() {
        return status.name === 'closed'
      },
      show,
      emit(type, data, topic = '') {
        for (const one of handlers) if (one.type === type) one.handle({ type, data, topic, id: '' } as never)
      },
      get handlerCount() {
        return handlers.size
      },
    })
    const stream: Partial<Stream> = {
      get status() {
        return status
      },
      lastId: `last of ${opened.length}`,
      on(type: string, handle: (event: never) => void) {
        const own = { type, handle }
        handlers.add(own)
        return () => void handlers.delete(own)
      },
      onStatus(listener) {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
      close: () => show({ name: 'closed' }),
    }
    return stream as Stream
  }
  return { connect: connect as Connect, opened }
}

/** A clock whose timers fire when the test says. */
export class ManualClock implements Clock {
  #timers: { readonly dueMs: number; readonly callback: () => void }[] = []
  #nowMs = 0

  get timerCount(): number {
    return this.#timers.length
  }

  now(): number {
    return this.#nowMs
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { dueMs: this.#nowMs + delayMs, callback }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  advance(ms: number): void {
    this.#nowMs += ms
    const due = this.#timers.filter(({ dueMs }) => dueMs <= this.#nowMs)
    this.#timers = this.#timers.filter((timer) => !due.includes(timer))
    for (const { callback } of due) callback()
  }
}
