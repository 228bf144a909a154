/** What the server does with one request. */
export interface Answer {
  /** 0: the connection is destroyed, unanswered. @default 200 */
  readonly status?: number
  /** `null`: none. @default 'text/event-stream' */
  readonly type?: string | null
  readonly headers?: Readonly<Record<string, string>>
  /** Text, or parts: texts, bytes, and milliseconds to wait. */
  readonly body?: string | readonly (string | number | readonly number[])[]
  /** @default 'hold' */
  readonly end?: 'hold' | 'end' | 'cut'
}

/** What the server has seen of one request. */
export interface SeenRequest {
  readonly method: string
  readonly url: string
  readonly rawHeaders: readonly string[]
  readonly headers: Readonly<Record<string, string>>
  body: string
  readonly atMs: number
  closed: boolean
}
