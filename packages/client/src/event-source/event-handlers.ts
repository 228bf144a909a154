interface Handler {
  /** Anything that is an object; only what can be called is called. */
  value: unknown
  readonly listener: (event: Event) => void
}

/**
 * The handlers that are set as attributes (`onmessage = …`) of one target, by type (HTML Standard §8.1.8.1).
 *
 * A handler stands among the listeners where it was first set, keeps its place when it is replaced, and loses it when it
 * is set to null. What is not an object counts as null.
 */
export type EventHandlers = Map<string, Handler>

export function setHandler(target: EventTarget, handlers: EventHandlers, type: string, value: unknown): void {
  const handler = handlers.get(type)
  const isObject = Object(value) === value
  if (!isObject) {
    handlers.delete(type)
    if (handler) target.removeEventListener(type, handler.listener)
  } else if (handler) handler.value = value
  else {
    const added: Handler = {
      value,
      listener(event) {
        if (typeof added.value !== 'function') return
        if (added.value.call(target, event) === false) event.preventDefault()
      },
    }
    handlers.set(type, added)
    target.addEventListener(type, added.listener)
  }
}
