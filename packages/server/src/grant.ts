import type { SlowPolicy } from './subscribe-request.ts'

/** What a client may see. */
export interface Grant {
  /** Topics and patterns; a stream that names none gets all of these, and its user's own topic. */
  readonly subscribe: readonly string[]
  /**
   * The id of the user: may subscribe to `@me`, which nobody else may. On the wire the topic is `@` and the id,
   * percent-encoded (`userTopic`). @default no user
   */
  readonly user?: string
  /** What happens to this client's streams when they fall behind. @default the hub's `slowPolicy` */
  readonly slowPolicy?: SlowPolicy
}

/** Why a client gets no stream. */
export interface Refusal {
  /** 204 stops an `EventSource` for good without an error; 401 and 403 say why. */
  readonly status: 204 | 401 | 403
  /** What was wrong and what to do; not sent with 204. */
  readonly detail?: string
}

/** Decides who gets a stream. What it throws is answered with 500 and not told to the client. */
export type Authorizer<Asked = Request> = (request: Asked) => Grant | Refusal | Promise<Grant | Refusal>
