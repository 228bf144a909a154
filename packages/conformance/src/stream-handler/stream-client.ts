/** An event as it came over the wire; control events (`stream:…`) are not among them. */
export interface WireEvent {
  readonly id: string | undefined
  readonly type: string | undefined
  readonly data: string
}

/** How a client goes away: its socket is closed, reset, or only ended on its side, while it listens on. */
export type WayToLeave = 'close' | 'reset' | 'half-close'

/** One client of one stream. */
export interface StreamClient {
  /** The status and the headers (names in lower case), once they have come. */
  readonly head:
    | { readonly status: number; readonly headers: readonly (readonly [name: string, value: string])[] }
    | undefined
  /** The body so far, without framing. */
  readonly body: string
  /** `whole`: the stream ended as the protocol has it; `cut`: it broke off. */
  readonly end: 'none' | 'whole' | 'cut'
  /** Resolves when the request has been handed to the network, or never will be. */
  readonly sent: Promise<void>
  /** Whether the connection is gone, too. */
  readonly isDisconnected: boolean
  /** Takes nothing more from the network until `resume`. */
  pause(): void
  resume(): void
  leave(how: WayToLeave): void
  /** Called whenever something has come or ended. Throws what was wrong with what came. */
  onChange: () => void
  /** Throws when what came broke the rules of the protocol. */
  check(): void
}

/** The events of a body, as far as their blocks are complete. */
export function readEvents(body: string): WireEvent[] {
  const blocks = body.slice(0, body.lastIndexOf('\n\n') + 1).split('\n\n')
  return blocks.flatMap((block) => {
    const fields = block.split('\n').map((line) => /^([a-z]*): ?(.*)$/s.exec(line))
    const valuesOf = (name: string): string[] =>
      fields.flatMap((field) => (field?.[1] === name ? [field[2] ?? ''] : []))
    const data = valuesOf('data')
    const type = valuesOf('event').at(-1)
    if (data.length === 0 || type?.startsWith('stream:')) return []
    return [{ id: valuesOf('id').at(-1), type, data: data.join('\n') }]
  })
}
