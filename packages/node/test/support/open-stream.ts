import { EventStreamParser, type ParsedEvent } from '@millrace/protocol'
import { get, type IncomingMessage } from 'node:http'

/** A stream as a test's client sees it. */
export interface OpenStream {
  readonly response: IncomingMessage
  readonly text: string
  /** Resolves with the first event of the type, past or to come. */
  next(type: string): Promise<ParsedEvent>
  /** Resolves when the response has ended or was cut. */
  readonly ended: Promise<void>
  close(): void
}

export function openStream(url: string, headers: Record<string, string> = {}): Promise<OpenStream> {
  return new Promise((resolve, reject) => {
    const request = get(url, { headers, agent: false }, (response) => {
      let text = ''
      const events: ParsedEvent[] = []
      const waiting = new Set<() => void>()
      const parser = new EventStreamParser({ onEvent: (event) => events.push(event) })
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString()
        parser.push(chunk)
        for (const look of waiting) look()
      })
      response.on('error', () => undefined)
      const ended = new Promise<void>((resolveEnd) => {
        response.once('close', resolveEnd)
      })
      resolve({
        response,
        get text() {
          return text
        },
        next: (type) =>
          new Promise((resolveNext) => {
            const look = (): void => {
              const event = events.find((each) => each.type === type)
              if (!event) return
              waiting.delete(look)
              resolveNext(event)
            }
            waiting.add(look)
            look()
          }),
        ended,
        close: () => request.destroy(),
      })
    })
    request.once('error', reject)
  })
}
