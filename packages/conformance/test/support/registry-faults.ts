import { BackendError, memory, type Registry } from '@millrace/server'
import type { RegistryHandle, RegistryOptions, RegistrySetup } from '../../src/index.ts'
import { nextTurn } from './fault-tools.ts'
import { ManualClock } from './manual-clock.ts'

export interface RegistryFault {
  readonly name: string
  /** The beginnings of the names of the cases that must find it. */
  readonly breaks: readonly string[]
  options?(options: RegistryOptions): RegistryOptions
  wrap(registry: Registry, clock: ManualClock): Registry
}

/** A registry with every feature that the suite knows, and one fault or none. */
export function registrySetup(fault?: RegistryFault): RegistrySetup {
  return {
    name: fault ? `a registry with a fault: ${fault.name}` : 'a sound registry',
    create: async (options): Promise<RegistryHandle> => {
      const clock = new ManualClock()
      const { registry } = memory({ ...(fault?.options?.(options) ?? options), clock })
      let isAway = false
      const flaky = each(registry, (call) => {
        if (isAway) return Promise.reject(new BackendError('unavailable', 'The backend is away.'))
        return call()
      })
      const wrapped = fault?.wrap(flaky, clock) ?? flaky
      return {
        registry: wrapped,
        peer: wrapped,
        advanceClock: (ms) => clock.pass(ms),
        interrupt: () => void (isAway = true),
        resume: () => void (isAway = false),
      }
    },
    timeoutMs: fault ? 500 : 5000,
  }
}

/** The same registry with something around each call but `close`. */
function each(registry: Registry, around: <T>(call: () => Promise<T>) => Promise<T>): Registry {
  return {
    put: (key, value, ttlMs) => around(() => registry.put(key, value, ttlMs)),
    take: (key) => around(() => registry.take(key)),
    get: (key) => around(() => registry.get(key)),
    list: (prefix) => around(() => registry.list(prefix)),
    close: () => registry.close(),
  }
}

function withMethods(registry: Registry, methods: Partial<Registry>): Registry {
  return { ...each(registry, (call) => call()), ...methods }
}

function mended(code: BackendError['code'], instead: () => Promise<never>): RegistryFault['wrap'] {
  return (registry) =>
    each(registry, (call) =>
      call().catch((error: unknown) => {
        if (error instanceof BackendError && error.code === code) return instead()
        throw error
      }),
    )
}

const nothing = (): Promise<never> => Promise.resolve(undefined as never)

export const registryFaults: readonly RegistryFault[] = [
  {
    name: 'the first value stays',
    breaks: ['what was put is there', 'calls that are pending at once'],
    wrap: (registry) =>
      withMethods(registry, {
        put: async (key, value, ttlMs) => registry.put(key, (await registry.get(key)) ?? value, ttlMs),
      }),
  },
  {
    name: 'a value is taken by whoever looks before it is gone',
    breaks: ['a value is taken once'],
    wrap: (registry) =>
      withMethods(registry, {
        take: async (key) => {
          const value = await registry.get(key)
          await nextTurn()
          await registry.take(key)
          return value
        },
      }),
  },
  {
    name: 'what is taken is still there',
    breaks: ['a value is taken once', 'calls that are pending at once'],
    wrap: (registry) => withMethods(registry, { take: (key) => registry.get(key) }),
  },
  {
    name: 'a list is in the order of putting',
    breaks: ['a list has the entries'],
    wrap: (registry) =>
      withMethods(registry, { list: async (prefix) => new Map([...(await registry.list(prefix))].toReversed()) }),
  },
  {
    name: 'a list is in the order of bytes',
    breaks: ['a list has the entries'],
    wrap: (registry) =>
      withMethods(registry, {
        list: async (prefix) =>
          new Map(
            [...(await registry.list(prefix))].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
          ),
      }),
  },
  {
    name: 'a prefix is a pattern',
    breaks: ['a list has the entries'],
    wrap: (registry) =>
      withMethods(registry, { list: (prefix) => registry.list(prefix.endsWith('%') ? prefix.slice(0, -1) : prefix) }),
  },
  {
    name: 'values are trimmed',
    breaks: ['any text within the bounds'],
    wrap: (registry) =>
      withMethods(registry, { put: (key, value, ttlMs) => registry.put(key, value.trim?.() ?? value, ttlMs) }),
  },
  {
    name: 'a key that is too long is cut',
    breaks: ['an argument out of its range'],
    wrap: (registry) =>
      withMethods(registry, {
        put: (key, value, ttlMs) => registry.put(key.slice?.(0, 256) ?? key, value, ttlMs),
      }),
  },
  {
    name: 'a time that makes no sense is mended',
    breaks: ['an argument out of its range'],
    wrap: (registry) =>
      withMethods(registry, { put: (key, value, ttlMs) => registry.put(key, value, Math.max(1, Math.ceil(ttlMs))) }),
  },
  {
    name: 'an entry stays a millisecond too long',
    breaks: ['an entry is there for its time', 'a second put counts the time anew', 'entries that have expired'],
    wrap: (registry) =>
      withMethods(registry, {
        put: (key, value, ttlMs) => registry.put(key, value, ttlMs < 2 ** 31 - 1 ? ttlMs + 1 : ttlMs),
      }),
  },
  {
    name: 'an entry goes a millisecond early',
    breaks: ['an entry is there for its time'],
    wrap: (registry) =>
      withMethods(registry, { put: (key, value, ttlMs) => registry.put(key, value, ttlMs > 1 ? ttlMs - 1 : ttlMs) }),
  },
  {
    name: 'a second put keeps the time of the first',
    breaks: ['a second put counts the time anew'],
    wrap: (registry, clock) => {
      const expiresMs = new Map<string, number>()
      return withMethods(registry, {
        put: (key, value, ttlMs) => {
          const restMs = (expiresMs.get(key) ?? 0) - clock.now()
          if (restMs <= 0) expiresMs.set(key, clock.now() + ttlMs)
          return registry.put(key, value, restMs > 0 ? restMs : ttlMs)
        },
      })
    },
  },
  {
    name: 'the bound is not kept to',
    breaks: ['beyond maxEntries', 'entries that have expired'],
    options: () => ({}),
    wrap: (registry) => registry,
  },
  {
    name: 'beyond the bound a value is dropped in silence',
    breaks: ['beyond maxEntries'],
    wrap: mended('full', nothing),
  },
  {
    name: 'expired entries count',
    breaks: ['entries that have expired'],
    wrap: (registry) => {
      let count = 0
      return withMethods(registry, {
        put: async (key, value, ttlMs) => {
          if (++count > 5) throw new BackendError('full', 'There is no room.')
          return registry.put(key, value, ttlMs)
        },
      })
    },
  },
  {
    name: 'puts are overtaken',
    breaks: ['calls that are pending at once'],
    wrap: (registry) =>
      withMethods(registry, {
        put: async (key, value, ttlMs) => {
          await nextTurn()
          return registry.put(key, value, ttlMs)
        },
      }),
  },
  {
    name: 'while the backend is away values are dropped in silence',
    breaks: ['while the backend is away calls'],
    wrap: mended('unavailable', nothing),
  },
  {
    name: 'after close there is nothing, and no error',
    breaks: ['after close every method of a registry'],
    wrap: mended('closed', nothing),
  },
]
