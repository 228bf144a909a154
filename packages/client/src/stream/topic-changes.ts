import type { ClientError } from '../client-error.ts'

interface Change {
  readonly revision: number
  readonly topics: readonly string[]
  readonly resolve: () => void
  readonly reject: (error: ClientError) => void
}

/** The topics that are wanted, and who waits for the server to send by them. */
export class TopicChanges {
  topics: readonly string[]
  /** What comes first of new topics. */
  from: 'now' | 'snapshot' | undefined
  /** Rises with each change. */
  revision: number = 0
  /** What the server last sent by. */
  #confirmed: readonly string[]
  #changes: Change[] = []

  constructor(topics: readonly string[]) {
    this.topics = this.#confirmed = topics
  }

  /** Resolves when the change is confirmed. Whoever does not look at the promise is not troubled by its rejection. */
  change(topics: readonly string[], from?: 'now' | 'snapshot'): Promise<void> {
    this.topics = topics
    this.from = from
    const revision = ++this.revision
    const done = new Promise<void>((resolve, reject) => this.#changes.push({ revision, topics, resolve, reject }))
    done.catch(() => {})
    return done
  }

  /** The server sends by the topics of this revision. */
  confirm(revision: number): void {
    for (const change of this.#changes) {
      if (change.revision > revision) break
      this.#confirmed = change.topics
      change.resolve()
    }
    this.#changes = this.#changes.filter((change) => change.revision > revision)
  }

  /** Whether a change waits to be confirmed. */
  get isChanging(): boolean {
    return this.#changes.length > 0
  }

  /** Gives up all changes that are not confirmed. */
  refuse(error: ClientError): void {
    this.topics = this.#confirmed
    this.revision++
    for (const change of this.#changes.splice(0)) change.reject(error)
  }
}
