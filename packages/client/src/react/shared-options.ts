import { ClientError } from '../client-error.ts'
import { caused } from '../stream/attempt-error.ts'
import type { StreamOptions } from '../stream/stream-options.ts'
import { throwUncaught } from '../stream/throw-uncaught.ts'
import type { UseStreamOptions } from './stream-handle.ts'

/** Who has options, as they were last rendered. */
export interface OptionsHolder {
  readonly options: UseStreamOptions
}

/**
 * The options of a stream that several use. Values are equal for all of them, so those of the first one are taken. Functions are
 * looked up when they are called: by then components have rendered anew, have come, and have gone.
 *
 * @param users in the order in which they came; at least one is there now
 * @param hearsGaps whether anybody listens for gaps by `stream:sync-required`
 */
export function sharedOptions(users: ReadonlySet<OptionsHolder>, hearsGaps: () => boolean): StreamOptions {
  const given = oldest(users)
  return { ...given, ...oldestFunctions(users, given), ...observers(users, hearsGaps) }
}

/** Each asks for the one of the oldest user; when all have gone, it is still the one that was given. */
function oldestFunctions(users: ReadonlySet<OptionsHolder>, given: UseStreamOptions): UseStreamOptions {
  const functions: Record<string, AnyFunction> = {}
  for (const [name, first] of Object.entries(given)) {
    if (typeof first !== 'function') continue
    functions[name] = (...values) => {
      const now: unknown = oldest(users)[name as keyof UseStreamOptions]
      return (isFunction(now) ? now : (first as AnyFunction))(...values)
    }
  }
  return functions
}

/** Each tells all. Where nobody wants to know, it does what `connect` does without. */
function observers(users: ReadonlySet<OptionsHolder>, hearsGaps: () => boolean): UseStreamOptions {
  const onError = (error: ClientError): void => {
    const told = of(users, 'onError')
    for (const tell of told) call(tell, error, throwUncaught)
    if (told.length > 0 || !(error.code === 'handler' || error.code === 'missed')) return
    throwUncaught(error.cause instanceof Error ? error.cause : error)
  }
  const blame = (cause: unknown): void => onError(caused('handler', 'A handler has thrown', cause))
  return {
    onError,
    onState: (status) => of(users, 'onState').forEach((tell) => call(tell, status, blame)),
    onAttempt: (attempt) => of(users, 'onAttempt').forEach((tell) => call(tell, attempt, blame)),
    async onSync(reason, request) {
      const syncs = of(users, 'onSync')
      // Each is called, whatever those before it throw.
      await Promise.all(syncs.map(async (sync) => sync(reason, request)))
      if (syncs.length > 0 || hearsGaps()) return
      onError(new ClientError('missed', `Events were missed (${reason}): give onSync, to fetch the state anew.`))
    },
  }
}

/** Tells one of several: what it throws is no affair of the others. */
function call<T>(tell: (value: T) => unknown, value: T, blame: (cause: unknown) => void): void {
  try {
    const done = tell(value)
    if (done instanceof Promise) done.catch(blame)
  } catch (cause) {
    blame(cause)
  }
}

type AnyFunction = (...values: readonly unknown[]) => unknown

function isFunction(value: unknown): value is AnyFunction {
  return typeof value === 'function'
}

function oldest(users: ReadonlySet<OptionsHolder>): UseStreamOptions {
  const [user] = users
  return user?.options ?? {}
}

function of<Name extends 'onSync' | 'onError' | 'onState' | 'onAttempt'>(
  users: ReadonlySet<OptionsHolder>,
  name: Name,
): NonNullable<UseStreamOptions[Name]>[] {
  return [...users].map(({ options }) => options[name]).filter((one) => one !== undefined)
}
