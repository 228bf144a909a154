import { BackendError, memory, type Bus, type BusListener } from '@millrace/server'
import type { BusSetup } from '../../src/index.ts'
import { nextTurn } from './fault-tools.ts'

export interface BusFault {
  readonly name: string
  /** The beginnings of the names of the cases that must find it. */
  readonly breaks: readonly string[]
  wrap(bus: Bus): Bus
}

/** A bus with one fault or none. */
export function busSetup(fault?: BusFault): BusSetup {
  return {
    name: fault ? `a bus with a fault: ${fault.name}` : 'a sound bus',
    create: async () => {
      const { bus } = memory()
      const wrapped = fault?.wrap(bus) ?? bus
      return { bus: wrapped, peer: wrapped }
    },
    timeoutMs: fault ? 300 : 5000,
  }
}

function withMethods(bus: Bus, methods: Partial<Bus>): Bus {
  return {
    send: (message) => bus.send(message),
    listen: (listener) => bus.listen(listener),
    close: () => bus.close(),
    ...methods,
  }
}

export const busFaults: readonly BusFault[] = [
  {
    name: 'only the first listener hears',
    breaks: ['a message reaches each listener', 'the messages of one sender', 'a listener hears what is sent'],
    wrap: (bus) => {
      let count = 0
      return withMethods(bus, { listen: async (listener) => (++count > 1 ? () => undefined : bus.listen(listener)) })
    },
  },
  {
    name: 'a message comes twice',
    breaks: ['a message reaches each listener'],
    wrap: (bus) =>
      withMethods(bus, {
        send: async (message) => {
          await bus.send(message)
          await bus.send(message)
        },
      }),
  },
  {
    name: 'fields are left out',
    breaks: ['a message reaches each listener'],
    wrap: (bus) =>
      withMethods(bus, {
        send: ({ event: { topic, data }, ...rest }) => bus.send({ ...rest, event: { topic, data } }),
      }),
  },
  {
    name: 'some messages are overtaken',
    breaks: ['the messages of one sender'],
    wrap: (bus) =>
      withMethods(bus, {
        send: async (message) => {
          if (message.timeMs === 0) await nextTurn()
          return bus.send(message)
        },
      }),
  },
  {
    name: 'a listener is called from within send',
    breaks: ['no listener is called from within send'],
    wrap: atOnce,
  },
  {
    name: 'a listener hears only after a while',
    breaks: ['a listener hears what is sent'],
    wrap: (bus) =>
      withMethods(bus, {
        listen: async (listener) => {
          const stop = nextTurn().then(() => bus.listen(listener))
          return () => void stop.then((unsubscribe) => unsubscribe())
        },
      }),
  },
  {
    name: 'a listener that was stopped hears what is on its way',
    breaks: ['a listener that was stopped hears nothing'],
    wrap: (bus) =>
      withMethods(bus, {
        listen: async (listener) => {
          const unsubscribe = await bus.listen(listener)
          return () => void nextTurn().then(unsubscribe)
        },
      }),
  },
  {
    name: 'a function listens once only',
    breaks: ['a function that listens twice'],
    wrap: (bus) => {
      const known = new Map<BusListener, ReturnType<Bus['listen']>>()
      return withMethods(bus, {
        listen: (listener) => {
          const listening = known.get(listener) ?? bus.listen(listener)
          known.set(listener, listening)
          return listening
        },
      })
    },
  },
  {
    name: 'who listens after one that was stopped is skipped',
    breaks: ['a listener that stops itself'],
    wrap: skipping,
  },
  {
    name: 'after close there is silence, and no error',
    breaks: ['after close every method of a bus'],
    wrap: (bus) =>
      withMethods(bus, {
        send: (message) =>
          bus.send(message).catch((error: unknown) => {
            if (!(error instanceof BackendError)) throw error
          }),
      }),
  },
  {
    name: 'after close what is on its way is still heard',
    breaks: ['after close every method of a bus'],
    wrap: (bus) => {
      const listeners = new Set<BusListener>()
      return withMethods(bus, {
        send: async (message) => {
          await bus.send(message)
          void nextTurn().then(() => listeners.forEach((listener) => listener(message)))
        },
        listen: async (listener) => {
          const unsubscribe = await bus.listen(() => undefined)
          listeners.add(listener)
          return unsubscribe
        },
      })
    },
  },
]

/** Calls listeners within `send`. */
function atOnce(bus: Bus): Bus {
  const listeners = new Set<BusListener>()
  return withMethods(bus, {
    send: async (message) => {
      for (const listener of listeners) listener(message)
    },
    listen: async (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  })
}

/** Goes through a list by index, from which those that stop are taken out meanwhile. */
function skipping(bus: Bus): Bus {
  const listeners: BusListener[] = []
  return withMethods(bus, {
    send: async (message) => {
      await Promise.resolve()
      for (let i = 0; i < listeners.length; i++) listeners[i]?.(message)
    },
    listen: async (listener) => {
      listeners.push(listener)
      return () => {
        const place = listeners.indexOf(listener)
        if (place !== -1) listeners.splice(place, 1)
      }
    },
  })
}
