// Types of the web that the public interface names, made of those that the types of Node have as well: a project without the
// types of the DOM compiles. To whoever has those they are the same.

/** What `new Headers()` takes: the DOM's `HeadersInit`. */
export type HeadersInput = NonNullable<ConstructorParameters<typeof Headers>[0]>

/** The DOM's `RequestCredentials`. */
export type CredentialsMode = 'omit' | 'same-origin' | 'include'

/** The body of a request that can be sent anew on each attempt, so no stream. */
export type RequestBody = Exclude<NonNullable<RequestInit['body']>, ReadableStream | AsyncIterable<unknown>>

/** The DOM's `MessageEvent<string>`. */
export interface TextMessageEvent extends Omit<MessageEvent, 'data'> {
  readonly data: string
}

/** The DOM's `boolean | AddEventListenerOptions`. */
export type ListenOptions = NonNullable<Parameters<EventTarget['addEventListener']>[2]>

/** The DOM's `EventListenerObject`. */
export interface ListenerObject {
  handleEvent(event: Event): void
}
