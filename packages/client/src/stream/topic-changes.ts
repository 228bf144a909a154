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
  /**
   * What comes first of topics that are new: only an open stream can be asked for it. Whoever has none clears it, and new topics
   * begin with what comes next.
   */
  from: 'snapshot' | undefined
  /** Rises with each change. */
  readonly revision: number
  /** What the next request asks for: the old topics when an open stream is to be asked for the new ones. */
  asked(isStream: boolean): readonly string[]
  /** Resolves when the change is confirmed. Whoever does not look at the promise is not troubled by its rejection. */
  change(topics: readonly string[], from?: 'now' | 'snapshot'): Promise<void>
  /** The server sends by the topics of this revision. */
  confirm(revision: number): void
  /**
   * Gives up the changes that are not confirmed, up to a revision, or all; when none is left the old topics are wanted again.
   * Returns whether there were any.
   */
  refuse(error: ClientError, revision?: number): boolean
}

export function makeTopicChanges(startTopics: readonly string[]): TopicChanges {
  /** What the server last sent by. */
  let confirmed = startTopics
  const changes: Change[] = []
  /** Returns whether there were any. */
  const settle = (revision: number, act: (change: Change) => void): boolean => {
    const [first] = changes
    for (let change; (change = changes[0]) && change.revision <= revision; changes.shift()) act(change)
    if (!changes[0]) wanted.from = undefined
    return changes[0] !== first
  }
  const wanted = {
    topics: startTopics,
    from: undefined as TopicChanges['from'],
    revision: 0,
    asked: (isStream: boolean) => (isStream && wanted.from ? confirmed : wanted.topics),
    change(topics: readonly string[], from?: 'now' | 'snapshot') {
      wanted.topics = topics
      // An earlier change may still be owed a snapshot.
      if (from === 'snapshot') wanted.from = from
      const done = new Promise<void>((resolve, reject) =>
        changes.push({ revision: ++wanted.revision, topics, resolve, reject }),
      )
      done.catch(() => {})
      return done
    },
    confirm(revision: number) {
      settle(revision, ({ topics, resolve }) => {
        confirmed = topics
        resolve()
      })
    },
    refuse(error: ClientError, revision = Infinity) {
      const wereAny = settle(revision, ({ reject }) => reject(error))
      if (!changes[0]) wanted.topics = confirmed
      return wereAny
    },
  }
  return wanted
}
