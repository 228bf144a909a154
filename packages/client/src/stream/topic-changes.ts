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
   * The revision of the last change that is owed a snapshot of its new topics; 0 when none is. Only an open stream can be asked
   * for it: whoever has none clears it, and new topics begin with what comes next.
   */
  owed: number
  /** Rises with each change. */
  readonly revision: number
  /** What the next request asks for: the old topics when an open stream is to be asked for the new ones. */
  asked(isStream: boolean): readonly string[]
  /** Resolves when the change is confirmed, rejects when it is refused. */
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
    const due = changes.splice(0, changes.filter((change) => change.revision <= revision).length)
    due.forEach(act)
    // Those that come later have not asked for it.
    if (revision >= wanted.owed) wanted.owed = 0
    return due.length > 0
  }
  const wanted = {
    topics: startTopics,
    owed: 0,
    revision: 0,
    asked: (isStream: boolean) => (isStream && wanted.owed ? confirmed : wanted.topics),
    change(topics: readonly string[], from?: 'now' | 'snapshot') {
      wanted.topics = topics
      const revision = ++wanted.revision
      // An earlier change may still be owed a snapshot.
      if (from === 'snapshot') wanted.owed = revision
      return new Promise<void>((resolve, reject) => changes.push({ revision, topics, resolve, reject }))
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
