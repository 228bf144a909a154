import { authorizeError } from './attempt-error.ts'
import type { Access, Authorize } from './feed-settings.ts'

/** What requests are made with, on top of the stream's own options: what `authorize` gives. */
export interface Credentials {
  /** What was given last. */
  readonly access: Access
  /** Whether a refusal can be answered by others: those in use were not given in answer to one. */
  readonly canRenew: boolean
  /** Asks for the next ones. One call at a time: whoever asks meanwhile gets the same answer. Rejects with a ClientError. */
  ask(attempt: number, signal: AbortSignal): Promise<void>
  /** What was given last is refused, or about to end; `authorize` is told so until it has given something else. */
  refuse(): void
  /** What was given last is good. */
  accept(): void
}

export function makeCredentials(authorize: Authorize | undefined): Credentials {
  let access: Access = {}
  let isRefused = false
  let isRenewed = false
  let pending: Promise<void> | undefined

  async function call(attempt: number, signal: AbortSignal): Promise<void> {
    // Nothing is called before the promise is known.
    await Promise.resolve()
    try {
      access = (await authorize?.({ attempt, isRefused, signal })) ?? {}
      isRenewed = isRefused
      isRefused = false
    } catch (cause) {
      throw authorizeError(cause)
    } finally {
      pending = undefined
    }
  }

  return {
    get access() {
      return access
    },
    get canRenew() {
      return authorize !== undefined && !isRenewed
    },
    ask: (attempt, signal) => (pending ??= call(attempt, signal)),
    refuse: () => void (isRefused = true),
    accept: () => void (isRenewed = false),
  }
}
