import type { ControlData } from '@millrace/protocol'

/** Event types and the data that goes with each; without a map of your own, a type or an interface, any. */
export type EventMap = Record<string, unknown>

/** One event of a type, as handlers and readers get it. */
export interface EventOf<Type extends string, Data> {
  readonly type: Type
  /** What was published: the value when it is JSON, else the text. See `parse` of {@link StreamOptions}. */
  readonly data: Data
  /** The topic; empty when the server names none. */
  readonly topic: string
  /** The id in force: where a stream that has had this event resumes from. Empty when there is none. */
  readonly id: string
}

/** One event of a stream. With an event map (a type or an interface), `type` and `data` belong together. */
export type StreamEvent<Events extends object = EventMap> = {
  [T in keyof Events & string]: EventOf<T, Events[T]>
}[keyof Events & string]

/** What the server says about the stream, for whoever listens to it by name; not part of the iteration. */
export type ControlMap = Pick<
  ControlData,
  'stream:caught-up' | 'stream:sync-required' | 'stream:reconnect' | 'stream:shutdown'
> & {
  /** The topic is finished. */
  readonly 'stream:end': { readonly topic: string }
  readonly 'stream:topics': { readonly topics: readonly string[]; readonly revision: number }
  readonly 'stream:expiring': { readonly reason: string; readonly expiresAt: unknown }
  readonly 'stream:unauthorized': { readonly reason: string }
}

/** What can be listened for: the types of the event map, those of the stream itself, and `*` for all of the event map. */
export type HandlerType<Events extends object> = (keyof Events & string) | keyof ControlMap | '*'

export type HandlerArgument<Events extends object, T extends string> = T extends '*'
  ? StreamEvent<Events>
  : T extends keyof ControlMap
    ? EventOf<T, ControlMap[T]>
    : T extends keyof Events
      ? EventOf<T, Events[T]>
      : never
