import type { ClientError } from '../client-error.ts'

interface Change {
  readonly revision: number
  readonly topics: readonly string[]
  readonly resolve: () => void
  readonly reject: (error: ClientError) => void
}

/** The topics that are wanted, and who waits for the server to send by them. */
export interface TopicChanges {
  readonly topics: readonly string[]
  /** What comes first of new topics. */
  readonly from: 'now' | 'snapshot' | undefined
  /** Rises with each change. */
  readonly revision: number
  /** Resolves when the change is confirmed. Whoever does not look at the promise is not troubled by its rejection. */
  change(topics: readonly string[], from?: 'now' | 'snapshot'): Promise<void>
  /** The server sends by the topics of this revision. */
  confirm(revision: number): void
  /** Whether a change waits to be confirmed. */
  isChanging(): boolean
  /** Gives up all changes that are not confirmed. */
  refuse(error: ClientError): void
}

export function makeTopicChanges(startTopics: readonly string[]): TopicChanges {
  /** What the server last sent by. */
  let confirmed = startTopics
  const changes: Change[] = []
  const wanted = {
    topics: startTopics,
    from: undefined as TopicChanges['from'],
    revision: 0,
    change(topics: readonly string[], from?: 'now' | 'snapshot') {
      const revision = ++wanted.revision
      Object.assign(wanted, { topics, from })
      const done = new Promise<void>((resolve, reject) => changes.push({ revision, topics, resolve, reject }))
      done.catch(() => {})
      return done
    },
    confirm(revision: number) {
      for (let change; (change = changes[0]) && change.revision <= revision; changes.shift()) {
        confirmed = change.topics
        change.resolve()
      }
    },
    isChanging: () => changes.length > 0,
    refuse(error: ClientError) {
      wanted.topics = confirmed
      wanted.revision++
      for (const { reject } of changes.splice(0)) reject(error)
    },
  }
  return wanted
}
