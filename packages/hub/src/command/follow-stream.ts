import { connect, type ClientError } from '@millrace/client'
import { CommandFailure } from './command-failure.ts'
import { askHub, refusalOf } from './hub-address.ts'

/** An event of a stream with `envelope=1`. */
export interface TailEvent {
  readonly topic: string
  readonly type: string
  readonly data: unknown
  /** The envelope as it came. */
  readonly json: string
}

export interface FollowOptions {
  readonly url: URL
  readonly topics: readonly string[]
  /** Only events of these types; undefined for all. */
  readonly types: readonly string[] | undefined
  /** Where to go on from. */
  readonly lastEventId: string | undefined
  /** Ends it. */
  readonly signal: AbortSignal
  onEvent(event: TailEvent): void
  /** What a person should know: a cut, a gap, a farewell. */
  onNotice(text: string): void
}

/**
 * Follows a stream over cuts until the signal is aborted, or all its topics are finished.
 *
 * @throws CommandFailure when the hub refuses it for good, or cannot be reached the first time
 */
export async function followStream(options: FollowOptions): Promise<void> {
  const { url, topics, types, lastEventId, signal, onEvent, onNotice } = options
  /** Why the last request brought no stream, in the hub's own words. */
  let refusal: CommandFailure | undefined
  let farewell: string | undefined
  let wasOpen = false
  let failure: CommandFailure | undefined
  const stream = connect(url, {
    topics,
    types,
    lastId: lastEventId,
    signal,
    // Polls have no envelopes.
    transport: 'stream',
    parse: (text) => text,
    async fetch(target, init) {
      try {
        const response = await askHub(new URL(target), init)
        const isStream = response.headers.get('content-type')?.startsWith('text/event-stream')
        refusal = response.status === 204 || (response.ok && isStream) ? undefined : await refusalOf(response.clone())
        return response
      } catch (error) {
        if (error instanceof CommandFailure) refusal = error
        throw error
      }
    },
    onState(status) {
      if (status.name === 'open') {
        wasOpen = true
        farewell = undefined
      } else if (status.name === 'failed') failure = refusal ?? new CommandFailure(status.error.message)
      else if (status.name === 'waiting') {
        if (refusal?.cause && !wasOpen) {
          failure = refusal
          stream.close()
        } else {
          const why = refusal?.message ?? farewell ?? whyOf(status.error)
          onNotice(`${why} Coming back in ${(status.delayMs / 1000).toFixed(1)} s.`)
        }
      }
    },
    // What matters of it is a state too.
    onError() {},
  })
  stream.on('stream:sync-required', ({ data: { reason, from } }) =>
    onNotice(`Events may be missing (${reason}): what came after ${from} is not all kept.`),
  )
  stream.on('stream:shutdown', () => void (farewell = 'The hub is shutting down.'))
  stream.on('stream:reconnect', ({ data }) => {
    farewell = `The hub sends its clients away for a while (${data.reason}).`
  })
  stream.on('stream:end', ({ data }) => onNotice(`The topic ${data.topic} is finished.`))
  try {
    for await (const { data } of stream) {
      const json = String(data)
      onEvent({ ...(JSON.parse(json) as Omit<TailEvent, 'json'>), json })
    }
  } catch (error) {
    if (!failure) throw error
  }
  if (failure) throw failure
}

function whyOf({ code, message }: ClientError): string {
  if (code === 'silent') return 'Nothing came for too long, not even heartbeats.'
  if (code === 'ended') return 'The stream has ended.'
  return code === 'network' ? 'The connection was cut.' : message
}
